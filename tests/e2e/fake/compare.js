// Are two ways to one tree the same on the screen? For `test_patched_views.py`.

import { decode } from "../static/js/codec.js";
import { TreeView } from "../static/js/tree.js";

const OWN = new Set(["id", "for", "style", "data-place", "data-way"]); // of one view alone, or of what is hidden
const PERSONS = new Set(["aria-selected", "hidden", "tabindex"]); // of a tab: which one is open is the person's

/** Apply `[tree, operations, operations, last tree]` and return what differs from the last tree drawn at once, or null. */
export function difference([first, ...steps]) {
  const last = decode(steps.pop());
  const [patched, fresh] = [open(), open()];
  patched.replace(decode(first), 1);
  const fits = steps.every((ops, step) => patched.apply(decode(ops), step + 2));
  fresh.replace(last, 1);
  const [left, right] = [outline(patched), outline(fresh)];
  for (const view of [patched, fresh]) {
    view.dispose();
    view.frame.remove();
  }
  if (!fits) return "an operation does not fit";
  if (patched.records.size > 0) return "records are left";
  const place = left.findIndex((line, at) => line !== right[at]);
  return place < 0 && left.length === right.length ? null : `${left[place]} instead of ${right[place]}`;
}

function open() {
  const frame = document.createElement("div");
  frame.style.height = "400px";
  document.body.append(frame);
  const view = new TreeView(frame, globalThis.fake.view.context);
  view.frame = frame;
  return view;
}

function outline(view) {
  const lines = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) lines.push(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    const isTab = ["tab", "tabpanel"].includes(node.getAttribute("role"));
    const attributes = [...node.attributes]
      .filter(({ name, value }) => !OWN.has(name) && !(isTab && PERSONS.has(name)) && !name.startsWith("aria-labelledby") && value !== "")
      .map(({ name, value }) => (/^aria-(describedby|controls)$/.test(name) ? name : `${name}=${value.split(/\s+/).sort().join(" ")}`));
    lines.push(`${node.localName} ${attributes.sort().join(" ")} ${node.localName === "li" ? "" : (node.value ?? "")}`);
    if (!node.hidden || isTab) node.childNodes.forEach(walk);
    lines.push("end");
  };
  walk(view.content);
  return [...lines, ...[...view.overlay.children].map((layer) => layer.dataset.key).sort()];
}
