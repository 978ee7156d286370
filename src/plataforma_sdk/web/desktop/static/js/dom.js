// The one way to make elements. Text goes through textContent alone; markup, handlers and style in text are refused.

const FORBIDDEN = new Set(["innerHTML", "outerHTML", "srcdoc", "style"]);
const BY_ATTRIBUTE =
  /^(?:aria-|data-)|^(?:role|for|scope|colspan|referrerpolicy|autocomplete|inputmode|spellcheck|tabindex|dir|lang)$/;

/**
 * Make an element.
 *
 * `props` are properties (`className`, `textContent`, `disabled`), and by attribute what begins with `aria-` or `data-`
 * and a few more; `on: {click: listener}` and `style: {width: "3px"}` are objects. A property that is null is left out.
 * Children are nodes, texts, null, and lists of these.
 */
export function h(tag, props = null, ...children) {
  const element = document.createElement(tag);
  if (props) setProps(element, props);
  append(element, children);
  return element;
}

function setProps(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "style" && typeof value === "object") {
      Object.assign(element.style, value);
    } else if (FORBIDDEN.has(name) || name.startsWith("on")) {
      throw new TypeError(`h() refuses the property ${name}`);
    } else if (name === "dataset") {
      Object.assign(element.dataset, value);
    } else if (value !== null && value !== undefined) {
      if (BY_ATTRIBUTE.test(name)) element.setAttribute(name, String(value));
      else element[name] = value;
    }
  }
}

export function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child); // a text becomes a text node
  }
}

/** Set an attribute, or take it away where the value is null or false. */
export function attr(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : String(value));
}

/** Set a text only where it differs: a selection in it stays. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function clear(element) {
  element.replaceChildren();
  return element;
}

const USED_BY_ITSELF = "a, button, input, select, textarea, label, summary, [tabindex], [role=grid]";

const taken = new WeakSet(); // clicks that an inner frame has acted on

/** Whether a click is meant for `frame`: not for what can be used in it, nor for a frame in it, nor to mark its text. */
export function takesClick(event, frame, own) {
  const used = event.target.closest(USED_BY_ITSELF);
  const isOther = used !== null && used !== own && frame.contains(used);
  if (isOther || taken.has(event) || !getSelection().isCollapsed) return false;
  taken.add(event);
  return true;
}

let count = 0;

/** An id of our own making: what a module wrote never becomes an id of the page. */
export function uid(prefix = "pv") {
  count += 1;
  return `${prefix}-${count}`;
}

/** Put `nodes` into `parent` in this order, moving as few as can be: focus and scroll of the others stay. */
export function arrange(parent, nodes) {
  if (!parent.firstChild) {
    for (const node of nodes) parent.appendChild(node);
    return;
  }
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  const settled = longestRun(parent, nodes);
  let next = null;
  for (let place = nodes.length - 1; place >= 0; place -= 1) {
    const node = nodes[place];
    if (!settled.has(node)) parent.insertBefore(node, next);
    next = node;
  }
}

/** The largest set of nodes that stand in the wanted order already (longest increasing subsequence). */
function longestRun(parent, nodes) {
  const places = new Map([...parent.childNodes].map((node, place) => [node, place]));
  const tails = [];
  const before = new Map();
  for (const node of nodes) {
    const place = places.get(node);
    if (place === undefined) continue;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places.get(tails[middle]) < place) low = middle + 1;
      else high = middle;
    }
    before.set(node, low > 0 ? tails[low - 1] : null);
    tails[low] = node;
  }
  const kept = new Set();
  for (let node = tails.at(-1) ?? null; node !== null; node = before.get(node)) kept.add(node);
  return kept;
}
