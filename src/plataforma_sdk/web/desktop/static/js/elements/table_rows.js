// The rows of a table: only those on the screen are in the document, between two spacers as high as the others.

import { arrange, attr, h, setText, uid } from "../dom.js";

const ALL = 60; // up to so many rows all are drawn
const OVERSCAN = 10; // rows drawn above and below what is seen
const GUESSED_HEIGHT = 36;
const MAX_HINT_CHARS = 1_000;

export class TableRows {
  #lines = new Map(); // place of a row -> {line, row, cells}
  #shown = [];
  #from = 0;
  #height = GUESSED_HEIGHT;

  constructor(table) {
    this.table = table;
    this.above = spacer();
    this.body = h("tbody");
    this.below = spacer();
    this.elements = [this.above, this.body, this.below];
    this.body.addEventListener("click", (event) => this.#clicked(event));
    this.body.addEventListener("pointerover", (event) => hint(event.target));
    this.scroller = table.scroller;
    this.scroller.addEventListener("scroll", () => this.#isWindowed() && this.#fill(), { passive: true });
    this.observer = new ResizeObserver(() => this.#isWindowed() && this.#fill());
    this.observer.observe(this.scroller);
  }

  dispose() {
    this.observer.disconnect();
  }

  /** Draw all lines anew at the next occasion. */
  forget() {
    this.#lines.clear();
    this.body.replaceChildren();
  }

  /** The row at the top edge, by what tells it from others; null at the very top, where new rows should be seen. */
  anchor() {
    const { scrollTop } = this.scroller;
    if (!this.#isWindowed() || scrollTop === 0 || this.#shown.length === 0) return null;
    const at = Math.min(Math.floor(scrollTop / this.#height), this.#shown.length - 1);
    return { identity: this.#identities?.[at], offset: scrollTop - at * this.#height };
  }

  #identities = null;

  /** Show these rows, by place; `from` is the number of rows on the pages before. */
  draw(shown, { from, anchor }) {
    this.#shown = shown;
    this.#from = from;
    const isWindowed = this.#isWindowed();
    this.scroller.classList.toggle("pv-windowed", isWindowed);
    this.#identities = isWindowed ? shown.map((place) => this.table.identity(place)) : null;
    if (anchor) this.#hold(anchor);
    this.#fill();
  }

  /** Keep the row at the top edge where it is, whatever came or went above it. */
  #hold({ identity, offset }) {
    const at = this.#identities?.findIndex((each) => this.table.isOne(each, identity)) ?? -1;
    if (at < 0) return;
    this.#space(at, this.#shown.length - at); // so that there is something to scroll
    this.scroller.scrollTop = at * this.#height + offset;
  }

  line(place) {
    return this.#lines.get(place)?.line ?? null;
  }

  firstSeen() {
    return this.#isWindowed() ? Math.min(Math.ceil(this.scroller.scrollTop / this.#height), this.#shown.length - 1) : 0;
  }

  perScreen() {
    return this.#isWindowed() ? Math.floor((this.scroller.clientHeight - this.#headHeight()) / this.#height) : 10;
  }

  /** Scroll until a row is seen, by its number among the shown. */
  reveal(at) {
    if (!this.#isWindowed()) {
      this.line(this.#shown[at])?.scrollIntoView({ block: "nearest" });
      return;
    }
    const top = at * this.#height;
    const room = this.scroller.clientHeight - this.#headHeight() - this.#height;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    else if (top > this.scroller.scrollTop + room) this.scroller.scrollTop = top - room;
    this.#fill();
  }

  /** Mark which lines are chosen and active. */
  mark() {
    for (const [place, { line }] of this.#lines) this.#markLine(line, place);
  }

  #isWindowed() {
    return this.#shown.length > ALL;
  }

  #headHeight() {
    return this.table.head.element.offsetHeight;
  }

  #fill() {
    const [first, end] = this.#range();
    const wanted = new Map();
    for (let at = first; at < end; at += 1) {
      const place = this.#shown[at];
      wanted.set(place, this.#draw(place, at));
    }
    this.#lines = wanted;
    arrange(this.body, [...wanted.values()].map(({ line }) => line));
    this.#space(first, this.#shown.length - end);
    this.#learnHeight();
  }

  #range() {
    const count = this.#shown.length;
    if (!this.#isWindowed()) return [0, count];
    const seen = Math.floor(this.scroller.scrollTop / this.#height);
    const many = Math.ceil((this.scroller.clientHeight || 600) / this.#height);
    const first = Math.max(Math.min(seen, count - many) - OVERSCAN, 0);
    return [first, Math.min(first + many + 2 * OVERSCAN, count)];
  }

  #space(above, below) {
    this.above.firstChild.firstChild.style.height = `${above * this.#height}px`;
    this.below.firstChild.firstChild.style.height = `${below * this.#height}px`;
    this.above.hidden = above === 0;
    this.below.hidden = below === 0;
  }

  /** The height of a row follows from the theme and the width of the screen: measured once it is known. */
  #learnHeight() {
    const height = this.#isWindowed() ? (this.body.firstChild?.getBoundingClientRect().height ?? 0) : 0;
    if (height === 0 || Math.abs(height - this.#height) < 0.01) return;
    this.#height = height;
    this.#fill();
  }

  #draw(place, at) {
    const row = this.table.settings.rows[place];
    const { columns } = this.table.settings;
    const { aligns } = this.table.head;
    const drawn = this.#lines.get(place) ?? this.#make();
    if (drawn.row !== row || drawn.columns !== columns) this.#write(drawn, row, columns);
    drawn.cells.forEach((cell, column) => attr(cell, "data-align", aligns[column]));
    attr(drawn.line, "aria-rowindex", this.#from + at + 2);
    drawn.line.dataset.place = place;
    this.#markLine(drawn.line, place);
    return drawn;
  }

  #make() {
    return { line: h("tr", { id: uid("row") }), row: null, columns: null, cells: [] };
  }

  #write(drawn, row, columns) {
    while (drawn.cells.length > columns.length) drawn.cells.pop().remove();
    while (drawn.cells.length < columns.length) {
      const cell = h("td", { "aria-colindex": drawn.cells.length + 1 });
      drawn.cells.push(cell);
      drawn.line.append(cell);
    }
    columns.forEach((column, at) => setText(drawn.cells[at], this.table.cell(row, column)));
    drawn.row = row;
    drawn.columns = columns;
  }

  #markLine(line, place) {
    if (this.table.settings.isSelectable) attr(line, "aria-selected", String(this.table.isChosen(place)));
    else attr(line, "aria-selected", null);
    line.classList.toggle("pv-active", this.table.isActive(place));
  }

  #clicked(event) {
    const line = event.target.closest("tr");
    if (!line || !getSelection().isCollapsed) return; // the person marks a text
    this.table.choose(Number(line.dataset.place));
  }
}

function spacer() {
  return h("tbody", { className: "pv-spacer", "aria-hidden": "true" }, h("tr", null, h("td", null)));
}

/** Say in full what a cell is too narrow for. */
function hint(cell) {
  if (cell.localName !== "td") return;
  cell.title = cell.scrollWidth > cell.clientWidth ? cell.textContent.slice(0, MAX_HINT_CHARS) : "";
}
