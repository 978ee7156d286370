// A line without axes: how a figure went in the last minute.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 56;
const HEIGHT = 20;
const PAD = 2;

const make = (name, attributes) => {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, String(value));
  return element;
};

/** The points of a line for `values` between nought and their largest, or `most`. */
export function points(values, most = 0) {
  const top = Math.max(most, ...values, 1e-9);
  const step = (WIDTH - 2 * PAD) / Math.max(1, values.length - 1);
  const place = (value) => HEIGHT - PAD - (Math.max(0, value) / top) * (HEIGHT - 2 * PAD);
  return values.map((value, index) => [PAD + index * step, place(value)].map((n) => Math.round(n * 10) / 10));
}

/** Make a sparkline: `{element, update(values, most)}`. It is an ornament: the figure stands beside it. */
export function sparkline() {
  const line = make("polyline", { class: "pd-spark-line", fill: "none" });
  const area = make("polygon", { class: "pd-spark-area" });
  const element = make("svg", { class: "pd-spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true" });
  element.append(area, line);
  const update = (values, most = 0) => {
    const drawn = points(values, most);
    line.setAttribute("points", drawn.join(" "));
    const corners = drawn.length ? [[drawn.at(-1)[0], HEIGHT], [drawn[0][0], HEIGHT]] : [];
    area.setAttribute("points", [...drawn, ...corners].join(" "));
  };
  return { element, update };
}
