"""Short ways: what is tested in the code itself answers as Python does, and gives way to the guard in time."""

from __future__ import annotations

import ast
import itertools
import textwrap

import pytest

from plataforma_sdk.sandbox.restricted._fuel import LARGE_TEXT, LimitReached
from tests.unit.sandbox.restricted.restricted_kit import Runner
from tests.unit.sandbox.restricted.test_private_lists import written

OPERANDS = ["3", "-(2**40)", "2**300", "2.5", "True", "'ab'", "[1]", "(1, 2)", "b'x'", "None", "Own()", "Real()"]
HEAD = """
class Own:
    def __mul__(self, other): return "own"
    def __rmul__(self, other): return "turned"
    def __add__(self, other): return "sum"
    def __radd__(self, other): return "turned sum"
    def __sub__(self, other): return "less"
    def __rsub__(self, other): return "turned less"
class Real:
    def __rmul__(self, other): return 2.5
"""
PRODUCT = HEAD + textwrap.dedent("""
    def f(p, q, start):
        row, column, n = [p], [q], 0
        total = start if n == 0 else 0
        try:
            {statement}
            return total
        except TypeError:
            return "refused"
""")
STATEMENTS = {
    "beside": "total = total + row[n] * column[n]",
    "beside by name": "total = total + p * q",
    "less": "total = total - row[n] * column[n]",
    "augmented": "total += row[n] * column[n]",
    "alone": "total = row[n] * column[n]",
    "alone by attribute": "total = p * column[-1]",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
@pytest.mark.parametrize("start", ["0", "1.5", "'s'", "[2]"])
def test_a_product_and_the_sum_it_goes_into_are_those_of_python(statement, start):
    """Whatever the types, in all their combinations."""
    source = PRODUCT.format(statement=statement)
    pairs = ", ".join(f"f({p}, {q}, {start})" for p, q in itertools.product(OPERANDS, repeat=2) if "2**" not in p + q)
    source += f"\nresult = [{pairs}, f(2**300, -(2**40), {start if start != '[2]' else 0})]\n"
    plain = {}
    exec(source, plain)

    assert Runner().run(source)["result"] == plain["result"]


def test_a_product_beside_a_name_of_this_function_is_one_with_its_sum():
    made = written("def f(a, b):\n    n = 0\n    for i in range(9):\n        n = n + a[i] * b[i]\n    return n")

    assert "n + _t" in made
    assert "_sub_(n" in written("def f(a, b):\n    n = 0\n    n = n - a[0] * b[0]")


REBOUND = {
    "parameter": "def f(a, b, n):\n    return n + a[0] * b[0]",
    "global": "def f(a, b):\n    global n\n    n = 0\n    return n + a[0] * b[0]",
    "inside": "def f(a, b):\n    n = 0\n    def g():\n        nonlocal n\n        n = 'x'\n    return n + a[0] * b[0]",
    "walrus": "def f(a, b):\n    n = 0\n    return n + a[(n := 0)] * b[0]",
}


@pytest.mark.parametrize("source", REBOUND.values(), ids=REBOUND)
def test_a_name_that_evaluating_the_product_may_rebind_is_read_first(source):
    """``__getitem__`` is the module's own, and may rebind what it sees."""
    assert "_add_(n" not in written(source)


def test_what_stands_before_a_product_is_evaluated_before_it(runner):
    source = """
        class Row:
            def __getitem__(self, index):
                nonlocal_change()
                return 2
        n = 1
        def nonlocal_change():
            global n
            n = 100
        def f(row):
            return n + row[0] * row[0]
        result = f(Row())
    """
    assert runner.run(source)["result"] == 5


@pytest.mark.parametrize("start", ["0", "10**8000"])
@pytest.mark.parametrize("step", ["n + a[0] * a[0]", "n - a[0] * a[0]"])
def test_a_long_product_costs_more_than_a_short_one(step, start):
    """Its size is looked at where it is made, even where the sum that it goes into is short."""
    used = []
    for value in ("3", "10**4000"):
        runner = Runner()
        runner.run(
            f"def f(a):\n    n = {start}\n    for i in range(100):\n        m = n\n        m = {step}\n    return m\n"
            f"f([{value}])\n"
        )
        used.append(runner.meter.fuel_used)

    assert used[1] > used[0] + 100 * (10**8000).bit_length() // 2048


@pytest.mark.parametrize("p", ["'ab'", "[1]", "(1,)", "b'ab'"])
@pytest.mark.parametrize("step", ["n + a[0] * b[0]", "n + b[0] * a[0]", "n - a[0] * b[0]"])
def test_a_repetition_beside_a_number_is_sized_before_it_is_made(runner, p, step):
    source = f"def f(a, b):\n    n = 0\n    n = {step}\nf([{p}], [10**12])"

    with pytest.raises(LimitReached, match="memory"):
        runner.run(source)


# --- keys, while there is no large text, and after ------------------------------------------------------------------

LARGE = f"large = 'x' * {LARGE_TEXT}\n"
LOOK_UPS = {
    "item": "d[key]",
    "get": "d.get(key)",
    "in": "key in d",
    "in a set": "key in s",
    "add": "s.add(key)",
    "store": "store(key)",
}
KEYS = "d = {1: 1}\ns = {1}\ndef store(k):\n    d[k] = 1\n"


@pytest.mark.parametrize("look", LOOK_UPS.values(), ids=LOOK_UPS)
def test_a_large_key_is_charged_at_every_look(look):
    """Two equal ones are compared from end to end, at each look-up."""
    used = []
    for factor in (1, 100):
        runner = Runner()
        runner.run(
            f"large = 'x' * {LARGE_TEXT * factor}\n{KEYS}def f(key):\n    d[key] = 1\n    s.add(key)\n"
            f"    for i in range(10):\n        {look}\nf(large)\n"
        )
        used.append(runner.meter.fuel_used)

    assert used[1] - used[0] > 10 * 99 * LARGE_TEXT // 4096


def test_every_file_learns_of_the_first_large_text():
    """One that is loaded, one that is imported later, and what is left of one that failed."""
    sources = {
        "a.py": "def look(d, key):\n    return key in d\n",
        "b.py": "from .kept import keep\ndef look(d, key):\n    return key in d\nkeep.append(look)\nraise ValueError\n",
        "kept.py": "keep = []\n",
    }
    runner = Runner(sources=sources)
    source = f"""
        from . import a
        from .kept import keep
        try:
            from . import b
        except ValueError:
            pass
        {LARGE}
        looks = [a.look, keep[0]]
    """
    made = runner.run(source)
    names = [look.__globals__["_text_"] for look in made["looks"]]

    assert names == [None, None]
    assert made["_text_"] is None
    assert runner.sandbox.new_namespace("c.py")["_text_"] is None


def test_texts_are_plain_keys_until_then(runner):
    assert runner.run("x = 'a' * 1000")["_text_"] is str


@pytest.mark.parametrize("key", ["(((1, 2), 3), 4)", "frozenset([1])", "1", "'a'", "None", "2.5", "True"])
def test_any_key_finds_its_value(runner, key):
    source = f"d = {{{key}: 7}}\ndef f(k):\n    return d[k], d.get(k), k in d, k in {{{key}}}\nresult = f({key})"

    assert runner.run(source)["result"] == (7, 7, True, True)


def test_a_nested_key_is_weighed(runner):
    source = "def f():\n    k = (1,)\n    for i in range(60):\n        k = (k, k)\n    return {}.get(k)\nf()"

    with pytest.raises(LimitReached):
        runner.run(source)


# --- texts -----------------------------------------------------------------------------------------------------------

BASES = ["'abcdef'", "''", "[1, 2, 3]", "(1, 2, 3)", "b'abc'", "'é' * 600", "range(9)", "Own()"]
SLICES = ["x[:2]", "x[1:]", "x[-2:]", "x[::2]", "x[a:b]", "x[a:b:c]", "x[:]", "x[b:a]", "x[::-1]"]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("item", SLICES)
def test_a_slice_is_that_of_python(runner, base, item):
    source = (
        "class Own:\n    def __getitem__(self, s):\n        return [s.start, s.stop, s.step]\n"
        f"def f(x, a, b, c):\n    return {item}\nresult = f({base}, 1, 3, 2)\n"
    )
    plain = {}
    exec(source, plain)

    assert runner.run(source)["result"] == plain["result"]


def test_a_bound_that_runs_code_is_evaluated_behind_the_guard(runner):
    """It could put another object in the place of what was tested."""
    source = """
        def bound():
            global x
            x = [0] * 1000
            return 3
        x = "abcdef"
        def f():
            return x[:bound()]
        result = f()
    """
    assert "_slice_(x, None, bound(), None)" in written(source)
    assert runner.run(source)["result"] == "abc"


@pytest.mark.parametrize("count", [3, 70, 700])
@pytest.mark.parametrize("kind", ["list", "tuple", "iter"])
def test_a_join_is_that_of_python(runner, count, kind):
    source = f"def f(xs):\n    return '-'.join(xs)\nresult = f({kind}([str(i) for i in range({count})]))"
    plain = {}
    exec(source, plain)

    assert runner.run(source)["result"] == plain["result"]


def test_a_join_of_large_texts_is_sized_before(runner):
    source = f"{LARGE}def f(x):\n    return ','.join([x] * 60)\nwhile True:\n    f(large * 64)"

    with pytest.raises(LimitReached, match="memory"):
        runner.run(source)


@pytest.mark.parametrize("value", ["7", "2**40", "'a'", "'a' * 700", "2.5", "None", "[1]", "10**30"])
@pytest.mark.parametrize("form", ["f'{x}'", "f'<{x}>{x!r}'", "str(x) + '-' + str(len('ab'))"])
def test_a_formatted_value_is_that_of_python(runner, value, form):
    source = f"def f(x):\n    return {form}\nresult = f({value})"
    plain = {}
    exec(source, plain)

    assert runner.run(source)["result"] == plain["result"]


def test_a_small_number_is_written_natively_and_an_unknown_one_is_not():
    small = written("def f():\n    return [(str(i % 7) + '-', f'{i * 1.5:.2f}', f'{i}') for i in range(9)]")

    assert "_str_(i % 7) + '-'" in small
    assert "_fmt_" not in small
    assert "_grown_" not in small
    assert "_b_str_" in written("def f(i):\n    return str(i)")
    assert "_grown_" in written("def f(i):\n    return str(i) + '-'")
    assert "_fmt_" in written("def f():\n    return [f'{i:{w}}' for i in range(9)]")


# --- names that are read twice ---------------------------------------------------------------------------------------

READS = {
    "key": "d[x]",
    "method": "x.upper()",
    "method of an own class": "x.format(d)",
    "attribute": "x.format",
    "comparison": "x == d",
    "member": "x in d",
    "container": "1 in x",
    "slice": "x[1:]",
    "remainder": "x % 7",
    "product": "x * d",
    "text": "str(x)",
    "formatted": "f'{x}'",
    "negative": "-x",
    "difference": "x - d",
    "join": "','.join(x)",
}


@pytest.mark.parametrize("expression", READS.values(), ids=READS)
@pytest.mark.parametrize(
    "scope",
    [
        "def f(d):\n    return {0}\n",
        "def f(d):\n    global x\n    x = 1\n    return {0}\n",
        "def f(d, x):\n    def g():\n        nonlocal x\n        x = 2\n    return {0}\n",
        "def f(d):\n    x = 1\n    def g():\n        return {0}\n",
        "def f(d):\n    y = [x for x in d]\n    return {0}\n",
        "f = lambda d: {0}\n",
        "x = 1\nd = 2\ny = {0}\n",
    ],
    ids=["free", "global", "nonlocal", "outer", "beside a comprehension", "lambda", "module"],
)
def test_a_name_that_a_finalizer_may_rebind_is_read_once_by_each_branch(scope, expression):
    """A generator that is freed runs its ``finally`` anywhere, between a test and what was tested too."""
    tests = [
        part
        for part in ast.walk(ast.parse(written(scope.format(expression))))
        if isinstance(part, ast.Call) and getattr(part.func, "id", "") in ("_type_", "_len_")
    ]
    bare = [part for part in tests if isinstance(part.args[0], ast.Name) and part.args[0].id == "x"]

    assert not bare


@pytest.mark.parametrize("expression", READS.values(), ids=READS)
@pytest.mark.parametrize(
    "scope",
    ["def f(x, d):\n    return {0}\n", "def f(d):\n    x = d\n    return {0}\n", "f = lambda d, x: {0}\n"],
    ids=["parameter", "assigned", "parameter of a lambda"],
)
def test_a_local_name_needs_no_temporary(scope, expression):
    assert ":= x)" not in written(scope.format(expression))


TARGETS = {"target": "def f(ys):\n    return [x.upper() + 'a' for x in ys]", "module": "y = [x.upper() for x in 'ab']"}


@pytest.mark.parametrize("source", TARGETS.values(), ids=TARGETS)
def test_the_target_of_a_comprehension_is_local_to_it(source):
    assert "_type_(x) is _str_" in written(source)


def test_the_temporary_of_an_element_is_bound_by_a_clause():
    """``:=`` in a comprehension makes a cell of it, at every call of the function."""
    made = written("def f(g, y, xs):\n    return [g(x) + y for x in xs]")

    assert "for _t1 in [g(x) + y]" in made
    assert ":=" not in made
    assert "for _t" not in written("def f(g, y, xs):\n    return [(z := g(x)) + y for x in xs]")


ELEMENTS = ["x + y", "x * y", "-x", "x.upper() + y", "f'{x}{y}'", "d.get(x, 0) + y", "(z := x) + y", "str(x) + str(y)"]
MADE = ["[{0} for x in a for y in b if x]", "{{{0} for x in a for y in b}}", "list({0} for x in a for y in b)"]


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("made", MADE, ids=["list", "set", "generator"])
def test_the_elements_of_a_comprehension_are_those_of_python(element, made):
    call = "f(['p', 'q'], ['r', 's'], {'p': 't', 'q': 'u'})"
    source = f"def f(a, b, d):\n    return {made.format(element)}\nresult = {call}"
    if element in ("x * y", "-x"):
        source = source.replace("['p', 'q'], ['r', 's']", "[3, 4.5], [2, 2**70]")
    plain = {}
    exec(source, plain)

    assert Runner().run(source)["result"] == plain["result"]


@pytest.mark.parametrize(
    "made", ["{x + y: y * 2 for x in a for y in b}", "{x.upper(): x * 2 for x in a if x not in b}"]
)
def test_the_keys_of_a_comprehension_are_those_of_python(made):
    """A key is evaluated before its value."""
    source = f"def f(a, b):\n    return list({made}.items())\nresult = f(['p', 'q'], ['r', 's'])"
    plain = {}
    exec(source, plain)

    assert Runner().run(source)["result"] == plain["result"]
    assert ":= x + y" not in written(source)
