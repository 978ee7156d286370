import assert from "node:assert/strict";
import { test } from "node:test";

import { DateTime, Decimal, Float, PlainDate } from "../../../../../src/plataforma_sdk/web/desktop/static/js/codec.js";
import { NOTHING, formatter } from "../../../../../src/plataforma_sdk/web/desktop/static/js/format.js";

const plain = (text) => text.replace(/[\u00a0\u202f]/g, " ");

const cases = [
  ["pt-BR", new Decimal("12345678901234567890.10"), "currency", "BRL", "R$ 12.345.678.901.234.567.890,10"],
  ["en", new Decimal("-2328.60"), "currency", "USD", "-$2,328.60"],
  ["pt-BR", "10.5", "currency", "BRL", "R$ 10,50"],
  ["pt-BR", new Decimal("10.50"), undefined, undefined, "10,50"],
  ["pt-BR", new Decimal("1E+3"), undefined, undefined, "1000"],
  ["pt-BR", new Decimal("0.125"), "percent", undefined, "12,5%"],
  ["en", 0.12, "percent", undefined, "12%"],
  ["pt-BR", 2024, undefined, undefined, "2024"],
  ["pt-BR", 12345, undefined, undefined, "12.345"],
  ["pt-BR", 2024, "number", undefined, "2.024"],
  ["en", new Float("3.0"), undefined, undefined, "3"],
  ["en", 10n ** 20n, "number", undefined, "100,000,000,000,000,000,000"],
  ["pt-BR", new PlainDate("2024-01-31"), undefined, undefined, "31/01/2024"],
  ["en", new PlainDate("2024-01-31"), "date", undefined, "Jan 31, 2024"],
  ["pt-BR", "2024-01-31", "date", undefined, "31/01/2024"],
  ["pt-BR", new DateTime("2024-01-31T10:20:30.123456"), undefined, undefined, "31/01/2024, 10:20"],
  ["pt-BR", new DateTime("2024-01-31T10:20:30"), "date", undefined, "31/01/2024"],
  ["pt-BR", "not a date", "date", undefined, "not a date"],
  ["pt-BR", true, undefined, undefined, "Sim"],
  ["en", false, undefined, undefined, "No"],
  ["en", new Decimal("10.50"), "text", undefined, "10.50"],
  ["en", null, "currency", "BRL", NOTHING],
  ["en", new Decimal("1E-900"), undefined, undefined, "1E-900"],
];

for (const [locale, value, format, currency, expected] of cases) {
  test(`${value} as ${format} in ${locale} is ${expected}`, () => {
    assert.equal(plain(formatter(locale).value(value, format, currency)), expected);
  });
}

test("a number of a thousand digits is written short", () => {
  assert.ok(formatter("en").value(new Decimal("9".repeat(1000))).length < 20);
});
