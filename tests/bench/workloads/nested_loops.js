function main() {
  let t = 0;
  for (let i = 0; i < 200; i++) for (let j = 0; j < 200; j++) t = t + ((i * j) % 7);
  return t;
}
