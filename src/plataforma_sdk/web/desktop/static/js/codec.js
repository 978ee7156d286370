// The codec of the platform in the browser: JSON, and tagged values for what JSON or JavaScript lacks.
//
// What came from the server goes back exactly as it came: an event is refused unless its arguments are the very values
// that stand in the tree, and 1, 1.0 and Decimal("1") are three values. So whole floats keep their text, too.

/** The source text of a value that a JavaScript number or date would not keep. Frozen. */
class Tagged {
  constructor(text) {
    this.text = text;
    Object.freeze(this);
  }

  toString() {
    return this.text;
  }
}

/** An exact decimal number: `text` as Python wrote it, "10.50" or "1E+3". */
export class Decimal extends Tagged {}
/** A day without time: "2024-01-31". */
export class PlainDate extends Tagged {}
/** A moment: ISO 8601, with an offset or without. */
export class DateTime extends Tagged {}
/** A float whose value is whole, such as 1.0: as a number it would go back as the integer 1. */
export class Float extends Tagged {}

const READERS = new Map([
  ["decimal", (text) => new Decimal(text)],
  ["date", (text) => new PlainDate(text)],
  ["datetime", (text) => new DateTime(text)],
  ["int", (text) => BigInt(text)],
  ["bytes", (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))],
  ["float", (text) => new Float(text)], // ours alone: never on the wire, see `keepFloats`
]);

const MAY_HOLD_WHOLE_FLOATS = /\d\.0+[,\]}]|\d[eE]/;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Read what the server's codec wrote. Throws SyntaxError where it is not of this dialect. */
export function decode(text) {
  const kept = MAY_HOLD_WHOLE_FLOATS.test(text) ? keepFloats(text) : text;
  const value = JSON.parse(kept);
  return kept.includes('"$') ? resolve(value) : value;
}

/** Write a value as the server's codec reads it. Throws TypeError for what does not cross. */
export function encode(value) {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return writeNumber(value);
  if (typeof value === "bigint") return tag("int", String(value));
  if (value instanceof Float) return value.text;
  if (value instanceof Decimal) return tag("decimal", value.text);
  if (value instanceof DateTime) return tag("datetime", value.text);
  if (value instanceof PlainDate) return tag("date", value.text);
  if (value instanceof Uint8Array) return tag("bytes", btoa(String.fromCharCode(...value)));
  if (Array.isArray(value)) return `[${value.map(encode).join(",")}]`;
  if (typeof value === "object") return writeObject(value);
  throw new TypeError(`A ${typeof value} does not cross`);
}

/** A JavaScript number of any number of the codec, for drawing and comparing; NaN for what is none. */
export function toNumber(value) {
  if (typeof value === "number") return value;
  if (typeof value === "bigint" || value instanceof Decimal || value instanceof Float) return Number(String(value));
  return NaN;
}

export function isNumber(value) {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Decimal || value instanceof Float;
}

/** Whether two values of the codec are the same, through lists and objects. */
export function isSame(left, right) {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (left.constructor !== right.constructor) return false;
  if (left instanceof Tagged) return left.text === right.text;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isSame(left[name], right[name]))
  );
}

/** A property of an object's own: `row["constructor"]` of a row that has no such column is undefined. */
export function own(object, name) {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function keepFloats(text) {
  return text.replace(STRING_OR_NUMBER, (token) =>
    token[0] !== '"' && /[.eE]/.test(token) && Number.isInteger(Number(token)) ? tag("float", token) : token,
  );
}

function resolve(value) {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    for (let place = 0; place < value.length; place += 1) value[place] = resolve(value[place]);
    return value;
  }
  if (Object.hasOwn(value, "$t")) return readTagged(value);
  return resolveObject(value);
}

function resolveObject(value) {
  let escaped = false;
  for (const name of Object.keys(value)) {
    if (name.startsWith("$")) escaped = true;
    const item = value[name];
    // "__proto__" is a plain key here; assigned, it would become the prototype.
    if (typeof item === "object" && item !== null) define(value, name, resolve(item));
  }
  if (!escaped) return value;
  const result = {};
  for (const name of Object.keys(value)) define(result, unescapeKey(name), value[name]);
  return result;
}

function define(object, name, value) {
  if (name === "__proto__") {
    Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
  } else {
    object[name] = value;
  }
}

function unescapeKey(name) {
  if (!name.startsWith("$")) return name;
  if (!name.startsWith("$$")) throw new SyntaxError("A key begins with one '$', which is reserved for tags");
  return name.slice(1);
}

function readTagged(value) {
  const reader = READERS.get(value.$t);
  if (!reader || typeof value.v !== "string" || Object.keys(value).length !== 2) {
    throw new SyntaxError("Not a tagged value");
  }
  return reader(value.v);
}

function writeNumber(value) {
  if (!Number.isFinite(value)) throw new TypeError(`${value} does not cross`);
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return String(value);
  return tag("int", String(BigInt(value)));
}

function writeObject(value) {
  const items = [];
  for (const name of Object.keys(value)) {
    if (value[name] === undefined) continue;
    items.push(`${JSON.stringify(name.startsWith("$") ? `$${name}` : name)}:${encode(value[name])}`);
  }
  return `{${items.join(",")}}`;
}

function tag(name, text) {
  return `{"$t":"${name}","v":${JSON.stringify(text)}}`;
}
