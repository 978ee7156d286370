// The platform's own icons: strokes on a grid of 24, made element by element. A module names one; it never draws.

const SVG = "http://www.w3.org/2000/svg";

// name -> path data of strokes; "o x y r" is a circle, "." a filled one.
const SHAPES = {
  "alert-circle": ["o 12 12 9", "M12 7.5v5.5", ". 12 16.5 1"],
  "alert-triangle": ["M12 4 2.8 19.5h18.4Z", "M12 10v4.5", ". 12 17 0.9"],
  archive: ["M3.5 5h17v4h-17Z", "M5 9v10.5h14V9", "M10 13h4"],
  "arrow-down": ["M12 4.5v15", "m6.5 14 5.5 5.5 5.5-5.5"],
  "arrow-left": ["M19.5 12h-15", "M10 6.5 4.5 12l5.5 5.5"],
  "arrow-right": ["M4.5 12h15", "m14 6.5 5.5 5.5-5.5 5.5"],
  "arrow-up": ["M12 19.5v-15", "M6.5 10 12 4.5l5.5 5.5"],
  "bar-chart": ["M3.5 20.5h17", "M6.5 17v-5", "M12 17V5", "M17.5 17V9"],
  bell: ["M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15Z", "M10 20.5h4"],
  book: ["M5 4.5h12.5a1.5 1.5 0 0 1 1.5 1.5v14H6.5A1.5 1.5 0 0 1 5 18.5Z", "M5 18.5A1.5 1.5 0 0 1 6.5 17H19"],
  briefcase: ["M3.5 8h17v11h-17Z", "M8.5 8V5h7v3", "M3.5 13h17"],
  building: ["M5 20.5v-16h9v16", "M14 9.5h5v11", "M3 20.5h18", "M8 8h3", "M8 12h3", "M8 16h3"],
  calendar: ["M4 6h16v14H4Z", "M4 10.5h16", "M8.5 3.5v4", "M15.5 3.5v4"],
  camera: ["M3.5 7.5h4l1.5-2.5h6l1.5 2.5h4v12h-17Z", "o 12 13.2 3.6"],
  cart: ["M3 4.5h2.5l2.2 10.5h9.8l2-7.5H6.2", "o 9 18.8 1.4", "o 16.5 18.8 1.4"],
  check: ["m5 12.5 4.5 4.5L19 7"],
  "check-circle": ["o 12 12 9", "m8 12.3 2.8 2.8L16 9.5"],
  "chevron-down": ["m6 9.5 6 6 6-6"],
  "chevron-left": ["m14.5 6-6 6 6 6"],
  "chevron-right": ["m9.5 6 6 6-6 6"],
  "chevron-up": ["m6 14.5 6-6 6 6"],
  "chevrons-left": ["m12 6-6 6 6 6", "m18.5 6-6 6 6 6"],
  "chevrons-right": ["m12 6 6 6-6 6", "m5.5 6 6 6-6 6"],
  circle: ["o 12 12 8.5"],
  clipboard: ["M6 5.5h12v15H6Z", "M9 3.5h6v4H9Z"],
  clock: ["o 12 12 9", "M12 7v5.2l3.4 2"],
  close: ["m6 6 12 12", "M18 6 6 18"],
  cloud: ["M7 18.5a4 4 0 0 1-.6-7.95 5.8 5.8 0 0 1 11.1 1A3.5 3.5 0 0 1 17 18.5Z"],
  code: ["m8.5 7-5 5 5 5", "m15.5 7 5 5-5 5"],
  copy: ["M9 9h11v11H9Z", "M6 15H4V4h11v2"],
  cpu: ["M7 7h10v10H7Z", "M10.5 10.5h3v3h-3Z", "M9.5 3.5V7M14.5 3.5V7M9.5 17v3.5M14.5 17v3.5M3.5 9.5H7M3.5 14.5H7M17 9.5h3.5M17 14.5h3.5"],
  "credit-card": ["M3 6h18v12.5H3Z", "M3 10h18", "M6.5 15h3.5"],
  database: ["M4.5 6.5c0-1.7 3.4-3 7.5-3s7.5 1.3 7.5 3-3.4 3-7.5 3-7.5-1.3-7.5-3Z", "M4.5 6.5v11c0 1.7 3.4 3 7.5 3s7.5-1.3 7.5-3v-11", "M4.5 12c0 1.7 3.4 3 7.5 3s7.5-1.3 7.5-3"],
  dollar: ["M12 3v18", "M16.5 7.2C15.6 6 14 5.5 12 5.5c-2.5 0-4.3 1.2-4.3 3.1 0 4.4 8.9 2.2 8.9 6.8 0 2-2 3.1-4.6 3.1-2.2 0-3.9-.7-4.8-2"],
  download: ["M12 4v11", "M7.5 10.7 12 15l4.5-4.3", "M4.5 19.5h15"],
  edit: ["M4.5 19.5v-4L15.6 4.4l4 4L8.5 19.5Z", "m13 7 4 4"],
  "external-link": ["M13.5 4.5h6v6", "M19.5 4.5 11 13", "M17.5 14v5.5h-13v-13H10"],
  eye: ["M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Z", "o 12 12 2.8"],
  "eye-off": ["M5.5 7.3C3.5 9 2.5 12 2.5 12S6 18.5 12 18.5c1.6 0 3-.4 4.2-1", "M9.5 5.8c.8-.2 1.6-.3 2.5-.3 6 0 9.5 6.5 9.5 6.5s-.8 1.5-2.3 3.1", "m4 4 16 16"],
  file: ["M6 3.5h8l4.5 4.5v12.5H6Z", "M14 3.5V8h4.5"],
  filter: ["M4 5.5h16l-6.3 7.3V19l-3.4 1.5v-7.7Z"],
  flag: ["M5.5 21V4", "M5.5 4.5h12l-2.5 4 2.5 4h-12"],
  folder: ["M3.5 6h6l2 2.5h9v11h-17Z"],
  gear: ["o 12 12 3", "o 12 12 6.5", "M12 2.8v2.7M12 18.5v2.7M2.8 12h2.7M18.5 12h2.7M5.5 5.5l1.9 1.9M16.6 16.6l1.9 1.9M18.5 5.5l-1.9 1.9M7.4 16.6l-1.9 1.9"],
  globe: ["o 12 12 9", "M3 12h18", "M12 3c2.5 2.5 3.8 5.5 3.8 9s-1.3 6.5-3.8 9c-2.5-2.5-3.8-5.5-3.8-9S9.5 5.5 12 3Z"],
  grid: ["M4 4h6.5v6.5H4Z", "M13.5 4H20v6.5h-6.5Z", "M4 13.5h6.5V20H4Z", "M13.5 13.5H20V20h-6.5Z"],
  heart: ["M12 20 4.6 12.6a4.7 4.7 0 0 1 0-6.7 4.7 4.7 0 0 1 6.7 0l.7.8.7-.8a4.7 4.7 0 0 1 6.7 6.7Z"],
  help: ["o 12 12 9", "M9.5 9.3a2.6 2.6 0 0 1 5.1.6c0 1.8-2.6 2.1-2.6 3.9", ". 12 16.8 0.95"],
  home: ["m3.5 11.5 8.5-7.5 8.5 7.5", "M6 9.5v10h12v-10", "M10 19.5V14h4v5.5"],
  image: ["M4 5h16v14H4Z", "o 9 10 1.7", "m4.5 17.5 5-4.5 3 2.5 3.5-3.5 4 4"],
  inbox: ["M3.5 13 6.5 5h11l3 8v6h-17Z", "M3.5 13h5l1.5 3h4l1.5-3h5"],
  info: ["o 12 12 9", "M12 11v5.5", ". 12 7.7 1"],
  key: ["o 8 15.5 4", "m11 12.5 8.5-8.5", "m16 7.5 2.5 2.5", "m13.5 10 1.8 1.8"],
  "line-chart": ["M3.5 20.5h17", "m4.5 15 4.5-5 4 3.5L19.5 6"],
  link: ["M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1", "M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1"],
  list: ["M8.5 6h11.5", "M8.5 12h11.5", "M8.5 18h11.5", ". 4.7 6 1.1", ". 4.7 12 1.1", ". 4.7 18 1.1"],
  lock: ["M5.5 10.5h13v10h-13Z", "M8.5 10.5V7.5a3.5 3.5 0 0 1 7 0v3"],
  logout: ["M13.5 4.5h-8v15h8", "M10 12h10.5", "m16.5 8 4 4-4 4"],
  mail: ["M3.5 5.5h17v13h-17Z", "m4 6.5 8 6.5 8-6.5"],
  map: ["m3.5 6 5.5-2 6 2 5.5-2v14l-5.5 2-6-2-5.5 2Z", "M9 4v14", "M15 6v14"],
  "map-pin": ["M12 21s-6.5-6.3-6.5-11.2a6.5 6.5 0 0 1 13 0C18.5 14.7 12 21 12 21Z", "o 12 9.8 2.3"],
  maximize: ["M5 5h14v14H5Z"],
  menu: ["M4 6.5h16", "M4 12h16", "M4 17.5h16"],
  message: ["M4 5h16v11.5h-9L6.5 20v-3.5H4Z"],
  minimize: ["M5.5 17.5h13"],
  minus: ["M5 12h14"],
  monitor: ["M3 4.5h18v12H3Z", "M9 20h6", "M12 16.5V20"],
  moon: ["M20 14.2A8.3 8.3 0 0 1 9.8 4 8.3 8.3 0 1 0 20 14.2Z"],
  "more-horizontal": [". 5.5 12 1.5", ". 12 12 1.5", ". 18.5 12 1.5"],
  "more-vertical": [". 12 5.5 1.5", ". 12 12 1.5", ". 12 18.5 1.5"],
  music: ["M9 17.5V5.5l10-2v12", "o 6.5 17.5 2.5", "o 16.5 15.5 2.5"],
  package: ["M12 3 4 7.2v9.6l8 4.2 8-4.2V7.2Z", "m4 7.2 8 4.3 8-4.3", "M12 11.5V21", "m8 5.1 8 4.3"],
  pause: ["M8 5v14", "M16 5v14"],
  percent: ["m18.5 5.5-13 13", "o 7.5 7.5 2.3", "o 16.5 16.5 2.3"],
  phone: ["M7 3h10v18H7Z", "M11 18h2"],
  "pie-chart": ["M12 3a9 9 0 1 0 9 9h-9Z", "M15.5 3.5a9 9 0 0 1 5 5h-5Z"],
  play: ["M7.5 4.5v15l12-7.5Z"],
  plug: ["M8 3.5v5M16 3.5v5", "M5.5 8.5h13v2.5a6.5 6.5 0 0 1-13 0Z", "M12 17.5v3.5"],
  plus: ["M12 5v14", "M5 12h14"],
  power: ["M12 3.5v8", "M7 6.5a7.5 7.5 0 1 0 10 0"],
  printer: ["M7 9V3.5h10V9", "M7 17H4V9h16v8h-3", "M7 14h10v6.5H7Z"],
  receipt: ["M5.5 3.5v17l2.2-1.5 2.1 1.5 2.2-1.5 2.2 1.5 2.1-1.5 2.2 1.5v-17Z", "M9 8.5h6", "M9 12.5h6"],
  refresh: ["M20 11a8 8 0 0 0-14.3-4L4 9", "M4 4.5V9h4.5", "M4 13a8 8 0 0 0 14.3 4l1.7-2", "M20 19.5V15h-4.5"],
  restore: ["M5 8.5h10.5V19H5Z", "M8.5 8.5V5H19v10.5h-3.5"],
  save: ["M4.5 4.5h12l3 3v12h-15Z", "M8 4.5v5h7v-5", "M8 19.5v-6h8v6"],
  search: ["o 10.8 10.8 6.3", "m15.5 15.5 5 5"],
  send: ["m3.5 11 17-7-7 17-2.5-7.5Z", "m11 13.5 9.5-9.5"],
  server: ["M4 4.5h16v6H4Z", "M4 13.5h16v6H4Z", ". 7.5 7.5 1", ". 7.5 16.5 1"],
  shield: ["M12 3 4.5 6v5.5c0 4.5 3.1 7.7 7.5 9.5 4.4-1.8 7.5-5 7.5-9.5V6Z"],
  "shield-check": ["M12 3 4.5 6v5.5c0 4.5 3.1 7.7 7.5 9.5 4.4-1.8 7.5-5 7.5-9.5V6Z", "m8.5 12 2.5 2.5 4.5-5"],
  sort: ["m8 9.5 4-4.5 4 4.5", "m8 14.5 4 4.5 4-4.5"],
  square: ["M4.5 4.5h15v15h-15Z"],
  star: ["m12 3.5 2.6 5.6 6.1.7-4.5 4.2 1.2 6-5.4-3-5.4 3 1.2-6-4.5-4.2 6.1-.7Z"],
  stop: ["M6 6h12v12H6Z"],
  store: ["M4 9.5 5.5 4h13L20 9.5", "M4 9.5a2.7 2.7 0 0 0 5.3 0 2.7 2.7 0 0 0 5.4 0 2.7 2.7 0 0 0 5.3 0", "M5.5 12.5v8h13v-8", "M10 20.5V15.5h4v5"],
  sun: ["o 12 12 4", "M12 2.5v2.5M12 19v2.5M2.5 12H5M19 12h2.5M5.3 5.3l1.7 1.7M17 17l1.7 1.7M18.7 5.3 17 7M7 17l-1.7 1.7"],
  table: ["M3.5 5h17v14h-17Z", "M3.5 10h17", "M3.5 14.5h17", "M10 10v9"],
  tag: ["M3.5 3.5h8l9 9-8 8-9-9Z", "o 8 8 1.3"],
  terminal: ["M3.5 4.5h17v15h-17Z", "m7 9 3 3-3 3", "M12.5 15h4.5"],
  trash: ["M4.5 6.5h15", "M9 6.5V4h6v2.5", "M6.5 6.5l1 14h9l1-14", "M10.3 10.5v6M13.7 10.5v6"],
  "trending-down": ["m3.5 7 6 6 4-4 7 7.5", "M20.5 11v5.5H15"],
  "trending-up": ["m3.5 17 6-6 4 4 7-7.5", "M20.5 13V7.5H15"],
  truck: ["M2.5 6h11.5v10.5H2.5Z", "M14 9.5h4.5l3 3.5v3.5H14", "o 7 17.5 1.9", "o 17.5 17.5 1.9"],
  undo: ["M8.5 5 4.5 9l4 4", "M4.5 9h9.5a5.5 5.5 0 0 1 0 11H9"],
  unlock: ["M5.5 10.5h13v10h-13Z", "M8.5 10.5V7.5a3.5 3.5 0 0 1 6.8-1.2"],
  upload: ["M12 15V4", "M7.5 8.3 12 4l4.5 4.3", "M4.5 19.5h15"],
  user: ["o 12 8 4", "M4.5 20.5c.8-4 3.8-6 7.5-6s6.7 2 7.5 6"],
  users: ["o 9 8.5 3.5", "M2.5 20c.6-3.7 3.2-5.5 6.5-5.5s5.9 1.8 6.5 5.5", "M15.5 5.3a3.5 3.5 0 0 1 0 6.4", "M17.5 14.9c2.2.7 3.6 2.4 4 5.1"],
  wallet: ["M3.5 7.5V18a1.5 1.5 0 0 0 1.5 1.5h15.5v-12H5A1.5 1.5 0 0 1 5 4.5h13v3", ". 16.5 13.5 1.2"],
  wifi: ["M3 9.5a13 13 0 0 1 18 0", "M6 13a8.7 8.7 0 0 1 12 0", "M9 16.4a4.3 4.3 0 0 1 6 0", ". 12 19.3 1.1"],
  "wifi-off": ["M6 13a8.7 8.7 0 0 1 6-2.4", "M3 9.5a13 13 0 0 1 6-3.3M14 6.1a13 13 0 0 1 7 3.4", "M9 16.4a4.3 4.3 0 0 1 6 0", ". 12 19.3 1.1", "m4 3.5 16 17"],
  wrench: ["M20 6.5a5 5 0 0 1-6.7 6.2L7 19.5a2 2 0 0 1-3-3l6.8-6.3A5 5 0 0 1 17 3.7l-3 3 .4 2.9 2.9.4Z"],
  zap: ["M13 3 5 13.5h6L10.5 21 19 10.5h-6Z"],
};

