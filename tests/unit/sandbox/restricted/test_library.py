"""The vetted library: it answers as the original does, and hands out nothing of the host's."""

# ruff: noqa: E501 - modules and expressions read best on one line

from __future__ import annotations

import pytest

from plataforma_sdk.sandbox.restricted._fuel import LimitReached
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta
from plataforma_sdk.sandbox.restricted._vetted import LIBRARIES
from tests.unit.sandbox.restricted.restricted_kit import Runner

SAME = {
    "json": "json.loads(json.dumps({'a': [1, None, 'é', 2.5]})), json.dumps({'b': 1, 'a': 2}, sort_keys=True, indent=2)",
    "math": "math.floor(2.7), math.sqrt(16), math.gcd(12, 18), math.factorial(20), math.prod([2, 3]), math.comb(5, 2), math.isclose(1, 1)",
    "itertools": """list(itertools.chain([1], 'a')), list(itertools.islice(itertools.count(5), 2, 8, 3)), list(itertools.accumulate([1, 2, 3])),
        list(itertools.product('ab', repeat=2)), list(itertools.permutations('abc', 2)), list(itertools.combinations('abcd', 2)),
        [(k, list(g)) for k, g in itertools.groupby('aab')], list(itertools.zip_longest('a', 'bc')), list(itertools.pairwise('abc')),
        list(itertools.takewhile(str.isalpha, 'a1b')) if False else 0, list(itertools.repeat(1, 2)), list(itertools.starmap(pow, [(2, 3)]))""",
    "functools": "functools.reduce(lambda a, b: a * b, [1, 2, 3]), functools.partial(lambda a, b=1: a - b, 5)(b=2)",
    "statistics": "statistics.mean([1, 2, 3, 4]), statistics.median([3, 1, 2]), statistics.mode('aab'), statistics.pvariance([1, 2, 3])",
    "string": "string.ascii_lowercase, string.digits, string.capwords('a b')",
    "textwrap": "textwrap.shorten('hello big world', 12), textwrap.dedent('  a\\n  b'), textwrap.indent('a\\nb', '- '), textwrap.wrap('aa bb cc', 5)",
    "base64": "base64.b64encode(b'ab'), base64.urlsafe_b64decode(b'YWI='), base64.b16encode(b'a')",
    "hashlib": "hashlib.sha256(b'x').hexdigest(), hashlib.md5(b'a').digest()",
    "struct": "struct.pack('<I', 1), struct.unpack('>H', b'\\x01\\x02'), struct.calcsize('<IH')",
    "re": "re.findall(r'\\w+', 'a bc'), re.sub(r'\\s+', ' ', 'a   b'), re.split('[,;]', 'a,b;c'), re.match('(?P<y>\\\\d+)', '12a').group('y'), re.escape('a.b'), re.search('z', 'a')",
    "datetime": "str(datetime.date(2024, 2, 28) + datetime.timedelta(days=2)), datetime.datetime(2024, 1, 2, 3).isoformat(), datetime.date(2024, 1, 1).strftime('%d/%m')",
    "decimal": "str(decimal.Decimal('0.1') * 3), str(decimal.Decimal('2.675').quantize(decimal.Decimal('0.01'), rounding=decimal.ROUND_HALF_UP))",
    "collections": "dict(collections.Counter('aab')), list(collections.deque([1, 2, 3], 2)), collections.Counter('aab').most_common(1)",
    "operator": "operator.itemgetter(1)([1, 2]), operator.itemgetter(0, 1)('ab'), operator.add(1, 2)",
    "bisect": "bisect.bisect_left([1, 2, 2, 3], 2), bisect.bisect([1, 2, 2, 3], 2)",
    "heapq": "heapq.nlargest(2, [3, 1, 2]), heapq.nsmallest(1, [3, 1, 2])",
    "copy": "copy.deepcopy({'a': [1, (2, {3})]}), copy.copy([1])",
}  # fmt: skip


