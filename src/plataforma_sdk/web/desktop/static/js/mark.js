// The person's mark: chosen at installation, shown where the platform asks, and never inside a window.

import { toNumber } from "./codec.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";

/** Draw the mark; null where the installation has none. */
export function markOf(mark, t) {
  if (!mark?.text) return null;
  const element = h("p", { className: "pd-mark" }, icon("shield", { size: 18 }),
    h("span", { textContent: t("desktop.mark.yours") }), h("strong", null, h("bdi", { textContent: mark.text })));
  element.style.setProperty("--mark-hue", String(toNumber(mark.hue ?? 220) || 0));
  return element;
}
