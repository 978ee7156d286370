"""The language and the standard library that an author may count on in every tier."""

from __future__ import annotations

import datetime
import textwrap
from decimal import Decimal

from ._suite import Case, each, module, returns

LANGUAGE = {
    "comprehensions": (
        "return [[x * y for x in range(3) if x] for y in range(2)], {k: v for k, v in [('a', 1)]}, sorted({n % 2 for n in range(5)})",
        [[[0, 0], [1, 2]], {"a": 1}, [0, 1]],
    ),
    "walrus": ("return (n := 10) + n, [y for x in range(4) if (y := x * 2) > 2]", [20, [4, 6]]),
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
    "f_strings": (
        "n, t = 1234.5, 'x'\nreturn f'{n:,.2f}|{t!r}|{t:>4}|{n=}|{ {\"a\": 1}[\"a\"] }|{t * 2}'",
        "1,234.50|'x'|   x|n=1234.5|1|xx",
    ),
    "formatting": ("return '%s-%03d' % ('a', 7), '{:>5}|{}'.format('b', 1), ','.join(['a', 'b'])", ["a-007", "    b|1", "a,b"]),
    "unpacking": (
        "a, *b, c = range(5)\n(d, e), f = (1, 2), 3\nreturn a, b, c, d + e + f, [*b, *'xy'], {**{'k': 1}, 'l': 2}",
        [0, [1, 2, 3], 4, 6, [1, 2, 3, "x", "y"], {"k": 1, "l": 2}],
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
        return step(), step(5), [f(2) for f in [lambda x, n=n: x + n for n in range(3)]]
        """,
        [1, 6, [2, 3, 4]],
    ),
    "generators": (
        """
        def numbers(n):
            for i in range(n):
                got = yield i
            yield from "ab"
            return
        return list(numbers(2)), sum(x * x for x in range(4)), next(iter([7]))
        """,
        [[0, 1, "a", "b"], 14, 7],
    ),
    "async_generators": (
        """
        async def ticks(n):
            for i in range(n):
                await asyncio.sleep(0)
                yield i
        return [i async for i in ticks(3)], [await asyncio.sleep(0, n) for n in (1, 2)]
        """,
        [[0, 1, 2], [1, 2]],
    ),
    "context_managers": (
        """
        steps = []
        with Opened(steps, "a") as a, Opened(steps, "b"):
            steps.append(a)
        async with Opened(steps, "c"):
            steps.append("inside")
        return steps
        """,
        ["open a", "open b", "a", "close b", "close a", "open c", "inside", "close c"],
    ),
    "exceptions": (
        """
        steps = []
        for value in ("1", "x", None):
            try:
                steps.append(int(value))
            except (ValueError, TypeError) as error:
                steps.append(type(error).__name__)
            else:
                steps.append("fine")
            finally:
                steps.append("end")
        return steps
        """,
        [1, "fine", "end", "ValueError", "end", "TypeError", "end"],
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
        "a, b = [1], {'n': 1}\na += [2]\nb['n'] *= 5\nself.total = 1\nself.total += 2\nself.total <<= 1\na[0] -= 1\nreturn a, b, self.total",
        [[0, 2], {"n": 5}, 6],
    ),
    "slices": (
        "a = list(range(6))\na[1:3] = ['x']\ndel a[-1]\nreturn a, a[::-1], 'abcdef'[1:-1:2], a[:2]",
        [[0, "x", 3, 4], [4, 3, "x", 0], "bd", [0, "x"]],
    ),
    "conditions": ("x = 3\nreturn 1 < x <= 3, 'yes' if x else 'no', x and 0 or 'or', not x, x is None, 3 in (1, 3)", [True, "yes", "or", False, False, True]),
    "sorting": (
        "rows = [{'n': 'b', 't': 2}, {'n': 'a', 't': 2}, {'n': 'c', 't': 1}]\n"
        "return [r['n'] for r in sorted(rows, key=lambda r: (-r['t'], r['n']))], min(rows, key=lambda r: r['t'])['n'], sorted([3, 1], reverse=True)",
        [["a", "b", "c"], "c", [3, 1]],
    ),
    "builtins": (
        "return [any([0, 1]), all([]), sum([1, 2]), max(3, 4), abs(-1), round(2.567, 2), divmod(7, 3), list(zip('ab', (1, 2))), "
        "list(enumerate('a')), list(map(str, (1, 2))), list(filter(None, (0, 1))), list(reversed([1, 2])), len('abc'), ord('a'), chr(98), bool([]), "
        "int('ff', 16), hex(255), isinstance(1, (int, str)), repr('x'), pow(2, 5, 7)]",
        [True, True, 3, 4, 1, 2.57, [2, 1], [["a", 1], ["b", 2]], [[0, "a"]], ["1", "2"], [1], [2, 1], 3, 97, "b", False, 255, "0xff", True, "'x'", 4],
    ),
    "text_methods": (
        "s = ' Olá, Mundo '\nreturn [s.strip().lower().split(', '), s.replace('o', '0'), 'a-b'.partition('-'), 'x'.join('ab'), 'ab'.startswith('a'), "
        "'7'.zfill(3), 'título'.title(), 'a,b'.split(','), 'abc'.find('c'), 'x'.isdigit(), 'é'.encode(), b'\\xc3\\xa9'.decode(), 'ab'.center(4, '*')]",
        [["olá", "mundo"], " Olá, Mund0 ", ["a", "-", "b"], "axb", True, "007", "Título", ["a", "b"], 2, False, "é".encode(), "é", "*ab*"],
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
        return d, d.get("z", 0), d.pop("a"), list(d.items()), e, e.index(9), e.count(1), sorted(s & {2, 3, 9}), sorted(s - {2}), (1, 2).count(1)
        """,
        [{"b": [2], "c": 3}, 0, 1, [["b", [2]], ["c", 3]], [0, 1, 2, 3, 9], 4, 1, [2, 3], [3, 4], 1],
    ),
    "classes": (
        """
        a, b = Money("1.10"), Money("2.20")
        return [str(a + b), a == Money("1.10"), a < b, len(Basket([a, b])), [str(m) for m in Basket([a])], a in Basket([a]),
                Basket([a])[0].label, Basket.kind, b.doubled, Basket([]).of_kind(), bool(Basket([])), Basket([a])("x")]
        """,
        ["3.30", True, True, 2, ["1.10"], True, "money", "basket", "4.40", "basket", False, "x1"],
    ),
    "properties": (
        "t = Thermometer()\nt.celsius = 100\nreturn t.fahrenheit, t.celsius",
        [212.0, 100],
    ),
    "dataclasses": (
        """
        a = Line("x", 2)
        b = replace(a, amount=3)
        return [a == Line("x", 2), a.tags, b.amount, asdict(b), repr(a), [f.name for f in fields(a)]]
        """,
        [True, [], 3, {"item": "x", "amount": 3, "tags": []}, "Line(item='x', amount=2, tags=[])", ["item", "amount", "tags"]],
    ),
    "enums": (
        "return [Color.RED.value, Color('g').name, [c.name for c in Color], Color.RED is Color['RED'], Color.RED == Color.GREEN]",
        ["r", "GREEN", ["RED", "GREEN"], True, False],
    ),
    "private_names": (
        "self._secret = 1\nself._bump()\nreturn self._secret, _helper(2)",
        [2, 4],
    ),
    "decorators": ("return shout('a'), square(4), square(4)", ["A!", 16, 16]),
    "annotations": (
        "total: int = 0\nnames: list[str] = ['a']\nself.seen: dict[str, int] = {'a': 1}\nreturn typed(names, last=None), total, self.seen",
        ["a", 0, {"a": 1}],
    ),
    "star_arguments": (
        "def f(a, /, b=1, *c, d, e=5, **g):\n    return [a, b, c, d, e, g]\nreturn f(0, d=4), f(*[1, 2, 3], **{'d': 4, 'h': 6})",
        [[0, 1, [], 4, 5, {}], [1, 2, [3], 4, 5, {"h": 6}]],
    ),
    "globals_of_the_file": ("global COUNT\nCOUNT += 1\nreturn COUNT", 1),
    "big_numbers": ("return 2 ** 100, 7 // 2, -7 // 2, -7 % 3, 0.1 + 0.2, 1e3, 0xff, 1_000, 5 / 2", [2**100, 3, -4, 2, 0.1 + 0.2, 1e3, 255, 1000, 2.5]),
    "bytes": ("b = b'ab' + bytes([99])\nreturn b, b[0], b.hex(), bytes.fromhex('00ff'), list(b[:2])", [b"abc", 97, "616263", b"\x00\xff", [97, 98]]),
}

