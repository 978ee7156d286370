// Short messages at the edge of the desk: faults, refused events, restarts. Read aloud, few at once, repeats counted.

import { h, setText } from "./dom.js";
import { icon } from "./icons.js";

const MAX_SHOWN = 4;
const SHOWN_MS = { info: 6_000, warning: 12_000, error: 20_000 };
const SETTLE_MS = 150; // a region that has just come says nothing yet
const SHAPES = { info: "info", warning: "alert-triangle", error: "alert-circle" };

/** The messages of a page. */
export class Toasts {
  #shown = new Map(); // what is said -> {element, count, timer}

  constructor(desktop) {
    this.desktop = desktop;
    this.list = h("ol", { className: "pd-toast-list" });
    this.polite = h("div", { className: "pv-unseen", role: "status", "aria-live": "polite" });
    this.assertive = h("div", { className: "pv-unseen", role: "alert", "aria-live": "assertive" });
    this.element = h("section", { className: "pd-toasts" }, this.list, this.polite, this.assertive);
    desktop.connection.addEventListener("toast", ({ detail }) => this.show(this.#inOwnLanguage(detail)));
    desktop.addEventListener("locale", () => this.#label());
    this.#label();
  }

  #label() {
    this.element.setAttribute("aria-label", this.desktop.t("desktop.toasts.label"));
  }

  /** What the host says of every module's life is said in the page's language; faults are in their own words. */
  #inOwnLanguage(message) {
    const { code, module } = message;
    if (code !== "restarted" && code !== "failed") return message;
    const { t } = this.desktop;
    const name = this.desktop.nameOf(module);
    return { ...message, text: t(`desktop.toasts.${code}`, { name }), advice: t(`desktop.toasts.${code}_help`) };
  }

  /** Show `{level, module, text, advice}`; the same once more counts up. */
  show({ level = "info", module = null, code = "", text, advice = "" }) {
    const said = JSON.stringify([level, module, code, text]);
    const known = this.#shown.get(said);
    const toast = known ?? this.#add(said, { level, module, code, text, advice });
    toast.count += 1;
    setText(toast.counter, toast.count > 1 ? `×${toast.count}` : "");
    this.#wait(said, toast, level);
    if (!known) this.#announce(level, [this.desktop.nameOf(module), text, advice].filter(Boolean).join(". "));
  }

  #add(said, { level, module, code, text, advice }) {
    const { desktop } = this;
    const dismiss = desktop.t("desktop.toasts.dismiss");
    const counter = h("span", { className: "pd-toast-count" });
    const element = h("li", { className: `pd-toast pd-tone-${level}` }, icon(SHAPES[level] ?? "info", { size: 18 }),
      h("div", { className: "pd-toast-text" },
        module && h("p", { className: "pd-toast-module" }, h("bdi", { textContent: desktop.nameOf(module) })),
        h("p", { dir: "auto", textContent: text }), advice && h("p", { className: "pd-note", textContent: advice })),
      counter,
      h("button", { className: "pd-icon-button", type: "button", "aria-label": dismiss, title: dismiss, on: { click: () => this.#remove(said) } }, icon("close")));
    const toast = { element, counter, module, code, count: 0, timer: 0 };
    element.addEventListener("pointerenter", () => clearTimeout(toast.timer));
    element.addEventListener("pointerleave", () => this.#wait(said, toast, level));
    element.addEventListener("focusin", () => clearTimeout(toast.timer));
    this.#shown.set(said, toast);
    this.list.append(element);
    while (this.#shown.size > MAX_SHOWN) this.#remove(this.#shown.keys().next().value);
    return toast;
  }

  #wait(said, toast, level) {
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => this.#remove(said), SHOWN_MS[level] ?? SHOWN_MS.info);
  }

  #remove(said) {
    const toast = this.#shown.get(said);
    clearTimeout(toast?.timer);
    toast?.element.remove();
    this.#shown.delete(said);
  }

  /** Have it read aloud; beside a modal dialog nothing is, so the region goes where the person is. */
  #announce(level, text) {
    const region = level === "error" ? this.assertive : this.polite;
    const place = [...document.querySelectorAll("dialog[open]")].at(-1) ?? this.element;
    if (region.parentNode === place) return setText(region, text);
    setText(region, "");
    place.append(region);
    return setTimeout(() => setText(region, text), SETTLE_MS);
  }

  /** Take away what is shown elsewhere by now, by module and code. */
  dismiss(module, code) {
    for (const [said, toast] of this.#shown) if (toast.module === module && toast.code === code) this.#remove(said);
  }

  /** Take the newest away; false where there is none. */
  dismissNewest() {
    const newest = [...this.#shown.keys()].at(-1);
    if (newest !== undefined) this.#remove(newest);
    return newest !== undefined;
  }
}
