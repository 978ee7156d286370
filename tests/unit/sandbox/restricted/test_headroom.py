"""A host function has the stack to itself, however deep the module stands; and recursion ends typed."""

# ruff: noqa: E501 - modules read best on one line

from __future__ import annotations

import gc
import json

import pytest

from plataforma_sdk.errors import ResourceLimitError
from plataforma_sdk.module import FakeBridge
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.restricted._crossing import Crossing
from plataforma_sdk.sandbox.restricted._fuel import Account, LimitReached
from plataforma_sdk.sandbox.restricted._gates import Gates
from plataforma_sdk.sandbox.restricted._host_module import host_function
from plataforma_sdk.sandbox.restricted._sealed import namespace
from tests.unit.sandbox.restricted.restricted_kit import Runner


class Host:
    """A host whose function needs a hundred frames and sixty calls in C, as the codec does with deep values."""

    def __init__(self):
        self.calls = 0
        self.torn = []

    def deep(self):
        self.calls += 1
        try:
            self._dig(100)
            nested = []
            for _ in range(60):
                nested = [nested]
            json.dumps(nested)
        except RecursionError as error:
            self.torn.append(error)
            raise

    def _dig(self, depth):
        return depth and self._dig(depth - 1)


DEEP = {
    "functions": "def f():\n    api.deep()\n    f()\nf()",
    "caught": "def f():\n    try:\n        f()\n    except Exception:\n        pass\n    api.deep()\nf()",
    "finally": "def f():\n    try:\n        f()\n    finally:\n        api.deep()\nf()",
    "lambda": "f = lambda: [api.deep(), f()]\nf()",
    "methods": "class A:\n    def m(self):\n        api.deep()\n        return B().m()\nclass B(A):\n    def m(self):\n        return super().m()\nB().m()",
    "generators": "def g():\n    api.deep()\n    yield from g()\nlist(g())",
    "comprehensions": "def g(n):\n    api.deep()\n    return [x for x in g(n + 1)]\ng(0)",
    "sort key": "def f(x):\n    api.deep()\n    return sorted([1], key=f)\nf(1)",
    "map": "def f(x):\n    api.deep()\n    return list(map(f, [1]))\nf(1)",
    "max": "def f(x):\n    api.deep()\n    return max([1, 2], key=f)\nf(1)",
    "reduce": "import functools\ndef f(x, y=0):\n    api.deep()\n    return functools.reduce(f, [1, 2])\nf(1)",
    "comparator": "import functools\ndef c(a, b):\n    api.deep()\n    return sorted([1, 2], key=functools.cmp_to_key(c))\nsorted([1, 2], key=functools.cmp_to_key(c))",
    "__eq__": "class A:\n    def __eq__(self, other):\n        api.deep()\n        return a == b\na = A()\nb = A()\na == b",
    "__eq__ in lists": "class A:\n    def __eq__(self, other):\n        api.deep()\n        return x == y\nx = A()\ny = A()\nfor i in range(90):\n    x = [x]\n    y = [y]\nx == y",
    "__eq__ in deep lists": "class A:\n    def __eq__(self, other):\n        api.deep()\n        return x == y\nx = A()\ny = A()\nfor i in range(300):\n    x = [x]\n    y = [y]\nx == y",
    "__eq__ in tuples": "class A:\n    def __eq__(self, other):\n        api.deep()\n        return x == y\nx = A()\ny = A()\nfor i in range(90):\n    x = (x,)\n    y = (y,)\nx == y",
    "__lt__": "class A:\n    def __lt__(self, other):\n        api.deep()\n        return sorted([A(), A()])\nsorted([A(), A()])",
    "__repr__": "class A:\n    def __repr__(self):\n        api.deep()\n        return repr(self)\nrepr(A())",
    "__str__": "class A:\n    def __str__(self):\n        api.deep()\n        return f'{self}'\nstr(A())",
    "__hash__": "class A:\n    def __hash__(self):\n        api.deep()\n        return hash((self,))\nhash(A())",
    "__iter__": "class A:\n    def __iter__(self):\n        api.deep()\n        return iter(list(self))\nlist(A())",
    "__next__": "class A:\n    def __iter__(self):\n        return self\n    def __next__(self):\n        api.deep()\n        return list(zip(self))\nlist(zip(A()))",
    "__getattr__": "class A:\n    def __getattr__(self, name):\n        api.deep()\n        return self.zz\nA().zz",
    "__getitem__": "class A:\n    def __getitem__(self, key):\n        api.deep()\n        return self[key]\nA()[1]",
    "__contains__": "class A:\n    def __contains__(self, item):\n        api.deep()\n        return item in self\n1 in A()",
    "__call__": "class A:\n    def __call__(self):\n        api.deep()\n        return self()\nA()()",
    "__radd__": "class A:\n    def __radd__(self, other):\n        api.deep()\n        return sum([self])\nsum([A()])",
    "__bool__": "class A:\n    def __bool__(self):\n        api.deep()\n        return not self\nnot A()",
    "__enter__": "class A:\n    def __enter__(self):\n        api.deep()\n        with self:\n            pass\n    def __exit__(self, *_):\n        pass\nwith A():\n    pass",
    "property": "class A:\n    @property\n    def p(self):\n        api.deep()\n        return self.p\nA().p",
    "setter": "class A:\n    @property\n    def p(self):\n        return 1\n    @p.setter\n    def p(self, value):\n        api.deep()\n        self.p = value\nA().p = 1",
    "pattern": "class A:\n    @property\n    def p(self):\n        api.deep()\n        match self:\n            case A(p=1):\n                pass\nA().p",
    "defaultdict": "import collections\nd = collections.defaultdict(lambda: [api.deep(), d[len(d)]])\nd[0]",
    "decorator": "def d(f):\n    api.deep()\n    @d\n    def g():\n        pass\n    return g\n@d\ndef h():\n    pass",
    "substitution": "import re\ndef r(m):\n    api.deep()\n    return re.sub('a', r, 'a')\nre.sub('a', r, 'a')",
    "callback": "def f(x):\n    api.deep()\n    return api.back(f)\nf(1)",
}  # fmt: skip


