import assert from "node:assert/strict";
import { test } from "node:test";

import { Decimal } from "../../../../../src/plataforma_sdk/web/desktop/static/js/codec.js";
import { add, compare, isWhole, plainText, readNumber, valueOf } from "../../../../../src/plataforma_sdk/web/desktop/static/js/numbers.js";

const PORTUGUESE = { group: ".", decimal: "," };
const ENGLISH = { group: ",", decimal: "." };

const read = [
  ["1.234,56", PORTUGUESE, "1234.56"],
  ["1.500", PORTUGUESE, "1500"],
  ["12.5", PORTUGUESE, "12.5"],
  ["1,5", PORTUGUESE, "1.5"],
  ["0.500", PORTUGUESE, "0.500"],
  [" -3 ", PORTUGUESE, "-3"],
  ["1 234,5", PORTUGUESE, "1234.5"],
  ["1,234.56", ENGLISH, "1234.56"],
  ["1,500", ENGLISH, "1500"],
  ["1,5", ENGLISH, "1.5"],
  ["", ENGLISH, null],
  ["abc", ENGLISH, null],
  ["1.2.3", ENGLISH, null],
  ["1e5", ENGLISH, null],
];

for (const [typed, separators, expected] of read) {
  test(`"${typed}" with ${separators.decimal} is ${expected}`, () => assert.equal(readNumber(typed, separators), expected));
}

test("sums are exact", () => {
  assert.equal(add("0.1", "0.2"), "0.3");
  assert.equal(add("12345678901234567890.10", "0.05", -1n), "12345678901234567890.05");
});

test("a float would take these two for one", () => {
  assert.ok(compare(new Decimal("12345678901234567890.10"), new Decimal("12345678901234567890.11")) < 0);
  assert.equal(compare(new Decimal("1.50"), 1.5), 0);
});

test("a field that counts in decimals sends decimals, any other the number it can keep", () => {
  assert.deepEqual(valueOf("10.5", { exact: true }), new Decimal("10.5"));
  assert.equal(valueOf("10.5", { exact: false }), 10.5);
  assert.deepEqual(valueOf("12345678901234567890.1", { exact: false }), new Decimal("12345678901234567890.1"));
  assert.equal(valueOf("7", { integer: true }), 7);
  assert.equal(valueOf("9007199254740993", { integer: true }), 9007199254740993n);
});

test("whole numbers are known by their digits", () => {
  assert.ok(isWhole("3.00"));
  assert.ok(!isWhole("3.01"));
  assert.equal(plainText(new Decimal("1.5E+3")), "1500");
});
