// The window manager: which windows there are, where they stand, and which is in front.

import { h } from "./dom.js";
import { Frame } from "./frame.js";
import { follow } from "./gestures.js";
import { keepPlace, placeOfLastTime } from "./memory.js";
import { cascade, fit, freest, hold, placeOf, stretch, zoneAfter, zoneAt } from "./places.js";

/**
 * Keeps the windows of the desk. Fires `change` whenever what a dock shows may have changed.
 *
 * Args:
 *   onClose(frame): the person wants a window closed.
 */
export class Windows extends EventTarget {
  frames = new Map(); // key -> Frame
  #order = []; // from the back to the front
  #active = null;
  #opened = 0;
  #told = false;

  constructor(t, onClose) {
    super();
    this.t = t;
    this.onClose = onClose;
    this.preview = h("div", { className: "pd-snap", hidden: true });
    this.element = h("div", { className: "pd-windows" }, this.preview);
    new ResizeObserver(() => this.#settle()).observe(this.element);
  }

  get desk() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  /** The window in front that is not minimised, or null. */
  get active() {
    return this.#active;
  }

  /** Windows from the front to the back. */
  get byRecency() {
    return this.#order.toReversed();
  }

  isTouching() {
    return document.documentElement.dataset.layout === "phone";
  }

  // --- coming and going ----------------------------------------------------------------------------------------------

  /** Open a window; `fill(body)` returns its content. It comes to the front, with the focus where that is free. */
  open(key, spec, fill) {
    const frame = new Frame(key, spec, this.#acts, this.t);
    this.frames.set(key, frame);
    this.element.append(frame.element);
    const size = { width: spec.width, height: spec.height + frame.bar.offsetHeight };
    const known = spec.isModal ? null : placeOfLastTime(key);
    frame.place = known ? fit(known, this.desk) : this.#placeFor(spec, size);
    frame.setZone(known?.zone ?? "normal");
    this.#lay(frame);
    frame.content = fill(frame.body);
    this.#order.push(frame);
    this.activate(frame, { focus: spec.hasFocus ?? true });
    return frame;
  }

  #placeFor({ isModal, isSystem }, size) {
    if (isModal || isSystem) return cascade(isModal ? 0 : this.#opened++, size, this.desk);
    const shown = this.#order.filter((frame) => !frame.isMinimised && !frame.isClosing);
    const others = shown.map((frame) => (frame.zone === "normal" ? frame.place : placeOf(frame.zone, this.desk)));
    return freest(this.#opened++, size, this.desk, others);
  }

  remove(key) {
    const frame = this.frames.get(key);
    if (!frame) return;
    const hadFocus = frame.element.contains(document.activeElement);
    this.frames.delete(key);
    this.#order = this.#order.filter((other) => other !== frame);
    if (this.#active === frame) this.#active = null;
    frame.dispose();
    this.#activateNext(hadFocus);
  }

  /** Take a window from the screen until the host has said that it is closed, or that it is not. */
  setClosing(frame, isClosing) {
    const hadFocus = frame.element.contains(document.activeElement);
    frame.isClosing = isClosing;
    frame.setShown(!isClosing && !frame.isMinimised);
    if (isClosing && this.#active === frame) this.#active = null;
    if (isClosing) this.#activateNext(hadFocus);
    else this.activate(frame);
  }

  // --- in front ------------------------------------------------------------------------------------------------------

  /** Bring a window to the front; a modal window of its module stays above it. */
  activate(frame, { focus = false } = {}) {
    const front = this.modalOf(frame.module) ?? frame;
    front.isMinimised = false;
    front.setShown(!front.isClosing);
    if (front !== frame && frame.isMinimised) frame.setShown(true, (frame.isMinimised = false));
    const isNew = this.#active !== front;
    if (isNew) {
      if (front !== frame) this.#raise(frame);
      this.#raise(front);
      this.#active = front;
    }
    this.#show();
    if (focus || (front !== frame && isNew)) front.focus();
  }

  #raise(frame) {
    this.#order = [...this.#order.filter((other) => other !== frame), frame];
  }

  /** The modal window that is open in a module, the newest where there are several. */
  modalOf(module) {
    return this.#order.findLast((frame) => frame.isModal && frame.module === module && !frame.isClosing) ?? null;
  }

  minimise(frame) {
    if (frame.isModal) return;
    const hadFocus = frame.element.contains(document.activeElement);
    frame.isMinimised = true;
    frame.setShown(false);
    if (this.#active === frame) this.#active = null;
    this.#activateNext(hadFocus);
  }

  #activateNext(isFocused) {
    const next = this.#active ?? this.byRecency.find((frame) => !frame.isMinimised && !frame.isClosing);
    if (next && !this.isTouching()) this.activate(next, { focus: isFocused });
    else this.#show();
  }

  #show() {
    for (const [place, frame] of this.#order.entries()) {
      frame.element.style.zIndex = String(place + 1);
      frame.element.classList.toggle("pd-active", frame === this.#active);
      const modal = this.modalOf(frame.module);
      frame.setVeiled(modal !== null && modal !== frame);
    }
    this.#tell();
  }

  #tell() {
    if (this.#told) return;
    this.#told = true;
    queueMicrotask(() => {
      this.#told = false;
      this.dispatchEvent(new Event("change"));
    });
  }

  // --- places --------------------------------------------------------------------------------------------------------

  #lay(frame, desk = this.desk) {
    frame.stand(frame.zone === "normal" ? frame.place : placeOf(frame.zone, desk));
  }

  #settle() {
    const { desk } = this;
    if (!desk.width || !desk.height) return;
    for (const frame of this.frames.values()) {
      if (frame.zone !== "normal") this.#lay(frame, desk);
      else frame.stand(fit(frame.place, desk)); // its own place comes back with the room
    }
  }

  #keep(frame) {
    if (!frame.isModal && !this.isTouching()) keepPlace(frame.key, { ...frame.place, zone: frame.zone });
  }

  /** Put a window into a zone, or back where it stood before. */
  setZone(frame, zone) {
    frame.setZone(zone);
    frame.place = zone === "normal" ? fit(frame.place, this.desk) : frame.place;
    this.#lay(frame);
    this.#keep(frame);
    this.#tell();
  }

  toggleFull(frame) {
    if (frame.isModal) return;
    this.setZone(frame, frame.zone === "full" ? "normal" : "full");
  }

  /** Move a window by an arrow: halves, quarters, the whole, and away. */
  snap(frame, arrow) {
    if (frame.isModal) return;
    const zone = zoneAfter(frame.zone, arrow);
    if (zone === "minimised") this.minimise(frame);
    else this.setZone(frame, zone);
  }

  /** Set a window's own place, as the keyboard and a module's change of size do. */
  setPlace(frame, place) {
    frame.setZone("normal");
    frame.place = place;
    this.#lay(frame);
    this.#keep(frame);
  }

  /** Take another size from the module, unless the person has chosen one. */
  resize(frame, { width, height }) {
    if (placeOfLastTime(frame.key) && !frame.isModal) return;
    frame.place = fit({ ...frame.place, width, height: height + frame.bar.offsetHeight }, this.desk);
    this.#lay(frame);
  }

  // --- the pointer ---------------------------------------------------------------------------------------------------

  #acts = {
    activate: (frame) => this.activate(frame),
    unveil: (frame) => this.activate(frame, { focus: true }),
    minimise: (frame) => this.minimise(frame),
    toggleFull: (frame) => this.toggleFull(frame),
    close: (frame) => this.onClose(frame),
    drag: (frame, event) => this.#drag(frame, event),
    stretch: (frame, edge, event) => this.#stretch(frame, edge, event),
  };

