// A searchable choice by the ARIA 1.2 pattern: an input that filters, a list that opens below it inside the view.

import { isSame } from "../codec.js";
import { attr, h, uid } from "../dom.js";
import { icon } from "../icons.js";
import { fold, matcher } from "../search.js";
import { Popup } from "./popup.js";

const SHOWN = 100; // options drawn at once; the others are found by typing

export class Combobox {
  #options = []; // {value, label, disabled, folded}
  #given = null; // the property that they were made of
  #chosen = []; // options
  #query = ""; // what the open list was searched for
  #matches = [];
  #items = [];
  #active = -1;
  #isMultiple = false;

  constructor(field) {
    this.field = field;
    const listId = uid("options");
    this.target = h("input", {
      id: field.ids.control,
      type: "text",
      role: "combobox",
      className: "pv-input pv-combobox-input",
      autocomplete: "off",
      spellcheck: "false",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": listId,
      "aria-labelledby": field.ids.label,
      on: {
        input: () => this.#open(this.target.value),
        click: () => this.#press(),
        keydown: (event) => this.#key(event),
        blur: () => this.#close(),
      },
    });
    this.chips = h("div", { className: "pv-chips" });
    const arrow = h("span", { className: "pv-combobox-arrow" }, icon("chevron-down"));
    this.element = h("div", { className: "pv-combobox" }, this.chips, h("div", { className: "pv-select-box" }, this.target, arrow));
    this.list = h("ul", { className: "pv-options", role: "listbox", id: listId, "aria-labelledby": field.ids.label });
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the input keeps the focus
    this.list.addEventListener("click", (event) => this.#clicked(event));
    this.popup = new Popup(field.view, this.target, this.list);
  }

  settle({ options, placeholder, disabled, multiple }) {
    if (options !== this.#given) this.#options = options.map((option) => ({ ...option, folded: null }));
    this.#given = options;
    this.#isMultiple = Boolean(multiple);
    attr(this.list, "aria-multiselectable", this.#isMultiple ? "true" : null);
    this.target.placeholder = placeholder ?? this.field.view.t("elements.select.search");
    this.target.disabled = Boolean(disabled);
    this.chips.hidden = !this.#isMultiple;
  }

  dispose() {
    this.popup.dispose();
  }

  get chosen() {
    return this.#chosen.map((option) => option.value);
  }

  choose(values) {
    this.#chosen = this.#options.filter((option) => values.some((value) => isSame(value, option.value)));
    if (this.popup.isOpen) this.#open(this.#query);
    else this.#rest();
    this.#drawChips();
  }

  /** What the input shows while nobody searches. */
  #rest() {
    this.target.value = this.#isMultiple ? "" : (this.#chosen[0]?.label ?? "");
  }

  /** Open at a click; what is typed next takes the place of what was chosen. */
  #press() {
    if (!this.popup.isOpen) this.target.select();
    this.#open("");
  }

  #open(query) {
    if (this.target.disabled) return;
    this.#query = query;
    const fits = matcher(query);
    this.#matches = fits ? this.#options.filter((option) => fits((option.folded ??= fold(option.label)))) : this.#options;
    const { t } = this.field.view;
    const shown = this.#matches.slice(0, SHOWN);
    const left = this.#matches.length - shown.length;
    this.#items = shown.map((option) => this.#item(option));
    const note = shown.length === 0 ? t("elements.select.nothing") : left > 0 ? t("elements.select.more", { count: left }) : null;
    const foot = note ? [h("li", { className: "pv-options-note", role: "presentation" }, note)] : [];
    this.list.replaceChildren(...this.#items, ...foot);
    this.popup.open();
    attr(this.target, "aria-expanded", "true");
    const chosen = this.#isMultiple ? -1 : shown.findIndex((option) => this.#chosen.includes(option));
    this.#activate(fits ? (shown.length ? 0 : -1) : chosen);
  }

  #item(option) {
    const isChosen = this.#chosen.includes(option);
    const isDisabled = option.disabled ? "true" : null;
    return h(
      "li",
      { className: "pv-option", role: "option", id: uid("option"), "aria-selected": String(isChosen), "aria-disabled": isDisabled },
      h("span", { className: "pv-option-mark" }, isChosen ? icon("check", { size: 14 }) : null),
      h("span", { className: "pv-bidi" }, option.label),
    );
  }

