"""Statements, functions and classes that an author may count on in every tier."""

from __future__ import annotations

from ._suite import Case, answering, each, evaluating, returns

LANGUAGE = {
    "match_statement": (
        """
        found = []
        for value in (1, "a", [1, 2, 3], {"kind": "sale", "total": 5, "x": 1}, Point(0, 7), None, 2.5, True):
            match value:
                case True | None:
                    found.append("constant")
                case int(n) if n > 0:
                    found.append(n)
                case str():
                    found.append("text")
                case [first, *rest]:
                    found.append([first, rest])
                case {"kind": "sale", "total": total, **others}:
                    found.append([total, others])
                case Point(x=0, y=y):
                    found.append(y)
                case _:
                    found.append("other")
        return found
        """,
        [1, "text", [1, [2, 3]], [5, {"x": 1}], 7, "constant", "other", "constant"],
    ),
    "unpacking": (
        """
        a, *b, c = range(5)
        (d, e), f = (1, 2), 3
        return [a, b, c, d + e + f]
        """,
        [0, [1, 2, 3], 4, 6],
    ),
    "closures": (
        """
        def counter():
            count = 0
            def step(by=1):
                nonlocal count
                count += by
                return count
            return step
        step = counter()
        return [step(), step(5), counter()()]
        """,
        [1, 6, 1],
    ),
    "generators": (
        """
        def numbers(n):
            for i in range(n):
                yield i
            yield from "ab"
            return
        return list(numbers(2))
        """,
        [0, 1, "a", "b"],
    ),
    "async_generators": (
        """
        async def ticks(n):
            for i in range(n):
                await asyncio.sleep(0)
                yield i
        seen = []
        async for i in ticks(2):
            seen.append(i)
        return seen + [i async for i in ticks(3)] + [await asyncio.sleep(0, n) for n in (7, 8)]
        """,
        [0, 1, 0, 1, 2, 7, 8],
    ),
    "context_managers": (
        """
        steps = []
        with Opened(steps, "a") as a, Opened(steps, "b"):
            steps.append(a)
        async with Opened(steps, "c"):
            steps.append("inside")
        try:
            with Opened(steps, "d"):
                raise ValueError("inside")
        except ValueError:
            steps.append("after")
        return steps
        """,
        [
            *("open a", "open b", "a", "close b", "close a", "open c", "inside", "close c"),
            *("open d", "close d ValueError", "after"),
        ],
    ),
    "exceptions": (
        """
        steps = []
        for value in ("1", "x", None):
            try:
                steps.append(int(value))
            except ValueError as error:
                steps.append(str(error)[:7])
            except (TypeError, KeyError):
                steps.append("type")
            else:
                steps.append("fine")
            finally:
                steps.append("end")
        return steps
        """,
        [1, "fine", "end", "invalid", "end", "type", "end"],
    ),
    "loops": (
        """
        found = []
        for n in range(10):
            if n % 2:
                continue
            if n > 6:
                break
            found.append(n)
        else:
            found.append("never")
        while found and found[-1] > 2:
            found.pop()
        else:
            found.append("done")
        return found
        """,
        [0, 2, "done"],
    ),
    "augmented_assignment": (
        """
        a, b = [1], {"n": 1}
        a += [2]
        a[0] -= 1
        b["n"] *= 5
        b |= {"m": 2}
        self.total = 1
        self.total += 2
        self.total <<= 1
        return [a, b, self.total]
        """,
        [[0, 2], {"n": 5, "m": 2}, 6],
    ),
    "deletion": (
        """
        a, b = list(range(6)), {"x": 1, "y": 2}
        a[1:3] = ["x"]
        del a[-1], b["x"]
        self.gone = 1
        del self.gone
        return [a, b, hasattr(self, "gone")]
        """,
        [[0, "x", 3, 4], {"y": 2}, False],
    ),
    "container_methods": (
        """
        d = {"a": 1}
        d.setdefault("b", []).append(2)
        d.update(c=3)
        e = [3, 1, 2]
        e.sort()
        e.extend([9])
        e.insert(0, 0)
        s = {1, 2} | {3}
        s.add(4)
        s.discard(1)
        return [d.pop("a"), d, d.get("z", 0), list(d.items()), e, e.index(9), sorted(s & {2, 3, 9}), sorted(s - {2})]
        """,
        [1, {"b": [2], "c": 3}, 0, [["b", [2]], ["c", 3]], [0, 1, 2, 3, 9], 4, [2, 3], [3, 4]],
    ),
    "operators_of_classes": (
        """
        a, b = Money("1.10"), Money("2.20")
        return [str(a + b), a == Money("1.10"), a < b, len({a, Money("1.10")}), a.label, b.doubled, Money.zero().label]
        """,
        ["3.30", True, True, 1, "money", "4.40", "money"],
    ),
    "containers_of_classes": (
        """
        full, empty = Basket(["a", "b"]), Basket([])
        return [len(full), [*full], "a" in full, full[0], full.of_kind(), Basket.kind, bool(empty), full("x")]
        """,
        [2, ["a", "b"], True, "a", "basket", "basket", False, "x2"],
    ),
    "properties": (
        """
        thermometer = Thermometer()
        thermometer.celsius = 100
        return [thermometer.fahrenheit, thermometer.celsius]
        """,
        [212.0, 100],
    ),
    "private_names": ("self._secret = 1\nself._bump()\nreturn [self._secret, _helper(2)]", [2, 4]),
    "decorators": ("return [shout('a'), square(4), square(4)]", ["A!", 16, 16]),
    "annotations": (
        """
        total: int = 0
        names: list[str] = ["a"]
        self.seen: dict[str, int] = {"a": 1}
        return [total, names, self.seen]
        """,
        [0, ["a"], {"a": 1}],
    ),
    "star_arguments": (
        """
        def f(a, /, b=1, *c, d, e=5, **g):
            return [a, b, c, d, e, g]
        return [f(0, d=4), f(*[1, 2, 3], **{"d": 4, "h": 6})]
        """,
        [[0, 1, [], 4, 5, {}], [1, 2, [3], 4, 5, {"h": 6}]],
    ),
    "globals_of_the_file": ("global COUNT\nCOUNT += 1\nreturn COUNT", 1),
    "asyncio": (
        """
        first, second = await asyncio.gather(asyncio.sleep(0.001, "a"), asyncio.sleep(0, "b"))
        done = asyncio.Event()
        task = asyncio.create_task(done.wait())
        done.set()
        await task
        return [first, second, task.done()]
        """,
        ["a", "b", True],
    ),
}