def run_deep(source, host):
    """Run a module on a stack as deep as it likes, with `host` behind its api."""
    runner = Runner()
    sandbox = runner.sandbox
    crossing = Crossing(
        sandbox.meter.charge,
        sandbox.iterables.bounded,
        lambda function: host_function(function, crossing),
        sandbox.meter.alloc,
    )
    gates = Gates(sandbox.meter, crossing)
    api = namespace("Api", {"deep": gates.now(host.deep), "back": gates.now(lambda function: function(1))})
    outer = runner.meter.enter(Account(10**6, 10**6))
    try:
        sandbox.run_source(source, "m.py", {"api": api})
    finally:
        runner.meter.leave(outer)


@pytest.mark.parametrize("source", DEEP.values(), ids=DEEP.keys())
def test_a_host_function_is_never_torn_by_the_modules_depth(source):
    host = Host()
    with pytest.raises((LimitReached, RecursionError)) as caught:
        run_deep(source, host)

    assert host.torn == []
    assert host.calls > 0 or "try:" in source  # what would call from a handler is ended before it does
    assert caught.type is RecursionError or caught.value.resource == "stack"


BOTTOMLESS = {
    "repr": "x = []\nfor i in range(100_000):\n    x = [x]\nstr(x)",
    "compare": "x = []\ny = []\nfor i in range(100_000):\n    x = [x]\n    y = [y]\nx == y",
    "hash": "x = ()\nfor i in range(100_000):\n    x = (x,)\nd = {x: 1}",
    "drop lists": "x = []\nfor i in range(100_000):\n    x = [x]\nx = None",
    "drop objects": "class N:\n    pass\nx = N()\nfor i in range(200_000):\n    n = N()\n    n.next = x\n    x = n\nx = n = None",
    "drop closures": "f = lambda: 0\nfor i in range(100_000):\n    f = (lambda g: lambda: g)(f)\nf = None",
    "drop errors": "e = None\nfor i in range(50_000):\n    try:\n        raise ValueError(e)\n    except ValueError as x:\n        e = x\ne = None",
    "isinstance": "x = int\nfor i in range(100_000):\n    x = (x,)\nisinstance(1, x)",
    "sort": "x = [[]]\ny = [[]]\nfor i in range(5_000):\n    x = [x]\n    y = [y]\nsorted([x, y])",
}  # fmt: skip


@pytest.mark.parametrize("source", BOTTOMLESS.values(), ids=BOTTOMLESS.keys())
def test_deep_data_ends_typed(runner, source):
    """C walks deep data on its own stack; it is refused, or it ends in the limit, or nothing happens at all."""
    try:
        runner.run(source, fuel=10**7)
    except (LimitReached, RecursionError) as error:
        assert getattr(error, "resource", "stack") in {"stack", "fuel", "memory"}  # noqa: PT017
    except TypeError:
        assert "isinstance" in source


ASYNC = {
    "await": "async def probe(self):\n    await self.storage.get('k')\n    await self.probe()",
    "async for": "async def numbers(self):\n    await self.storage.get('k')\n    async for x in self.numbers():\n        yield x\nasync def probe(self):\n    async for x in self.numbers():\n        pass",
    "gather": "async def probe(self):\n    await self.storage.get('k')\n    await asyncio.gather(self.probe())",
    "task": "async def probe(self):\n    def down():\n        asyncio.create_task(self.fine())\n        down()\n    down()\nasync def fine(self):\n    pass",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("source", ASYNC.values(), ids=ASYNC.keys())
def test_awaited_host_functions_have_headroom_too(run, load, source):
    class Careful(FakeBridge):
        torn = 0

        async def call(self, method, args):
            try:
                Host()._dig(100)
            except RecursionError:
                Careful.torn += 1
                raise
            return await super().call(method, args)

    async def main():
        loaded = await load(
            source,
            bridge=Careful(["system.storage"]),
            limits=ResourceLimits(max_step_ms=5_000, max_memory_bytes=64 << 20),
        )
        with pytest.raises(ResourceLimitError) as caught:
            await loaded.call("probe")
        assert caught.value.resource in {"stack", "memory", "fuel"}
        assert Careful.torn == 0
        await loaded.instance.close()

    run(main())
    gc.collect()  # a coroutine made on the last frame is dropped before it began, and Python says so
