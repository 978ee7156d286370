"""The standard library that an author may count on in every tier."""

from __future__ import annotations

import datetime
import zoneinfo
from decimal import Decimal

import pytest

from ._suite import Case, case, each, evaluating, module, returns

LIBRARY = {
    "json": (
        "import json",
        [
            ("json.loads(json.dumps({'a': [1, None, 'é']}))", {"a": [1, None, "é"]}),
            ("json.dumps({'b': 1, 'a': 2}, sort_keys=True)", '{"a": 2, "b": 1}'),
        ],
    ),
    "math": (
        "import math",
        [
            ("[math.floor(2.7), math.ceil(2.1), math.sqrt(16), math.gcd(12, 18)]", [2, 3, 4.0, 6]),
            ("[round(math.pi, 4), math.isclose(0.1 + 0.2, 0.3), math.prod([2, 3])]", [3.1416, True, 6]),
        ],
    ),
    "datetime": (
        "from datetime import date, datetime, timedelta, timezone",
        [
            ("date(2024, 2, 28) + timedelta(days=2)", datetime.date(2024, 3, 1)),
            ("datetime(2024, 1, 1, 12, tzinfo=timezone.utc).isoformat()", "2024-01-01T12:00:00+00:00"),
            ("[date(2024, 3, 1).strftime('%d/%m/%Y'), date(2024, 3, 1).weekday()]", ["01/03/2024", 4]),
            ("(date(2024, 3, 1) - date(2024, 2, 1)).days", 29),
            ("datetime.fromisoformat('2024-05-06T07:08:09').hour", 7),
            ("datetime(2024, 1, 1, 12, tzinfo=timezone.utc).timestamp()", 1704110400.0),
        ],
    ),
    "decimal": (
        "from decimal import ROUND_HALF_UP, Decimal",
        [
            ("sum([Decimal('0.1')] * 3)", Decimal("0.3")),
            ("Decimal('2.675').quantize(Decimal('0.01'), rounding=ROUND_HALF_UP)", Decimal("2.68")),
            ("[Decimal(1) / Decimal(8), str(Decimal('1.10')), Decimal('2') > 1]", [Decimal("0.125"), "1.10", True]),
        ],
    ),
    "collections": (
        "from collections import Counter, OrderedDict, defaultdict, deque, namedtuple\nP = namedtuple('P', 'x y')",
        [
            ("Counter('hello').most_common(1)", [["l", 2]]),
            ("list(deque([1, 2, 3], maxlen=2))", [2, 3]),
            ("[P(1, y=2)._asdict(), P(1, 2).x, P(3, 4)[1]]", [{"x": 1, "y": 2}, 1, 4]),
            ("[list(OrderedDict(a=1)), defaultdict(list)['a']]", [["a"], []]),
        ],
    ),
    "itertools": (
        "import itertools",
        [
            ("[(k, list(g)) for k, g in itertools.groupby('aab')]", [["a", ["a", "a"]], ["b", ["b"]]]),
            ("list(itertools.chain([1], [2], itertools.repeat(3, 2)))", [1, 2, 3, 3]),
            ("list(itertools.islice(itertools.count(5), 2))", [5, 6]),
            ("list(itertools.accumulate([1, 2, 3]))", [1, 3, 6]),
            ("list(itertools.pairwise('abc'))", [["a", "b"], ["b", "c"]]),
            ("list(itertools.product('a', '12'))", [["a", "1"], ["a", "2"]]),
            ("list(itertools.combinations('abc', 2))", [["a", "b"], ["a", "c"], ["b", "c"]]),
            ("list(itertools.zip_longest([1], [2, 3]))", [[1, 2], [None, 3]]),
        ],
    ),
    "functools": (
        (
            "import functools\n@functools.lru_cache(maxsize=8)\ndef fib(n):\n"
            "    return n if n < 2 else fib(n - 1) + fib(n - 2)"
        ),
        [
            ("functools.partial(lambda a, b: a + b, 1)(2)", 3),
            ("functools.reduce(lambda a, b: a * b, [1, 2, 3])", 6),
            ("fib(20)", 6765),
        ],
    ),
    "re": (
        "import re\nfound = re.match(r'(?P<year>\\d{4})-(\\d\\d)', '2024-05-06')",
        [
            ("[found.group('year'), found[2], found.span()]", ["2024", "05", [0, 7]]),
            ("[re.findall(r'\\w+', 'a bc'), re.sub(r'\\s+', ' ', 'a   b')]", [["a", "bc"], "a b"]),
            ("[re.split(r'[,;]', 'a,b;c'), re.search('z', 'a')]", [["a", "b", "c"], None]),
            ("re.compile('^x', re.IGNORECASE).match('Xy') is not None", True),
        ],
    ),
    "enum": (
        (
            "from enum import Enum, IntEnum, StrEnum, auto\nclass A(IntEnum):\n    X = auto()\n    Y = auto()\n"
            "class Color(Enum):\n    RED = 'r'\n    GREEN = 'g'"
        ),
        [
            ("[list(A), A.Y > A.X, A.X == 1]", [[1, 2], True, True]),
            ("[Color.RED.value, Color('g').name, [c.name for c in Color]]", ["r", "GREEN", ["RED", "GREEN"]]),
            ("[Color.RED is Color['RED'], Color.RED == Color.GREEN]", [True, False]),
        ],
    ),
    "dataclasses": (
        (
            "from dataclasses import asdict, dataclass, field, fields, replace\n@dataclass\nclass Line:\n"
            "    item: str\n    amount: int = 1\n    tags: list[str] = field(default_factory=list)\na = Line('x', 2)"
        ),
        [
            ("[a == Line('x', 2), a.tags, replace(a, amount=3).amount]", [True, [], 3]),
            ("asdict(a)", {"item": "x", "amount": 2, "tags": []}),
            (
                "[repr(a), [f.name for f in fields(a)]]",
                ["Line(item='x', amount=2, tags=[])", ["item", "amount", "tags"]],
            ),
        ],
    ),
    "typing": (
        (
            "from typing import Any, Callable, Generic, Literal, Optional, Protocol, TypedDict, TypeVar, Union\n"
            "value: Optional[int] = None\n"
            "def typed(names: list[str], *, last: Union[str, None]) -> Literal['a', 'b']:\n    return last or names[0]"
        ),
        [("[value, typed(['a'], last=None)]", [None, "a"])],
    ),
    "random": (
        "import random",
        [
            ("0 <= random.random() < 1", True),
            ("[random.choice([1]), sorted(random.sample(range(3), 3)), random.randint(2, 2)]", [1, [0, 1, 2], 2]),
        ],
    ),
}

