// Tabs by the ARIA pattern: one tab in the order of Tab, arrows between them, the page of the one that is selected.

import { arrange, attr, h, setText, uid } from "../dom.js";
import { icon } from "../icons.js";

const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 };

export function tabs(node, view) {
  return new Tabs(node, view);
}

/** One page; its label is drawn by `tabs` above it. */
export function tab() {
  const element = h("div", { className: "pv-flow pv-column pv-tab-page", role: "tabpanel", tabindex: 0, id: uid("page") });
  return { element, body: element };
}

class Tabs {
  #node;
  #view;
  #buttons = new Map(); // record of a page -> its button
  #pages = [];
  #selected = null; // record of the page shown

  constructor(node, view) {
    this.#node = node;
    this.#view = view;
    this.bar = h("div", { className: "pv-tab-bar", role: "tablist", on: { keydown: (event) => this.#key(event) } });
    this.body = h("div", { className: "pv-tab-pages" });
    this.element = h("div", { className: "pv-tabs" }, this.bar, this.body);
  }

  update(node, old) {
    this.#node = node;
    const { selected } = node.props;
    // The person's own choice stays, until the module asks for another page.
    if (selected !== old.props.selected && Number.isInteger(selected)) this.#show(this.#pages[selected] ?? this.#selected);
  }

  childrenChanged(records) {
    const first = this.#pages.length === 0;
    const place = this.#pages.indexOf(this.#selected);
    this.#pages = records;
    for (const [record] of this.#buttons) if (!records.includes(record)) this.#buttons.delete(record);
    arrange(this.bar, records.map((record) => this.#button(record)));
    const wanted = first ? (this.#node.props.selected ?? 0) : place;
    const stays = records.includes(this.#selected);
    this.#show(stays ? this.#selected : (records[Math.min(Math.max(wanted, 0), records.length - 1)] ?? null));
  }

  #button(record) {
    if (!this.#buttons.has(record)) {
      const label = h("span", { className: "pv-tab-label" });
      const button = h(
        "button",
        { type: "button", className: "pv-tab", role: "tab", id: uid("tab"), "aria-controls": record.handle.element.id },
        h("span", { className: "pv-tab-icon" }),
        label,
      );
      button.addEventListener("click", () => this.#choose(record));
      attr(record.handle.element, "aria-labelledby", button.id);
      this.#buttons.set(record, button);
    }
    const button = this.#buttons.get(record);
    const { label, icon: name } = record.node.props;
    setText(button.lastChild, label);
    button.firstChild.replaceChildren(...(name ? [icon(name)] : []));
    button.firstChild.hidden = !name;
    return button;
  }

  #choose(record) {
    if (record === this.#selected) return;
    this.#show(record);
    this.#view.fire(this.#node, "on_select", this.#pages.indexOf(record), this.#buttons.get(record));
  }

  #show(selected) {
    this.#selected = selected;
    for (const record of this.#pages) {
      const isShown = record === selected;
      const button = this.#buttons.get(record);
      record.handle.element.hidden = !isShown;
      attr(button, "aria-selected", String(isShown));
      attr(button, "tabindex", isShown ? 0 : -1);
    }
  }

  #key(event) {
    const at = this.#pages.indexOf(this.#selected);
    const last = this.#pages.length - 1;
    const place = { Home: 0, End: last }[event.key] ?? (event.key in STEPS ? (at + STEPS[event.key] + last + 1) % (last + 1) : -1);
    if (place < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const record = this.#pages[place];
    this.#choose(record);
    const button = this.#buttons.get(record);
    button.focus();
    button.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}