const ALIASES = {
  add: "plus", box: "package", cancel: "close", chart: "bar-chart", customers: "users", delete: "trash", error: "alert-circle",
  money: "dollar", pencil: "edit", person: "user", product: "package", reload: "refresh", remove: "trash",
  sales: "cart", settings: "gear", "shopping-cart": "cart", success: "check-circle", warning: "alert-triangle", x: "close",
};

/** Names of all icons. */
export const ICONS = Object.freeze(Object.keys(SHAPES).sort());

/**
 * Draw an icon. Without a label it is an ornament that assistive technology skips; a name that is not ours is a small
 * ring, so that a text beside it stays where it would be.
 */
export function icon(name, { size = 16, label = null } = {}) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = {
    viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor", focusable: "false",
    "stroke-width": 1.75, "stroke-linecap": "round", "stroke-linejoin": "round", class: "icon",
  };
  for (const [attribute, value] of Object.entries(attributes)) svg.setAttribute(attribute, String(value));
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  for (const shape of shapesOf(name)) svg.append(draw(shape));
  return svg;
}

function shapesOf(name) {
  const known = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
  return Object.hasOwn(SHAPES, known) ? SHAPES[known] : ["o 12 12 4"];
}

function draw(shape) {
  const [kind, x, y, radius] = shape.split(" ");
  const isCircle = kind === "o" || kind === ".";
  const element = document.createElementNS(SVG, isCircle ? "circle" : "path");
  if (!isCircle) {
    element.setAttribute("d", shape);
    return element;
  }
  element.setAttribute("cx", x);
  element.setAttribute("cy", y);
  element.setAttribute("r", radius);
  if (kind === ".") {
    element.setAttribute("fill", "currentColor");
    element.setAttribute("stroke", "none");
  }
  return element;
}
