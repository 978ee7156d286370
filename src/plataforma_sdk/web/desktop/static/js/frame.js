// One window's frame: title bar, edges and body. What it shows inside is not its business.

import { attr, clear, h, setText, uid } from "./dom.js";
import { icon } from "./icons.js";

const EDGES = ["n", "e", "s", "w", "ne", "se", "sw", "nw"];

/**
 * The frame of a window.
 *
 * The chip with the module's name is the platform's, drawn from what the host knows; the title beside it is the
 * module's own and cannot take its place.
 */
export class Frame {
  place = { x: 0, y: 0, width: 640, height: 420 };
  zone = "normal"; // or "full", a half or a quarter
  isMinimised = false;
  isClosing = false;
  content = null; // {focus, dispose, setLocale, setTheme}

  constructor(key, { module, name, iconName, title, isSystem = false, isModal = false }, acts, t) {
    Object.assign(this, { key, module, name, iconName, title, isSystem, isModal, t });
    this.body = h("div", { className: "pd-body" });
    this.veil = h("div", { className: "pd-veil", hidden: true, on: { pointerdown: () => acts.unveil(this) } });
    this.#makeBar(acts);
    this.element = h(
      "section",
      { className: `pd-window${isSystem ? " pd-system" : ""}${isModal ? " pd-modal-window" : ""}`, dataset: { key } },
      this.bar, h("div", { className: "pd-inside" }, this.body, this.veil),
      EDGES.map((edge) => this.#makeEdge(edge, acts)),
    );
    this.element.setAttribute("aria-labelledby", `${this.chip.id} ${this.heading.id}`);
    this.element.addEventListener("pointerdown", () => acts.activate(this), { capture: true });
    this.element.addEventListener("focusin", () => acts.activate(this));
    this.relabel(t);
  }

  #makeBar(acts) {
    this.chip = h("span", { className: "pd-chip", id: uid("pd") });
    this.heading = h("h2", { className: "pd-title", id: uid("pd") });
    this.buttons = {
      minimise: this.#makeButton("minimize", () => acts.minimise(this)),
      full: this.#makeButton("maximize", () => acts.toggleFull(this)),
      close: this.#makeButton("close", () => acts.close(this)),
    };
    if (this.isModal) this.buttons.minimise.hidden = this.buttons.full.hidden = true;
    const grip = h("div", {
      className: "pd-grip",
      on: {
        pointerdown: (event) => event.button === 0 && acts.drag(this, event),
        dblclick: () => this.isModal || acts.toggleFull(this),
      },
    }, this.chip, this.heading);
    this.bar = h("header", { className: "pd-bar" }, grip, Object.values(this.buttons));
  }

  #makeButton(shape, act) {
    return h("button", { className: "pd-bar-button", type: "button", on: { click: act } }, icon(shape));
  }

  #makeEdge(edge, acts) {
    const on = { pointerdown: (event) => event.button === 0 && acts.stretch(this, edge, event) };
    return h("div", { className: `pd-edge pd-edge-${edge}`, "aria-hidden": "true", on });
  }

  /** Write the texts, in a language. */
  relabel(t) {
    this.t = t;
    const label = this.isSystem ? t("desktop.window.system") : this.name;
    clear(this.chip).append(icon(this.isSystem ? "shield" : this.iconName, { size: 14 }), h("bdi", { textContent: label }));
    attr(this.chip, "title", this.isSystem ? t("desktop.window.system_help") : this.module);
    setText(this.heading, this.title);
    attr(this.heading, "title", this.title);
    const isFull = this.zone === "full";
    this.#name(this.buttons.minimise, t("desktop.window.minimise"));
    this.#name(this.buttons.full, t(isFull ? "desktop.window.restore" : "desktop.window.maximise"));
    this.#name(this.buttons.close, t("desktop.window.close"));
    clear(this.buttons.full).append(icon(isFull ? "restore" : "maximize"));
  }

  #name(button, label) {
    attr(button, "aria-label", label);
    attr(button, "title", label);
  }

  retitle(title) {
    this.title = title;
    this.relabel(this.t);
  }

  setZone(zone) {
    this.zone = zone;
    this.element.dataset.zone = zone;
    this.relabel(this.t);
  }

  /** Stand at a place, moved by the compositor and not laid out anew. */
  stand({ x, y, width, height }) {
    const { style } = this.element;
    style.transform = `translate3d(${Math.round(x)}px, ${Math.round(y)}px, 0)`;
    style.width = `${Math.round(width)}px`;
    style.height = `${Math.round(height)}px`;
  }

  setVeiled(isVeiled) {
    if (this.veil.hidden === !isVeiled) return;
    this.veil.hidden = !isVeiled;
    this.body.inert = isVeiled;
    for (const button of Object.values(this.buttons)) button.disabled = isVeiled;
    this.element.classList.toggle("pd-veiled", isVeiled);
  }

  setShown(isShown) {
    this.element.hidden = !isShown;
  }

  focus() {
    if (this.content?.focus) this.content.focus();
    else this.buttons.close.focus({ preventScroll: true });
  }

  dispose() {
    this.content?.dispose?.();
    this.element.remove();
  }
}