LIBRARY = {
    "json": ("import json", "return json.loads(json.dumps({'a': [1, None, 'é']})), json.dumps({'b': 1, 'a': 2}, sort_keys=True)", [{"a": [1, None, "é"]}, '{"a": 2, "b": 1}']),
    "math": ("import math", "return math.floor(2.7), math.sqrt(16), math.gcd(12, 18), round(math.pi, 4), math.isclose(0.1 + 0.2, 0.3), math.prod([2, 3])", [2, 4.0, 6, 3.1416, True, 6]),
    "datetime": (
        "from datetime import date, datetime, timedelta, timezone",
        "d = date(2024, 2, 28) + timedelta(days=2)\nt = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)\n"
        "return d, t.isoformat(), d.strftime('%d/%m/%Y'), (date(2024, 3, 1) - d).days, datetime.fromisoformat('2024-05-06T07:08:09').hour, d.weekday(), t.timestamp()",
        [datetime.date(2024, 3, 1), "2024-01-01T12:00:00+00:00", "01/03/2024", 0, 7, 4, 1704110400.0],
    ),
    "decimal": (
        "from decimal import ROUND_HALF_UP, Decimal, InvalidOperation",
        "try:\n    Decimal('x')\nexcept InvalidOperation:\n    pass\n"
        "return sum([Decimal('0.1')] * 3), Decimal('2.675').quantize(Decimal('0.01'), rounding=ROUND_HALF_UP), Decimal('1') / Decimal('8'), str(Decimal('1.10'))",
        [Decimal("0.3"), Decimal("2.68"), Decimal("0.125"), "1.10"],
    ),
    "collections": (
        "from collections import Counter, OrderedDict, defaultdict, deque, namedtuple",
        "d = defaultdict(list)\nd['a'].append(1)\nq = deque([1, 2, 3], maxlen=2)\nq.append(4)\nP = namedtuple('P', 'x y')\n"
        "return d, list(q), Counter('hello').most_common(1), P(1, y=2)._asdict(), list(OrderedDict(a=1)), P(1, 2).x",
        [{"a": [1]}, [3, 4], [["l", 2]], {"x": 1, "y": 2}, ["a"], 1],
    ),
    "itertools": (
        "import itertools",
        "groups = [(k, list(g)) for k, g in itertools.groupby('aab')]\n"
        "return groups, list(itertools.chain([1], [2])), list(itertools.islice(itertools.count(5), 2)), list(itertools.accumulate([1, 2, 3])), "
        "list(itertools.pairwise('abc')), list(itertools.product('a', '12')), list(itertools.combinations('abc', 2)), list(itertools.zip_longest([1], [2, 3]))",
        [[["a", ["a", "a"]], ["b", ["b"]]], [1, 2], [5, 6], [1, 3, 6], [["a", "b"], ["b", "c"]], [["a", "1"], ["a", "2"]], [["a", "b"], ["a", "c"], ["b", "c"]], [[1, 2], [None, 3]]],
    ),
    "functools": (
        "import functools",
        "add = functools.partial(lambda a, b: a + b, 1)\n@functools.lru_cache(maxsize=8)\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
        "return add(2), functools.reduce(lambda a, b: a * b, [1, 2, 3]), fib(20)",
        [3, 6, 6765],
    ),
    "re": (
        "import re",
        "m = re.match(r'(?P<year>\\d{4})-(\\d\\d)', '2024-05-06')\n"
        "return m.group('year'), m[2], re.findall(r'\\w+', 'a bc'), re.sub(r'\\s+', ' ', 'a   b'), re.split(r'[,;]', 'a,b;c'), re.compile('^x', re.IGNORECASE).match('Xy') is not None, re.search('z', 'a')",
        ["2024", "05", ["a", "bc"], "a b", ["a", "b", "c"], True, None],
    ),
    "enum": ("from enum import Enum, IntEnum, StrEnum, auto", "class A(IntEnum):\n    X = auto()\n    Y = auto()\nreturn list(A), A.Y > A.X", [[1, 2], True]),
    "typing": (
        "from typing import Any, Callable, Generic, Literal, Optional, Protocol, TypedDict, TypeVar, Union",
        "value: Optional[int] = None\nother: Union[str, Literal['a']] = 'a'\nreturn value, other",
        [None, "a"],
    ),
    "asyncio": (
        "",
        "first, second = await asyncio.gather(asyncio.sleep(0.001, 'a'), asyncio.sleep(0, 'b'))\n"
        "done = asyncio.Event()\ntask = asyncio.create_task(done.wait())\ndone.set()\nawait task\nreturn first, second, task.done()",
        ["a", "b", True],
    ),
    "random": ("import random", "r = random.random()\nreturn 0 <= r < 1, random.choice([1]), sorted(random.sample(range(3), 3))", [True, 1, [0, 1, 2]]),
}

