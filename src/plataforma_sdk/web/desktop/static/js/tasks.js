// The task manager's window: what each module costs, and what to do about it.

import { toNumber } from "./codec.js";
import { button, confirmed } from "./dialog.js";
import { arrange, attr, clear, h, setText, uid } from "./dom.js";
import { formatter } from "./format.js";
import { icon } from "./icons.js";
import { editLimits } from "./limits.js";
import { keep, recall } from "./memory.js";
import { sparkline } from "./sparkline.js";

const MIB = 2 ** 20;
const STATE_TONES = { active: "success", parked: "neutral", loading: "info", reloading: "info", failed: "danger", unloaded: "neutral" };
const number = (value) => (value === null || value === undefined ? null : toNumber(value));

// name -> how a figure is read from a module and written; `history` draws its line, `most` scales it
const COLUMNS = [
  { name: "name", read: (module) => module.name },
  { name: "state", read: (module) => module.state },
  { name: "cpu", read: (module) => number(module.cpu_ms_per_s), write: (value, f) => `${f.number(value / 10, { maximumFractionDigits: 1 })} %`, history: "cpu", most: () => 1_000 },
  { name: "memory", read: (module) => number(module.memory_bytes), write: (value, f) => `${f.number(value / MIB, { maximumFractionDigits: 1 })} MiB`, history: "memory", most: (module) => number(module.memory_limit) ?? 0 },
  { name: "calls", read: (module) => number(module.calls_per_s), write: (value, f) => f.number(value, { maximumFractionDigits: 1 }), history: "calls", most: () => 0 },
  { name: "latency", read: (module) => number(module.p95_ms), write: (value, f) => `${f.number(value, { maximumFractionDigits: 1 })} ms` },
  { name: "fuel", read: (module) => number(module.fuel), write: (value, f) => f.number(value, { notation: "compact", maximumFractionDigits: 1 }) },
  { name: "denials", read: (module) => number(module.denials), write: (value, f) => f.number(value) },
  { name: "queue", read: (module) => number(module.queue), write: (value, f) => f.number(value) },
  { name: "restarts", read: (module) => number(module.restarts), write: (value, f) => f.number(value) },
];
const TEXTS = new Set(["name", "state"]);
const WARNS = { denials: "warning", restarts: "warning" };

/** The content of the task manager's window. */
export class Tasks {
  #modules = null;
  #rows = new Map(); // module id -> Row
  #sort = recall("tasks.sort", { name: "name", isDown: false });
  #stop = new AbortController();

  constructor(body, desktop) {
    this.desktop = desktop;
    this.root = h("div", { className: "pd-system-view pd-tasks", tabindex: 0 });
    body.append(this.root);
    desktop.connection.addEventListener("tasks", ({ detail }) => this.#take(detail.modules), { signal: this.#stop.signal });
    desktop.connection.send("watch", { topic: "tasks", on: true });
    this.#draw();
  }

  focus() {
    this.root.focus({ preventScroll: true });
  }

  dispose() {
    this.#stop.abort();
    this.desktop.connection.send("watch", { topic: "tasks", on: false });
  }

  setLocale() {
    this.#rows.clear();
    this.#draw();
  }

  #take(modules) {
    this.#modules = modules;
    this.#fill();
  }

