// What all fields share: label, help, message; when a change is told; how a server's value meets what a person types.

import { isSame } from "../codec.js";
import { attr, h, setText, uid } from "../dom.js";

const TYPING_MS = 300; // of quiet, before typing is told
const ECHO_MS = 2_000; // after an acknowledgement a sent value may still come back as the server's
const KEPT_ECHOES = 20;

/**
 * A field. A kind of field makes its control and says how to read and write it:
 *
 * `read() -> {value, problem}`: the value for the wire, or why there is none.
 * `write(value)`: show a value of the server.
 * `settle(props)`: apply the properties to the control.
 */
export class Field {
  isField = true;
  #timer = null;
  #told = null; // the value that the module knows
  #echoes = []; // values on their way: {value, until}
  #isTouched = false;

  constructor(node, view, { isGroup = false } = {}) {
    this.node = node;
    this.view = view;
    const [labelId, helpId, errorId] = [uid("label"), uid("help"), uid("error")];
    this.ids = { label: labelId, help: helpId, error: errorId, control: uid("field") };
    this.labelText = h("span", { className: "pv-bidi" });
    this.mark = h("span", { className: "pv-required", "aria-hidden": "true" }, "\u00a0*");
    this.label = h(isGroup ? "span" : "label", { className: "pv-label", id: labelId }, this.labelText);
    if (!isGroup) this.label.htmlFor = this.ids.control;
    this.help = h("p", { className: "pv-help", id: helpId });
    this.error = h("p", { className: "pv-error", id: errorId });
    this.slot = h("div", { className: "pv-control" });
    this.element = h("div", { className: "pv-field" }, this.label, this.slot, this.help, this.error);
    this.error.hidden = true;
  }

  /** To be called once the control stands: draws the first properties and value. */
  begin() {
    this.settle(this.node.props); // first: it makes the control that the rest describes
    this.#chrome();
    this.#show(this.node.props.value ?? null);
    return this;
  }

  update(node, old) {
    this.node = node;
    this.settle(node.props);
    this.#chrome();
    const value = node.props.value ?? null;
    if (this.sameValue(value, old.props.value ?? null) || this.#isEcho(value)) return;
    this.#forgetTyping();
    this.#show(value);
    this.show(null);
  }

  /** Show a value of the server. What the browser makes of it, "a b" of "a\nb", is no change of the person's. */
  #show(value) {
    if (!this.sameValue(value, this.read().value)) this.write(value);
    this.#told = this.read().value;
  }

  relocate() {
    this.update(this.node, this.node);
    if (!this.error.hidden) this.show(this.read().problem);
  }

  dispose() {
    clearTimeout(this.#timer);
  }

  sameValue(left, right) {
    return isSame(left, right);
  }

  get isDisabled() {
    return Boolean(this.node.props.disabled);
  }

  /** The element that takes the focus, and carries the field's state for assistive technology. */
  get target() {
    return this.control;
  }

  focus() {
    this.target.focus();
  }

  /** Check the field and show what is wrong; tells whether nothing is. */
  check() {
    const { problem } = this.read();
    this.#isTouched = true;
    this.show(problem);
    return !problem;
  }

  /** Show a problem, or null for none. */
  show(problem) {
    setText(this.error, problem ?? "");
    this.error.hidden = !problem;
    this.element.classList.toggle("pv-invalid", Boolean(problem));
    this.#describe();
  }

  // --- what the person does ------------------------------------------------------------------------------------------

  /** The person is typing: told once they pause. */
  typed() {
    if (!this.error.hidden) this.show(this.read().problem);
    clearTimeout(this.#timer);
    if (this.node.props.on_change) this.#timer = setTimeout(() => this.#tell({ isQuiet: true }), TYPING_MS);
  }

  /** The person chose: told at once. */
  chosen() {
    this.#isTouched = true;
    clearTimeout(this.#timer);
    this.#tell({});
  }

  /** The person leaves the field. */
  left() {
    clearTimeout(this.#timer);
    // A message that appears while the pointer is down would push away the button that it is on.
    if (this.#hasChanged() || this.#isTouched) this.view.onceReleased(() => this.#tell({}));
  }

  /** Enter: the field's own `on_submit`; where it has none, the form's goes its way. */
  entered(event) {
    if (!this.node.props.on_submit) {
      if (event.ctrlKey || event.metaKey) this.element.closest("form")?.requestSubmit(); // from a text of many lines
      return;
    }
    event.preventDefault();
    if (!this.check()) return;
    clearTimeout(this.#timer);
    const { value } = this.read();
    this.#told = value;
    this.view.fire(this.node, "on_submit", value, this.element);
  }

  #hasChanged() {
    const { value, problem } = this.read();
    return Boolean(problem) || !this.sameValue(value, this.#told);
  }

  async #tell({ isQuiet = false }) {
    const { value, problem } = this.read();
    if (problem) {
      if (!isQuiet) this.show(problem);
      return;
    }
    this.show(null);
    if (!this.node.props.on_change || this.isDisabled || this.sameValue(value, this.#told)) return;
    this.#told = value;
    const echo = { value, until: Infinity };
    this.#echoes = [...this.#echoes, echo].slice(-KEPT_ECHOES);
    const ack = await this.view.fire(this.node, "on_change", value, this.element);
    echo.until = Date.now() + ECHO_MS;
    if (ack && !ack.ok && this.sameValue(this.#told, value)) this.#told = undefined; // refused: the next try is told again
  }

  // --- what the server says ------------------------------------------------------------------------------------------

  /** Whether a value is one that was typed here a moment ago; the person may be further by now. */
  #isEcho(value) {
    const now = Date.now();
    this.#echoes = this.#echoes.filter(({ until }) => until > now);
    const place = this.#echoes.findIndex((echo) => this.sameValue(echo.value, value));
    if (place < 0) return false;
    this.#echoes = this.#echoes.slice(place); // it may come once more, as of another render
    return true;
  }

  #forgetTyping() {
    clearTimeout(this.#timer);
    this.#echoes = [];
  }

  #chrome() {
    const { label, name, required, help, disabled } = this.node.props;
    setText(this.labelText, label ?? name);
    if (!required) this.mark.remove();
    else if (!this.mark.isConnected) this.label.append(this.mark);
    setText(this.help, help ?? "");
    this.help.hidden = !help;
    this.element.classList.toggle("pv-disabled", Boolean(disabled));
    this.#describe();
  }

  #describe() {
    const { target } = this;
    if (!target) return;
    const parts = [this.help.hidden ? null : this.ids.help, this.error.hidden ? null : this.ids.error].filter(Boolean);
    attr(target, "aria-describedby", parts.length ? parts.join(" ") : null);
    attr(target, "aria-invalid", this.error.hidden ? null : "true");
    const isRequired = this.node.props.required && target.getAttribute("role") !== "group";
    attr(target, "aria-required", isRequired ? "true" : null);
  }
}
