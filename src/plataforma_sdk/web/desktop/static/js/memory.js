// What this browser remembers between visits. A browser that lets nothing be kept forgets, and all else works.

const PREFIX = "plataforma.";
const MAX_PLACES = 200;

export function recall(name, fallback = null) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? fallback;
  } catch {
    return fallback;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // full, or forbidden
  }
}

const SIDES = ["x", "y", "width", "height"];

/** Where a window stood: `{x, y, width, height, zone}`, or null. */
export function placeOfLastTime(key) {
  const found = new Map(recall("places", [])).get(key);
  return found && SIDES.every((side) => Number.isFinite(found[side])) ? found : null;
}

/** Remember where a window stands; the ones that were not seen for longest are forgotten. */
export function keepPlace(key, place) {
  const others = recall("places", []).filter(([known]) => known !== key);
  keep("places", [...others, [key, place]].slice(-MAX_PLACES));
}