  #close() {
    if (!this.popup.isOpen) {
      this.#rest();
      return;
    }
    this.popup.close();
    attr(this.target, "aria-expanded", "false");
    attr(this.target, "aria-activedescendant", null);
    // Emptied by hand: nothing is chosen.
    const isCleared = !this.#isMultiple && this.target.value === "" && this.#chosen.length > 0 && !this.field.node.props.required;
    if (isCleared) this.#settle([]);
    this.#rest();
  }

  #activate(place) {
    this.#items[this.#active]?.classList.remove("pv-active");
    this.#active = place;
    const item = this.#items[place];
    item?.classList.add("pv-active");
    attr(this.target, "aria-activedescendant", item?.id ?? null);
    if (item) this.popup.reveal(item);
  }

  #key(event) {
    if (event.isComposing) return;
    const act = this.#keys[event.key];
    if (act && act(event) !== false) event.preventDefault();
  }

  #keys = {
    __proto__: null,
    ArrowDown: () => (this.popup.isOpen ? this.#step(1) : this.#open("")),
    ArrowUp: () => (this.popup.isOpen ? this.#step(-1) : this.#open("")),
    PageDown: () => this.popup.isOpen && this.#step(10),
    PageUp: () => this.popup.isOpen && this.#step(-10),
    Enter: (event) => {
      if (this.popup.isOpen && this.#active >= 0) return this.#pick(this.#matches[this.#active]);
      this.field.entered(event);
      return false;
    },
    Escape: (event) => {
      if (!this.popup.isOpen) return false;
      event.stopPropagation(); // it closes the list, not the window
      this.#rest();
      return this.#close();
    },
    Backspace: () => {
      if (!this.#isMultiple || this.target.value || this.#chosen.length === 0) return false;
      return this.#toggle(this.#chosen.at(-1));
    },
    Tab: () => {
      if (this.popup.isOpen && this.#active >= 0 && this.target.value && !this.#isMultiple) this.#pick(this.#matches[this.#active]);
      return false;
    },
  };

  #step(by) {
    const last = this.#items.length - 1;
    if (last < 0) return;
    const next = this.#active < 0 ? (by > 0 ? 0 : last) : this.#active + by;
    const wraps = Math.abs(by) === 1;
    this.#activate(wraps ? (next + last + 1) % (last + 1) : Math.min(Math.max(next, 0), last));
  }

  #clicked(event) {
    const place = this.#items.findIndex((item) => item.contains(event.target));
    if (place >= 0) this.#pick(this.#matches[place]);
  }

  #pick(option) {
    if (option.disabled) return;
    if (this.#isMultiple) {
      this.#toggle(option);
      this.target.value = "";
      this.#open("");
      const place = this.#matches.indexOf(option);
      if (place < this.#items.length) this.#activate(place);
      return;
    }
    this.target.value = option.label;
    this.popup.close();
    attr(this.target, "aria-expanded", "false");
    attr(this.target, "aria-activedescendant", null);
    this.#settle([option]);
  }

  #toggle(option) {
    const isChosen = this.#chosen.includes(option);
    const chosen = isChosen ? this.#chosen.filter((other) => other !== option) : [...this.#chosen, option];
    this.#settle(this.#options.filter((other) => chosen.includes(other))); // in the order of the options
  }

  #settle(chosen) {
    this.#chosen = chosen;
    this.#drawChips();
    this.field.chosen();
  }

  #drawChips() {
    if (!this.#isMultiple) return;
    const { t } = this.field.view;
    const chips = this.#chosen.map((option) => {
      const remove = () => {
        this.#toggle(option);
        this.target.focus();
      };
      const label = t("elements.select.remove", { label: option.label });
      const props = { type: "button", className: "pv-chip-remove", "aria-label": label, on: { click: remove } };
      const button = h("button", props, icon("close", { size: 12 }));
      button.disabled = this.target.disabled;
      return h("span", { className: "pv-chip" }, h("span", { className: "pv-bidi" }, option.label), button);
    });
    this.chips.replaceChildren(...chips);
  }
}
