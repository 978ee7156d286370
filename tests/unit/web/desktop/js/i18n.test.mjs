import assert from "node:assert/strict";
import { test } from "node:test";

import { nearestLocale, register, translator } from "../../../../../src/plataforma_sdk/web/desktop/static/js/i18n.js";

register("en", { "test.rows": { one: "{count} row", other: "{count} rows" }, "test.hi": "Hi {name}", "test.only": "English" });
register("pt-BR", { "test.rows": { one: "{count} linha", other: "{count} linhas" }, "test.hi": "Olá {name}" });

test("a text is chosen by its count and written for its locale", () => {
  assert.equal(translator("pt-BR")("test.rows", { count: 1 }), "1 linha");
  assert.equal(translator("pt-BR")("test.rows", { count: 12000 }), "12.000 linhas");
  assert.equal(translator("en")("test.rows", { count: 12000 }), "12,000 rows");
});

test("what an argument holds is text, not a pattern", () => {
  assert.equal(translator("en")("test.hi", { name: "{name} $&" }), "Hi {name} $&");
  assert.equal(translator("en")("test.hi", {}), "Hi {name}");
});

test("a text that a locale lacks is shown in English, an unknown one as its key", () => {
  assert.equal(translator("pt-BR")("test.only"), "English");
  assert.equal(translator("pt-BR")("test.none"), "test.none");
});

test("the nearest locale of ours is taken", () => {
  assert.deepEqual(["pt-PT", "pt-BR", "en-GB", "de"].map(nearestLocale), ["pt-BR", "pt-BR", "en", "en"]);
});
