// The table itself, as `table` and the figures of a chart show it: head, rows, footer, and what the person did to them.

import { attr, h, setText, uid } from "../dom.js";
import { isSame, own } from "../codec.js";
import { Order } from "./table_order.js";
import { TableHead } from "./table_head.js";
import { TablePager } from "./table_pager.js";
import { TableRows } from "./table_rows.js";

const FILTER_MS = 120;

/**
 * A table of data.
 *
 * `settings`: `rows, columns, title, filterable, page_size, row_key, empty` as in the catalogue, `isSelectable` and
 * `onSelect(value, target)`.
 */
export class DataTable {
  #query = "";
  #sort = null; // {name, way}
  #page = 0;
  #chosen = null; // identity of the row chosen
  #active = null; // identity of the row under the keyboard
  #timer = null;

  constructor(view, settings) {
    this.view = view;
    this.settings = settings;
    this.order = new Order(view.locale);
    this.title = h("h3", { className: "pv-title", id: uid("table") });
    this.filter = h("input", {
      type: "search", className: "pv-input pv-filter", autocomplete: "off", spellcheck: "false",
      on: { input: () => this.#filtered() },
    });
    this.bar = h("div", { className: "pv-table-bar" }, this.title, this.filter);
    this.grid = h("table", {
      className: "pv-grid", role: "grid", tabindex: 0,
      on: { keydown: (event) => this.#key(event), focus: () => this.#focused(), blur: () => this.#mark() },
    });
    this.scroller = h("div", { className: "pv-table-scroll" }, this.grid);
    this.empty = h("p", { className: "pv-empty" });
    this.pager = new TablePager(view, (page) => this.#turn(page));
    this.head = new TableHead(view, (name) => this.#sorted(name));
    this.rows = new TableRows(this);
    this.grid.append(this.head.columns, this.head.element, ...this.rows.elements);
    this.element = h("section", { className: "pv-table" }, this.bar, this.scroller, this.empty, this.pager.element);
    this.#settle();
  }

  /** Take new settings; `isOther` where the columns are others. */
  update(settings, { isOther = false } = {}) {
    this.settings = settings;
    if (isOther) this.order.reset();
    const isSortable = settings.columns.some((column) => column.name === this.#sort?.name) && settings.filterable !== false;
    if (!isSortable) this.#sort = null;
    if (!settings.filterable) this.#query = this.filter.value = "";
    this.#chosen = this.#followed(this.#chosen);
    this.#active = this.#followed(this.#active);
    this.#settle();
  }

  /** A row without a key in new rows: itself, or where all were sent anew the one that says the same. */
  #followed(identity) {
    const { row_key: key, rows } = this.settings;
    if (identity === null || key !== undefined || rows.includes(identity)) return identity;
    return rows.find((row) => isSame(row, identity)) ?? null;
  }

  relocate() {
    this.order = new Order(this.view.locale);
    this.rows.forget();
    this.#settle();
  }

  dispose() {
    clearTimeout(this.#timer);
    this.rows.dispose();
  }

  /** What tells a row from the others, from one revision to the next. */
  identity(place) {
    const { rows, row_key: key } = this.settings;
    return key === undefined ? rows[place] : own(rows[place], key);
  }

  /** Whether two identities are one: values of `row_key`, or else the very rows. */
  isOne(left, right) {
    return this.settings.row_key === undefined ? left === right : isSame(left, right);
  }

  isChosen(place) {
    return this.settings.isSelectable && this.#chosen !== null && this.isOne(this.identity(place), this.#chosen);
  }

  isActive(place) {
    return this.#active !== null && document.activeElement === this.grid && this.isOne(this.identity(place), this.#active);
  }

  cell(row, column) {
    return this.view.format.value(own(row, column.name), column.format, column.currency);
  }

  /** The person chose a row, by pointer or by Enter. */
  choose(place) {
    if (!this.settings.isSelectable) return;
    const { row_key: key, rows, onSelect } = this.settings;
    this.#chosen = this.identity(place);
    this.#active = this.#chosen;
    this.#mark();
    onSelect(key === undefined ? place : own(rows[place], key), this.rows.line(place));
  }

  // --- order and pages ----------------------------------------------------------------------------------------------

  #settle() {
    const { title, filterable, columns, isSelectable, rows } = this.settings;
    const { t } = this.view;
    setText(this.title, title ?? "");
    this.title.hidden = !title;
    this.filter.hidden = !filterable;
    this.filter.placeholder = t("elements.table.filter");
    attr(this.filter, "aria-label", title ? t("elements.table.filter_of", { title }) : t("elements.table.filter"));
    this.bar.hidden = !title && !filterable;
    attr(this.grid, "aria-labelledby", title ? this.title.id : null);
    attr(this.grid, "aria-label", title ? null : t("elements.table.label"));
    attr(this.grid, "aria-colcount", columns.length);
    this.element.classList.toggle("pv-selectable", isSelectable);
    this.head.draw(columns, rows, (row, column) => this.cell(row, column), this.#sort, filterable !== false);
    this.#reorder();
  }

  #reorder({ isNew = false } = {}) {
    const { rows, columns, page_size: size = Infinity, empty } = this.settings;
    const anchor = isNew ? null : this.rows.anchor();
    const column = columns.find(({ name }) => name === this.#sort?.name);
    const textOf = (row) => columns.map((each) => `${this.cell(row, each)}\t${own(row, each.name) ?? ""}`).join("\n");
    this.places = this.order.places(rows, column ? { column, way: this.#sort.way } : null, this.#query, textOf);
    const pages = Math.max(Math.ceil(this.places.length / size), 1);
    this.#page = isNew ? 0 : Math.min(this.#page, pages - 1);
    const from = size === Infinity ? 0 : this.#page * size;
    this.shown = size === Infinity ? this.places : this.places.slice(from, from + size);
    attr(this.grid, "aria-rowcount", this.places.length + 1);
    this.pager.draw({ page: this.#page, pages, from, count: this.shown.length, total: this.places.length, all: rows.length });
    this.scroller.hidden = rows.length === 0;
    this.empty.hidden = this.places.length > 0;
    setText(this.empty, rows.length === 0 ? (empty ?? this.view.t("elements.table.empty")) : this.view.t("elements.table.nothing"));
    this.rows.draw(this.shown, { from, anchor });
    this.#point();
  }

  #sorted(name) {
    const { way } = this.#sort?.name === name ? this.#sort : { way: 0 };
    this.#sort = way === 0 ? { name, way: 1 } : way === 1 ? { name, way: -1 } : null;
    const { columns, rows } = this.settings;
    this.head.draw(columns, rows, (row, column) => this.cell(row, column), this.#sort, true);
    this.#reorder({ isNew: true });
  }

  #filtered() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#query = this.filter.value;
      this.#reorder({ isNew: true });
      this.view.announce(this.view.t("elements.table.found", { count: this.places.length }));
    }, FILTER_MS);
  }

  #turn(page) {
    this.#page = page;
    this.#active = null;
    this.#reorder();
    this.scroller.scrollTop = 0;
  }

  // --- the keyboard -------------------------------------------------------------------------------------------------

  #at() {
    return this.#active === null ? -1 : this.shown.findIndex((place) => this.isOne(this.identity(place), this.#active));
  }

  #focused() {
    if (this.#at() < 0 && this.shown.length > 0) this.#active = this.identity(this.shown[this.rows.firstSeen()]);
    this.#mark();
  }

  #key(event) {
    if (event.target !== this.grid || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.#at();
    const page = Math.max(this.rows.perScreen() - 1, 1);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: this.shown.length - 1 };
    if (Object.hasOwn(moves, event.key) && this.shown.length > 0) {
      event.preventDefault();
      const next = Math.min(Math.max(moves[event.key], 0), this.shown.length - 1);
      this.#active = this.identity(this.shown[next]);
      this.rows.reveal(next);
      this.#mark();
    } else if ((event.key === "Enter" || event.key === " ") && at >= 0 && this.settings.isSelectable) {
      event.preventDefault();
      this.choose(this.shown[at]);
    }
  }

  #mark() {
    this.rows.mark();
    this.#point();
  }

  #point() {
    const at = document.activeElement === this.grid ? this.#at() : -1;
    attr(this.grid, "aria-activedescendant", at < 0 ? null : (this.rows.line(this.shown[at])?.id ?? null));
  }
}
