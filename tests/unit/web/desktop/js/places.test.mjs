// Where windows stand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cascade, fit, freest, hold, placeOf, stretch, zoneAfter, zoneAt } from "../../../../../src/plataforma_sdk/web/desktop/static/js/places.js";
import { points } from "../../../../../src/plataforma_sdk/web/desktop/static/js/sparkline.js";

const DESK = { width: 1000, height: 600 };
const inside = ({ x, y, width, height }) => x >= 0 && y >= 0 && x + width <= DESK.width && y + height <= DESK.height;

test("a place is brought wholly onto the desk", () => {
  for (const place of [{ x: -500, y: -9, width: 400, height: 300 }, { x: 990, y: 590, width: 400, height: 300 }, { x: 10, y: 10, width: 10_000, height: 10_000 }]) {
    assert.ok(inside(fit(place, DESK)), JSON.stringify(fit(place, DESK)));
  }
  assert.deepEqual(fit({ x: 5, y: 6, width: 1, height: 1 }, DESK), { x: 5, y: 6, width: 280, height: 160 });
});

test("a dragged window keeps its title bar within reach", () => {
  assert.deepEqual(hold({ x: -999, y: -50, width: 400, height: 300 }, DESK), { x: -304, y: 0, width: 400, height: 300 });
  assert.deepEqual(hold({ x: 2_000, y: 2_000, width: 400, height: 300 }, DESK), { x: 904, y: 560, width: 400, height: 300 });
});

test("windows cascade, and begin at the top again where the desk ends", () => {
  const places = Array.from({ length: 40 }, (_, count) => cascade(count, { width: 400, height: 300 }, DESK));
  assert.ok(places.every(inside));
  assert.notDeepEqual(places[0], places[1]);
  assert.ok(places.slice(2).some(({ x, y }) => x === places[0].x && y === places[0].y));
});

test("a new window goes where it hides least", () => {
  const left = { x: 0, y: 0, width: 560, height: 600 };
  assert.equal(freest(0, { width: 400, height: 300 }, DESK, [left]).x, 576);
  assert.deepEqual(freest(0, { width: 400, height: 300 }, DESK, []), cascade(0, { width: 400, height: 300 }, DESK));
});

test("edges snap to halves, corners to quarters, the top to the whole", () => {
  const seen = [[0, 300], [999, 300], [3, 20], [999, 590], [500, 2], [500, 300], [500, 599]].map(([x, y]) => zoneAt(x, y, DESK));
  assert.deepEqual(seen, ["left", "right", "top-left", "bottom-right", "full", null, null]);
});

test("halves and quarters fill the desk without a gap", () => {
  const odd = { width: 1001, height: 601 };
  const area = (zones) => zones.map((zone) => placeOf(zone, odd)).reduce((sum, { width, height }) => sum + width * height, 0);
  for (const zones of [["full"], ["left", "right"], ["top-left", "top-right", "bottom-left", "bottom-right"]]) {
    assert.equal(area(zones), 1001 * 601, zones.join());
  }
});

test("arrows walk from zone to zone", () => {
  const walk = (zone, arrows) => arrows.reduce(zoneAfter, zone);
  assert.equal(walk("normal", ["left", "up"]), "top-left");
  assert.equal(walk("normal", ["left", "up", "right", "down", "down"]), "bottom-right");
  assert.equal(walk("normal", ["up", "down"]), "normal");
  assert.equal(walk("normal", ["left", "right"]), "normal");
  assert.equal(zoneAfter("normal", "down"), "minimised");
});

test("a stretched edge moves alone, and stops at the desk and at the least size", () => {
  const place = { x: 100, y: 100, width: 400, height: 300 };
  assert.deepEqual(stretch(place, "e", 50, 99, DESK), { ...place, width: 450 });
  assert.deepEqual(stretch(place, "nw", -50, -20, DESK), { x: 50, y: 80, width: 450, height: 320 });
  assert.deepEqual(stretch(place, "w", 999, 0, DESK), { ...place, x: 220, width: 280 });
  assert.deepEqual(stretch(place, "se", 9_999, 9_999, DESK), { ...place, width: 900, height: 500 });
  assert.deepEqual(stretch(place, "n", 0, -9_999, DESK), { ...place, y: 0, height: 400 });
});

test("a sparkline rests on nought and reaches its top", () => {
  assert.deepEqual(points([0, 5, 10]), [[2, 18], [28, 10], [54, 2]]);
  assert.deepEqual(points([0, 0]), [[2, 18], [54, 18]]);
  assert.deepEqual(points([]), []);
});
