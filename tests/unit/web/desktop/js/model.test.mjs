import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Model, PatchError, spliced } from "../../../../../src/plataforma_sdk/web/desktop/static/js/model.js";

const node = (key, children = [], props = {}, type = "column") => ({ type, key, props, children });
let model;

beforeEach(() => {
  model = new Model();
  model.load(node("0", [node("0.a", [node("0.a.0")]), node("0.b"), node("0.t", [], { rows: [1, 2, 3, 4] }, "table")]));
});

const keys = () => model.root.children.map((child) => child.key);

test("properties are set and unset in a new object", () => {
  model.apply([{ op: "props", key: "0.b", set: { gap: "small", align: "end" } }]);
  const before = model.nodes.get("0.b").props;
  const touched = model.apply([{ op: "props", key: "0.b", set: { gap: "large" }, unset: ["align"] }]);
  assert.deepEqual(model.nodes.get("0.b").props, { gap: "large" });
  assert.deepEqual(before, { gap: "small", align: "end" });
  assert.deepEqual([...touched], ["0.b"]);
});

test("rows are spliced from the last to the first", () => {
  model.apply([{ op: "rows", key: "0.t", prop: "rows", splice: [[3, 1, [40, 50]], [0, 1, []]] }]);
  assert.deepEqual(model.nodes.get("0.t").props.rows, [2, 3, 40, 50]);
});

test("nodes are inserted, moved, removed and replaced with what is below them", () => {
  model.apply([{ op: "insert", key: "0", at: 1, node: node("0.n", [node("0.n.0")]) }]);
  assert.deepEqual(keys(), ["0.a", "0.n", "0.b", "0.t"]);
  model.apply([{ op: "move", key: "0.n", at: 3 }]);
  assert.deepEqual(keys(), ["0.a", "0.b", "0.t", "0.n"]);
  model.apply([{ op: "remove", key: "0.a" }]);
  assert.ok(!model.nodes.has("0.a.0"));
  model.apply([{ op: "replace", key: "0.b", node: node("0.b", [node("0.b.x")], {}, "row") }]);
  assert.equal(model.nodes.get("0.b").type, "row");
  assert.deepEqual(keys(), ["0.b", "0.t", "0.n"]);
});

test("the root is replaced as a whole", () => {
  model.apply([{ op: "replace", key: "0", node: node("other") }]);
  assert.deepEqual([...model.nodes.keys()], ["other"]);
});

test("a key named __proto__ is a key", () => {
  model.apply([{ op: "insert", key: "0", at: 0, node: node("__proto__") }]);
  assert.equal(model.nodes.get("__proto__").key, "__proto__");
  assert.equal({}.key, undefined);
});

const unfit = [
  ["an unknown node", { op: "props", key: "0.z", set: {} }],
  ["an unknown operation", { op: "constructor", key: "0.a" }],
  ["a place beyond the end", { op: "insert", key: "0", at: 9, node: node("0.n") }],
  ["a key that is there", { op: "insert", key: "0", at: 0, node: node("0.b") }],
  ["the root removed", { op: "remove", key: "0" }],
  ["rows that are none", { op: "rows", key: "0.b", prop: "rows", splice: [] }],
  ["rows of a property that holds none", { op: "rows", key: "0.t", prop: "columns", splice: [] }],
  ["a splice beyond the end", { op: "rows", key: "0.t", prop: "rows", splice: [[3, 2, []]] }],
  ["a node that is none", { op: "insert", key: "0", at: 0, node: { type: "text", key: "0.n" } }],
  ["no operation", null],
];

for (const [name, op] of unfit) {
  test(`${name} does not fit`, () => assert.throws(() => model.apply([op]), PatchError));
}

test("a tree that is too deep is refused before it fills the stack", () => {
  let deep = node("k");
  for (let level = 0; level < 10_000; level += 1) deep = node(`k${level}`, [deep]);
  assert.throws(() => model.load(deep), PatchError);
});

test("fifty thousand rows are spliced at once", () => {
  const many = Array.from({ length: 50_000 }, (_, place) => place);
  assert.equal(spliced([1, 2], [[1, 0, many]]).length, 50_002);
});
