"""The policy: what it admits runs as Python does, what it refuses says where, why and what instead."""

# ruff: noqa: E501 - modules and expressions read best on one line

from __future__ import annotations

import pytest

from plataforma_sdk.errors import ModuleLoadError, PolicyError
from plataforma_sdk.sandbox.restricted import CompileCache, compile_source
from tests.unit.sandbox.restricted.restricted_kit import Runner

REFUSED = {
    "dunder attribute": ("x = ().__subclasses__", "dunder-attribute"),
    "dunder name": ("__builtins__", "reserved-name"),
    "engine prefix": ("p0_x = 1", "reserved-name"),
    "frame": ("x = g.gi_frame", "frame-attribute"),
    "eval": ("eval('1')", "forbidden-name"),
    "super alone": ("x = super", "super"),
    "return in finally": ("def f():\n    try:\n        pass\n    finally:\n        return 1", "finally"),
    "break in finally": ("while 1:\n    try:\n        pass\n    finally:\n        break", "finally"),
    "star import": ("from math import *", "import"),
    "metaclass": ("class A(metaclass=M):\n    pass", "class-keyword"),
    "class keywords by **": ("class A(**k):\n    pass", "class-keyword"),
    "special method": ("class A:\n    def __del__(self):\n        pass", "reserved-name"),
    "except star": ("try:\n    pass\nexcept* ValueError:\n    pass", "syntax"),
    "attributes of a builtin type in a pattern": ("match s:\n    case str(join=j):\n        pass", "pattern"),
    "size": ("x = " + "(" * 150 + "1" + ",)" * 150, None),
}


