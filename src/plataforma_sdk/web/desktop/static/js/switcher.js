// The window switcher: hold Alt+Shift, press Q as often as it takes, let go.

import { attr, clear, h } from "./dom.js";
import { icon } from "./icons.js";

/** Shows the windows by recency; letting go of Alt, or Enter, brings the chosen one to the front. */
export class Switcher {
  #frames = [];
  #chosen = 0;

  constructor(desktop) {
    this.desktop = desktop;
    this.list = h("ul", { className: "pd-switcher-list", role: "listbox", tabindex: 0 });
    this.dialog = h("dialog", { className: "pd-dialog pd-switcher" }, this.list);
    this.dialog.addEventListener("keydown", (event) => this.#key(event));
    this.dialog.addEventListener("keyup", (event) => event.key === "Alt" && this.#take());
    this.dialog.addEventListener("pointerdown", (event) => event.target === this.dialog && this.dialog.close());
    document.body.append(this.dialog);
  }

  step(by) {
    if (!this.dialog.open && !this.#open()) return;
    this.#chosen = (this.#chosen + by + this.#frames.length) % this.#frames.length;
    this.#mark();
  }

  #open() {
    const { windows, t } = this.desktop;
    this.#frames = windows.byRecency.filter((frame) => !frame.isClosing);
    if (!this.#frames.length) return false;
    this.#chosen = windows.active ? 0 : -1;
    attr(this.dialog, "aria-label", t("desktop.switcher.label"));
    attr(this.list, "aria-label", t("desktop.switcher.label"));
    clear(this.list).append(...this.#frames.map((frame, place) => h("li", {
      className: "pd-switcher-item", role: "option", id: `pd-switch-${place}`, on: { click: () => this.#take(place) },
    }, icon(frame.isSystem ? "shield" : frame.iconName, { size: 24 }), h("span", null, h("bdi", { textContent: frame.title }), h("small", null, h("bdi", { textContent: frame.isSystem ? t("desktop.window.system") : frame.name }))))));
    this.dialog.showModal();
    this.list.focus();
    return true;
  }

  #mark() {
    for (const [place, option] of [...this.list.children].entries()) attr(option, "aria-selected", String(place === this.#chosen));
    attr(this.list, "aria-activedescendant", `pd-switch-${this.#chosen}`);
    this.list.children[this.#chosen]?.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    const step = event.code === "KeyQ" || event.key === "Tab" ? (event.key === "Tab" && event.shiftKey ? -1 : 1) : { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step) this.step(step);
    else if (event.key === "Enter" || event.key === " ") this.#take();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #take(place = this.#chosen) {
    if (!this.dialog.open) return;
    this.dialog.close();
    const frame = this.#frames[place];
    if (frame && this.desktop.windows.frames.has(frame.key)) this.desktop.windows.activate(frame, { focus: true });
  }
}
