// The desktop: what the server says goes to windows, dock, dialogs and the rest; what a person does goes back.

import { Banner } from "./banner.js";
import { toNumber } from "./codec.js";
import { Prompts } from "./dialogs.js";
import { Dock } from "./dock.js";
import { clear, h } from "./dom.js";
import { button } from "./dialog.js";
import { register, nearestLocale, translator, LOCALES } from "./i18n.js";
import { icon } from "./icons.js";
import { Launcher } from "./launcher.js";
import en from "./locales/desktop.en.js";
import ptBR from "./locales/desktop.pt-BR.js";
import { keep, recall } from "./memory.js";
import { Notifications } from "./notifications.js";
import { Panels } from "./panel.js";
import { followLayout } from "./phone.js";
import { Settings } from "./settings.js";
import { Shortcuts } from "./shortcuts.js";
import { Sizes } from "./sizes.js";
import { Switcher } from "./switcher.js";
import { Tasks } from "./tasks.js";
import { Toasts } from "./toasts.js";
import { TreeView } from "./tree.js";
import { Windows } from "./windows.js";

register("en", en);
register("pt-BR", ptBR);

// the platform's own windows: name -> what fills them; no module has an id with a colon
const SYSTEM = {
  settings: { Content: Settings, iconName: "gear", width: 760, height: 560 },
  tasks: { Content: Tasks, iconName: "cpu", width: 1280, height: 440 },
};

/** The language of the page: chosen here before, else the nearest to the page's own. */
export const firstLocale = () => nearestLocale(recall("locale") ?? (document.documentElement.lang || navigator.language));

/**
 * The desktop of a page. Fires `modules` and `locale`.
 *
 * Args:
 *   root: where it is drawn.
 *   connection: a Connection that is not connected yet.
 *   theme: the page's Theme.
 */
export class Desktop extends EventTarget {
  modules = new Map(); // id -> as the server lists it
  mark = null;
  subject = "";

  constructor(root, connection, theme) {
    super();
    Object.assign(this, { connection, theme });
    this.locale = firstLocale();
    this.t = translator(this.locale);
    this.windows = new Windows(this.t, (frame) => this.#close(frame));
    this.sizes = new Sizes(this);
    this.toasts = new Toasts(this);
    this.notifications = new Notifications(this);
    this.switcher = new Switcher(this);
    this.launcher = new Launcher(this);
    this.#lay(root);
    this.prompts = new Prompts(this);
    this.shortcuts = new Shortcuts(this);
    this.main.append(this.shortcuts.hint);
    this.#listen();
    this.setLocale(this.locale);
    followLayout(() => this.#drawEmpty());
  }

  #lay(root) {
    this.banner = new Banner(this);
    this.empty = h("div", { className: "pd-empty" });
    this.heading = h("h1", { className: "pv-unseen", textContent: document.title });
    this.main = h("main", { className: "pd-desk" }, this.heading, this.empty, this.windows.element);
    this.room = h("div", { className: "pd-room" }, this.banner.element, this.main, this.toasts.element);
    this.panels = new Panels(this.room);
    this.dock = new Dock(this);
    this.room.append(this.dock.element);
    root.append(this.room);
  }

  #listen() {
    const on = (type, act) => this.connection.addEventListener(type, ({ detail }) => act(detail));
    on("welcome", (message) => this.#welcome(message));
    on("modules", ({ modules }) => this.#list(modules));
    on("window", (message) => this.#window(message));
    on("patch", (message) => this.#patch(message));
    on("settings", ({ module, window }) => this.#resettle(`${module}/${window.id}`, window));
    on("closed", ({ module, window }) => this.windows.remove(`${module}/${window}`));
    on("state", () => this.#drawEmpty());
    this.windows.addEventListener("change", () => this.#drawEmpty());
    this.theme.addEventListener("change", () => {
      this.windows.setTheme(this.theme.current);
      this.connection.send("theme", { theme: this.theme.current });
    });
  }

  // --- messages ------------------------------------------------------------------------------------------------------

  #welcome({ subject, mark, title, modules }) {
    Object.assign(this, { subject, mark });
    if (title) document.title = this.heading.textContent = title;
    this.#list(modules);
    const open = new Set(modules.flatMap(({ id, windows }) => (windows ?? []).map((window) => `${id}/${window}`)));
    for (const [key, frame] of this.windows.frames) if (!frame.isSystem && !open.has(key)) this.windows.remove(key);
  }

  #list(modules) {
    this.modules = new Map(modules.map((module) => [module.id, module]));
    this.dispatchEvent(new Event("modules"));
    this.#drawEmpty();
  }

  #window({ module, window, revision, tree, charts }) {
    const key = `${module}/${window.id}`;
    const frame = this.windows.frames.get(key) ?? this.#open(key, module, window);
    this.#resettle(key, window);
    frame.content.replace(tree, toNumber(revision), charts);
    this.sizes.look();
  }

  #open(key, module, window) {
    const { name = module, icon: iconName } = this.modules.get(module) ?? {};
    const spec = {
      module, name, iconName: iconName ?? "package", title: window.title, width: toNumber(window.width), height: toNumber(window.height), isModal: Boolean(window.modal),
      hasFocus: !this.#isBusy(),
    };
    const fire = (node, eventName, value, event) => this.#fire(module, event);
    const opened = this.windows.open(key, spec, (body) => new TreeView(body, { module, window: window.id, locale: this.locale, t: this.t, theme: this.theme.current, fire }));
    this.sizes.watch(opened);
    return opened;
  }

  /** Whether the person is typing or answering elsewhere: a window that opens by itself takes no focus from that. */
  #isBusy() {
    const focused = document.activeElement;
    return Boolean(document.querySelector("dialog[open]")) || (focused instanceof HTMLElement && focused.matches("input, textarea, select, [contenteditable]"));
  }

  #patch({ module, window, revision, ops, charts, settings }) {
    const frame = this.windows.frames.get(`${module}/${window}`);
    const isApplied = frame?.content.apply(ops, toNumber(revision), charts);
    if (charts) this.sizes.look();
    if (!isApplied) this.connection.resync(module, window);
    if (frame && settings) this.#resettle(frame.key, settings);
  }

  #resettle(key, { title, width, height }) {
    const frame = this.windows.frames.get(key);
    if (!frame) return;
    const size = `${width}x${height}`;
    if (frame.title !== title) {
      frame.retitle(title);
      this.windows.dispatchEvent(new Event("change"));
    }
    if (frame.asked !== undefined && frame.asked !== size) this.windows.resize(frame, { width: toNumber(width), height: toNumber(height) });
    frame.asked = size;
  }