HEAD = """
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, wraps

COUNT = 0

def _helper(n):
    return n * 2

@dataclass
class Point:
    x: int
    y: int

class Opened:
    def __init__(self, steps, name):
        self.steps, self.name = steps, name
    def begin(self):
        self.steps.append("open " + self.name)
        return self.name
    def end(self, kind):
        self.steps.append("close " + self.name + (" ValueError" if kind is ValueError else ""))
    def __enter__(self):
        return self.begin()
    def __exit__(self, kind, error, traceback):
        self.end(kind)
    async def __aenter__(self):
        return self.begin()
    async def __aexit__(self, kind, error, traceback):
        self.end(kind)

class Labelled:
    label = "thing"

class Money(Labelled):
    label = "money"
    def __init__(self, amount):
        self.amount = Decimal(amount)
    def __add__(self, other):
        return Money(self.amount + other.amount)
    def __eq__(self, other):
        return isinstance(other, Money) and self.amount == other.amount
    def __lt__(self, other):
        return self.amount < other.amount
    def __hash__(self):
        return hash(self.amount)
    def __str__(self):
        return str(self.amount)
    @property
    def doubled(self):
        return str(self.amount * 2)
    @staticmethod
    def zero():
        return Money(0)

class Basket:
    kind = "basket"
    def __init__(self, items):
        self.items = items
    def __len__(self):
        return len(self.items)
    def __iter__(self):
        return iter(self.items)
    def __contains__(self, item):
        return item in self.items
    def __getitem__(self, index):
        return self.items[index]
    def __call__(self, text):
        return text + str(len(self))
    @classmethod
    def of_kind(cls):
        return cls.kind

class Thermometer:
    def __init__(self):
        self._celsius = 0
    @property
    def celsius(self):
        return self._celsius
    @celsius.setter
    def celsius(self, value):
        self._celsius = value
    @property
    def fahrenheit(self):
        return self._celsius * 9 / 5 + 32

def loud(function):
    @wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs) + "!"
    return inner

@loud
def shout(text):
    return text.upper()

@lru_cache
def square(n):
    return n * n
"""

test_the_language_is_the_same = each(
    Case(name=f"language_{name}", source=answering(body, HEAD), check=returns(expected))
    for name, (body, expected) in LANGUAGE.items()
)


_SPECIAL_HEAD = """
class Money:
    __match_args__ = ("cents",)
    made = []
    def __init__(self, cents):
        self.cents = cents
        self.__seen = 0
    def __init_subclass__(cls, tag="", **rest):
        super().__init_subclass__(**rest)
        Money.made.append([cls.__name__, tag])
    def __class_getitem__(cls, kind):
        return [cls.__name__, kind]
    def __matmul__(self, other):
        return self.cents * 10 + other
    __rmatmul__ = __lshift__ = __matmul__
    def __ipow__(self, other):
        return self.cents**other
    def __int__(self):
        self.__seen += 1
        return self.cents
    def __float__(self):
        return self.cents / 100
    def __round__(self, digits=None):
        return [self.cents, digits]
    def __format__(self, spec):
        return f"<{spec}>"
    def __reversed__(self):
        return iter([2, 1])
    def __invert__(self):
        return -self.cents
    def seen(self):
        return self.__seen, self._Money__seen
class Euro(Money, tag="eu"):
    pass
class Base(object):
    pass
nothing = object()
def powered(value):
    value **= 3
    return value
def matched(value):
    match value:
        case Money(cents):
            return cents
def counted():
    value = Money(7)
    return [int(value), "%d" % value, value.seen()]
"""
_SPECIAL = [
    ("[Money(2) @ 3, 3 @ Money(2), Money(2) << 1, powered(Money(2)), ~Money(4)]", [23, 23, 21, 8, -4]),
    ("[float(Money(150)), round(Money(5)), round(Money(5), 2), f'{Money(1):x}']", [1.5, [5, None], [5, 2], "<x>"]),
    (
        "[list(reversed(Money(1))), Money['a'], Money.made, matched(Money(9))]",
        [[2, 1], ["Money", "a"], [["Euro", "eu"]], 9],
    ),
    ("counted()", [7, "7", [1 + 1, 1 + 1]]),
    ("[sorted('bA', key=str.lower), list(map(str.strip, [' a '])), dict.get({1: 2}, 1)]", [["A", "b"], ["a"], 2]),
    ("[isinstance(Base(), object), nothing is nothing, nothing == object()]", [True, True, False]),
]

test_special_methods_and_methods_of_types_are_the_same = each(
    [
        Case(
            name="special_methods",
            source=evaluating([text for text, _ in _SPECIAL], head=_SPECIAL_HEAD),
            check=returns([value for _, value in _SPECIAL]),
        )
    ]
)
