// What the scripted server says: a shop's modules, their windows, permissions and costs.

export const modules = [
  { id: "vendas", name: "Vendas", version: "1.4.0", description: "Receita, pedidos e produtos do mês", icon: "cart", engine: "wasm", state: "active", windows: ["main", "pedido"] },
  { id: "clientes", name: "Clientes", version: "0.9.2", description: "Cadastro e contato de clientes", icon: "users", engine: "wasm", state: "active", windows: ["main"] },
  { id: "estoque", name: "Estoque", version: "2.0.1", description: "Quantidades e reposição", icon: "package", engine: "restricted", state: "parked", windows: [] },
  { id: "relatorios", name: "Relatórios", version: "1.0.0", description: "Relatórios mensais em PDF", icon: "bar-chart", engine: "wasm", state: "known", windows: [] },
];

let count = 0;
const node = (type, props = {}, children = []) => ({ type, key: `n${(count += 1)}`, props, children });
const text = (words) => node("text", { value: words });

const months = ["Camila Duarte", "Pedro Nunes", "Helena Prado", "Rafael Lima", "Bianca Souza", "Otávio Reis", "Marina Alves", "Caio Melo"];
const rows = months.map((cliente, place) => ({ pedido: 1042 + place, cliente, total: 182.5 * (place + 1), estado: place % 3 ? "Pago" : "Aberto" }));
const sales = node("column", {}, [
  node("row", {}, [node("metric", { label: "Receita", value: 48210.4, format: "currency" }), node("metric", { label: "Pedidos", value: 312 }), node("metric", { label: "Ticket médio", value: 154.52, format: "currency" })]),
  node("table", { title: "Pedidos recentes", columns: [{ name: "pedido", label: "Pedido" }, { name: "cliente", label: "Cliente" }, { name: "total", label: "Total", format: "currency" }, { name: "estado", label: "Estado" }], rows }),
  node("row", {}, [node("button", { label: "Atualizar", on_press: { handler: "reload", arguments: [] } })]),
]);
const clients = node("column", {}, [node("heading", { text: "Clientes", level: 2 }), text("Três clientes aguardam retorno hoje."), node("text_field", { name: "busca", label: "Buscar cliente" })]);
const order = node("column", {}, [node("heading", { text: "Pedido 1042", level: 2 }), text("Camila Duarte · R$ 182,50 · aberto")]);

const window = (module, id, title, width, height, tree, modal = false) => ({ type: "window", module, window: { id, title, width, height, modal }, revision: 1, tree });
export const windows = [
  window("vendas", "main", "Painel de vendas", 860, 560, sales),
  window("vendas", "pedido", "Pedido 1042", 420, 260, order),
  window("clientes", "main", "Clientes", 480, 360, clients),
];

export const prompt = (more = {}) => ({
  type: "prompt", id: "p1", module: { id: "vendas", name: "Vendas", version: "1.4.0", source: "ed25519:9f2c…71aa" },
  permission: "api.clientes[GET]", meaning: "Ler dados de clientes pela API da aplicação", reason: "Mostrar o nome do cliente em cada pedido.",
  choices: ["once", "session", "always", "no", "never"], waiting: 2, armed_after_ms: 500, expires_at: Date.now() / 1_000 + 60, ...more,
});

const entry = (permission, meaning, state, kind, by, required, reason = null, until = null) => ({ permission, meaning, state, kind, until, declared: true, required, reason, by });
export const permissions = () => ({
  type: "permissions",
  modules: [
    { id: "vendas", name: "Vendas", entries: [
      entry("api.vendas[GET]", "Ler vendas pela API da aplicação", "granted", "forever", "host", true),
      entry("api.clientes[GET]", "Ler dados de clientes pela API da aplicação", "granted", "session", "person", false, "Mostrar o nome do cliente em cada pedido."),
      entry("system.notifications", "Mostrar notificações", "undecided", null, null, false, "Avisar de pedidos novos."),
    ] },
    { id: "clientes", name: "Clientes", entries: [
      entry("system.clipboard", "Ler e escrever a área de transferência", "denied", "forever", "person", false, "Copiar o e-mail do cliente."),
    ] },
  ],
});

export const limits = { max_memory_bytes: 134217728, max_fuel: null, max_call_ms: 10000, max_step_ms: 50, max_cpu_ms_per_s: null, max_host_calls_per_s: 5000, max_storage_bytes: 5242880 };
const wave = (size, phase) => Array.from({ length: 60 }, (_, at) => Math.abs(Math.sin(at / 7 + phase)) * size);
const task = (id, name, version, engine, state, cpu, memory, calls, more = {}) => ({
  id, name, version, engine, state, cpu_ms_per_s: cpu, fuel: cpu * 918_273, memory_bytes: memory * 2 ** 20, memory_limit: 128 * 2 ** 20, calls: 1_200, calls_per_s: calls,
  p95_ms: calls ? 4.2 : null, denials: 0, queue: 0, restarts: 0, failures: 0, limits, limits_most: limits, limits_pending: [],
  history: { cpu: wave(cpu * 1.3, cpu), memory: wave(memory * 2 ** 20, 1), calls: wave(calls, 2) }, ...more,
});
export const tasks = () => ({
  type: "tasks", at: Date.now() / 1_000,
  modules: [
    task("vendas", "Vendas", "1.4.0", "wasm", "active", 84.3, 21.4, 12.5),
    task("clientes", "Clientes", "0.9.2", "wasm", "active", 12.1, 9.8, 2.1, { denials: 3 }),
    task("laco", "Laço infinito", "0.1.0", "wasm", "failed", 982, 119.2, 0, { restarts: 4, queue: 17 }),
    task("estoque", "Estoque", "2.0.1", "restricted", "parked", 0, 1.2, 0),
  ],
});
