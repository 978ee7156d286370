import assert from "node:assert/strict";
import { test } from "node:test";

import { Decimal, PlainDate } from "../../../../../src/plataforma_sdk/web/desktop/static/js/codec.js";
import { Order, alignOf } from "../../../../../src/plataforma_sdk/web/desktop/static/js/elements/table_order.js";

const textOf = (row) => String(row.v);
const sorted = (values, way, column = { name: "v" }) => {
  const rows = values.map((v) => ({ v }));
  return new Order("pt-BR").places(rows, { column, way }, "", textOf).map((place) => values[place]);
};

test("numbers of every kind sort by their value, what is missing last either way", () => {
  const [small, large] = [new Decimal("12345678901234567890.10"), new Decimal("12345678901234567890.11")];
  assert.deepEqual(sorted([large, null, 2, small, 1.5], 1), [1.5, 2, small, large, null]);
  assert.deepEqual(sorted([large, null, 2, small, 1.5], -1), [large, small, 2, 1.5, null]);
});

test("texts sort as the language does, figures in them by value", () => {
  assert.deepEqual(sorted(["Zé", "água", "Ana", "item 10", "item 9"], 1), ["água", "Ana", "item 9", "item 10", "Zé"]);
});

test("dates sort by time, texts that hold figures by their column's format", () => {
  const [early, late] = [new PlainDate("2023-12-31"), new PlainDate("2024-01-01")];
  assert.deepEqual(sorted([late, early], 1), [early, late]);
  assert.deepEqual(sorted(["10.5", "9.5"], 1, { name: "v", format: "currency" }), ["9.5", "10.5"]);
});

test("a search ignores accents and case and wants every word", () => {
  const rows = [{ v: "São Paulo, Brasil" }, { v: "Porto" }, { v: "Sao Tome" }];
  const order = new Order("pt-BR");
  assert.deepEqual(order.places(rows, null, "sao", textOf), [0, 2]);
  assert.deepEqual(order.places(rows, null, "BRASIL são", textOf), [0]);
  assert.deepEqual(order.places(rows, null, "  ", textOf), [0, 1, 2]);
});

test("a row that changed finds its new place", () => {
  const order = new Order("en");
  const sort = { column: { name: "v" }, way: 1 };
  const rows = [{ v: 3 }, { v: 1 }, { v: 2 }];
  assert.deepEqual(order.places(rows, sort, "", textOf), [1, 2, 0]);
  const next = [{ v: 0 }, rows[1], rows[2]];
  assert.deepEqual(order.places(next, sort, "", textOf), [0, 1, 2]);
});

test("a row lacks what it does not hold itself", () => {
  assert.deepEqual(sorted([2, 1], 1, { name: "constructor" }), [2, 1]);
});

test("numbers stand at the end unless the module says otherwise", () => {
  assert.equal(alignOf({ name: "v" }, [{ v: 1 }, { v: null }]), "end");
  assert.equal(alignOf({ name: "v" }, [{ v: 1 }, { v: "x" }]), "start");
  assert.equal(alignOf({ name: "v", align: "center" }, [{ v: 1 }]), "center");
});