@pytest.mark.parametrize(("name", "expression"), SAME.items(), ids=SAME.keys())
def test_a_vetted_module_answers_as_the_original(runner, name, expression):
    plain = {}
    exec(f"import {name}\nresult = ({expression})", plain)

    assert runner.run(f"import {name}\nresult = ({expression})")["result"] == plain["result"]


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_vetted_module_is_a_sealed_namespace(runner, name):
    module = runner.run(f"import {name}")[name.partition(".")[0]]

    assert isinstance(type(module), SealedMeta)
    with pytest.raises(AttributeError):
        module.anything = 1


def test_what_is_not_vetted_says_what_there_is(runner):
    with pytest.raises(ImportError, match="'os' is not available in the restricted tier; there are: abc"):
        runner.run("import os")


LAZY = {
    "islice takes no more than it gives": "it = iter(range(10))\nr = list(itertools.islice(it, 3)), next(it), list(itertools.islice(it, 1, 4, 2)), next(it), list(itertools.islice(it, 0)), next(it)",
    "islice refuses at once": "r = []\nfor bounds in ((-1,), (0, -1), (0, 1, 0), ('a',), (0, 1, 2, 3), ()):\n    try:\n        itertools.islice([1], *bounds)\n    except (ValueError, TypeError) as error:\n        r.append((type(error).__name__, str(error)))",
    "islice without an end": "r = list(itertools.islice([1, 2, 3], None)), list(itertools.islice([1, 2, 3], 1, None)), list(itertools.islice('abcdef', None, None, 2))",
    "zip_longest of what has no end": "r = [row for row, _ in zip(itertools.zip_longest('ab', itertools.count()), range(4))], list(itertools.zip_longest()), list(itertools.zip_longest([], [])), list(itertools.zip_longest('a', 'bcd', fillvalue=0))",
    "zip_longest refuses at once": "try:\n    itertools.zip_longest(5)\nexcept TypeError as error:\n    r = str(error)",
    "zip_longest of one iterator twice": "it = iter('abcde')\nr = list(itertools.zip_longest(it, it, fillvalue='-'))",
    "tee is lazy and shares": "it = iter(range(5))\na, b = itertools.tee(it)\nr = next(a), next(a), next(b), list(a), next(b), list(it), list(b), itertools.tee([], 0)",
    "map ends where its function does": "rows = [iter('abc'), iter('de')]\nr = list(map(next, rows)), list(map(next, [iter(''), iter('a')])), list(map(lambda a, b: next(a), [iter('x'), iter('')], 'ab'))",
    "operator": "import operator\nr = operator.le(1, 1), operator.ge(1, 2), operator.is_(None, None), operator.is_not(1, None), operator.truth([]), operator.floordiv(7, 2), operator.mod(7, 4), operator.and_(6, 3), operator.or_(6, 3), operator.xor(6, 3), operator.getitem('ab', 1), operator.index(True), operator.pos(-1), operator.invert(5), operator.pow(2, 5), operator.lshift(1, 3), operator.rshift(9, 1)",
    "combinations with replacement": "r = [list(itertools.combinations_with_replacement(pool, size)) for pool in ('', 'abc') for size in (0, 1, 2, 3)]",
    "operator in place": "import operator\nx = [1, 2, 3]\noperator.setitem(x, 0, 9)\noperator.delitem(x, 1)\nr = x",
    "abstract classes": "import collections.abc\nfrom collections.abc import Iterable, Mapping, Sequence, Callable, Hashable\nclass C:\n    def __iter__(self):\n        return iter(())\nr = [[isinstance(v, k) for k in (Iterable, Mapping, Sequence, Callable, Hashable)] for v in ([], {}, 'a', 1, C(), C, len, iter(()), {1}, None)], isinstance(1, (Mapping, int)), issubclass(C, Iterable), isinstance({}.keys(), collections.abc.KeysView)",
    "abstract classes as bases": "from collections.abc import Iterable, Iterator\nclass C(Iterable[int]):\n    def __iter__(self):\n        return iter([1])\nclass D(Iterator):\n    def __next__(self):\n        raise StopIteration\nr = list(C()), isinstance(C(), Iterable), C.__name__",
}  # fmt: skip


