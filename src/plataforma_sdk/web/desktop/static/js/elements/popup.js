// What opens over the rest of a view: in the view's own layer, so that it never leaves the window, below its anchor or
// above it where there is more room.

import { h } from "../dom.js";

const MARGIN = 4;
const MAX_HEIGHT = 320;
const MIN_WIDTH = 160;

export class Popup {
  isOpen = false;
  #follow = () => this.place();

  constructor(view, anchor, content) {
    this.view = view;
    this.anchor = anchor;
    this.element = h("div", { className: "pv-popup" }, content);
  }

  open() {
    if (!this.isOpen) {
      this.isOpen = true;
      this.#layer().append(this.element);
      this.view.root.addEventListener("scroll", this.#follow, { capture: true, passive: true });
      globalThis.addEventListener("resize", this.#follow);
    }
    this.place();
  }

  close() {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.element.remove();
    this.view.root.removeEventListener("scroll", this.#follow, { capture: true });
    globalThis.removeEventListener("resize", this.#follow);
  }

  dispose() {
    this.close();
  }

  place() {
    const frame = this.view.root.getBoundingClientRect();
    const anchor = this.anchor.getBoundingClientRect();
    const below = frame.bottom - anchor.bottom - 2 * MARGIN;
    const above = anchor.top - frame.top - 2 * MARGIN;
    const isBelow = below >= Math.min(MAX_HEIGHT, this.element.scrollHeight) || below >= above;
    const width = Math.min(Math.max(anchor.width, MIN_WIDTH), frame.width - 2 * MARGIN);
    const left = Math.min(Math.max(anchor.left - frame.left, MARGIN), frame.width - width - MARGIN);
    Object.assign(this.element.style, {
      left: `${left}px`,
      width: `${width}px`,
      maxHeight: `${Math.max(Math.min(MAX_HEIGHT, isBelow ? below : above), 80)}px`,
      top: isBelow ? `${anchor.bottom - frame.top + MARGIN}px` : "",
      bottom: isBelow ? "" : `${frame.bottom - anchor.top + MARGIN}px`,
    });
  }

  /** Scroll the popup, and nothing else, until an item is seen. */
  reveal(item) {
    const { element } = this;
    if (item.offsetTop < element.scrollTop) element.scrollTop = item.offsetTop;
    const end = item.offsetTop + item.offsetHeight;
    if (end > element.scrollTop + element.clientHeight) element.scrollTop = end - element.clientHeight;
  }

  /** Above the modal that the anchor stands in, else the view's layer. */
  #layer() {
    return this.anchor.closest(".pv-modal-layer") ?? this.view.overlay;
  }
}
