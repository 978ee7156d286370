function* numbers(limit) { let n = 0; while (n < limit) { yield n; n = n + 1; } }
function* even(source) { for (const n of source) if (n % 2 === 0) yield n; }
function main() {
  let total = 0;
  for (const n of even(numbers(4000))) total = total + n;
  for (let n = 0; n < 1000; n++) total += n * n;
  return total;
}
