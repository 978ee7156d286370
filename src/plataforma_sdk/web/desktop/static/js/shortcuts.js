// Everything by keyboard. Alt+Shift and a letter or an arrow, since browsers leave these to the page.

import { h } from "./dom.js";
import { openDialog } from "./dialog.js";
import { fit, placeOf, stretch } from "./places.js";

const STEP = 16;
const ARROWS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };
const STEPS = { left: [-STEP, 0], right: [STEP, 0], up: [0, -STEP], down: [0, STEP] };

// what the help lists: group -> [keys, what they do]
const HELP = {
  desktop: [["Ctrl+K", "launcher"], ["Alt+Shift+Q", "switch"], ["F6", "areas"], ["Alt+Shift+A", "notifications"], ["Alt+Shift+G", "tasks"], ["Alt+Shift+S", "settings"], ["?", "help"], ["Esc", "escape"]],
  window: [["Alt+Shift+←→↑↓", "snap"], ["Alt+Shift+M", "move"], ["Alt+Shift+R", "resize"], ["Alt+Shift+X", "full"], ["Alt+Shift+N", "minimise"], ["Alt+Shift+W", "close"]],
};

const isTyping = (target) => target instanceof HTMLElement && (target.isContentEditable || /^(?:TEXTAREA|SELECT)$/.test(target.tagName)
  || (target.tagName === "INPUT" && !/^(?:checkbox|radio|button|range)$/.test(target.type)));

/** The shortcuts of the page. */
export class Shortcuts {
  #mode = null; // {frame, kind, before} while arrows move or stretch a window

  constructor(desktop) {
    this.desktop = desktop;
    this.hint = h("p", { className: "pd-mode", role: "status", hidden: true });
    addEventListener("keydown", (event) => this.#key(event), { capture: true });
    document.addEventListener("keydown", (event) => this.#late(event)); // what a window has not taken itself
    document.addEventListener("pointerdown", () => this.#leave(true), { capture: true });
  }

  // code of the key -> what it does, with Alt+Shift; keys by place, since Alt changes what they write
  #withAltShift = {
    KeyQ: () => this.desktop.switcher.step(1),
    KeyA: () => this.desktop.dock.openCentre(),
    KeyG: () => this.desktop.openSystem("tasks"),
    KeyS: () => this.desktop.openSystem("settings"),
    KeyM: () => this.#enter("move"),
    KeyR: () => this.#enter("resize"),
    KeyX: () => this.#onActive((frame, windows) => windows.toggleFull(frame)),
    KeyN: () => this.#onActive((frame, windows) => windows.minimise(frame)),
    KeyW: () => this.#onActive((frame, windows) => windows.onClose(frame)),
  };

  #key(event) {
    if (event.isComposing || document.querySelector("dialog.pd-prompt[open]")) return;
    const isCommand = event.ctrlKey !== event.metaKey;
    if (isCommand && !event.altKey && !event.shiftKey && event.code === "KeyK") return this.#take(event, () => this.desktop.launcher.open());
    if (document.querySelector("dialog[open]")) return undefined; // a dialog has its own keys
    if (this.#mode) return this.#modeKey(event);
    if (event.key === "F6") return this.#take(event, () => this.#nextArea(event.shiftKey ? -1 : 1));
    if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return undefined;
    const arrow = ARROWS[event.key];
    if (arrow && !isTyping(event.target)) return this.#take(event, () => this.#onActive((frame, windows) => windows.snap(frame, arrow)));
    const act = Object.hasOwn(this.#withAltShift, event.code) ? this.#withAltShift[event.code] : null;
    return act && this.#take(event, act);
  }

  #take(event, act) {
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  #late(event) {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.key === "?" && !isTyping(event.target)) this.#take(event, () => this.showHelp());
    if (event.key === "Escape") this.#escape();
  }

  /** Close what is on top: a panel, a modal window, the newest toast. */
  #escape() {
    const { panels, windows, toasts } = this.desktop;
    if (panels.close()) return;
    if (windows.active?.isModal) windows.onClose(windows.active);
    else toasts.dismissNewest();
  }

  #onActive(act) {
    const { windows } = this.desktop;
    if (windows.active) act(windows.active, windows);
  }

  /** From the window in front to the dock and back. */
  #nextArea(step) {
    const { windows, dock, toasts } = this.desktop;
    const areas = [windows.element, dock.element, toasts.element].filter((area) => area.querySelector("button"));
    const now = areas.findIndex((area) => area.contains(document.activeElement));
    const next = areas[(Math.max(now, now < 0 && step > 0 ? -1 : 0) + step + areas.length) % areas.length];
    if (next === windows.element && windows.active) windows.active.focus();
    else next?.querySelector("button:not([disabled])")?.focus();
  }

  // --- moving and stretching by arrows -------------------------------------------------------------------------------

  #enter(kind) {
    const { windows, t } = this.desktop;
    const frame = windows.active;
    if (!frame || windows.isTouching()) return;
    const place = frame.zone === "normal" ? frame.place : placeOf(frame.zone, windows.desk);
    this.#mode = { frame, kind, before: { place: frame.place, zone: frame.zone } };
    windows.setPlace(frame, place);
    frame.element.classList.add("pd-moving");
    this.hint.hidden = false;
    this.hint.textContent = t(`desktop.mode.${kind}`, { name: frame.title });
  }

  #modeKey(event) {
    const arrow = ARROWS[event.key];
    event.preventDefault();
    event.stopPropagation();
    if (arrow) this.#moveBy(STEPS[arrow].map((step) => step * (event.shiftKey ? 4 : 1)));
    else if (event.key === "Enter") this.#leave(true);
    else if (event.key === "Escape") this.#leave(false);
  }

  #moveBy([dx, dy]) {
    const { frame, kind } = this.#mode;
    const { windows } = this.desktop;
    const { place } = frame;
    const moved = kind === "move" ? fit({ ...place, x: place.x + dx, y: place.y + dy }, windows.desk) : stretch(place, "se", dx, dy, windows.desk);
    windows.setPlace(frame, moved);
  }

  #leave(isKept) {
    if (!this.#mode) return;
    const { frame, before } = this.#mode;
    this.#mode = null;
    this.hint.hidden = true;
    frame.element.classList.remove("pd-moving");
    if (isKept) return;
    frame.place = before.place;
    this.desktop.windows.setZone(frame, before.zone);
  }

  // --- help ----------------------------------------------------------------------------------------------------------

  showHelp() {
    const { t } = this.desktop;
    const keys = (text) => text.split("+").map((key) => h("kbd", { textContent: key }));
    openDialog({
      title: t("desktop.help.title"),
      className: "pd-help",
      closeLabel: t("desktop.dialog.close"),
      iconName: "help",
      body: Object.entries(HELP).map(([group, entries]) => h("section", null, h("h3", { textContent: t(`desktop.help.${group}`) }),
        h("dl", { className: "pd-keys" }, entries.map(([combination, name]) => h("div", null, h("dt", null, keys(combination)), h("dd", { textContent: t(`desktop.help.${name}`) })))))),
    });
  }
}
