class Item {
  constructor(name, price, quantity) { this.name = name; this.price = price; this.quantity = quantity; }
  total() { return this.price * this.quantity; }
}
class Order {
  constructor() { this.items = []; this.discount = 0.0; }
  put(item) { this.items.push(item); if (this.items.length > 5) this.discount = 0.1; }
  total() { let amount = 0.0; for (const item of this.items) amount = amount + item.total(); return amount * (1 - this.discount); }
}
function main() {
  let result = 0.0;
  for (let number = 0; number < 150; number++) {
    const order = new Order();
    for (let line = 0; line < number % 9; line++) order.put(new Item("item", 1.5 + line, 1 + (line % 3)));
    result = result + order.total();
  }
  return result;
}
