// What holds other elements: rows, columns, cards, lists, framed areas, modals.

import { attr, h, setText, takesClick, uid } from "../dom.js";
import { icon } from "../icons.js";

/** Classes of the properties that `row`, `column` and `window` share. */
function flowClasses(name, { gap, align }) {
  return ["pv-flow", `pv-${name}`, gap && `pv-gap-${gap}`, align && `pv-align-${align}`].filter(Boolean).join(" ");
}

export function row(node) {
  const element = h("div");
  const update = ({ props }) => {
    element.className = flowClasses("row", props) + (props.wrap === false ? " pv-nowrap" : "");
    attr(element, "tabindex", props.wrap === false ? 0 : null); // it may scroll
  };
  update(node);
  return { element, body: element, update };
}

export function column(node) {
  const element = h("div");
  const update = ({ props }) => {
    element.className = flowClasses("column", props);
  };
  update(node);
  return { element, body: element, update };
}

/** The heading of a card or an area: an icon, a title, a line below it. */
function headingOf(level, id) {
  const title = h(`h${level}`, { className: "pv-title", id });
  const subtitle = h("p", { className: "pv-subtitle" });
  const mark = h("span", { className: "pv-title-icon" });
  const element = h("header", { className: "pv-header" }, mark, h("div", null, title, subtitle));
  const update = (props) => {
    setText(title, props.title ?? "");
    setText(subtitle, props.subtitle ?? "");
    mark.replaceChildren(...(props.icon ? [icon(props.icon, { size: 18 })] : []));
    title.hidden = !props.title;
    subtitle.hidden = !props.subtitle;
    mark.hidden = !props.icon;
    element.hidden = !props.title && !props.subtitle && !props.icon;
  };
  return { element, update };
}

/** A framed area inside the view; the real windows are the desktop's. */
export function window(node) {
  const id = uid("area");
  const heading = headingOf(3, id);
  const body = h("div");
  const element = h("section", { className: "pv-area", "aria-labelledby": id }, heading.element, body);
  const update = ({ props }) => {
    heading.update(props);
    body.className = `${flowClasses("column", props)} pv-area-body`;
  };
  update(node);
  return { element, body, update };
}

/** A card; where it can be pressed a button lies under its content for the keyboard, so what stands in it stays usable. */
export function card(node, view) {
  const id = uid("card");
  const heading = headingOf(3, id);
  const body = h("div", { className: "pv-flow pv-column pv-card-body" });
  const hit = h("button", { type: "button", className: "pv-hit" });
  const element = h("section", { className: "pv-card" }, heading.element, body);
  let current = node;
  let isBusy = false;
  element.addEventListener("click", async (event) => {
    if (isBusy || !current.props.on_press || !takesClick(event, element, hit)) return;
    isBusy = true;
    await view.fire(current, "on_press", null, element);
    isBusy = false;
  });
  const update = (next) => {
    current = next;
    heading.update(next.props);
    const isPressable = Boolean(next.props.on_press);
    element.classList.toggle("pv-pressable", isPressable);
    attr(element, "aria-labelledby", next.props.title ? id : null);
    attr(hit, "aria-labelledby", next.props.title ? id : null);
    attr(hit, "aria-label", next.props.title ? null : view.t("elements.card.open"));
    if (isPressable && !hit.isConnected) element.prepend(hit);
    if (!isPressable) hit.remove();
  };
  update(node);
  return { element, body, update };
}

/** A list; where items can be chosen each has a button under it, named by its content. */
export function list(node, view) {
  let current = node;
  const make = () => h(current.props.ordered ? "ol" : "ul", { className: "pv-list", role: "list" });
  const body = make();
  const element = h("div", { className: "pv-list-box" }, body);
  const handle = { element, body };
  const choose = (record) => {
    const place = current.children.indexOf(record.node);
    if (place >= 0) view.fire(current, "on_select", place, record.outer);
  };
  handle.wrap = (record) => {
    const id = uid("item");
    const content = h("div", { className: "pv-item-content", id }, record.handle.element);
    const hit = h("button", { type: "button", className: "pv-hit", "aria-labelledby": id });
    const item = h("li", { className: "pv-item" }, hit, content);
    item.addEventListener("click", (event) => current.props.on_select && takesClick(event, item, hit) && choose(record));
    return item;
  };
  handle.update = (next) => {
    current = next;
    const other = make();
    if (other.localName !== handle.body.localName) {
      other.append(...handle.body.childNodes);
      handle.body.replaceWith(other);
      handle.body = other;
    }
    element.classList.toggle("pv-selectable", Boolean(next.props.on_select));
  };
  handle.update(node);
  return handle;
}

export function divider(node) {
  const label = h("span", { className: "pv-divider-label" });
  const element = h("div", { className: "pv-divider", role: "separator" }, label);
  const update = ({ props }) => {
    setText(label, props.label ?? "");
    label.hidden = !props.label;
    attr(element, "aria-label", props.label ?? null);
  };
  update(node);
  return { element, update };
}

/** A dialog over the rest of the window, and of the window alone: the desktop stays usable. */
export function modal(node, view) {
  let current = node;
  const id = uid("modal");
  const title = h("h3", { className: "pv-title", id });
  const close = h("button", { type: "button", className: "pv-icon-button", on: { click: () => dismiss() } }, icon("close"));
  const body = h("div", { className: "pv-flow pv-column pv-modal-body" });
  const header = h("header", { className: "pv-modal-header" }, title, close);
  const dialog = h(
    "div",
    { className: "pv-modal", role: "dialog", "aria-modal": "true", "aria-labelledby": id, tabindex: -1 },
    header,
    body,
  );
  const layer = h("div", { className: "pv-modal-layer" }, dialog);
  const dismiss = () => view.fire(current, "on_close", null, dialog);
  layer.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || !current.props.on_close) return;
    event.preventDefault(); // the desktop would close what it has on top
    event.stopPropagation();
    dismiss();
  });
  const update = (next) => {
    current = next;
    setText(title, next.props.title);
    layer.dataset.size = next.props.size ?? "medium";
    close.hidden = !next.props.on_close;
    attr(close, "aria-label", view.t("elements.modal.close"));
  };
  update(node);
  view.overlay.append(layer);
  const release = view.openModal(dialog);
  const dispose = () => {
    release();
    layer.remove();
  };
  return { element: layer, body, update, dispose, isLayered: true };
}

/** An element of a plugin that this viewer does not know: a labelled box with its children. */
export function plugin(node) {
  const label = h("p", { className: "pv-plugin-label" });
  const body = h("div", { className: "pv-flow pv-column" });
  const element = h("section", { className: "pv-plugin" }, label, body);
  const update = ({ type }) => {
    setText(label, type);
    attr(element, "aria-label", type);
  };
  update(node);
  return { element, body, update };
}