  #drag(frame, start) {
    if (this.isTouching()) return;
    const { desk } = this;
    const before = { place: frame.place, zone: frame.zone };
    const box = this.element.getBoundingClientRect();
    let from = null;
    let zone = null;
    follow(start, {
      move: (dx, dy, event) => {
        if (from === null && Math.hypot(dx, dy) < 4) return; // a click, not yet a drag
        from ??= this.#lift(frame, start, box);
        frame.place = hold({ ...from, x: from.x + dx, y: from.y + dy }, desk);
        frame.stand(frame.place);
        zone = frame.isModal ? null : zoneAt(event.clientX - box.left, event.clientY - box.top, desk);
        this.#preview(zone, desk);
      },
      end: (isTakenBack) => {
        this.#preview(null, desk);
        frame.element.classList.remove("pd-moving");
        if (from === null) return;
        if (isTakenBack) Object.assign(frame, { place: before.place });
        else if (zone !== null) frame.place = before.place;
        this.setZone(frame, isTakenBack ? before.zone : (zone ?? "normal"));
      },
    });
  }

  /** Begin to drag: a snapped window takes its own size again, under the pointer. */
  #lift(frame, start, box) {
    frame.element.classList.add("pd-moving");
    if (frame.zone === "normal") return frame.place;
    const now = placeOf(frame.zone, this.desk);
    const share = (start.clientX - box.left - now.x) / now.width;
    frame.setZone("normal");
    return { ...frame.place, x: start.clientX - box.left - share * frame.place.width, y: now.y };
  }

  #preview(zone, desk) {
    this.preview.hidden = zone === null;
    if (zone === null) return;
    const { x, y, width, height } = placeOf(zone, desk);
    Object.assign(this.preview.style, { transform: `translate3d(${x}px, ${y}px, 0)`, width: `${width}px`, height: `${height}px` });
  }

  #stretch(frame, edge, start) {
    if (this.isTouching()) return;
    const { desk } = this;
    const before = { place: frame.place, zone: frame.zone };
    const from = frame.zone === "normal" ? frame.place : placeOf(frame.zone, desk);
    frame.element.classList.add("pd-moving");
    let isChanged = false;
    follow(start, {
      move: (dx, dy) => {
        isChanged = true;
        frame.stand((frame.place = stretch(from, edge, dx, dy, desk)));
      },
      end: (isTakenBack) => {
        frame.element.classList.remove("pd-moving");
        if (isTakenBack) frame.place = before.place;
        if (isChanged) this.setZone(frame, isTakenBack ? before.zone : "normal");
      },
    });
  }

  // --- language and theme --------------------------------------------------------------------------------------------

  setLocale(locale, t) {
    this.t = t;
    for (const frame of this.frames.values()) {
      frame.relabel(t);
      frame.content?.setLocale?.(locale, t);
    }
  }

  setTheme(theme) {
    for (const frame of this.frames.values()) frame.content?.setTheme?.(theme);
  }
}
