// Search as people type it: without accents, without case, every word somewhere.

const MARKS = /\p{M}/gu;

/** A text folded for comparison: "São Paulo" -> "sao paulo". */
export function fold(text) {
  return text.normalize("NFD").replace(MARKS, "").toLowerCase();
}

/** Return a test of folded texts for what a person typed; null where nothing was typed. */
export function matcher(query) {
  const words = fold(query).split(/\s+/).filter(Boolean);
  return words.length ? (folded) => words.every((word) => folded.includes(word)) : null;
}