test_the_library_is_the_same = each(
    Case(
        name=f"library_{name}",
        source=evaluating([text for text, _ in pairs], head=head),
        check=returns([value for _, value in pairs]),
    )
    for name, (head, pairs) in LIBRARY.items()
)


@case(
    module(
        """
        def probe(self):
            totals = defaultdict(Decimal)
            for name, amount in [("a", "1.10"), ("b", "2"), ("a", "0.90")]:
                totals[name] += Decimal(amount)
            latest = deque(maxlen=2)
            for n in range(4):
                latest.append(n)
            try:
                Decimal("x")
            except InvalidOperation:
                latest.appendleft("refused")
            return [totals, list(latest), Counter(a=2) + Counter(a=1)]
        """,
        head="from collections import Counter, defaultdict, deque\nfrom decimal import Decimal, InvalidOperation",
    )
)
async def test_containers_of_the_library_change_as_usual(host, handle):
    assert await handle.call("probe") == [{"a": Decimal("2.00"), "b": Decimal(2)}, ["refused", 2], {"a": 3}]


ZONES = [
    ("datetime(2024, 7, 1, 12, tzinfo=NY).astimezone(SP).isoformat()", "2024-07-01T13:00:00-03:00"),
    (
        "[str(datetime(2024, 11, 3, 1, 30, tzinfo=NY, fold=fold).utcoffset()) for fold in (0, 1)]",
        ["-1 day, 20:00:00", "-1 day, 19:00:00"],
    ),
    ("(datetime(2024, 3, 9, 12, tzinfo=NY) + timedelta(days=1)).isoformat()", "2024-03-10T12:00:00-04:00"),
    ("datetime(2024, 1, 1, 9, tzinfo=NY) == datetime(2024, 1, 1, 11, tzinfo=SP)", True),
    ("str(datetime(2024, 3, 10, 12, tzinfo=NY) - datetime(2024, 3, 9, 12, tzinfo=SP))", "1 day, 1:00:00"),
    (
        "[SP.key, str(NY), repr(SP)]",
        ["America/Sao_Paulo", "America/New_York", "zoneinfo.ZoneInfo(key='America/Sao_Paulo')"],
    ),
    ("[SP is ZoneInfo('America/Sao_Paulo'), isinstance(NY, ZoneInfo), 'UTC' in available_timezones()]", [True] * 3),
    ("missing('Mars/Olympus')", "'No time zone found with key Mars/Olympus'"),
    (
        "datetime(2024, 7, 1, 12, tzinfo=NY)",
        datetime.datetime(2024, 7, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=-4))),
    ),
]
_ZONES_HEAD = """
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones
SP, NY = ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/New_York")
def missing(key):
    try:
        ZoneInfo(key)
    except ZoneInfoNotFoundError as error:
        return str(error)
"""

test_time_zones_are_the_same_where_there_is_a_database = pytest.mark.skipif(
    not zoneinfo.available_timezones(), reason="this host has no database of time zones"
)(
    each(
        [
            Case(
                name="time_zones",
                source=evaluating([text for text, _ in ZONES], head=_ZONES_HEAD),
                check=returns([value for _, value in ZONES]),
                tiers=("trusted", "restricted"),  # the guest of the wasm tier has no files, and no package tzdata
            )
        ]
    )
)
