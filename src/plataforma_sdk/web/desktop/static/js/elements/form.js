// A form: the fields below it, by name, sent together.

import { attr, h, setText } from "../dom.js";

export function form(node, view) {
  return new Form(node, view);
}

class Form {
  #node;
  #view;
  #isBusy = false;

  constructor(node, view) {
    this.#view = view;
    this.body = h("div", { className: "pv-flow pv-column pv-form-body" });
    this.label = h("span", { className: "pv-button-label" });
    this.button = h("button", { type: "submit", className: "pv-button pv-tone-primary" }, this.label);
    this.problem = h("p", { className: "pv-error", role: "alert" });
    this.foot = h("div", { className: "pv-form-foot" }, this.button, this.problem);
    this.element = h("form", { className: "pv-form", noValidate: true, autocomplete: "off" }, this.body, this.foot);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault(); // nothing of a module ever leaves by the browser's own way
      this.#submit();
    });
    this.update(node);
  }

  update(node) {
    this.#node = node;
    this.foot.hidden = !node.props.on_submit;
    this.button.disabled = !node.props.on_submit;
    setText(this.label, node.props.submit_label ?? this.#view.t("elements.form.submit"));
  }

  async #submit() {
    if (this.#isBusy || !this.#node.props.on_submit) return;
    const fields = this.#fields();
    const wrong = fields.filter((field) => !field.check());
    setText(this.problem, "");
    if (wrong.length > 0) {
      wrong[0].focus();
      this.#view.announce(this.#view.t("elements.form.invalid", { count: wrong.length }));
      return;
    }
    this.#isBusy = true;
    attr(this.button, "aria-disabled", "true");
    const ack = await this.#view.fire(this.#node, "on_submit", valuesOf(fields), this.button);
    this.#isBusy = false;
    attr(this.button, "aria-disabled", null);
    if (ack && !ack.ok) setText(this.problem, ack.error?.text || this.#view.t("elements.form.not_sent"));
  }

  #fields() {
    const records = [...this.#view.below(this.#node.key)];
    return records.map((record) => record.handle).filter((handle) => handle.isField && !handle.isDisabled);
  }
}

function valuesOf(fields) {
  const values = Object.create(null); // a field may be named "__proto__"
  for (const field of fields) values[field.node.props.name] = field.read().value;
  return values;
}
