// The dock: the launcher, the modules that are open, and the state of everything.

import { attr, clear, h } from "./dom.js";
import { button } from "./dialog.js";
import { icon } from "./icons.js";

const MARKS = { system: "monitor", light: "sun", dark: "moon" };

/** The bar at the foot of the page. */
export class Dock {
  #tools = new Map(); // name -> button

  constructor(desktop) {
    this.desktop = desktop;
    this.apps = h("ul", { className: "pd-apps" });
    this.tray = h("div", { className: "pd-tray", role: "group" });
    this.clock = h("time", { className: "pd-clock" });
    this.start = this.#tool("launcher", "grid", () => desktop.launcher.open(), "pd-start");
    this.element = h("nav", { className: "pd-dock" }, this.start, this.apps, this.tray);
    this.#fillTray();
    desktop.windows.addEventListener("change", () => this.#drawApps());
    desktop.notifications.addEventListener("change", () => this.#notified());
    for (const type of ["modules", "locale"]) desktop.addEventListener(type, () => this.draw());
    desktop.theme.addEventListener("change", () => this.draw());
    desktop.connection.addEventListener("state", () => this.draw());
    setInterval(() => this.#tick(), 5_000);
    this.draw();
  }

  #tool(name, shape, act, className = "") {
    const made = h("button", { className: `pd-tool ${className}`, type: "button", dataset: { tool: name }, on: { click: act } }, icon(shape, { size: 20 }));
    this.#tools.set(name, made);
    return made;
  }

  #fillTray() {
    const { desktop } = this;
    this.badge = h("span", { className: "pd-badge", "aria-hidden": "true", hidden: true });
    const bell = this.#tool("bell", "bell", () => this.#toggleCentre());
    bell.append(this.badge);
    this.state = h("span", { className: "pd-state", role: "status" });
    const wide = [
      this.#tool("tasks", "cpu", () => desktop.openSystem("tasks")),
      this.#tool("settings", "gear", () => desktop.openSystem("settings")),
      this.#tool("language", "globe", () => desktop.setLocale(desktop.nextLocale)),
      this.#tool("theme", "sun", () => desktop.theme.choose(desktop.theme.next)),
    ];
    for (const each of wide) each.classList.add("pd-wide");
    const more = this.#tool("more", "more-horizontal", () => this.#toggleMore(), "pd-narrow");
    this.tray.append(this.state, ...wide, bell, more, this.clock);
    for (const each of [bell, more]) attr(each, "aria-expanded", "false");
  }

  draw() {
    const { t, theme, nextLocale, connection, locale } = this.desktop;
    attr(this.element, "aria-label", t("desktop.dock.label"));
    attr(this.tray, "aria-label", t("desktop.dock.tray"));
    for (const name of ["launcher", "tasks", "settings", "more"]) this.#name(name, t(`desktop.dock.${name}`));
    const language = locale.slice(0, 2).toUpperCase();
    this.#name("language", `${language}: ${t("desktop.dock.language", { language: t(`desktop.language.${nextLocale}`) })}`);
    this.#name("theme", t("desktop.dock.theme", { theme: t(`desktop.theme.${theme.chosen}`), next: t(`desktop.theme.${theme.next}`) }));
    clear(this.#tools.get("theme")).append(icon(MARKS[theme.chosen], { size: 20 }));
    clear(this.#tools.get("language")).append(h("span", { className: "pd-language", textContent: language }));
    this.state.dataset.state = connection.state;
    clear(this.state).append(h("span", { className: "pd-dot" }), h("span", { className: "pv-unseen", textContent: t(`desktop.state.${connection.state}`) }));
    attr(this.state, "title", t(`desktop.state.${connection.state}`));
    this.#notified();
    this.#drawApps();
    this.#tick();
  }

  #name(name, label) {
    attr(this.#tools.get(name), "aria-label", label);
    attr(this.#tools.get(name), "title", label);
  }

  #tick() {
    const now = new Date();
    const { locale } = this.desktop;
    const text = now.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
    if (this.clock.textContent !== text) this.clock.textContent = text;
    attr(this.clock, "title", now.toLocaleDateString(locale, { dateStyle: "full" }));
  }

  #notified() {
    const { unread } = this.desktop.notifications;
    this.badge.hidden = !unread;
    this.badge.textContent = unread > 99 ? "99+" : String(unread);
    this.#name("bell", this.desktop.t("desktop.dock.bell", { count: unread }));
    if (this.desktop.panels.isOpen) this.desktop.panels.refresh();
  }

  #toggleCentre() {
    const { notifications, panels, t } = this.desktop;
    notifications.read();
    panels.toggle(this.#tools.get("bell"), {
      label: t("desktop.notifications.title"), className: "pd-centre", fill: () => notifications.draw(),
    });
  }

