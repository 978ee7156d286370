// What modules notify: kept in a centre behind the bell, and shown once in passing.

import { toNumber } from "./codec.js";
import { h } from "./dom.js";
import { button } from "./dialog.js";
import { formatter } from "./format.js";
import { icon } from "./icons.js";

const MAX_KEPT = 100;

/** The notifications of a page, newest first. Fires `change`. */
export class Notifications extends EventTarget {
  items = [];
  unread = 0;

  constructor(desktop) {
    super();
    this.desktop = desktop;
    desktop.connection.addEventListener("notification", ({ detail }) => this.#add(detail));
  }

  #add(item) {
    if (this.items.some(({ id }) => id === item.id)) return; // sent again after a reconnect
    this.items = [item, ...this.items].slice(0, MAX_KEPT);
    this.unread += 1;
    const text = [item.title, item.body].filter(Boolean).join(": ");
    this.desktop.toasts.show({ level: "info", module: item.module, code: String(item.id), text });
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** Take them as read: those that are still shown in passing lie in the centre, too, which they would cover. */
  read() {
    this.unread = 0;
    for (const { module, id } of this.items) this.desktop.toasts.dismiss(module, String(id));
    this.#changed();
  }

  #remove(item) {
    this.items = this.items.filter((other) => other !== item);
    this.#changed();
  }

  #clear() {
    this.items = [];
    this.unread = 0;
    this.#changed();
  }

  /** Draw the centre. */
  draw() {
    const { t } = this.desktop;
    const head = h("header", { className: "pd-panel-head" }, h("h2", { textContent: t("desktop.notifications.title") }),
      this.items.length > 0 && button(t("desktop.notifications.clear"), () => this.#clear()));
    if (!this.items.length) {
      return [head, h("p", { className: "pd-empty-note" }, icon("bell", { size: 24 }), t("desktop.notifications.empty"))];
    }
    return [head, h("ul", { className: "pd-notices", tabindex: 0 }, this.items.map((item) => this.#drawOne(item)))];
  }

  #drawOne(item) {
    const { desktop } = this;
    const dismiss = desktop.t("desktop.notifications.dismiss");
    const at = typeof item.at === "string" ? item.at : toNumber(item.at) * 1_000;
    return h("li", { className: "pd-notice" },
      h("div", null,
        h("p", { className: "pd-notice-head" }, h("span", { className: "pd-chip" }, h("bdi", { textContent: desktop.nameOf(item.module) })),
          h("time", { textContent: formatter(desktop.locale).time(at) })),
        h("p", { className: "pd-notice-title", dir: "auto", textContent: item.title }),
        item.body && h("p", { className: "pd-notice-body", dir: "auto", textContent: item.body })),
      h("button", { className: "pd-icon-button", type: "button", "aria-label": dismiss, title: dismiss, on: { click: () => this.#remove(item) } }, icon("close")));
  }
}