@pytest.mark.parametrize(("source", "rule"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_names_its_rule(source, rule):
    with pytest.raises(PolicyError) as caught:
        compile_source(source, "vendas.py")

    assert caught.value.file == "vendas.py"
    assert rule is None or caught.value.rule == rule


def test_what_is_not_python_names_its_line():
    with pytest.raises(ModuleLoadError, match=r"'vendas': vendas\.py, line 2: invalid syntax"):
        compile_source("x = 1\ndef (:", "vendas.py", module="vendas")


def test_every_fault_is_told_at_once_with_its_line():
    with pytest.raises(PolicyError) as caught:
        compile_source("x = a.__class__.b\ny = 1\neval('1')\nz = a.__dict__", "vendas.py", module="vendas")

    assert [fault.where for fault in caught.value.faults] == ["vendas.py:3", "vendas.py:4"]
    assert all(fault.advice for fault in caught.value.faults)
    assert (caught.value.line, caught.value.module) == (3, "vendas")


SAME = {
    "private names": ("class A:\n    def __init__(self):\n        self._x = 1\n    def _f(self):\n        return self._x\nr = A()._f()", 1),
    "private keyword": ("def f(*, _x):\n    return _x\nr = f(_x=2)", 2),
    "private by getattr": ("class A:\n    _x = 3\nr = getattr(A(), '_x'), hasattr(A, '_y')", (3, False)),
    "a forbidden name that is bound": ("input = 4\nr = input", 4),
    "nonlocal": ("def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n        return n\n    return g() + g()\nr = f()", 3),
    "attribute augmented once": (
        "log = []\nclass A:\n    n = 1\na = A()\ndef f():\n    log.append(1)\n    return a\nf().n += 5\nr = a.n, len(log)",
        (6, 1),
    ),
    "item augmented once": ("log = []\nd = {'k': 1}\ndef k():\n    log.append(1)\n    return 'k'\nd[k()] *= 7\nr = d, len(log)", ({"k": 7}, 1)),
    "list augmented in place": ("a = b = [1]\na += (2,)\na *= 2\nr = b", [1, 2, 1, 2]),
    "set augmented in place": ("a = b = {1, 2, 3}\na -= {1}\na |= {4}\na &= {2, 4}\nr = b", {2, 4}),
    "dict augmented in place": ("a = b = {1: 1}\na |= {2: 2}\na |= [(3, 3)]\nr = b", {1: 1, 2: 2, 3: 3}),
    "shadowed builtin": ("def f(len):\n    return len('abc')\nr = f(lambda x: 9)", 9),
    "while else": ("n = 0\nwhile n < 3:\n    n += 1\nelse:\n    n = 10\nr = n", 10),
    "for else break": ("for i in range(5):\n    if i == 2:\n        break\nelse:\n    i = 9\nr = i", 2),
    "chained comparison": ("r = 1 < 2 < 3, [1] == [1] == [2]", (True, False)),
    "walrus in a comprehension": ("r = [y for x in range(4) if (y := x * 2) > 2]", [4, 6]),
    "lambda in a comprehension's iterable": ("r = [f(1) for f in [lambda x, n=n: x + n for n in range(3)]]", [1, 2, 3]),
    "comprehension in a class body": ("class A:\n    x = [i * 2 for i in range(3)]\n    y = [1] + [2]\nr = A.x, A.y", ([0, 2, 4], [1, 2])),
    "outer name in the first iterable": ("i = 'a%s'\nr = [i for i in i % 5]", ["a", "5"]),
    "annotation only": ("x: int\ny: 'a' = 1\nr = y", 1),
    "type of": ("class A:\n    pass\nr = type(A()) is A, type(1) is int, A.__name__, A().__class__ is A", (True, True, "A", True)),
    "own special methods": ("class A:\n    def __len__(self):\n        return 3\nclass B(A):\n    def __len__(self):\n        return super().__len__() + 1\nr = B().__len__()", 4),
    "base init": ("class A:\n    def __init__(self, x):\n        self.x = x\nclass B(A):\n    def __init__(self):\n        A.__init__(self, 5)\nr = B().x", 5),
    "deletion": ("a = [1, 2, 3]\nd = {1: 1}\ndel a[0], d[1], a[-1:]\nr = a, d", ([2], {})),
    "slice assigned by augmentation": (
        "log = []\ndef t(x):\n    log.append(x)\n    return x\na = b = [1, 2, 3]\na[t(1):t(2)] += iter([t(9)])\na[:1] *= 2\nr = b, log",
        ([1, 1, 2, 9, 3], [1, 2, 9]),
    ),
    "slices in a class of the module": (
        "class A:\n    def __getitem__(self, k):\n        return k\n    def __setitem__(self, k, v):\n        self.got = k, v\na = A()\na[1:2] = 5\nr = a[1:2] == slice(1, 2), a[1:, 0] == (slice(1, None), 0), a.got == (slice(1, 2), 5)",
        (True, True, True),
    ),
    "a slice inside a key": ("d = {'b': 1}\ns = 'ab'\nd[s[1:]] += 1\nd[s[:1]] = 5\nr = d[s[1:]], d", (2, {"b": 2, "a": 5})),
    "target evaluated before the value": (
        "a = b = [1, 1]\ni = 0\ndef f():\n    global a, i\n    a, i = [0, 0], 1\n    return 5\na[i] += f()\nr = a, b",
        ([0, 0], [6, 1]),
    ),
    "stars inside targets": (
        "i, (a, *b), c = 1, range(3), 4\nr = [i, a, b, c]\nx = [d, *e] = 'abc'\nr += [x, d, e]\nfor i, (a, *b) in enumerate([(1, 2), 'xy']):\n    r.append((i, a, b))\nr.append([(i, a, b) for i, (a, *b) in [(0, 'pq')] if b])\ny = [0, 0, 0]\ny[1:], (z, *y[:1]) = 'k', 'lmn'\nr += [y, z]",
        [1, 0, [1, 2], 4, "abc", "a", ["b", "c"], (0, 1, [2]), (1, "x", ["y"]), [(0, "p", ["q"])], ["m", "n", "k"], "l"],
    ),
    "targets of with": (
        "class C:\n    def __init__(self, v):\n        self.v = v\n    def __enter__(self):\n        return self.v\n    def __exit__(self, *a):\n        pass\nwith C('abc') as (a, *b), C(b) as [c, d]:\n    r = a, b, c, d",
        ("a", ["b", "c"], "b", "c"),
    ),
    "products where nothing can be bound": (
        "class A:\n    x = sum(v * v for v in [1, 2])\n    def f(self, n=sum(v * v for v in [3])):\n        return n\nr = A.x, A().f(), [f(2) for f in [lambda v: sum(i * i for i in [v])]]",
        (5, 9, [4]),
    ),
    "a number times whatever": (
        "def g(b, xs):\n    a = 2\n    return (a + 1) * xs[0], 3 * b.upper(), a * xs\nr = g('x', [5])",
        (15, "XXX", [5, 5]),
    ),
    "a factor rebound by the other": (
        "def f():\n    global a\n    a = 10\n    return 3\na = 2\nr = a * f(), a * (a := 4), a",
        (6, 40, 4),
    ),
    "in-place operators": (
        "a = 2\na **= 3\na <<= 2\na //= 3\na %= 7\nt = '%d'\nt %= a\nr = a, t",
        (3, "3"),
    ),
    "a list grown by a class that adds itself": (
        "class A:\n    def __radd__(self, other):\n        return other + ['r']\n    def __iter__(self):\n        yield 'i'\na = [1]\na += A()\nr = a",
        [1, "r"],
    ),
    "mappings of any class unpacked": (
        "class A:\n    def keys(self):\n        return ['k']\n    def __getitem__(self, key):\n        return key * 2\ndef f(**k):\n    return k\nr = {**A()}, f(**A()), dict(A())",
        ({"k": "kk"}, {"k": "kk"}, {"k": "kk"}),
    ),
    "bound methods": ("u = 'a'.upper\nr = u(), list(map('x{}'.format, [1]))", ("A", ["x1"])),
}  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), SAME.values(), ids=SAME.keys())
def test_what_is_admitted_means_what_python_means(source, expected):
    assert Runner().run(source)["r"] == expected


def test_names_of_the_engine_cannot_be_written():
    """`_fuel_` is mangled like any private name, so the loop still burns."""
    namespace = Runner().run("_fuel_ = iter([])\n_meta_ = 5\nn = 0\nfor i in range(3):\n    n += 1")

    assert namespace["n"] == 3
    assert namespace["p0_meta_"] == 5


def test_one_text_is_compiled_once():
    cache = CompileCache()

    assert cache.compile("x = 1", "m.py") is cache.compile("x = 1", "m.py")
    assert cache.compile("x = 1", "m.py") is not cache.compile("x = 2", "m.py")
    assert cache.compile("x = 1", "m.py") is not cache.compile("x = 1", "n.py")
