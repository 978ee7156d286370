class Item:
    def __init__(self, name, price, quantity):
        self.name = name
        self.price = price
        self.quantity = quantity

    def total(self):
        return self.price * self.quantity


class Order:
    def __init__(self):
        self.items = []
        self.discount = 0.0

    def put(self, item):
        self.items.append(item)
        if len(self.items) > 5:
            self.discount = 0.1

    def total(self):
        amount = 0.0
        for item in self.items:
            amount = amount + item.total()
        return amount * (1 - self.discount)


def main():
    result = 0.0
    for number in range(150):
        order = Order()
        for line in range(number % 9):
            order.put(Item("item", 1.5 + line, 1 + line % 3))
        result = result + order.total()
    return result
