// Raw values as a person of a locale reads them. Decimals are formatted from their text: no figure loses a digit.

import { DateTime, Decimal, Float, PlainDate, isNumber, toNumber } from "./codec.js";

export const NOTHING = "\u2014"; // an em dash: there is no value

const MAX_CHARS = 100; // of a number that is written out; beyond, scientific notation
const MAX_FRACTION_DIGITS = 20; // that every Intl takes
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const MOMENT = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2}(?::?\d{2})?)?$/;
const NUMBER = /^-?\d{1,60}(?:\.\d{1,60})?$/;
const CURRENCIES = new Map([
  ["BR", "BRL"], ["US", "USD"], ["GB", "GBP"], ["PT", "EUR"], ["ES", "EUR"], ["FR", "EUR"], ["DE", "EUR"],
  ["IT", "EUR"], ["AR", "ARS"], ["CL", "CLP"], ["MX", "MXN"], ["CA", "CAD"], ["AU", "AUD"], ["CH", "CHF"],
  ["JP", "JPY"],
]);

const formatters = new Map();

/** The formatter of a locale; made once, since those of Intl are costly to make. */
export function formatter(locale) {
  if (!formatters.has(locale)) formatters.set(locale, new Formatter(locale));
  return formatters.get(locale);
}

class Formatter {
  #made = new Map();

  constructor(locale) {
    this.locale = locale;
    this.yes = locale.startsWith("pt") ? "Sim" : "Yes";
    this.no = locale.startsWith("pt") ? "N\u00e3o" : "No";
    const region = new Intl.Locale(locale).maximize().region;
    this.currency = CURRENCIES.get(region) ?? null;
  }

  /** Write a value by its format, or by its type where there is none. */
  value(value, format = undefined, currency = undefined) {
    if (value === null || value === undefined) return NOTHING;
    if (value === true || value === false) return value ? this.yes : this.no;
    if (format === "text") return String(value);
    if (isNumber(value)) return this.#number(value, format, currency);
    if (value instanceof PlainDate || value instanceof DateTime) return this.#moment(value.text, format);
    return typeof value === "string" ? this.#text(value, format, currency) : String(value);
  }

  /** Write a number with options of `Intl.NumberFormat`. */
  number(value, options = {}) {
    return this.#intl(Intl.NumberFormat, options).format(exact(value));
  }

  date(value) {
    return this.#moment(value instanceof Date ? value.toISOString() : String(value), "date");
  }

  /** The time of day of a moment (Date, ISO text or milliseconds), in the viewer's zone. */
  time(value, options = { hour: "2-digit", minute: "2-digit" }) {
    return this.#intl(Intl.DateTimeFormat, options).format(new Date(value));
  }

  /** How long ago a moment was: "2 minutes ago". */
  relative(value, now = Date.now()) {
    const seconds = (new Date(value).getTime() - now) / 1000;
    const [amount, unit] = nearestUnit(seconds);
    return this.#intl(Intl.RelativeTimeFormat, { numeric: "auto" }).format(amount, unit);
  }

  /** What stands between the digits of a number here: `{group: ".", decimal: ","}`. */
  get separators() {
    const parts = new Intl.NumberFormat(this.locale).formatToParts(-12345.6);
    const find = (type, other) => parts.find((part) => part.type === type)?.value ?? other;
    return { group: find("group", ","), decimal: find("decimal", ".") };
  }

  #intl(Kind, options) {
    const key = Kind.name + JSON.stringify(options);
    if (!this.#made.has(key)) this.#made.set(key, new Kind(this.locale, options));
    return this.#made.get(key);
  }

  #number(value, format, currency) {
    const text = exact(value);
    if (text.length > MAX_CHARS || Math.abs(toNumber(value)) >= 1e60) {
      return this.number(value, { notation: "scientific", maximumFractionDigits: 6 });
    }
    if (!format && value instanceof Decimal && fractionDigits(text) > MAX_FRACTION_DIGITS) return text; // exact as it is
    return this.#intl(Intl.NumberFormat, this.#options(value, format, currency)).format(text);
  }

  #options(value, format, currency) {
    if (format === "currency") {
      const code = currency ?? this.currency;
      return code ? { style: "currency", currency: code } : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
    }
    if (format === "percent") return { style: "percent", maximumFractionDigits: 1 };
    const digits = value instanceof Decimal ? Math.min(fractionDigits(value.text), MAX_FRACTION_DIGITS) : null;
    const options = { minimumFractionDigits: digits ?? 0, maximumFractionDigits: digits ?? 6 };
    // Without a format it may be a year or a number of an invoice: 2024, and 12,345.
    return format === "number" ? options : { ...options, useGrouping: "min2" };
  }

  /** A text stays; where the author asked for a figure or a date and an API sent it as text, it is read. */
  #text(text, format, currency) {
    if ((format === "date" || format === "datetime") && (DAY.test(text) || MOMENT.test(text))) return this.#moment(text, format);
    if (format && format !== "date" && format !== "datetime" && NUMBER.test(text)) return this.#number(new Decimal(text), format, currency);
    return text;
  }

  #moment(text, format) {
    const day = DAY.exec(text);
    if (day) return this.#dates("date", "UTC").format(utc(day));
    const parts = MOMENT.exec(text);
    if (!parts) return text;
    // A moment without an offset is shown as it is written; one with an offset, in the viewer's zone.
    const zone = parts[7] ? undefined : "UTC";
    const at = parts[7] ? new Date(text.replace(" ", "T")) : utc(parts);
    return Number.isNaN(at.getTime()) ? text : this.#dates(format === "date" ? "date" : "datetime", zone).format(at);
  }

  #dates(kind, timeZone) {
    const month = this.locale.startsWith("en") ? "short" : "2-digit";
    const date = { year: "numeric", month, day: month === "short" ? "numeric" : "2-digit" };
    const time = kind === "datetime" ? { hour: "2-digit", minute: "2-digit" } : {};
    return this.#intl(Intl.DateTimeFormat, { ...date, ...time, timeZone });
  }
}

function utc([, year, month, day, hours = 0, minutes = 0, seconds = 0]) {
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day)); // Date.UTC reads the year 12 as 1912
  date.setUTCHours(Number(hours), Number(minutes), Number(seconds));
  return date;
}

/** The text from which Intl formats without going through a float. */
function exact(value) {
  return value instanceof Decimal || value instanceof Float ? value.text : String(value);
}

function fractionDigits(text) {
  const [, fraction = "", exponent = "0"] = /^[+-]?\d*\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  return Math.min(Math.max(fraction.length - Number(exponent), 0), 10_000);
}

function nearestUnit(seconds) {
  const size = Math.abs(seconds);
  if (size < 45) return [Math.round(seconds), "second"];
  if (size < 45 * 60) return [Math.round(seconds / 60), "minute"];
  if (size < 22 * 3600) return [Math.round(seconds / 3600), "hour"];
  return [Math.round(seconds / 86400), "day"];
}
