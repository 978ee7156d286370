class Acc {
  constructor() { this.n = 0; this.words = new Map(); }
  add(w) { this.n = this.n + 1; this.words.set(w, (this.words.get(w) || 0) + 1); }
}
function main() {
  const acc = new Acc();
  const text = "the quick brown fox jumps over the lazy dog and runs away from the bear ".repeat(40);
  for (let k = 0; k < 8; k++) for (let w of text.trim().split(/\s+/)) {
    if (w.startsWith("b") || w === "fox") w = w.toUpperCase();
    acc.add(w);
  }
  return [...acc.words.keys()].sort().map((w) => w + "=" + acc.words.get(w)).join(",");
}
