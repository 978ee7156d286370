// A panel that opens from a button of the dock and closes by Escape or by a click elsewhere.

import { attr, clear, h } from "./dom.js";

/** One panel at a time; `fill(close)` gives its content anew whenever it opens. */
export class Panels {
  #open = null;

  constructor(parent) {
    this.parent = parent;
    document.addEventListener("pointerdown", (event) => this.#outside(event), { capture: true });
  }

  get isOpen() {
    return this.#open !== null;
  }

  toggle(button, options) {
    const isSame = this.#open?.button === button;
    this.close();
    if (!isSame) this.open(button, options);
  }

  open(button, { label, className = "", fill }) {
    this.close();
    const element = h("section", { className: `pd-panel ${className}`, role: "dialog", "aria-label": label, tabindex: -1 });
    this.#open = { button, element, fill };
    attr(button, "aria-expanded", "true");
    this.parent.append(element);
    this.refresh();
    this.#stand(button, element);
    (element.querySelector("button, input, select") ?? element).focus();
  }

  #stand(button, element) {
    const room = this.parent.getBoundingClientRect();
    const { left, width } = button.getBoundingClientRect();
    const x = left + width / 2 - room.left - element.offsetWidth / 2;
    element.style.left = `${Math.max(8, Math.min(x, room.width - element.offsetWidth - 8))}px`;
  }

  /** Draw the open panel again, as when what it lists has changed. */
  refresh() {
    if (this.#open) clear(this.#open.element).append(...this.#open.fill(() => this.close()));
  }

  /** Close; false where none was open. */
  close() {
    if (!this.#open) return false;
    const { button, element } = this.#open;
    this.#open = null;
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    attr(button, "aria-expanded", "false");
    if (hadFocus) button.focus();
    return true;
  }

  #outside(event) {
    if (!this.#open) return;
    const { button, element } = this.#open;
    if (!element.contains(event.target) && !button.contains(event.target)) this.close();
  }
}