  #draw() {
    const { t } = this.desktop;
    this.heads = new Map(COLUMNS.map(({ name }) => [name, this.#drawHead(name)]));
    this.rows = h("tbody");
    this.summary = h("p", { className: "pd-tasks-summary" });
    this.empty = h("p", { className: "pd-empty-note" });
    clear(this.root).append(this.summary, this.#drawSorter(),
      h("table", { className: "pd-table" }, h("caption", { className: "pv-unseen", textContent: t("desktop.tasks.title") }),
        h("thead", null, h("tr", null, [...this.heads.values()], h("th", { scope: "col" }, h("span", { className: "pv-unseen", textContent: t("desktop.tasks.actions") })))), this.rows),
      this.empty);
    this.#fill();
  }

  #drawHead(name) {
    const made = h("button", { type: "button", className: "pd-sort", on: { click: () => this.#sortBy(name) } }, h("span", { textContent: this.desktop.t(`desktop.tasks.${name}`) }), h("span", { className: "pd-sort-mark", "aria-hidden": "true" }));
    return h("th", { scope: "col", className: TEXTS.has(name) ? "" : "pd-figure", title: this.desktop.t(`desktop.tasks.${name}_help`) }, made);
  }

  /** Where there is no room for the heads of columns, a list of them and a direction. */
  #drawSorter() {
    const { t } = this.desktop;
    const id = uid("pd");
    const options = COLUMNS.map(({ name }) => h("option", { value: name, textContent: t(`desktop.tasks.${name}`) }));
    this.sorter = h("select", { id, on: { change: () => this.#sortBy(this.sorter.value) } }, options);
    this.direction = h("button", { className: "pd-icon-button", type: "button", on: { click: () => this.#sortBy(this.#sort.name) } });
    return h("div", { className: "pd-sorter" }, h("label", { htmlFor: id, textContent: t("desktop.tasks.sort") }), this.sorter, this.direction);
  }

  #markSorter() {
    const { name, isDown } = this.#sort;
    const label = this.desktop.t(isDown ? "desktop.tasks.sort_down" : "desktop.tasks.sort_up");
    this.sorter.value = name;
    if (this.direction.title === label) return;
    this.direction.title = label;
    attr(this.direction, "aria-label", label);
    clear(this.direction).append(icon(isDown ? "arrow-down" : "arrow-up"));
  }

  #sortBy(name) {
    const isSame = this.#sort.name === name;
    this.#sort = { name, isDown: isSame ? !this.#sort.isDown : !TEXTS.has(name) };
    keep("tasks.sort", this.#sort);
    this.#fill();
  }

  #fill() {
    const { t } = this.desktop;
    const modules = this.#sorted();
    for (const [name, head] of this.heads) {
      const isSorted = name === this.#sort.name;
      attr(head, "aria-sort", isSorted ? (this.#sort.isDown ? "descending" : "ascending") : null);
    }
    this.#markSorter();
    for (const id of [...this.#rows.keys()]) if (!modules.some((module) => module.id === id)) this.#rows.delete(id);
    arrange(this.rows, modules.map((module) => this.#row(module)));
    this.empty.hidden = modules.length > 0;
    clear(this.empty).append(icon("cpu", { size: 24 }), t(this.#modules === null ? "desktop.tasks.waiting" : "desktop.tasks.none"));
    this.#sum(modules);
  }

  #sorted() {
    const { name, isDown } = this.#sort;
    const { read } = COLUMNS.find((column) => column.name === name) ?? COLUMNS[0];
    const compare = (one, other) => {
      const [left, right] = [read(one), read(other)];
      if (typeof left === "string") return left.localeCompare(right, this.desktop.locale);
      return (left ?? -1) - (right ?? -1);
    };
    return [...(this.#modules ?? [])].sort((one, other) => (isDown ? -1 : 1) * compare(one, other) || one.id.localeCompare(other.id));
  }

  #sum(modules) {
    const { t, locale } = this.desktop;
    const sum = (name) => modules.reduce((total, module) => total + (number(module[name]) ?? 0), 0);
    const f = formatter(locale);
    setText(this.summary, t("desktop.tasks.summary", {
      count: modules.length,
      cpu: f.number(sum("cpu_ms_per_s") / 10, { maximumFractionDigits: 1 }),
      memory: f.number(sum("memory_bytes") / MIB, { maximumFractionDigits: 0 }),
      calls: f.number(sum("calls_per_s"), { maximumFractionDigits: 0 }),
    }));
  }

  #row(module) {
    if (!this.#rows.has(module.id)) this.#rows.set(module.id, new Row(this.desktop));
    const row = this.#rows.get(module.id);
    row.update(module);
    return row.element;
  }
}

/** One module's line; its cells change in place, so that focus and pointer stay. */
class Row {
  #cells = new Map();
  #sparks = new Map();

  constructor(desktop) {
    this.desktop = desktop;
    this.name = h("bdi");
    this.version = h("small");
    this.state = h("span");
    this.bar = h("span", { className: "pd-meter-fill" });
    this.element = h("tr", null, COLUMNS.map(({ name, history }) => this.#makeCell(name, history)), this.#makeActions());
  }

  #makeCell(name, history) {
    if (name === "name") return h("th", { scope: "row" }, h("span", { className: "pd-task-name" }, this.name, this.version));
    const label = this.desktop.t(`desktop.tasks.${name}`);
    if (name === "state") return h("td", { "data-label": label }, this.state);
    const value = h("span", { className: "pd-value" });
    const cell = h("td", { className: "pd-figure", "data-label": label });
    this.#cells.set(name, { cell, value });
    if (history) {
      const spark = sparkline();
      this.#sparks.set(name, spark);
      cell.classList.add("pd-with-spark", `pd-series-${name}`);
      cell.append(h("div", { className: "pd-spark-cell" }, spark.element, value));
    } else cell.append(value);
    if (name === "memory") cell.append(h("span", { className: "pd-meter", "aria-hidden": "true" }, this.bar));
    return cell;
  }

  #makeActions() {
    const { t } = this.desktop;
    const act = (name, shape, run) => {
      const made = h("button", { className: "pd-icon-button", type: "button", dataset: { action: name }, on: { click: run } }, icon(shape));
      attr(made, "title", t(`desktop.tasks.${name}`));
      return made;
    };
    this.actions = [
      act("park", "pause", () => this.#send("park")),
      act("restart", "refresh", () => this.#send("restart")),
      act("limits", "wrench", () => editLimits(this.desktop, this.module)),
      act("unload", "power", () => this.#unload()),
    ];
    return h("td", { className: "pd-task-actions" }, h("div", null, this.actions));
  }

  update(module) {
    this.module = module;
    const { t, locale } = this.desktop;
    const f = formatter(locale);
    setText(this.name, module.name);
    setText(this.version, [module.version, module.engine].filter(Boolean).join(" · "));
    attr(this.name, "title", module.id);
    setText(this.state, t(`desktop.module.${module.state}`));
    attr(this.state, "class", `pd-status pd-tone-${STATE_TONES[module.state] ?? "neutral"}`);
    for (const { name, read, write, history, most } of COLUMNS) this.#write(name, read(module), write, f, module.history?.[history], most?.(module));
    for (const each of this.actions) attr(each, "aria-label", t("desktop.tasks.do", { action: t(`desktop.tasks.${each.dataset.action}`), name: module.name }));
    this.actions[0].disabled = module.state !== "active";
    this.#meter(module);
  }

  #write(name, value, write, f, history, most) {
    const known = this.#cells.get(name);
    if (!known) return;
    setText(known.value, value === null || value === undefined ? "\u2014" : write ? write(value, f) : String(value));
    if (WARNS[name]) known.value.classList.toggle("pd-warns", value > 0);
    if (history) this.#sparks.get(name)?.update(history.map((each) => number(each) ?? 0), most);
  }

  #meter({ memory_bytes: used, memory_limit: limit }) {
    const share = number(limit) ? Math.min(1, (number(used) ?? 0) / number(limit)) : 0;
    this.bar.style.width = `${(share * 100).toFixed(1)}%`;
    attr(this.bar, "class", `pd-meter-fill${share > 0.85 ? " pd-full" : ""}`);
    const { t, locale } = this.desktop;
    const most = number(limit) ? formatter(locale).number(number(limit) / MIB, { maximumFractionDigits: 0 }) : "\u2014";
    attr(this.#cells.get("memory").cell, "title", t("desktop.tasks.memory_of", { limit: most }));
  }

  async #send(action) {
    this.element.setAttribute("aria-busy", "true");
    const ack = await this.desktop.connection.send("task", { module: this.module.id, action });
    this.element.removeAttribute("aria-busy");
    const { t } = this.desktop;
    if (!ack.ok) this.desktop.fault(ack.error, this.module.id);
    else if (ack.value?.parked === false) this.desktop.toasts.show({ level: "info", module: this.module.id, text: t("desktop.tasks.not_parked") });
  }

  async #unload() {
    const { t } = this.desktop;
    const { name } = this.module;
    const isMeant = await confirmed(t, { title: t("desktop.tasks.unload_title", { name }), text: t("desktop.tasks.unload_text"), action: t("desktop.tasks.unload") });
    if (isMeant) await this.#send("unload");
  }
}
