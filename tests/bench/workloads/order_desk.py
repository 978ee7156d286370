"""An order desk: the kind of module an author writes, about 140 lines with classes, patterns and state."""

import asyncio
import re
from collections import Counter, defaultdict, deque
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from plataforma_sdk import ModuleFramework, ui


class Status(Enum):
    NEW = "new"
    PAID = "paid"
    SHIPPED = "shipped"
    CLOSED = "closed"


NEXT = {Status.NEW: Status.PAID, Status.PAID: Status.SHIPPED, Status.SHIPPED: Status.CLOSED}


@dataclass
class Line:
    sku: str
    quantity: int = 1
    price: float = 0.0
    tags: list[str] = field(default_factory=list)

    @property
    def total(self) -> float:
        return round(self.quantity * self.price, 2)


@dataclass
class Order:
    number: str
    customer: str
    lines: list[Line] = field(default_factory=list)
    status: Status = Status.NEW
    history: list[tuple[float, str]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return round(sum(line.total for line in self.lines), 2)

    def advance(self, at: float) -> None:
        self.status = NEXT[self.status]
        self.history.append((at, self.status.value))


@dataclass(order=True)
class Reminder:
    due: float
    name: str = field(compare=False)


class Rules:
    """Discounts by pattern of an item's number."""

    def __init__(self) -> None:
        self.rules: list[tuple[re.Pattern[str], float]] = []

    def add(self, pattern: str, discount: float) -> None:
        self.rules.append((re.compile(pattern), discount))

    def price(self, line: Line) -> float:
        best = max((discount for pattern, discount in self.rules if pattern.match(line.sku)), default=0.0)
        return round(line.total * (1 - best), 2)


class Stock:
    """What lies in the store, and what of it is spoken for."""

    def __init__(self) -> None:
        self.levels: dict[str, int] = defaultdict(int)
        self.reserved: dict[str, int] = defaultdict(int)

    def put(self, sku: str, count: int) -> None:
        self.levels[sku] += count

    def reserve(self, sku: str, count: int) -> bool:
        if self.levels[sku] - self.reserved[sku] < count:
            return False
        self.reserved[sku] += count
        return True


class Desk(ModuleFramework):
    PATTERN = re.compile(r"\{\{\s*(\w+)\s*\}\}")

    async def on_load(self) -> None:
        self.orders: dict[str, Order] = {}
        self.stock = Stock()
        self.rules = Rules()
        self.journal: deque[str] = deque(maxlen=200)
        self.counts: Counter[str] = Counter()
        self.by_customer: dict[str, list[str]] = defaultdict(list)
        self.reminders: list[Reminder] = []
        self.settings: dict[str, Any] = {"currency": "EUR", "limits": {"lines": 50, "orders": 10_000}}
        for number in range(50):
            self.stock.put(f"sku-{number:03}", 10_000)
        self.rules.add(r"sku-00\d", 0.1)
        self.rules.add(r"sku-04\d", 0.25)
        self.journal.append("loaded")

    def render(self) -> ui.Element:
        return ui.text(f"{len(self.orders)} orders")

    def place(self, customer: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
        if len(lines) > self.settings["limits"]["lines"]:
            raise ValueError("too many lines")
        order = Order(f"A{len(self.orders) + 1:06}", customer, [Line(**line) for line in lines])
        for line in order.lines:
            if not self.stock.reserve(line.sku, line.quantity):
                raise ValueError(f"out of stock: {line.sku}")
        self.orders[order.number] = order
        self.by_customer[customer].append(order.number)
        self.counts["placed"] += 1
        self.journal.append(f"{order.number} {order.total}")
        return {"number": order.number, "total": order.total, "net": sum(map(self.rules.price, order.lines))}

    async def pay(self, number: str, amount: float) -> str:
        order = self.orders[number]
        await asyncio.sleep(0)
        order.advance(amount)
        self.counts["paid"] += 1
        return order.status.value

    def report(self, customer: str) -> dict[str, Any]:
        orders = [self.orders[number] for number in self.by_customer.get(customer, [])]
        return {
            "customer": customer,
            "orders": len(orders),
            "total": round(sum(order.total for order in orders), 2),
            "by_status": dict(Counter(order.status.value for order in orders)),
            "last": asdict(orders[-1])["number"] if orders else None,
        }

    def letter(self, number: str) -> str:
        order = self.orders[number]
        values = {"customer": order.customer, "number": order.number, "total": order.total}
        text = "Dear {{ customer }}, order {{ number }} costs {{ total }}."
        return self.PATTERN.sub(lambda found: str(values.get(found[1], "")), text)

    def remind(self, due: float, name: str) -> int:
        self.reminders.append(Reminder(due, name))
        self.reminders.sort()
        return len(self.reminders)
