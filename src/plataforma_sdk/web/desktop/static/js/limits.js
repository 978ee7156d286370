// The form that lowers a module's limits, and takes that back.

import { toNumber } from "./codec.js";
import { openDialog } from "./dialog.js";
import { h, setText, uid } from "./dom.js";
import { formatter } from "./format.js";

const MIB = 2 ** 20;
const isBytes = (name) => name.endsWith("_bytes");
const shown = (name, value) => (value === null || value === undefined ? "" : String(isBytes(name) ? toNumber(value) / MIB : toNumber(value)));
const meant = (name, text) => text === "" ? null : Math.round(Number(text) * (isBytes(name) ? MIB : 1));

/** Let a person change what a module may use; only what was changed is sent. */
export function editLimits(desktop, module) {
  const { t } = desktop;
  const fields = Object.entries(module.limits ?? {}).map(([name, value]) => makeField(desktop, module, name, value));
  const fault = h("p", { className: "pd-prompt-fault", role: "alert" });
  const form = h("form", { className: "pd-limits", noValidate: true },
    h("p", { className: "pd-note", textContent: t("desktop.limits.help") }), fields.map(({ element }) => element), fault);
  const save = async (close) => {
    const bad = fields.find(({ check }) => !check());
    if (bad) return bad.input.focus();
    const changed = fields.filter(({ input, before }) => input.value !== before);
    if (!changed.length) return close();
    const limits = Object.fromEntries(changed.map(({ name, input }) => [name, meant(name, input.value)]));
    const ack = await desktop.connection.send("task", { module: module.id, action: "limits", limits });
    if (!ack.ok) return setText(fault, desktop.faultText(ack.error));
    desktop.toasts.show({ level: "info", module: module.id, text: t("desktop.limits.saved") });
    return close();
  };
  const dialog = openDialog({
    title: t("desktop.limits.title", { name: module.name }),
    className: "pd-limits-dialog",
    closeLabel: t("desktop.dialog.close"),
    body: form,
    actions: [{ text: t("desktop.dialog.cancel"), value: null }, { text: t("desktop.limits.save"), act: save, kind: "primary" }],
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(dialog.close);
  });
  form.append(h("button", { type: "submit", hidden: true })); // so that Enter saves
}

function makeField({ t, locale }, { limits_most: limitsMost, limits_pending: pending }, name, value) {
  const before = shown(name, value);
  const most = limitsMost?.[name] ?? null;
  const id = uid("pd");
  const error = h("span", { className: "pd-field-error", id: `${id}-error` });
  const input = h("input", { id, type: "number", min: 1, step: "any", value: before, inputmode: "decimal", placeholder: t("desktop.limits.none"), "aria-describedby": `${id}-note ${id}-error` });
  input.disabled = name === "max_fuel" && most === null; // fuel is counted from the start or not at all
  if (most !== null) input.max = shown(name, most);
  const notes = [
    most === null ? null : t("desktop.limits.most", { most: formatter(locale).number(toNumber(most) / (isBytes(name) ? MIB : 1)) }),
    pending?.includes(name) ? t("desktop.limits.pending") : null,
  ];
  const check = () => {
    const isLifted = input.value === "" && most === null; // a lowering that is taken back
    const isGood = input.value === before || isLifted || (Number(input.value) > 0 && meant(name, input.value) >= 1 && (most === null || meant(name, input.value) <= toNumber(most)));
    setText(error, isGood ? "" : t("desktop.limits.wrong"));
    input.setAttribute("aria-invalid", String(!isGood));
    return isGood;
  };
  input.addEventListener("change", check);
  input.addEventListener("input", () => error.textContent && check()); // while typing: a word that goes when the focus does, moves the button from under the pointer
  const element = h("div", { className: "pd-field" }, h("label", { for: id, textContent: t(`desktop.limit.${name}`) }),
    h("div", { className: "pd-field-input" }, input, isBytes(name) && h("span", { textContent: "MiB" })),
    h("span", { className: "pd-note", id: `${id}-note`, textContent: notes.filter(Boolean).join(" · ") }), error);
  return { name, input, before, check, element };
}