  openCentre() {
    this.#toggleCentre();
  }

  #toggleMore() {
    const { panels, t } = this.desktop;
    panels.toggle(this.#tools.get("more"), { label: t("desktop.dock.more"), className: "pd-menu", fill: (close) => this.#drawMore(close) });
  }

  #drawMore(close) {
    const { desktop } = this;
    const { t, theme } = desktop;
    const entry = (text, iconName, act) => button(text, () => (close(), act()), { iconName, kind: "entry-button" });
    return [
      entry(t("desktop.dock.tasks"), "cpu", () => desktop.openSystem("tasks")),
      entry(t("desktop.dock.settings"), "gear", () => desktop.openSystem("settings")),
      entry(t("desktop.dock.language", { language: t(`desktop.language.${desktop.nextLocale}`) }), "globe", () => desktop.setLocale(desktop.nextLocale)),
      entry(t("desktop.dock.theme", { theme: t(`desktop.theme.${theme.chosen}`), next: t(`desktop.theme.${theme.next}`) }), MARKS[theme.chosen], () => theme.choose(theme.next)),
      entry(t("desktop.help.title"), "help", () => desktop.showHelp()),
    ];
  }

  // --- modules -------------------------------------------------------------------------------------------------------

  #drawApps() {
    const focused = this.apps.contains(document.activeElement) ? document.activeElement.dataset.app : null;
    const groups = byModule(this.desktop.windows.frames.values());
    clear(this.apps).append(...[...groups].map(([module, frames]) => this.#drawApp(module, frames)));
    if (focused !== null) [...this.apps.querySelectorAll("button")].find((each) => each.dataset.app === focused)?.focus();
  }

  #drawApp(module, frames) {
    const { t, windows } = this.desktop;
    const shown = frames.filter((frame) => !frame.isMinimised);
    const isActive = frames.includes(windows.active);
    const [{ name, iconName, isSystem }] = frames;
    const word = isActive ? "active" : shown.length ? "open" : "minimised";
    const label = isSystem ? frames[0].title : name;
    const made = h("button", {
      className: "pd-app", type: "button", dataset: { app: module, state: word }, title: `${label} · ${t(`desktop.app.${word}`)}`,
      "aria-label": t("desktop.app.label", { name: label, state: t(`desktop.app.${word}`), count: frames.length }),
      on: { click: (event) => this.#press(frames, event.currentTarget) },
    }, icon(iconName, { size: 20 }), h("span", { className: "pd-app-name" }, h("bdi", { textContent: label })),
    frames.length > 1 && h("span", { className: "pd-app-count", dataset: { count: frames.length } }));
    if (isActive) attr(made, "aria-current", "true");
    return h("li", null, made);
  }

  #press(frames, pressed) {
    const { windows, panels, t } = this.desktop;
    if (frames.length === 1) {
      const [frame] = frames;
      if (frame === windows.active && !frame.isModal) windows.minimise(frame);
      else windows.activate(frame, { focus: true });
      return;
    }
    const entry = (close) => (frame) => button(frame.title, () => (close(), windows.activate(frame, { focus: true })), { iconName: frame.isMinimised ? "minus" : frame.iconName, kind: "entry-button" });
    panels.toggle(pressed, { label: t("desktop.app.windows", { name: frames[0].name }), className: "pd-menu", fill: (close) => frames.map(entry(close)) });
  }
}

function byModule(frames) {
  const groups = new Map();
  for (const frame of frames) groups.set(frame.module, [...(groups.get(frame.module) ?? []), frame]);
  return groups;
}
