// The heading of a table: names of columns that sort, and widths that hold while rows come and go.

import { isSame } from "../codec.js";
import { attr, h } from "../dom.js";
import { icon } from "../icons.js";
import { alignOf, sampleOf } from "./table_order.js";

const [MIN_CHARS, MAX_CHARS, ROOM_CHARS] = [7, 44, 4]; // of a column, its padding among them
const DATES = new Set(["date", "datetime"]);
const WAYS = new Map([[1, ["ascending", "chevron-up"]], [-1, ["descending", "chevron-down"]]]);

export class TableHead {
  #columns = [];
  #widths = [];

  constructor(view, onSort) {
    this.view = view;
    this.onSort = onSort;
    this.columns = h("colgroup");
    this.row = h("tr", { "aria-rowindex": 1 });
    this.element = h("thead", null, this.row);
  }

  /** How each column's values stand. */
  aligns = [];

  draw(columns, rows, cell, sort, isSortable) {
    const sample = sampleOf(rows);
    const isOther = !isSame(columns, this.#columns);
    this.#columns = columns;
    this.aligns = columns.map((column) => alignOf(column, sample));
    this.#measure(sample, cell, isOther);
    if (isOther || this.row.childElementCount !== columns.length) {
      this.row.replaceChildren(...columns.map((column, place) => this.#heading(column, place)));
    }
    columns.forEach((column, place) => this.#mark(this.row.children[place], column, this.aligns[place], sort, isSortable));
  }

  #heading(column, place) {
    const label = h("span", { className: "pv-th-label pv-bidi" }, column.label ?? column.name);
    const sort = () => this.onSort(column.name);
    const mark = h("span", { className: "pv-sort-mark" });
    const button = h("button", { type: "button", className: "pv-sort", on: { click: sort } }, label, mark);
    return h("th", { scope: "col", "aria-colindex": place + 1 }, button);
  }

  #mark(heading, column, align, sort, isSortable) {
    const [way, name] = (sort?.name === column.name && WAYS.get(sort.way)) || [null, "sort"];
    const button = heading.firstChild;
    heading.dataset.align = align;
    attr(heading, "aria-sort", way);
    button.disabled = !isSortable;
    if (button.dataset.mark !== name) {
      button.dataset.mark = name;
      button.lastChild.replaceChildren(icon(name, { size: 14 }));
    }
  }

  /** Widths by the longest text of a sample; they grow with the rows and never jump back. */
  #measure(sample, cell, isOther) {
    const before = isOther ? [] : this.#widths;
    const widths = this.#columns.map((column, place) => {
      const heading = (column.label ?? column.name).length + 2;
      const longest = sample.reduce((most, row) => Math.max(most, Math.min(cell(row, column).length, MAX_CHARS)), heading);
      return Math.max(before[place] ?? 0, Math.min(Math.max(longest, MIN_CHARS), MAX_CHARS) + ROOM_CHARS);
    });
    if (isSame(widths, before)) return;
    this.#widths = widths;
    const total = widths.reduce((sum, width) => sum + width, 0);
    // Figures and dates take what they need, texts share the rest; where there are no texts all grow alike.
    const isFixed = (place) => this.aligns[place] === "end" || DATES.has(this.#columns[place].format);
    const hasTexts = widths.some((_, place) => !isFixed(place));
    const styleOf = (width, place) => {
      if (!hasTexts) return { width: `${(width / total) * 100}%` };
      return isFixed(place) ? { width: `${width}ch` } : {};
    };
    this.columns.replaceChildren(...widths.map((width, place) => h("col", { style: styleOf(width, place) })));
    this.element.parentElement.style.minWidth = `${total}ch`;
  }
}
