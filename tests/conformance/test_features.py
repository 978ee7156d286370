"""The 39 language features that sandboxes are compared by, each in every tier.

`restricted` lacks two on purpose: ``except*`` mixes up types (Source: CVE-2025-22153), and a parser of XML is a bomb
with a library around it.
"""

from __future__ import annotations

import textwrap

from plataforma_sdk.sandbox import TIERS

from ._suite import Case, answering, each, returns

MISSING = {"restricted": {"exception_groups", "xml"}}

FEATURES = {
    "classes": """
        class A:
            def __init__(s):
                s.x = 1

            def m(s):
                return s.x
        assert A().m() == 1
    """,
    "inheritance": """
        class A:
            pass

        class B(A):

            @property
            def p(s):
                return 2
        assert B().p == 2 and isinstance(B(), A)
    """,
    "async_functions": """
        async def f():
            return 1

        async def g():
            return await f() + 1
        r = await g()
        assert r == 2
    """,
    "async_methods": """
        class M:

            async def onLoad(self):
                self.x = 1

            async def show(self):
                return self.x
        m = M()
        await m.onLoad()
        assert await m.show() == 1
    """,
    "gather": """
        import asyncio

        async def f(x):
            return x
        r = await asyncio.gather(f(1), f(2))
        assert list(r) == [1, 2]
    """,
    "generators": """
        def g():
            yield 1
            yield 2
        assert list(g()) == [1, 2]
    """,
    "dataclass": """
        import dataclasses

        @dataclasses.dataclass
        class P:
            x: int
            y: int = 2
        assert P(1).y == 2
    """,
    "json": """
        import json
        assert json.loads(json.dumps({'a': [1, 2.5, None]})) == {'a': [1, 2.5, None]}
    """,
    "regular_expressions": r"""
        import re
        assert re.sub('\\d+', 'N', 'a1b22') == 'aNbN'
    """,
    "match_statement": """
        def f(x):
            match x:
                case {'k': v}:
                    return v
                case [a, *b]:
                    return b
                case _:
                    return 0
        assert f({'k': 3}) == 3
    """,
    "with_statement": """
        class C:
            def __enter__(s):
                return 5

            def __exit__(s, *a):
                return True
        with C() as v:
            assert v == 5
    """,
    "try_finally": """
        x = []
        try:
            1 / 0
        except ZeroDivisionError as e:
            x.append(1)
        finally:
            x.append(2)
        assert x == [1, 2]
    """,
    "decorators_and_closures": """
        def d(f):
            def w(*a, **k):
                return f(*a, **k) + 1
            return w

        @d
        def f(x):
            return x
        assert f(1) == 2
    """,
    "f_strings": """
        assert f'{3.14159:.2f}' == '3.14'
    """,
    "walrus_in_comprehension": """
        assert [y for x in range(3) if (y := (x * 2))] == [2, 4]
    """,
    "set_and_dict_comprehensions": """
        assert {x: x for x in {1, 2}} == {1: 1, 2: 2}
    """,
    "collections": """
        import collections
        assert collections.Counter('aab')['a'] == 2
    """,
    "itertools": """
        import itertools
        assert list(itertools.chain([1], [2])) == [1, 2]
    """,
    "datetime": """
        import datetime
        assert datetime.datetime(2020, 1, 1).year == 2020
    """,
    "now": """
        import datetime
        datetime.datetime.now()
    """,
    "math": """
        import math
        assert math.sqrt(4) == 2
    """,
    "enum": """
        import enum

        class E(enum.Enum):
            A = 1
        assert E.A.value == 1
    """,
    "abc": """
        import abc

        class A(abc.ABC):

            @abc.abstractmethod
            def f(self):
                ...
    """,
    "getattr_method": """
        class A:
            def __getattr__(s, n):
                return n
        assert A().foo == 'foo'
    """,
    "operator_methods": """
        class V:
            def __init__(s, x):
                s.x = x

            def __add__(s, o):
                return V(s.x + o.x)
        assert (V(1) + V(2)).x == 3
    """,
    "hashlib": """
        import hashlib
        hashlib.sha256(b'x').hexdigest()
    """,
    "random": """
        import random
        random.random()
    """,
    "csv": """
        import csv
    """,
    "xml": """
        import xml.etree.ElementTree
    """,
    "decimal": """
        import decimal
        assert decimal.Decimal('1.1') + 1
    """,
    "typing_generics": """
        from typing import Generic, TypeVar
        T = TypeVar('T')

        class A(Generic[T]):
            pass
    """,
    "big_integers": """
        assert 2 ** 200 > 0
    """,
    "star_arguments": """
        def f(a, *b, c=1, **d):
            return (a, b, c, d)
        assert f(1, 2, 3, c=4, e=5) == (1, (2, 3), 4, {'e': 5})
    """,
    "outer_names": """
        x = 1

        def f():
            nonlocal x
            x = 2
        f()
        assert x == 2
    """,
    "super_calls": """
        class A:
            def f(s):
                return 1

        class B(A):
            def f(s):
                return super().f() + 1
        assert B().f() == 2
    """,
    "sort_by_lambda": """
        assert sorted([3, 1], key=lambda v: -v) == [3, 1]
    """,
    "exception_groups": """
        try:
            raise ExceptionGroup('x', [ValueError()])
        except* ValueError:
            pass
    """,
    "async_generators": """
        async def g():
            yield 1
        r = [x async for x in g()]
        assert r == [1]
    """,
    "struct": r"""
        import struct
        assert struct.pack('<I', 1) == b'\x01\x00\x00\x00'
    """,
}


def _tiers(name: str) -> tuple[str, ...]:
    return tuple(tier for tier in TIERS if name not in MISSING.get(tier, ()))


test_feature = each(
    Case(
        name=f"feature_{name}",
        source=answering(f"{textwrap.dedent(statements).rstrip()}\nreturn 'passed'\n", ""),
        check=returns("passed"),
        tiers=_tiers(name),
    )
    for name, statements in FEATURES.items()
)


def test_there_are_39():
    """As many as the peers were measured by."""
    assert len(FEATURES) == 39
