// Dialogs of the platform. They lie in the browser's top layer, where no window reaches, and make all else inert.

import { h, uid } from "./dom.js";
import { icon } from "./icons.js";

/** A button of a dialog or a panel: `kind` is "plain", "primary" or "danger". */
export function button(text, act, { kind = "plain", iconName = null, ...props } = {}) {
  return h("button", { className: `pd-button pd-${kind}`, type: "button", on: { click: act }, ...props },
    iconName && icon(iconName), h("span", { textContent: text }));
}

/**
 * Open a modal dialog; returns `{element, close(value), closed}`, the last a promise of the value, null where the person
 * left it by Escape, by its close button or by a click beside it.
 */
export function openDialog({ title, className = "", body, actions = [], closeLabel, iconName = null }) {
  const heading = h("h2", { id: uid("pd"), className: "pd-dialog-title", tabindex: -1, textContent: title });
  const { promise: closed, resolve } = withResolvers();
  const before = document.activeElement;
  const element = h("dialog", { className: `pd-dialog ${className}`, "aria-labelledby": heading.id });
  const close = (value = null) => {
    if (!element.isConnected) return;
    element.close();
    element.remove();
    if (before?.isConnected) before.focus({ preventScroll: true });
    resolve(value);
  };
  element.append(
    h("header", { className: "pd-dialog-head" }, iconName && icon(iconName, { size: 20 }), heading,
      h("button", { className: "pd-icon-button", type: "button", "aria-label": closeLabel, title: closeLabel, on: { click: () => close() } }, icon("close"))),
    h("div", { className: "pd-dialog-body" }, body),
  );
  const buttons = actions.map(({ text, value, act, ...look }) => button(text, () => (act ? act(close) : close(value)), look));
  if (buttons.length) element.append(h("footer", { className: "pd-dialog-foot" }, buttons));
  element.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  element.addEventListener("close", () => close()); // a browser may close it without asking
  element.addEventListener("pointerdown", (event) => event.target === element && close());
  document.body.append(element);
  element.showModal();
  (element.querySelector("[autofocus]") ?? heading).focus();
  return { element, close, closed };
}

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

/** Ask before something that cannot be undone; a promise of true or false. The focus begins on the way out. */
export async function confirmed(t, { title, text, action }) {
  const { closed } = openDialog({
    title,
    className: "pd-confirm",
    closeLabel: t("desktop.dialog.close"),
    iconName: "alert-triangle",
    body: h("p", { textContent: text }),
    actions: [
      { text: t("desktop.dialog.cancel"), value: false, autofocus: true },
      { text: action, value: true, kind: "danger" },
    ],
  });
  return (await closed) === true;
}
