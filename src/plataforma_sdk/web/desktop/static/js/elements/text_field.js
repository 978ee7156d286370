// Fields in which a person types: texts and dates, and the checkbox.

import { PlainDate } from "../codec.js";
import { attr, h, setText } from "../dom.js";
import { Field } from "./field.js";

const TYPES = new Set(["email", "password", "search", "tel", "url"]);
const MAX_CHARS = 100_000;
const COUNTED_FROM = 0.8; // of its length: then the characters are counted under the field

export function text_field(node, view) {
  return new TextField(node, view).begin();
}

export function date_field(node, view) {
  return new DateField(node, view).begin();
}

export function checkbox_field(node, view) {
  return new CheckboxField(node, view).begin();
}

class TextField extends Field {
  settle(props) {
    const tag = props.multiline ? "textarea" : "input";
    if (this.control?.localName !== tag) this.#make(tag);
    if (tag === "input") this.control.type = TYPES.has(props.kind) ? props.kind : "text";
    this.control.placeholder = props.placeholder ?? "";
    this.control.disabled = Boolean(props.disabled);
    this.#count();
  }

  #make(tag) {
    const typed = this.control?.value ?? "";
    this.control = h(tag, {
      id: this.ids.control,
      className: "pv-input",
      autocomplete: "off", // what the browser knows of the person is none of a module's business
      on: {
        input: () => this.#input(),
        blur: () => this.left(),
        keydown: (event) => this.#key(event),
      },
    });
    if (tag === "textarea") this.control.rows = 4;
    this.counter = h("span", { className: "pv-counter", "aria-hidden": "true" });
    this.control.value = typed;
    this.slot.replaceChildren(this.control, this.counter);
  }

  #input() {
    this.#count();
    this.typed();
  }

  #key(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    if (this.control.localName === "input" || event.ctrlKey || event.metaKey) this.entered(event);
  }

  #count() {
    const limit = this.node.props.max_length;
    const length = [...this.control.value].length;
    this.counter.hidden = !limit || length < limit * COUNTED_FROM;
    setText(this.counter, limit ? `${length}/${limit}` : "");
  }

  read() {
    const value = this.control.value.toWellFormed?.() ?? this.control.value;
    const { required, max_length: limit = MAX_CHARS } = this.node.props;
    // In characters, as the server counts them; the browser's own limit counts an emoji twice.
    const length = value.length > limit ? [...value].length : 0;
    if (required && !value.trim()) return { value, problem: this.view.t("elements.field.required") };
    if (length > limit) return { value, problem: this.view.t("elements.field.too_long", { limit, count: length - limit }) };
    return { value, problem: null };
  }

  write(value) {
    const text = value ?? "";
    if (this.control.value !== text) {
      const { selectionStart, selectionEnd } = this.control;
      this.control.value = text;
      const isHere = document.activeElement === this.control && selectionStart !== null;
      if (isHere) this.control.setSelectionRange(selectionStart, selectionEnd);
    }
    this.#count();
  }

  sameValue(left, right) {
    return (left ?? "") === (right ?? "");
  }
}

class DateField extends Field {
  constructor(node, view) {
    super(node, view);
    this.control = h("input", {
      id: this.ids.control,
      type: "date",
      className: "pv-input pv-date",
      autocomplete: "off",
      on: {
        input: () => this.typed(),
        change: () => this.control.value && this.chosen(),
        blur: () => this.left(),
        keydown: (event) => event.key === "Enter" && this.entered(event),
      },
    });
    this.slot.append(this.control);
  }

  settle(props) {
    attr(this.control, "min", props.minimum?.text ?? null);
    attr(this.control, "max", props.maximum?.text ?? "9999-12-31");
    this.control.disabled = Boolean(props.disabled);
  }

  read() {
    const text = this.control.value;
    const { required, minimum, maximum } = this.node.props;
    const { t, format } = this.view;
    if (this.control.validity.badInput) return { value: null, problem: t("elements.field.bad_date") };
    if (!text) return { value: null, problem: required ? t("elements.field.required") : null };
    const value = new PlainDate(text);
    if (minimum && text < minimum.text) return { value, problem: t("elements.field.date_minimum", { limit: format.date(minimum) }) };
    if (maximum && text > maximum.text) return { value, problem: t("elements.field.date_maximum", { limit: format.date(maximum) }) };
    return { value, problem: null };
  }

  write(value) {
    this.control.value = value?.text ?? "";
  }
}

class CheckboxField extends Field {
  constructor(node, view) {
    super(node, view);
    this.control = h("input", {
      id: this.ids.control,
      type: "checkbox",
      className: "pv-checkbox",
      on: {
        change: () => this.chosen(),
        keydown: (event) => event.key === "Enter" && this.entered(event),
      },
    });
    this.slot.append(this.control, this.label); // the label stands behind the box
    this.element.classList.add("pv-check-field");
  }

  settle(props) {
    this.control.disabled = Boolean(props.disabled);
  }

  read() {
    const value = this.control.checked;
    const isMissing = this.node.props.required && !value;
    return { value, problem: isMissing ? this.view.t("elements.field.must_check") : null };
  }

  write(value) {
    this.control.checked = Boolean(value);
  }

  sameValue(left, right) {
    return Boolean(left) === Boolean(right);
  }
}
