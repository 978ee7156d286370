// A chart: a picture that the server has drawn, with its figures as a table; the table alone where there is no picture.

import { isSame } from "../codec.js";
import { attr, h, setText, uid } from "../dom.js";
import { icon } from "../icons.js";
import { DataTable } from "./data_table.js";

const DIGEST = /^[a-z0-9]{1,128}$/;
const MOST_SCALED = 1.25; // drawings come in a few widths: one that is a little narrow fills its room
const PAGE = 50; // figures below a picture at once

export function chart(node, view) {
  return new Chart(node, view);
}

class Chart {
  #node;
  #view;
  #table = null;
  #failed = null; // digest of a picture that did not load
  #isOpen = false;

  constructor(node, view) {
    this.#view = view;
    const id = uid("chart");
    this.title = h("h3", { className: "pv-title", id });
    this.picture = h("img", { className: "pv-chart-picture", referrerpolicy: "no-referrer", decoding: "async", draggable: false });
    this.picture.addEventListener("error", () => this.#lose());
    this.toggle = h("button", { type: "button", className: "pv-link", on: { click: () => this.#toggle() } });
    this.figures = h("div", { className: "pv-chart-figures", id: uid("figures") });
    attr(this.toggle, "aria-controls", this.figures.id);
    this.element = h("figure", { className: "pv-chart", "aria-labelledby": id }, this.title, this.picture, this.toggle, this.figures);
    this.update(node, node);
  }

  update(node, old) {
    this.#node = node;
    setText(this.title, node.props.title ?? "");
    this.title.hidden = !node.props.title;
    attr(this.element, "aria-label", node.props.title ? null : this.#view.t("elements.chart.label"));
    this.#drawPicture();
    this.#drawFigures(old);
  }

  relocate() {
    this.update(this.#node, this.#node);
    this.#table?.relocate();
  }

  rethemed() {
    this.#failed = null;
    this.#drawPicture();
  }

  dispose() {
    this.#table?.dispose();
  }

  get #drawn() {
    const chart = this.#view.chart(this.#node.key);
    return chart && DIGEST.test(chart.digest) && chart.digest !== this.#failed ? chart : null;
  }

  #drawPicture() {
    const chart = this.#drawn;
    this.picture.hidden = !chart;
    if (!chart) return this.picture.removeAttribute("src");
    const source = `charts/${chart.digest}.svg?theme=${this.#view.theme}`;
    this.picture.alt = this.#node.props.alt ?? chart.alt ?? "";
    // The room is kept while it loads, so that nothing jumps.
    if (chart.width > 0 && chart.height > 0) {
      this.picture.style.width = `${Number(chart.width) * MOST_SCALED}px`; // or less, where the room ends: see max-width
      this.picture.style.aspectRatio = `${Number(chart.width)} / ${Number(chart.height)}`;
    }
    return attr(this.picture, "src", source);
  }

  #lose() {
    this.#failed = this.#view.chart(this.#node.key)?.digest ?? null;
    this.update(this.#node, this.#node);
  }

  #toggle() {
    this.#isOpen = !this.#isOpen;
    this.#drawFigures(this.#node);
  }

  #drawFigures(old) {
    const isShown = this.#isOpen || !this.#drawn;
    const label = this.#view.t(this.#isOpen ? "elements.chart.hide" : "elements.chart.show");
    this.toggle.hidden = !this.#drawn;
    this.toggle.replaceChildren(icon(this.#isOpen ? "chevron-up" : "table", { size: 14 }), h("span", null, label));
    attr(this.toggle, "aria-expanded", String(isShown));
    this.figures.hidden = !isShown;
    if (!isShown) return;
    const settings = this.#settings();
    if (this.#table) {
      this.#table.update(settings, { isOther: !isSame(columnsOf(old.props), settings.columns) });
    } else {
      this.#table = new DataTable(this.#view, settings);
      this.figures.append(this.#table.element);
    }
  }

  #settings() {
    const { props } = this.#node;
    return {
      rows: props.data ?? [],
      columns: columnsOf(props),
      page_size: props.data?.length > PAGE ? PAGE : undefined,
      isSelectable: Boolean(props.on_select),
      onSelect: (value, target) => this.#view.fire(this.#node, "on_select", value, target),
    };
  }
}

/** What names the points, then what is measured; without such, as under a specification of its own, every column. */
function columnsOf({ data = [], x, y, format, currency }) {
  const measured = (Array.isArray(y) ? y : []).map((name) => ({ name, format: format ?? "number", currency }));
  if (measured.length > 0 && typeof x === "string") return [{ name: x }, ...measured];
  const names = new Set(data.slice(0, 100).flatMap((point) => Object.keys(point)));
  return [...names].map((name) => ({ name, format, currency }));
}
