function main() {
  const size = 24, range = [...Array(size).keys()];
  const a = range.map((i) => range.map((j) => i + j)), b = range.map((i) => range.map((j) => i - j));
  const result = range.map((i) => range.map((j) => range.reduce((t, k) => t + a[i][k] * b[k][j], 0)));
  return result[3][5];
}
