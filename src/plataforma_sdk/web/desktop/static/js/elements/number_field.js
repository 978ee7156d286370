// A number as a person of a locale writes it, exact to the last digit: never through a float where money is meant.

import { isNumber } from "../codec.js";
import { attr, h } from "../dom.js";
import { icon } from "../icons.js";
import { add, compare, isExact, isWhole, plainText, readNumber, valueOf } from "../numbers.js";
import { Field } from "./field.js";

export function number_field(node, view) {
  return new NumberField(node, view).begin();
}

class NumberField extends Field {
  constructor(node, view) {
    super(node, view);
    this.control = h("input", {
      id: this.ids.control,
      type: "text",
      role: "spinbutton",
      className: "pv-input pv-number",
      autocomplete: "off",
      on: {
        input: () => this.#input(),
        blur: () => this.#blur(),
        keydown: (event) => this.#key(event),
      },
    });
    const stepper = (name, sign) => {
      const props = { type: "button", className: "pv-step", tabindex: -1, "aria-hidden": "true" };
      return h("button", { ...props, on: { click: () => this.#step(sign) } }, icon(name, { size: 12 }));
    };
    this.steppers = [stepper("chevron-up", 1n), stepper("chevron-down", -1n)];
    this.slot.append(h("div", { className: "pv-number-box" }, this.control, h("div", { className: "pv-steps" }, this.steppers)));
  }

  settle(props) {
    this.control.placeholder = props.placeholder ?? "";
    this.control.disabled = Boolean(props.disabled);
    for (const stepper of this.steppers) stepper.disabled = Boolean(props.disabled);
    attr(this.control, "inputmode", props.integer && isNumber(props.minimum) && compare(props.minimum, 0) >= 0 ? "numeric" : "decimal");
    attr(this.control, "aria-valuemin", isNumber(props.minimum) ? plainText(props.minimum) : null);
    attr(this.control, "aria-valuemax", isNumber(props.maximum) ? plainText(props.maximum) : null);
    this.#say();
  }

  read() {
    const { required, integer, minimum, maximum, step, value } = this.node.props;
    const { t, format } = this.view;
    if (!this.control.value.trim()) return { value: null, problem: required ? t("elements.field.required") : null };
    const text = readNumber(this.control.value, format.separators);
    if (text === null) return { value: null, problem: t("elements.field.bad_number") };
    const number = valueOf(text, { integer, exact: isExact(minimum, maximum, step, value) });
    if (integer && !isWhole(text)) return { value: number, problem: t("elements.field.whole") };
    if (isNumber(minimum) && compare(number, minimum) < 0) {
      return { value: number, problem: t("elements.field.minimum", { limit: format.value(minimum) }) };
    }
    if (isNumber(maximum) && compare(number, maximum) > 0) {
      return { value: number, problem: t("elements.field.maximum", { limit: format.value(maximum) }) };
    }
    return { value: number, problem: null };
  }

  write(value) {
    this.control.value = isNumber(value) ? this.#localised(plainText(value)) : "";
    this.#say();
  }

  relocate() {
    const text = readNumber(this.control.value, this.separators ?? this.view.format.separators);
    if (text !== null) this.control.value = this.#localised(text);
    super.relocate();
  }

  sameValue(left, right) {
    return isNumber(left) && isNumber(right) ? compare(left, right) === 0 : (left ?? null) === (right ?? null);
  }

  /** Digits of the locale without groups: what one edits. */
  #localised(text) {
    this.separators = this.view.format.separators;
    return text.replace(".", this.separators.decimal);
  }

  #input() {
    this.#say();
    this.typed();
  }

  /** Write what was understood: "1.500" becomes 1500, so that nobody has to guess. */
  #blur() {
    const text = readNumber(this.control.value, this.view.format.separators);
    if (text !== null) this.control.value = this.#localised(text);
    this.#say();
    this.left();
  }

  #key(event) {
    if (event.key === "Enter" && !event.isComposing) return this.entered(event);
    if ((event.key !== "ArrowUp" && event.key !== "ArrowDown") || event.altKey || event.ctrlKey) return undefined;
    event.preventDefault();
    return this.#step(event.key === "ArrowUp" ? 1n : -1n);
  }

  #step(sign) {
    if (this.isDisabled) return;
    const { step = 1, minimum, maximum } = this.node.props;
    const from = readNumber(this.control.value, this.view.format.separators);
    let next = from === null ? "0" : add(from, step, sign);
    if (isNumber(minimum) && compareText(next, minimum) < 0) next = plainText(minimum);
    if (isNumber(maximum) && compareText(next, maximum) > 0) next = plainText(maximum);
    this.control.value = this.#localised(next);
    this.#say();
    this.typed();
  }

  #say() {
    const text = readNumber(this.control.value, this.view.format.separators);
    attr(this.control, "aria-valuenow", text);
    attr(this.control, "aria-valuetext", text === null ? null : this.control.value);
  }
}

function compareText(text, number) {
  return compare(valueOf(text, { exact: true }), number);
}
