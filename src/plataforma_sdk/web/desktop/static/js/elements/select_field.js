// A choice among options: the browser's own list where there are few, a searchable combobox where there are many, a
// group of checkboxes for several of a few.

import { isSame } from "../codec.js";
import { h, setText, uid } from "../dom.js";
import { Combobox } from "./combobox.js";
import { Field } from "./field.js";

const FEW = 15;

export function select_field(node, view) {
  return new SelectField(node, view).begin();
}

class SelectField extends Field {
  constructor(node, view) {
    super(node, view, { isGroup: true });
    this.label.addEventListener("click", () => this.focus());
  }

  get target() {
    return this.chooser?.target;
  }

  settle(props) {
    const Kind = chooserOf(props);
    const chosen = this.chooser?.chosen ?? listOf(props.value);
    if (this.chooser?.constructor !== Kind) {
      this.chooser?.dispose?.();
      this.chooser = new Kind(this);
      this.slot.replaceChildren(this.chooser.element);
    }
    this.chooser.settle(props);
    this.chooser.choose(chosen.filter((value) => has(props.options, value)));
    this.show(this.error.hidden ? null : this.error.textContent); // the target may be another now
  }

  dispose() {
    super.dispose();
    this.chooser.dispose?.();
  }

  read() {
    const { required, multiple } = this.node.props;
    const { chosen } = this.chooser;
    const value = multiple ? chosen : (chosen[0] ?? null);
    const isMissing = required && chosen.length === 0;
    return { value, problem: isMissing ? this.view.t("elements.field.choose") : null };
  }

  write(value) {
    this.chooser.choose(listOf(value));
  }

  sameValue(left, right) {
    return isSame(listOf(left), listOf(right));
  }
}

function chooserOf({ multiple, options }) {
  if (options.length > FEW) return Combobox;
  return multiple ? CheckGroup : NativeSelect;
}

function listOf(value) {
  return value === null || value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function has(options, value) {
  return options.some((option) => isSame(option.value, value));
}

/** The browser's own list. */
class NativeSelect {
  #options = [];
  #drawn = null; // what the list was made of

  constructor(field) {
    this.field = field;
    this.target = h("select", {
      id: field.ids.control,
      className: "pv-input pv-select",
      "aria-labelledby": field.ids.label,
      on: {
        change: () => field.chosen(),
        keydown: (event) => event.key === "Enter" && field.entered(event),
      },
    });
    this.element = h("div", { className: "pv-select-box" }, this.target);
  }

  settle({ options, placeholder, required, disabled, value }) {
    this.target.disabled = Boolean(disabled);
    const isEmpty = value === undefined || value === null;
    const drawn = [options, placeholder, required, isEmpty, this.field.view.locale];
    if (this.#drawn?.every((each, place) => each === drawn[place])) return; // it may be open
    this.#drawn = drawn;
    this.#options = options;
    const first = h("option", { value: "", textContent: placeholder ?? (required ? "" : this.field.view.t("elements.select.none")) });
    first.disabled = Boolean(required);
    const items = options.map((option, place) =>
      h("option", { value: String(place), textContent: option.label, disabled: Boolean(option.disabled) }),
    );
    // Where the module offers an empty choice of its own, "all countries", another one would only confuse.
    const hasOwn = options.some((option) => option.value === "");
    const needsFirst = isEmpty || !(required || hasOwn);
    this.target.replaceChildren(...(needsFirst ? [first] : []), ...items);
  }

  get chosen() {
    const place = this.target.value;
    return place === "" ? [] : [this.#options[Number(place)].value];
  }

  choose(values) {
    const place = this.#options.findIndex((option) => values.length > 0 && isSame(option.value, values[0]));
    this.target.value = place < 0 ? "" : String(place);
  }
}

/** A group of checkboxes, for several of a few. */
class CheckGroup {
  #boxes = [];

  constructor(field) {
    this.field = field;
    this.element = h("div", { className: "pv-check-group", role: "group", "aria-labelledby": field.ids.label });
    this.element.addEventListener("keydown", (event) => event.key === "Enter" && field.entered(event));
    this.target = this.element;
    this.target.focus = () => this.#boxes[0]?.box.focus();
  }

  settle({ options, disabled }) {
    while (this.#boxes.length > options.length) this.#boxes.pop().line.remove();
    options.forEach((option, place) => {
      const line = this.#boxes[place] ?? this.#make(place);
      line.value = option.value;
      setText(line.label, option.label);
      line.box.disabled = Boolean(disabled || option.disabled);
    });
  }

  #make(place) {
    const id = uid("option");
    const box = h("input", { type: "checkbox", className: "pv-checkbox", id, on: { change: () => this.field.chosen() } });
    const label = h("label", { className: "pv-bidi" });
    label.htmlFor = id;
    const line = h("div", { className: "pv-check" }, box, label);
    this.#boxes[place] = { line, box, label, value: null };
    this.element.append(line);
    return this.#boxes[place];
  }

  get chosen() {
    return this.#boxes.filter(({ box }) => box.checked).map(({ value }) => value);
  }

  choose(values) {
    for (const { box, value } of this.#boxes) box.checked = values.some((chosen) => isSame(chosen, value));
  }
}
