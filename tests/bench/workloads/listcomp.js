function main() {
  let tot = 0;
  for (let k = 0; k < 25; k++) {
    const xs = Array.from({ length: 1000 }, (_, i) => i * 3 + 1);
    const ys = xs.filter((x) => x % 2 === 0).map((x) => x - 1);
    const d = new Map(ys.map((y) => [y, y + 1]));
    tot = tot + d.size + ys.reduce((a, b) => a + b, 0);
  }
  return tot;
}