@pytest.mark.parametrize("source", LAZY.values(), ids=LAZY.keys())
def test_what_is_lazy_takes_and_gives_what_python_does(runner, source):
    plain = {}
    exec(f"import itertools\n{source}", plain)

    assert runner.run(f"import itertools\n{source}")["r"] == plain["r"]


def test_an_abstract_class_makes_nothing(runner):
    with pytest.raises(TypeError, match="abstract classes make no objects"):
        runner.run("from typing import Iterable\nIterable()")


def test_asking_an_abstract_class_for_ever_new_classes_burns_fuel_in_proportion(runner):
    """Source: own finding; CPython asks every subclass of the abstract class for each class that it has not seen."""
    done = []
    source = "from typing import Iterable\nwhile True:\n    class C:\n        pass\n    done.append(isinstance(C(), Iterable))"
    with pytest.raises(LimitReached):
        runner.run(source, fuel=100_000, done=done)

    assert len(done) < 6_000


RECORDS = """
from dataclasses import dataclass, field, asdict, replace, fields
@dataclass
class A:
    x: int
    y: list = field(default_factory=list)
@dataclass(frozen=True, order=True)
class B:
    n: int
    _p: int = 2
"""


def test_records(runner):
    source = f"{RECORDS}r = [A(1) == A(1), A(1) == A(2), repr(A(1)), asdict(A(1, [A(2)])), replace(A(1), x=5).x, B(1) < B(2), hash(B(1)) == hash(B(1)), repr(B(1)), [f.name for f in fields(A)]]"

    assert runner.run(source)["r"] == [
        True, False, "A(x=1, y=[])", {"x": 1, "y": [{"x": 2, "y": []}]}, 5, True, True, "B(n=1, _p=2)", ["x", "y"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("use", "error"),
    [("B(1).n = 2", AttributeError), ("A()", TypeError), ("A(1, z=2)", TypeError), ("hash(A(1))", TypeError)],
)
def test_records_refuse_what_dataclasses_refuse(runner, use, error):
    with pytest.raises(error):
        runner.run(f"{RECORDS}{use}")


def test_enums(runner):
    source = """
    from enum import Enum, IntEnum, StrEnum, auto
    class C(Enum):
        RED = 'r'
        GREEN = 'g'
    class N(IntEnum):
        ONE = auto()
        TWO = auto()
    class S(StrEnum):
        AB = auto()
    r = [C('r') is C.RED, C['RED'].name, [c.value for c in C], len(C), C.RED == C.GREEN, N.TWO > N.ONE, N.ONE + 1,
         S.AB == 'ab', f'{S.AB}', S.AB.upper(), isinstance(C.RED, C), {C.RED: 1}[C.RED], str(C.RED)]
    """

    assert runner.run(source)["r"] == [True, "RED", ["r", "g"], 2, False, True, 2, True, "ab", "AB", True, 1, "C.RED"]


def test_named_tuples(runner):
    source = """
    from collections import namedtuple
    P = namedtuple('P', 'x y')
    a, b = P(1, y=2)
    r = [a, b, P(1, 2).x, P(1, 2) == (1, 2), P(1, 2)._asdict(), P(1, 2)._replace(x=3)[0], repr(P(1, 2)), len(P(1, 2))]
    """

    assert runner.run(source)["r"] == [1, 2, 1, True, {"x": 1, "y": 2}, 3, "P(x=1, y=2)", 2]


def test_random_numbers_repeat_with_a_seed():
    def draw():
        runner = Runner()
        runner.sandbox.seed = 7
        return runner.run("import random\nr = [random.random(), random.randint(1, 99), random.choice('abc')]")["r"]

    assert draw() == draw()


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 40 + "b"), ("(a|aa)+$", "a" * 60 + "b"), (".*.*.*.*x", "a" * 10_000),
        ("a?" * 30 + "a" * 30, "a" * 30), ("(a{0,60}){0,60}b", "a" * 99), ("(?=(a+)+b)x", "a"),
    ],
)  # fmt: skip
def test_a_pattern_without_a_bound_is_refused(runner, pattern, text):
    with pytest.raises(ValueError, match=r"restricted tier|steps"):
        runner.run(f"import re\nre.search({pattern!r}, {text!r})")
