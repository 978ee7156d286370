// What is read: texts, figures, images, notices. And the button.

import { isNumber, toNumber } from "../codec.js";
import { attr, h, setText } from "../dom.js";
import { icon as drawIcon } from "../icons.js";

const HTTPS = /^https:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?(?:[/?][!-~]*)?$/;
const DATA_IMAGE = /^data:image\/(?:png|jpeg|gif|webp|avif);base64,[A-Za-z0-9+/]+={0,2}$/;
const MAX_URL_CHARS = 2_048;
const MAX_DATA_URL_CHARS = 1_400_000;
const TONE_ICONS = {
  info: "info", success: "check-circle", warning: "alert-triangle", danger: "alert-circle", neutral: "info", primary: "info",
};

/** Whether an image may be loaded: https or a data image, as the server has checked. */
function isImageUrl(url) {
  if (typeof url !== "string") return false;
  if (url.length <= MAX_URL_CHARS) return HTTPS.test(url) || DATA_IMAGE.test(url);
  return url.length <= MAX_DATA_URL_CHARS && DATA_IMAGE.test(url);
}

export function text(node, view) {
  const element = h("p");
  const content = h("span", { className: "pv-bidi" });
  const code = h("code", { className: "pv-bidi" });
  const update = ({ props }) => {
    const inner = props.style === "code" ? code : content;
    setText(inner, view.format.value(props.value, props.format, props.currency));
    element.hidden = props.value === ""; // it would leave a gap
    if (element.firstChild !== inner) element.replaceChildren(inner);
    const style = [props.size, props.tone && `tone-${props.tone}`, props.weight, props.style];
    element.className = ["pv-text", ...style.filter(Boolean).map((name) => `pv-${name}`)].join(" ");
  };
  update(node);
  return { element, update };
}

export function heading(node) {
  // The view's own title is the window's heading of level 2, so a module's first level is 3.
  const level = ({ props }) => Math.min((props.level ?? 1) + 2, 6);
  const element = h("div", { role: "heading" });
  const update = (next) => {
    setText(element, next.props.text);
    attr(element, "aria-level", level(next));
    element.className = `pv-heading pv-heading-${Math.min(next.props.level ?? 1, 6)}`;
  };
  update(node);
  return { element, update };
}

export function image(node, view) {
  const element = h("div", { className: "pv-image" });
  let shown = null;
  const refuse = (alt) => {
    const words = alt || view.t("elements.image.missing");
    element.replaceChildren(h("span", { className: "pv-image-missing" }, drawIcon("image"), words));
  };
  const update = ({ props }) => {
    if (!isImageUrl(props.src)) return refuse(props.alt);
    if (shown?.src !== props.src || !shown.image.isConnected) {
      // The policy goes first: an address that is set starts to load.
      const img = h("img", { referrerpolicy: "no-referrer", decoding: "async", loading: "lazy", draggable: false });
      img.addEventListener("error", () => refuse(img.alt), { once: true });
      shown = { src: props.src, image: img };
      element.replaceChildren(img);
      img.src = props.src;
    }
    shown.image.alt = props.alt ?? "";
    shown.image.style.width = props.width ? `${props.width}px` : "";
    shown.image.style.aspectRatio = props.width && props.height ? `${props.width} / ${props.height}` : "";
    if (!props.width) shown.image.style.height = props.height ? `${props.height}px` : "";
    return undefined;
  };
  update(node);
  return { element, update };
}

export function icon(node) {
  const sizes = { small: 16, medium: 20, large: 32 };
  const element = h("span");
  const update = ({ props }) => {
    element.className = `pv-icon${props.tone ? ` pv-tone-${props.tone}` : ""}`;
    element.replaceChildren(drawIcon(props.name, { size: sizes[props.size] ?? sizes.medium, label: props.label ?? null }));
  };
  update(node);
  return { element, update };
}

export function badge(node) {
  const label = h("span", { className: "pv-badge-label" });
  const mark = h("span", { className: "pv-badge-icon" });
  const element = h("span", null, mark, label);
  const update = ({ props }) => {
    element.className = `pv-badge pv-tone-${props.tone ?? "neutral"}`;
    setText(label, props.text);
    mark.replaceChildren(...(props.icon ? [drawIcon(props.icon, { size: 14 })] : []));
    mark.hidden = !props.icon;
  };
  update(node);
  return { element, update };
}

