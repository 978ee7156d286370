// Texts of the platform by locale. Flat keys, `{name}` for arguments, `{one, other}` by `count`.

export const LOCALES = Object.freeze(["pt-BR", "en"]);
const FALLBACK = "en";

const catalogues = new Map(LOCALES.map((locale) => [locale, new Map()]));

/** Add strings to a locale: `{"elements.table.empty": "Nenhuma linha"}`. */
export function register(locale, strings) {
  const catalogue = catalogues.get(locale);
  for (const [key, text] of Object.entries(strings)) catalogue.set(key, text);
}

/** The locale of ours that is nearest to a wanted one: "pt-PT" -> "pt-BR", "de" -> "en". */
export function nearestLocale(wanted) {
  const language = String(wanted).split("-")[0].toLowerCase();
  return LOCALES.find((locale) => locale === wanted) ?? LOCALES.find((locale) => locale.startsWith(language)) ?? FALLBACK;
}

/** Return `t(key, args)` of a locale. A key that nobody registered is shown as it is, so that it is seen. */
export function translator(locale) {
  const known = nearestLocale(locale);
  const plural = new Intl.PluralRules(known);
  const numbers = new Intl.NumberFormat(known);
  return (key, args = {}) => {
    let text = catalogues.get(known).get(key) ?? catalogues.get(FALLBACK).get(key) ?? key;
    if (typeof text === "object") text = text[plural.select(args.count ?? 0)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (whole, name) => {
      if (!Object.hasOwn(args, name)) return whole;
      return typeof args[name] === "number" ? numbers.format(args[name]) : String(args[name]);
    });
  };
}