HEAD = '''
from dataclasses import asdict, dataclass, field, fields, replace
from decimal import Decimal
from enum import Enum
from functools import lru_cache, wraps

COUNT = 0

def _helper(n):
    return n * 2

@dataclass
class Point:
    x: int
    y: int

@dataclass
class Line:
    item: str
    amount: int = 1
    tags: list[str] = field(default_factory=list)

class Color(Enum):
    RED = "r"
    GREEN = "g"

class Opened:
    def __init__(self, steps, name):
        self.steps, self.name = steps, name
    def __enter__(self):
        self.steps.append("open " + self.name)
        return self.name
    def __exit__(self, *error):
        self.steps.append("close " + self.name)
    async def __aenter__(self):
        return self.__enter__()
    async def __aexit__(self, *error):
        self.__exit__(*error)

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

def typed(names: list[str], *, last: str | None) -> str:
    return last or names[0]
'''


def source(body, head):
    text = textwrap.dedent(body).strip("\n")
    private = "\n\ndef _bump(self):\n    self._secret += 1\n"
    return module(f"async def probe(self):\n{textwrap.indent(text, '    ')}{private}", head=head)


test_the_language_is_the_same = each(
    Case(name=f"language_{name}", source=source(body, HEAD), check=returns(expected))
    for name, (body, expected) in LANGUAGE.items()
)

test_the_library_is_the_same = each(
    Case(name=f"library_{name}", source=source(body, head), check=returns(expected))
    for name, (head, body, expected) in LIBRARY.items()
)
