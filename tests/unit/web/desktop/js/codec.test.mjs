import assert from "node:assert/strict";
import { test } from "node:test";

import * as codec from "../../../../../src/plataforma_sdk/web/desktop/static/js/codec.js";

const roundTrips = [
  '{"a":[1,2.5,true,null,"x"]}',
  "[1.0,-0.0,1e16,100.00]",
  '["1.0 is text, 2.0, too: \\" 3.0,"]',
  '{"$t":"decimal","v":"10.50"}',
  '{"$t":"int","v":"9007199254740993"}',
  '{"$t":"date","v":"2024-01-31"}',
  '{"$t":"datetime","v":"2024-01-31T10:20:00+00:00"}',
  '{"$t":"bytes","v":"AQL/"}',
  '{"$$t":"not a tag","$$":{"$t":"decimal","v":"1"}}',
  '{"__proto__":{"$t":"decimal","v":"1"},"constructor":1}',
];

for (const text of roundTrips) {
  test(`${text} goes back exactly as it came`, () => {
    assert.equal(codec.encode(codec.decode(text)), text);
  });
}

const refused = ['{"$t":"decimal"}', '{"$t":"what","v":"1"}', '{"$x":1}', '{"$t":"decimal","v":"1","w":2}', "{"];

for (const text of refused) {
  test(`${text} is refused`, () => assert.throws(() => codec.decode(text), SyntaxError));
}

test("a key named __proto__ changes no prototype", () => {
  const value = codec.decode('{"$$a":1,"__proto__":{"polluted":{"$t":"decimal","v":"1"}}}');
  assert.equal({}.polluted, undefined);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(codec.own(value, "__proto__").polluted.text, "1");
  assert.equal(codec.own(value, "constructor"), undefined);
});

test("numbers that would not arrive are refused", () => {
  for (const value of [NaN, Infinity, undefined, () => {}]) assert.throws(() => codec.encode(value), TypeError);
});

test("values are the same by type and text", () => {
  assert.ok(codec.isSame(codec.decode('[1,{"a":1.0}]'), codec.decode('[1,{"a":1.0}]')));
  assert.ok(!codec.isSame(codec.decode("[1]"), codec.decode("[1.0]")));
  assert.ok(!codec.isSame(codec.decode('{"$t":"decimal","v":"1"}'), codec.decode('{"$t":"date","v":"1"}')));
  assert.ok(!codec.isSame({ a: 1 }, { b: 1 }));
});
