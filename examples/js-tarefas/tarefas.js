// A list of things to do, which keeps itself in its storage.
import { HostError, Module, action, all, ask, node, serve, sleep } from "./plataforma.js";

class Tarefas extends Module {
  *on_load() {
    this.openWindow({ title: "Tarefas" });
    this.subscribe("agenda.lembrete", this.onLembrete);
    const [tarefas, nome] = yield all([ask("storage.get", "tarefas"), ask("storage.get", "nome")]);
    this.tarefas = tarefas ?? [];
    this.nome = nome ?? "Tarefas";
    console.log(`${this.tarefas.length} tarefas`);
  }

  *onLembrete(event) {
    yield* this.anotar(event.data.texto);
  }

  *anotar(texto) {
    if (typeof texto !== "string") throw new TypeError("anotar takes a text");
    if (this.tarefas.length >= this.config.maximo) throw new RangeError("a lista está cheia");
    this.tarefas.push({ texto, feita: false });
    yield ask("storage.set", "tarefas", this.tarefas);
    return this.tarefas.length;
  }

  *concluir(indice) {
    this.tarefas[indice].feita = true;
    if (this.can("events.emit[module.tarefas.feita]")) this.emit("feita", { texto: this.tarefas[indice].texto });
    yield ask("storage.set", "tarefas", this.tarefas);
  }

  *esperar(segundos) {
    yield sleep(segundos);
    return "pronto";
  }

  *tentar(metodo, ...args) {
    try {
      return yield ask(metodo, ...args);
    } catch (error) {
      if (error instanceof HostError) return error.code;
      throw error;
    }
  }

  eco(...valores) {
    return valores;
  }

  sorteio() {
    return Math.random();
  }

  render() {
    const linhas = this.tarefas.map((tarefa, i) =>
      node(
        "row",
        {},
        tarefa.feita ? `✓ ${tarefa.texto}` : tarefa.texto,
        node("button", { label: "Feita", disabled: tarefa.feita, on_press: action("concluir", i) }),
      ),
    );
    return node("column", {}, node("heading", { text: this.nome }), ...linhas);
  }
}

export const { load, pump } = serve(Tarefas);
