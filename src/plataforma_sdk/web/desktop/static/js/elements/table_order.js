// Which rows of a table are shown, and in what order. No DOM.

import { DateTime, Decimal, PlainDate, isNumber, own, toNumber } from "../codec.js";
import { compare } from "../numbers.js";
import { fold, matcher } from "../search.js";

const NUMERIC = /^-?\d{1,60}(?:\.\d{1,60})?$/;
const NUMBER_FORMATS = new Set(["number", "currency", "percent"]);
const [NUMBER, FLAG, MOMENT, TEXT] = [0, 1, 2, 3];

/** Keeps the sort keys and the folded texts of rows, so that a change of one row costs one row. */
export class Order {
  #keys = new WeakMap(); // row -> sort key, of the sorted column
  #texts = new WeakMap(); // row -> what a search looks through
  #keyed = null;
  #last = null; // {rows, places}

  constructor(locale) {
    this.collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
  }

  /** Forget what was made of the rows: columns or locale have changed. */
  reset() {
    this.#keys = new WeakMap();
    this.#texts = new WeakMap();
    this.#keyed = null;
    this.#last = null;
  }

  /**
   * The places of the rows to show, in order.
   *
   * `sort` is `{column, way: 1 | -1}` or null, `query` what the person searches, `textOf(row)` what the row shows.
   */
  places(rows, sort, query, textOf) {
    const fits = matcher(query);
    const sorted = sort ? this.#sorted(rows, sort) : null;
    if (!fits) return sorted ?? Array.from(rows.keys());
    const found = [];
    for (const place of sorted ?? rows.keys()) if (fits(this.#text(rows[place], textOf))) found.push(place);
    return found;
  }

  #sorted(rows, { column, way }) {
    if (this.#keyed !== column) {
      this.#keyed = column;
      this.#keys = new WeakMap();
    }
    const keys = rows.map((row) => this.#key(row, column));
    // From the last order on: after a change of one row it is nearly sorted, which costs one pass.
    const start = this.#last?.length === rows.length ? this.#last : Array.from(rows.keys());
    const order = (left, right) => this.#compare(keys[left], keys[right], way) || left - right;
    this.#last = start.slice().sort(order);
    return this.#last;
  }

  #key(row, column) {
    let key = this.#keys.get(row);
    if (!key) {
      key = sortKey(own(row, column.name), column.format);
      this.#keys.set(row, key);
    }
    return key;
  }

  #text(row, textOf) {
    let text = this.#texts.get(row);
    if (text === undefined) {
      text = fold(textOf(row));
      this.#texts.set(row, text);
    }
    return text;
  }

  /** What is missing stands at the end, whichever way one sorts. */
  #compare(left, right, way) {
    if (left.kind === null || right.kind === null) return (left.kind === null) - (right.kind === null);
    if (left.kind !== right.kind) return (left.kind - right.kind) * way;
    if (left.kind === TEXT) return this.collator.compare(left.value, right.value) * way;
    const difference = left.number - right.number;
    if (difference || left.kind !== NUMBER) return (difference || 0) * way;
    return compare(left.value, right.value) * way;
  }
}

function sortKey(value, format) {
  if (value === null || value === undefined) return { kind: null };
  if (isNumber(value)) return { kind: NUMBER, number: toNumber(value), value };
  if (typeof value === "boolean") return { kind: FLAG, number: Number(value) };
  if (value instanceof PlainDate) return { kind: MOMENT, number: Date.parse(`${value.text}T00:00:00Z`) };
  if (value instanceof DateTime) return { kind: MOMENT, number: momentOf(value.text) };
  const text = String(value);
  if (NUMBER_FORMATS.has(format) && NUMERIC.test(text)) return { kind: NUMBER, number: Number(text), value: new Decimal(text) };
  return { kind: TEXT, value: text };
}

function momentOf(text) {
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/.test(text.slice(10));
  return Date.parse(hasZone ? text : `${text}Z`);
}

/** Whether a column's values stand at the end: numbers do, unless the module says otherwise. */
export function alignOf(column, sample) {
  if (column.align) return column.align;
  if (NUMBER_FORMATS.has(column.format)) return "end";
  const values = sample.map((row) => own(row, column.name)).filter((value) => value !== null && value !== undefined);
  return values.length > 0 && values.every(isNumber) ? "end" : "start";
}

/** At most `count` rows spread over all, to measure and to align by. */
export function sampleOf(rows, count = 60) {
  if (rows.length <= count) return rows;
  const step = rows.length / count;
  return Array.from({ length: count }, (_, place) => rows[Math.floor(place * step)]);
}
