// The launcher: every module, every window and every command, found by typing.

import { attr, clear, h, uid } from "./dom.js";
import { icon } from "./icons.js";
import { fold, matcher } from "./search.js";

/** Opened by the dock or Ctrl+K. */
export class Launcher {
  #dialog = null;
  #entries = [];
  #chosen = 0;

  constructor(desktop) {
    this.desktop = desktop;
    desktop.addEventListener("modules", () => this.#dialog && this.#find());
  }

  open() {
    if (this.#dialog) return;
    const { t } = this.desktop;
    const before = document.activeElement;
    this.list = h("ul", { className: "pd-results", id: uid("pd"), role: "listbox", "aria-label": t("desktop.launcher.results") });
    this.input = h("input", {
      className: "pd-launcher-input", type: "text", placeholder: t("desktop.launcher.search"), role: "combobox", autocomplete: "off", spellcheck: "false",
      "aria-label": t("desktop.launcher.search"), "aria-expanded": "true", "aria-controls": this.list.id, "aria-autocomplete": "list",
      on: { input: () => this.#find(), keydown: (event) => this.#key(event) },
    });
    this.status = h("p", { className: "pv-unseen", role: "status" });
    const dialog = h("dialog", { className: "pd-dialog pd-launcher", "aria-label": t("desktop.dock.launcher") },
      h("div", { className: "pd-launcher-head" }, icon("search", { size: 20 }), this.input), this.list, this.status,
      h("footer", { className: "pd-launcher-foot", textContent: t("desktop.launcher.keys") }));
    dialog.addEventListener("pointerdown", (event) => event.target === dialog && this.#close());
    dialog.addEventListener("close", () => {
      this.#close();
      if (before?.isConnected && document.activeElement === document.body) before.focus({ preventScroll: true });
    });
    this.#dialog = dialog;
    document.body.append(dialog);
    dialog.showModal();
    this.#find();
    this.input.focus();
  }

  // --- what there is -------------------------------------------------------------------------------------------------

  *#all() {
    const { desktop } = this;
    const { t, windows } = desktop;
    for (const module of desktop.modules.values()) {
      const state = t(`desktop.module.${module.state ?? "known"}`);
      yield { text: module.name, note: module.description || module.id, tag: state, iconName: module.icon ?? "package", words: module.id, act: () => desktop.showModule(module.id) };
    }
    for (const frame of windows.byRecency) {
      if (frame.isSystem || frame.title === frame.name) continue;
      yield { text: frame.title, note: frame.name, tag: t("desktop.launcher.window"), iconName: frame.iconName, words: "", act: () => windows.activate(frame, { focus: true }) };
    }
    const commands = [
      ["tasks", "cpu", () => desktop.openSystem("tasks")],
      ["settings", "gear", () => desktop.openSystem("settings")],
      ["help", "help", () => desktop.showHelp()],
      ["theme", "sun", () => desktop.theme.choose(desktop.theme.next)],
      ["language", "globe", () => desktop.setLocale(desktop.nextLocale)],
    ];
    for (const [name, iconName, act] of commands) {
      yield { text: t(`desktop.launcher.${name}`), note: "", tag: t("desktop.launcher.command"), iconName, words: name, act };
    }
  }

  #find() {
    const matches = matcher(this.input.value);
    this.#entries = [...this.#all()].filter(({ text, note, words }) => !matches || matches(fold(`${text} ${note} ${words}`)));
    this.#chosen = 0;
    this.#draw();
  }

  #draw() {
    const { t } = this.desktop;
    clear(this.list).append(...this.#entries.map((entry, place) => this.#drawOne(entry, place)));
    if (!this.#entries.length) this.list.append(h("li", { className: "pd-empty-note", role: "option", "aria-disabled": "true" }, icon("search", { size: 24 }), t("desktop.launcher.nothing")));
    this.status.textContent = t("desktop.launcher.found", { count: this.#entries.length });
    this.#mark();
  }

  #drawOne({ text, note, tag, iconName, act }, place) {
    return h("li", {
      className: "pd-result", role: "option", id: uid("pd"),
      on: { click: () => this.#act(act), pointermove: () => this.#choose(place) },
    }, icon(iconName, { size: 20 }), h("span", { className: "pd-result-text" }, h("bdi", { textContent: text }), note && h("small", null, h("bdi", { textContent: note }))),
    h("span", { className: "pd-tag", textContent: tag }));
  }

  #choose(place) {
    if (this.#chosen === place) return;
    this.#chosen = place;
    this.#mark();
  }

  #mark() {
    for (const [place, option] of [...this.list.children].entries()) attr(option, "aria-selected", String(place === this.#chosen));
    const option = this.#entries.length ? this.list.children[this.#chosen] : null;
    attr(this.input, "aria-activedescendant", option?.id ?? null);
    option?.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    const count = this.#entries.length;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && count) this.#choose((this.#chosen + step + count) % count);
    else if (event.key === "Enter" && count && !event.isComposing) this.#act(this.#entries[this.#chosen].act);
    else return;
    event.preventDefault();
  }

  #act(act) {
    this.#close();
    act();
  }

  #close() {
    const dialog = this.#dialog;
    this.#dialog = null; // at once: the event of a dialog that closes comes later
    dialog?.close();
    dialog?.remove();
  }
}
