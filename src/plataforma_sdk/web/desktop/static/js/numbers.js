// Exact decimal arithmetic for fields and for sorting, on texts and BigInt: what a float would round is money.

import { Decimal, isNumber, toNumber } from "./codec.js";

const PLAIN = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const MAX_SCALE = 2000;

/** A number of the codec as `{units, scale}`: units / 10**scale; null where it is none. */
export function parts(value) {
  const match = PLAIN.exec(String(value));
  if (!match || !(match[2] || match[3])) return null;
  const [, sign, whole, fraction = "", exponent = "0"] = match;
  let digits = whole + fraction;
  let scale = fraction.length - Number(exponent);
  if (Math.abs(scale) > MAX_SCALE) return null;
  if (scale < 0) {
    digits += "0".repeat(-scale);
    scale = 0;
  }
  const units = BigInt(digits);
  return { units: sign === "-" ? -units : units, scale };
}

/** Compare two numbers exactly: negative, 0 or positive. */
export function compare(left, right) {
  const [quickLeft, quickRight] = [toNumber(left), toNumber(right)];
  if (quickLeft !== quickRight && Number.isFinite(quickLeft) && Number.isFinite(quickRight)) return quickLeft - quickRight;
  const [a, b] = [parts(left), parts(right)];
  if (!a || !b) return 0;
  const [x, y] = sameScale(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The exact sum of two numbers, as text. */
export function add(left, right, sign = 1n) {
  const [a, b] = [parts(left) ?? { units: 0n, scale: 0 }, parts(right) ?? { units: 0n, scale: 0 }];
  const [x, y] = sameScale(a, b);
  return write(x + sign * y, Math.max(a.scale, b.scale));
}

/** A number in plain digits, "1E+3" as "1000". */
export function plainText(value) {
  const known = parts(value);
  return known ? write(known.units, known.scale) : String(value);
}

export function isWhole(text) {
  const known = parts(text);
  return known !== null && known.units % 10n ** BigInt(known.scale) === 0n;
}

/**
 * Read what a person typed in a locale: "1.234,56" -> "1234.56"; null where it is no number.
 *
 * A group's separator alone counts as the decimal point where it cannot part groups: "12.5" is 12.5 in Portuguese too.
 */
export function readNumber(typed, { group, decimal }) {
  let text = typed.trim().replace(/[\s\u00a0\u202f']/g, "").replace("\u2212", "-");
  if (text.includes(decimal)) text = text.replaceAll(group, "").replace(decimal, ".");
  else if (text.includes(group)) text = isGrouped(text, group) ? text.replaceAll(group, "") : text.replace(group, ".");
  return /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text) && text.length <= 300 ? write(...Object.values(parts(text))) : null;
}

/** The value that an event carries: a Decimal where the field's own numbers are, or where a float would round. */
export function valueOf(text, { integer, exact }) {
  if (integer && isWhole(text)) {
    const whole = BigInt(text.split(".")[0]);
    return whole >= -(2n ** 53n) && whole <= 2n ** 53n ? Number(whole) : whole;
  }
  const number = Number(text);
  return exact || compare(new Decimal(text), new Decimal(String(number))) !== 0 ? new Decimal(text) : number;
}

/** Whether a field counts in decimals: one of its own numbers is one. */
export function isExact(...values) {
  return values.some((value) => isNumber(value) && value instanceof Decimal);
}

function isGrouped(text, group) {
  const [first, ...others] = text.replace(/^[+-]/, "").split(group);
  return /^\d{1,3}$/.test(first) && first !== "0" && others.every((part) => /^\d{3}$/.test(part));
}

function sameScale(a, b) {
  const scale = Math.max(a.scale, b.scale);
  return [a.units * 10n ** BigInt(scale - a.scale), b.units * 10n ** BigInt(scale - b.scale)];
}

function write(units, scale) {
  const sign = units < 0n ? "-" : "";
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  return scale ? `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}` : sign + digits;
}