export function alert(node, view) {
  let current = node;
  const title = h("p", { className: "pv-alert-title" });
  const message = h("p", { className: "pv-alert-text" });
  const mark = h("span", { className: "pv-alert-icon" });
  const close = h("button", { type: "button", className: "pv-icon-button", on: { click: () => dismiss() } }, drawIcon("close"));
  const element = h("div", null, mark, h("div", { className: "pv-alert-body" }, title, message), close);
  const dismiss = () => view.fire(current, "on_close", null, close);
  const update = (next) => {
    current = next;
    const { tone = "info", text: words, title: heading = "" } = next.props;
    element.className = `pv-alert pv-tone-${tone}`;
    attr(element, "role", tone === "danger" || tone === "warning" ? "alert" : "status");
    setText(title, heading);
    title.hidden = !heading;
    setText(message, words);
    mark.replaceChildren(drawIcon(TONE_ICONS[tone] ?? "info", { size: 18 }));
    close.hidden = !next.props.on_close;
    attr(close, "aria-label", view.t("elements.alert.close"));
  };
  update(node);
  return { element, update };
}

export function progress(node, view) {
  const label = h("span", { className: "pv-progress-label" });
  const figure = h("span", { className: "pv-progress-figure" });
  const fill = h("div", { className: "pv-progress-fill" });
  const bar = h("div", { className: "pv-progress-bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, fill);
  const element = h("div", { className: "pv-progress" }, h("div", { className: "pv-progress-head" }, label, figure), bar);
  const update = ({ props }) => {
    const isKnown = isNumber(props.value);
    const share = isKnown ? Math.min(Math.max(toNumber(props.value) / toNumber(props.maximum ?? 1), 0), 1) : 0;
    const words = isKnown ? view.format.number(share, { style: "percent", maximumFractionDigits: 0 }) : "";
    setText(label, props.label ?? "");
    setText(figure, words);
    element.firstChild.hidden = !props.label && !isKnown;
    attr(bar, "aria-label", props.label ?? view.t("elements.progress.label"));
    attr(bar, "aria-valuenow", isKnown ? Math.round(share * 100) : null);
    attr(bar, "aria-valuetext", isKnown ? words : view.t("elements.progress.unknown"));
    element.classList.toggle("pv-indeterminate", !isKnown);
    fill.style.width = isKnown ? `${share * 100}%` : "";
  };
  update(node);
  return { element, update };
}

export function metric(node, view) {
  const label = h("dt", { className: "pv-metric-label" });
  const words = h("span", { className: "pv-bidi" });
  const mark = h("span", { className: "pv-metric-icon" });
  const value = h("dd", { className: "pv-metric-value pv-bidi" });
  const change = h("dd", { className: "pv-metric-change" });
  label.append(mark, words);
  const element = h("dl", null, label, value, change);
  const update = ({ props }) => {
    element.className = `pv-metric${props.tone ? ` pv-tone-${props.tone}` : ""}`;
    setText(words, props.label);
    mark.replaceChildren(...(props.icon ? [drawIcon(props.icon, { size: 16 })] : []));
    mark.hidden = !props.icon;
    setText(value, view.format.value(props.value, props.format, props.currency));
    change.hidden = !isNumber(props.change);
    if (!change.hidden) showChange(change, props.change, view);
  };
  update(node);
  return { element, update };
}

function showChange(element, change, view) {
  const way = Math.sign(toNumber(change));
  const name = way > 0 ? "trending-up" : way < 0 ? "trending-down" : "minus";
  const words = view.format.number(change, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });
  element.dataset.way = way > 0 ? "up" : way < 0 ? "down" : "same";
  element.replaceChildren(drawIcon(name, { size: 14 }), h("span", null, words));
}

export function button(node, view) {
  let current = node;
  let isBusy = false;
  const label = h("span", { className: "pv-button-label" });
  const mark = h("span", { className: "pv-button-icon" });
  const element = h("button", { type: "button", on: { click: () => press() } }, mark, label);
  const press = async () => {
    if (isBusy || current.props.disabled) return; // aria-disabled keeps the focus, and the click with it
    isBusy = true;
    attr(element, "aria-disabled", "true");
    await view.fire(current, "on_press", null, element);
    isBusy = false;
    attr(element, "aria-disabled", null);
  };
  const update = (next) => {
    current = next;
    element.className = `pv-button pv-tone-${next.props.tone ?? "neutral"}`;
    element.disabled = Boolean(next.props.disabled);
    setText(label, next.props.label);
    mark.replaceChildren(...(next.props.icon ? [drawIcon(next.props.icon)] : []));
    mark.hidden = !next.props.icon;
  };
  update(node);
  return { element, update };
}
