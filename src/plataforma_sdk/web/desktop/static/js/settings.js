// The settings window: every decision about every module, taken back live; language, theme and mark.

import { toNumber } from "./codec.js";
import { button, openDialog } from "./dialog.js";
import { arrange, attr, clear, h, uid } from "./dom.js";
import { formatter } from "./format.js";
import { icon } from "./icons.js";
import { LOCALES } from "./i18n.js";
import { markOf } from "./mark.js";
import { THEMES } from "./theme.js";

// state -> what a person can do about it
const ACTIONS = { granted: ["revoke", "deny"], denied: ["lift"], undecided: ["grant", "deny"] };
// ... where only the decision is left, and the module is not loaded
const FORGETTING = { granted: ["revoke"], denied: ["lift"], undecided: [] };
const TONES = { granted: "success", denied: "danger", undecided: "neutral" };

/** The content of the settings window. */
export class Settings {
  #modules = null; // null until the host has answered
  #fault = null;
  #cards = new Map(); // module id -> {element, text}
  #stop = new AbortController();

  constructor(body, desktop) {
    this.desktop = desktop;
    this.root = h("div", { className: "pd-system-view pd-settings", tabindex: 0 });
    body.append(this.root);
    const { signal } = this.#stop;
    desktop.connection.addEventListener("permissions", ({ detail }) => this.#take(detail.modules), { signal });
    desktop.theme.addEventListener("change", () => this.#draw(), { signal });
    desktop.connection.send("watch", { topic: "permissions", on: true });
    this.#draw();
  }

  focus() {
    this.root.focus({ preventScroll: true });
  }

  dispose() {
    this.#stop.abort();
    this.desktop.connection.send("watch", { topic: "permissions", on: false });
  }

  setLocale() {
    this.#cards.clear();
    this.#draw();
  }

  #take(modules) {
    this.#modules = modules;
    this.#drawModules();
  }

  // --- language, theme, mark -----------------------------------------------------------------------------------------

  #draw() {
    const { t, theme, locale } = this.desktop;
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset.choice : null;
    const choose = (label, name, words, current, act) => h("fieldset", { className: "pd-choice-row" }, h("legend", { textContent: label }),
      h("div", { className: "pd-segments" }, words.map(([word, text]) => h("label", { className: "pd-segment" },
        h("input", { type: "radio", name, value: word, checked: word === current, dataset: { choice: `${name} ${word}` }, on: { change: () => act(word) } }), h("span", { textContent: text })))));
    this.list = h("div", { className: "pd-permission-list" });
    clear(this.root).append(
      this.#section("desktop.settings.look",
        choose(t("desktop.settings.language"), "pd-language", LOCALES.map((word) => [word, t(`desktop.language.${word}`)]), locale, (word) => this.desktop.setLocale(word)),
        choose(t("desktop.settings.theme"), "pd-theme", THEMES.map((word) => [word, t(`desktop.theme.${word}`)]), theme.chosen, (word) => theme.choose(word))),
      this.#section("desktop.settings.mark",
        h("p", { className: "pd-note", textContent: t("desktop.mark.help") }),
        this.desktop.mark?.text
          ? button(t("desktop.mark.show"), () => this.#showMark(), { iconName: "eye" })
          : h("p", { textContent: t("desktop.mark.none") })),
      this.#section("desktop.settings.permissions", h("p", { className: "pd-note", textContent: t("desktop.settings.permissions_help") }), this.list),
    );
    if (focused) [...this.root.querySelectorAll("input")].find((each) => each.dataset.choice === focused)?.focus();
    this.#drawModules();
  }

  #section(key, ...children) {
    const id = uid("pd");
    return h("section", { className: "pd-section", "aria-labelledby": id }, h("h3", { id, textContent: this.desktop.t(key) }), children);
  }

  /** The mark lies outside of windows, as it always does. */
  #showMark() {
    const { t, mark } = this.desktop;
    openDialog({ title: t("desktop.settings.mark"), closeLabel: t("desktop.dialog.close"), body: [markOf(mark, t), h("p", { textContent: t("desktop.mark.seen") })] });
  }

  // --- permissions ---------------------------------------------------------------------------------------------------

  #drawModules() {
    const { t } = this.desktop;
    if (this.#modules === null || !this.#modules.length) {
      this.#cards.clear();
      const text = t(this.#modules === null ? "desktop.settings.waiting" : "desktop.settings.none");
      clear(this.list).append(h("p", { className: "pd-empty-note" }, icon("key", { size: 24 }), text));
      return;
    }
    const cards = this.#modules.map((module) => this.#card(module));
    arrange(this.list, cards);
  }

  /** A card is drawn anew only where something in it changed: the focus stays on the others. */
  #card(module) {
    const text = JSON.stringify(module, (_, value) => (typeof value === "bigint" ? String(value) : value));
    const known = this.#cards.get(module.id);
    if (known?.text === text) return known.element;
    const focused = known?.element.contains(document.activeElement) ? document.activeElement.dataset.entry : null;
    const element = known?.element ?? h("article", { className: "pd-card" });
    clear(element).append(...this.#drawCard(module));
    attr(element, "aria-label", module.name);
    this.#cards.set(module.id, { element, text });
    if (focused) (([...element.querySelectorAll("button")].find((each) => each.dataset.entry === focused)) ?? this.root).focus();
    return element;
  }

  #drawCard({ id, name, entries, loaded }) {
    const { t } = this.desktop;
    return [
      h("header", { className: "pd-card-head" }, icon("package", { size: 18 }), h("h4", null, h("bdi", { textContent: name })), h("code", { textContent: id })),
      entries.length
        ? h("ul", { className: "pd-entries" }, entries.map((entry) => this.#drawEntry(id, name, entry, loaded === false ? FORGETTING : ACTIONS)))
        : h("p", { className: "pd-note", textContent: t("desktop.settings.no_entries") }),
    ];
  }

  #drawEntry(module, name, entry, possible) {
    const { t } = this.desktop;
    const { permission, state, meaning, reason } = entry;
    const isHosts = state === "denied" && entry.by === "host"; // what the application denies is not the person's to lift
    const actions = (isHosts ? [] : possible[state] ?? []).map((action) => button(t(`desktop.permission.${action}`), () => this.#act(module, permission, action), {
      kind: action === "deny" || action === "revoke" ? "quiet-danger" : "plain",
      dataset: { entry: permission },
      "aria-label": t("desktop.permission.do", { action: t(`desktop.permission.${action}`), permission, name }),
    }));
    return h("li", { className: "pd-entry" },
      h("div", { className: "pd-entry-text" },
        h("p", { className: "pd-entry-head" }, h("code", { textContent: permission }),
          h("span", { className: `pd-status pd-tone-${TONES[state] ?? "neutral"}`, textContent: t(`desktop.permission.${state}`) })),
        meaning && h("p", { textContent: meaning }),
        h("p", { className: "pd-note", textContent: this.#facts(entry).join(" · ") }),
        reason && h("blockquote", { className: "pd-inline-quote", dir: "auto", textContent: reason })),
      h("div", { className: "pd-entry-actions" }, actions));
  }

  #facts({ kind, until, declared, required, by }) {
    const { t, locale } = this.desktop;
    const facts = [t(declared === false ? "desktop.permission.undeclared" : required ? "desktop.permission.required" : "desktop.permission.optional")];
    if (kind) facts.push(t(`desktop.permission.kind_${kind}`));
    if (until !== null && until !== undefined) facts.push(t("desktop.permission.until", { time: formatter(locale).time(toNumber(until) * 1_000) }));
    if (by) facts.push(t(`desktop.permission.by_${by}`));
    return facts;
  }

  async #act(module, permission, action) {
    const ack = await this.desktop.connection.send("permission", { module, permission, action });
    if (!ack.ok) this.desktop.fault(ack.error, module);
  }
}
