// Where a window may stand: arithmetic of rectangles, without a page.

export const MIN_WIDTH = 280;
export const MIN_HEIGHT = 160;
const GRIP = 96; // of a title bar's width always stays on the desk
const TITLE_HEIGHT = 40;
const EDGE = 14; // nearer to an edge than this, a dragged window snaps
const CASCADE = 32;
const MARGIN = 24; // of the corners

const between = (value, low, high) => Math.max(low, Math.min(value, Math.max(low, high)));

/** Bring a place wholly onto the desk, smaller where it has to be. */
export function fit({ x, y, width, height }, desk) {
  const wide = Math.min(Math.max(width, MIN_WIDTH), desk.width);
  const high = Math.min(Math.max(height, MIN_HEIGHT), desk.height);
  return { x: between(x, 0, desk.width - wide), y: between(y, 0, desk.height - high), width: wide, height: high };
}

/** Keep the title bar of a place within reach. */
export function hold({ x, y, width, height }, desk) {
  const left = Math.min(0, GRIP - width);
  return { x: between(x, left, desk.width - GRIP), y: between(y, 0, desk.height - TITLE_HEIGHT), width, height };
}

/** The place of a new window: in the middle, and each further one a step down and to the right, from the top again. */
export function cascade(count, { width, height }, desk) {
  const size = fit({ x: 0, y: 0, width, height }, desk);
  const roomX = desk.width - size.width;
  const roomY = desk.height - size.height;
  const steps = Math.max(1, Math.floor(Math.min(roomX / 2, (roomY * 2) / 3) / CASCADE) + 1);
  const step = (count % steps) * CASCADE;
  return fit({ ...size, x: Math.round(roomX / 2) + step, y: Math.round(roomY / 3) + step }, desk);
}

const shared = (one, other) =>
  Math.max(0, Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x))
  * Math.max(0, Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y));

/** Where a new window hides least of the `others`: in the cascade, or in a corner of the desk. */
export function freest(count, size, desk, others) {
  const first = cascade(count, size, desk);
  const right = desk.width - first.width - MARGIN;
  const bottom = desk.height - first.height - MARGIN;
  const corners = [[right, MARGIN], [MARGIN, MARGIN], [right, bottom], [MARGIN, bottom]];
  const places = [first, ...corners.map(([x, y]) => fit({ ...first, x, y }, desk))];
  const hidden = (place) => others.reduce((sum, other) => sum + shared(place, other), 0);
  return places.reduce((best, place) => (hidden(place) < hidden(best) ? place : best));
}

/** The zone under a dragged pointer: halves at the sides, quarters near the corners, the whole at the top. */
export function zoneAt(x, y, desk) {
  const side = x <= EDGE ? "left" : x >= desk.width - EDGE ? "right" : null;
  if (side === null) return y <= EDGE ? "full" : null;
  if (y < desk.height / 4) return `top-${side}`;
  return y > (desk.height * 3) / 4 ? `bottom-${side}` : side;
}

/** The rectangle of a zone. */
export function placeOf(zone, desk) {
  const halfWidth = Math.floor(desk.width / 2);
  const halfHeight = Math.floor(desk.height / 2);
  const place = { x: 0, y: 0, width: desk.width, height: desk.height };
  if (zone.endsWith("left")) place.width = halfWidth;
  if (zone.endsWith("right")) Object.assign(place, { x: halfWidth, width: desk.width - halfWidth });
  if (zone.startsWith("top")) place.height = halfHeight;
  if (zone.startsWith("bottom")) Object.assign(place, { y: halfHeight, height: desk.height - halfHeight });
  return place;
}

const NEXT = {
  left: { normal: "left", full: "left", right: "normal", "top-right": "top-left", "bottom-right": "bottom-left" },
  right: { normal: "right", full: "right", left: "normal", "top-left": "top-right", "bottom-left": "bottom-right" },
  up: { normal: "full", left: "top-left", right: "top-right", "bottom-left": "left", "bottom-right": "right" },
  down: {
    normal: "minimised", full: "normal", left: "bottom-left", right: "bottom-right", "top-left": "left",
    "top-right": "right",
  },
};

/** Where an arrow takes a window that stands in `zone`. */
export function zoneAfter(zone, arrow) {
  return NEXT[arrow][zone] ?? zone;
}

/** Pull an edge ("n", "se", ...) of a place by so much. */
export function stretch(place, edge, dx, dy, desk) {
  let { x, y, width, height } = place;
  if (edge.includes("e")) width = between(width + dx, MIN_WIDTH, desk.width - x);
  if (edge.includes("s")) height = between(height + dy, MIN_HEIGHT, desk.height - y);
  if (edge.includes("w")) {
    const right = x + width;
    x = between(x + dx, 0, right - MIN_WIDTH);
    width = right - x;
  }
  if (edge.includes("n")) {
    const bottom = y + height;
    y = between(y + dy, 0, bottom - MIN_HEIGHT);
    height = bottom - y;
  }
  return { x, y, width, height };
}