  // --- what a person does --------------------------------------------------------------------------------------------

  async #fire(module, event) {
    const ack = await this.connection.send("event", { module, event });
    if (!ack.ok) this.fault(ack.error, module);
    return ack;
  }

  async #close(frame) {
    if (frame.isSystem) return this.windows.remove(frame.key);
    if (frame.isClosing) return undefined;
    this.windows.setClosing(frame, true);
    const { module } = frame;
    const window = frame.key.slice(module.length + 1); // an id may hold a slash
    const ack = await this.connection.send("close", { module, window });
    if (ack.ok) return this.windows.remove(frame.key);
    this.windows.setClosing(frame, false);
    return this.fault(ack.error, module);
  }

  async showModule(module) {
    const frames = this.windows.byRecency.filter((frame) => frame.module === module);
    if (frames.length) return this.windows.activate(frames[0], { focus: true });
    const ack = await this.connection.send("show", { module });
    return ack.ok || this.fault(ack.error, module);
  }

  /** Open a window of the platform's own. */
  openSystem(name) {
    const key = `system:${name}`;
    const known = this.windows.frames.get(key);
    if (known) return this.windows.activate(known, { focus: true });
    const { Content, iconName, width, height } = SYSTEM[name];
    const title = this.t(`desktop.dock.${name}`);
    return this.windows.open(key, { module: key, name: title, title, iconName, width, height, isSystem: true }, (body) => new Content(body, this));
  }

  showHelp() {
    this.shortcuts.showHelp();
  }

  /** Tell the person that something was refused. */
  fault(error, module = null) {
    this.toasts.show({ level: "error", module, code: error?.code, text: this.faultText(error), advice: error?.advice });
  }

  faultText(error) {
    if (error?.text) return error.text;
    const known = ["connection.lost", "connection.ended", "message.too_large"];
    return this.t(known.includes(error?.code) ? `desktop.fault.${error.code}` : "desktop.fault.unknown");
  }

  /** The name that the host knows a module by. */
  nameOf(module) {
    return module === null ? "" : (this.modules.get(module)?.name ?? module);
  }

  // --- language ------------------------------------------------------------------------------------------------------

  get nextLocale() {
    return LOCALES[(LOCALES.indexOf(this.locale) + 1) % LOCALES.length];
  }

  setLocale(locale) {
    const isChosen = locale !== this.locale;
    this.locale = locale;
    this.t = translator(locale);
    document.documentElement.lang = locale;
    if (isChosen) keep("locale", locale);
    for (const name of Object.keys(SYSTEM)) {
      const frame = this.windows.frames.get(`system:${name}`);
      if (frame) Object.assign(frame, { title: this.t(`desktop.dock.${name}`), name: this.t(`desktop.dock.${name}`) });
    }
    this.windows.setLocale(locale, this.t);
    this.main.setAttribute("aria-label", this.t("desktop.main"));
    this.panels.close();
    this.#drawEmpty();
    if (isChosen) this.connection.send("locale", { locale });
    this.dispatchEvent(new Event("locale"));
  }

  // --- an empty desk -------------------------------------------------------------------------------------------------

  #drawEmpty() {
    const { t, connection } = this;
    const isEmpty = this.windows.byRecency.every((frame) => frame.isMinimised || frame.isClosing) || (this.windows.isTouching() && !this.windows.active);
    this.empty.hidden = !isEmpty;
    if (!isEmpty) return;
    if (connection.session === null) {
      clear(this.empty).append(h("p", { className: "pd-wait", role: "status" }, h("span", { className: "pd-spinner" }), t("desktop.empty.connecting")));
      return;
    }
    clear(this.empty).append(h("span", { className: "pd-empty-icon" }, icon("grid", { size: 32 })), h("h2", { textContent: document.title }),
      h("p", { textContent: t(this.modules.size ? "desktop.empty.text" : "desktop.empty.none") }),
      button(t("desktop.empty.open"), () => this.launcher.open(), { kind: "primary", iconName: "search" }),
      h("p", { className: "pd-note pd-keys-note" }, h("kbd", { textContent: "Ctrl" }), h("kbd", { textContent: "K" }), ` ${t("desktop.empty.keys")}`));
  }
}
