"""Private lists: what is known of them saves guards, and is not believed where anybody else may reach the list."""

from __future__ import annotations

import ast
import textwrap

import pytest

from plataforma_sdk.sandbox.restricted._fuel import SLICE, LimitReached
from plataforma_sdk.sandbox.restricted._policy_classes import Policy
from plataforma_sdk.sandbox.restricted._scan import bound_names
from tests.unit.sandbox.restricted.restricted_kit import Runner


def written(source):
    """What the policy makes of a source."""
    tree = ast.parse(textwrap.dedent(source), "m.py")
    policy = Policy("m.py", bound_names(tree, "m.py"))
    made = policy.visit(tree)
    assert not policy.faults
    return ast.unparse(ast.fix_missing_locations(made))


def function(*lines):
    """A function of these lines, ``made`` and ``p`` its parameters, that begins with a list of numbers."""
    return "def f(made, p):\n    xs = [i * 3 for i in range(9)]\n" + "".join(f"    {line}\n" for line in lines)


LOOP = "for x in xs:\n        made(x % 7)"
PRIVATE = {
    "loop": [LOOP],
    "comprehension": ["made([x % 7 for x in xs])"],
    "comprehension of a set": ["made({x % 7 for x in xs})"],
    "comprehension of a dict": ["made({x: x % 7 for x in xs})"],
    "appended before": ["xs.append(4)", LOOP],
    "set by index": ["xs[0] = 4.5", LOOP],
    "augmented by index": ["xs[0] += 4", LOOP],
    "read": ["made(xs[0], xs[-1], xs[1:3], len(xs), sum(xs), max(xs))", LOOP],
    "bound twice": ["if p:\n        xs = [1, 2.5, True]", LOOP],
    "made of another": ["xs = [y + 1 for y in xs]", LOOP],
    "source of a generator expression": ["made(sum(y * 2 for y in xs))", LOOP],
}
SHARED = {
    "alias": ["ys = xs", LOOP],
    "alias after": [LOOP, "ys = xs"],
    "alias by walrus": ["made(ys := xs)", LOOP],
    "alias in a display": ["ys = [xs]", LOOP],
    "alias by choice": ["ys = xs if p else p", LOOP],
    "alias by or": ["ys = p or xs", LOOP],
    "argument": ["made(xs)", LOOP],
    "argument of two": ["made(max(xs, p))", LOOP],
    "argument by star": ["made(*xs)", LOOP],
    "argument by keyword": ["made(sorted([1], key=xs))", LOOP],
    "stored": ["p.q = xs", LOOP],
    "stored in an item": ["p[0] = xs", LOOP],
    "stored in itself": ["xs.append(xs)", LOOP],
    "returned": [LOOP, "return xs"],
    "yielded": ["yield xs", LOOP.replace("made", "print")],
    "raised": ["try:\n        raise ValueError(xs)\n    except ValueError as e:\n        made(e)", LOOP],
    "method kept": ["add = xs.append", "add('a')", LOOP],
    "another method": ["xs.extend(p)", LOOP],
    "text appended": ["xs.append('a')", LOOP],
    "unknown appended": ["xs.append(p)", LOOP],
    "texts by slice": ["xs[:] = 'ab'", LOOP],
    "unknown by index": ["xs[0] = p", LOOP],
    "unpacked into": ["xs[0], y = p", LOOP],
    "loop target": ["for xs[0] in p:\n        pass", LOOP],
    "multiplied by index": ["xs[0] *= p", LOOP],
    "rebound": ["xs = p", LOOP],
    "rebound by unpacking": ["xs, y = p", LOOP],
    "rebound by a loop": ["for xs in p:\n        pass", LOOP],
    "rebound by with": ["with p as xs:\n        pass", LOOP],
    "rebound by except": ["try:\n        pass\n    except ValueError as xs:\n        pass", LOOP],
    "rebound by walrus": ["made(xs := p)", LOOP],
    "rebound by a match": ["match p:\n        case xs:\n            pass", LOOP],
    "rebound by import": ["import math as xs", LOOP],
    "rebound by def": ["def xs(): pass", LOOP],
    "rebound inside": ["def g():\n        nonlocal xs\n        xs = p", LOOP],
    "added to": ["xs += p", LOOP],
    "deleted": ["del xs", LOOP],
    "item deleted": ["del xs[0]", LOOP],
    "mentioned inside": ["def g():\n        xs.append('a')", LOOP],
    "mentioned in a lambda": ["g = lambda: xs.append('a')", LOOP],
    "mentioned in a class": ["class C:\n        ys = xs", LOOP],
    "mentioned in a generator expression": ["g = (xs.append(1) for y in p)", LOOP],
    "default": ["def g(a=xs): pass", LOOP],
    "matched": ["match xs:\n        case [*ys]:\n            pass", LOOP],
    "of texts": ["xs = ['a']", LOOP],
    "of unknown": ["xs = [p]", LOOP],
    "of stars": ["xs = [*p]", LOOP],
}


@pytest.mark.parametrize("lines", PRIVATE.values(), ids=PRIVATE)
def test_a_private_list_saves_the_guards_of_its_loop(lines):
    """The turns are charged before, and an element needs no guard."""
    made = written(function(*lines))

    assert "_listed_(xs)" in made
    assert "_mod_(" not in made


@pytest.mark.parametrize("lines", SHARED.values(), ids=SHARED)
def test_a_list_that_may_have_an_alias_or_hold_more_than_numbers_keeps_its_guards(lines):
    """Whatever could make the list longer, or put a text into it, unseen."""
    made = written(function(*lines))

    assert "_listed_(" not in made
    assert "_compress_(xs, _fuel_)" in made
    assert "_mod_(x, 7)" in made


@pytest.mark.parametrize("name", ["global", "parameter", "module"])
def test_only_a_local_list_is_private(name):
    """Anybody may rebind a global, and whoever calls holds what he passes."""
    source = {
        "global": "def f(made):\n    global xs\n    xs = [1]\n    for x in xs:\n        made(x % 7)",
        "parameter": "def f(made, xs):\n    xs = [1]\n    for x in xs:\n        made(x % 7)",
        "module": "xs = [1]\nfor x in xs:\n    made(x % 7)",
    }[name]

    assert "_listed_(" not in written(source)


def test_a_builtin_that_the_module_rebinds_may_keep_the_list():
    source = function("made(len(xs))", LOOP) + "def len(x):\n    return x\n"

    assert "_listed_(" not in written(source)


@pytest.mark.parametrize("leaf", ["break", "return", "yield 1"])
def test_a_loop_that_may_stop_early_burns_turn_by_turn(leaf):
    assert "_listed_(" not in written(function(f"for x in xs:\n        {leaf}"))


def test_a_loop_that_appends_burns_turn_by_turn_to_its_end(runner):
    """Else it had no end, on the fuel of its first turns."""
    source = "def f():\n    xs = [1]\n    for x in xs:\n        xs.append(x)\nf()"

    assert "_listed_(" not in written(source)
    with pytest.raises(LimitReached, match="fuel"):
        runner.run(source, fuel=20_000)


def test_a_generator_expression_cannot_lengthen_the_list_of_a_loop(runner):
    """Suspended, it runs in the middle of the loop."""
    source = """
        def f():
            xs = [1]
            more = (xs.append(1) for _ in iter(int, 1))
            for x in xs:
                next(more)
        f()
    """
    with pytest.raises(LimitReached, match="fuel"):
        runner.run(source, fuel=20_000)


def test_an_unknown_index_may_be_a_slice_object():
    """Then ``xs[s]`` is a list, and its repetition may be of any length."""
    assert "_mul_(" in written("def f(s):\n    xs = [1, 2]\n    return xs[s] * s")
    assert "_mul_(" not in written("def f(s):\n    xs = [1, 2]\n    return xs[0] * xs[1]")


RESULTS = {
    "numbers": "xs = [1, 2.5, True]\nys = [x * 2 for x in xs]\nreturn ys, sum(ys), [x % 2 for x in ys]",
    "products": "xs = [3, 10**30, 2.5, True]\nreturn [xs[i] * xs[j] for i in range(4) for j in range(4)]",
    "lengthened": "xs = [1]\nfor x in xs:\n    if x < 50:\n        xs.append(x + 1)\nreturn xs",
    "rebound in the loop": "xs = [1, 2]\nfor x in xs:\n    xs = [x, x, x]\nreturn xs",
    "empty": "xs = []\nreturn sum(xs), [x for x in xs], sum(n for n in range(0))",
    "error midway": "xs = [3, 0, 2]\ntry:\n    return [6 // x for x in xs]\nexcept ZeroDivisionError:\n    return xs",
    "sum of a generator": "return sum(n * n for n in range(100)), sum(1 for n in 'abc'), sum(n / 2 for n in range(9))",
    "augmented": "xs = [0, 0]\nfor i in range(10):\n    xs[i % 2] += i\nreturn xs[0] - xs[1], max(xs), min(xs)",
    "unset": "if not 1:\n    xs = [1]\ntry:\n    return [x for x in xs]\nexcept NameError:\n    return 1",
}


@pytest.mark.parametrize("body", RESULTS.values(), ids=RESULTS)
def test_the_result_is_that_of_python(runner, body):
    source = "def f():\n" + textwrap.indent(body, "    ") + "\nresult = f()\n"
    plain = {}
    exec(source, plain)

    assert runner.run(source)["result"] == plain["result"]


@pytest.mark.parametrize("size", [0, 1, 5, SLICE - 1, SLICE, SLICE + 1, 3 * SLICE])
def test_a_turn_of_a_private_list_costs_a_unit(size):
    """As it does of a list that anybody may reach."""
    used = []
    for tail in ("", "    return xs\n"):
        runner = Runner()
        runner.run(f"def f():\n    xs = [i + 1 for i in range({size})]\n    for x in xs:\n        pass\n{tail}f()\n")
        used.append(runner.meter.fuel_used)

    assert used[0] == used[1]


@pytest.mark.parametrize("fuel", [30, 1_000, 2_500, 9_999])
@pytest.mark.parametrize("warm_up", [0, 1, 700, SLICE - 1, SLICE])
def test_the_trip_point_does_not_move_with_the_slices(fuel, warm_up):
    """What ran on another account before shifts the slices, and nothing else."""
    source = """
        def f():
            xs = [i + 1 for i in range(20)]
            while True:
                for x in xs:
                    done.append(x)
        f()
    """
    counts = []
    for turns in (0, warm_up):
        runner, done = Runner(), []
        runner.run(f"for i in range({turns}):\n    pass")
        with pytest.raises(LimitReached, match="fuel"):
            runner.run(source, fuel=fuel, done=done)
        counts.append(len(done))

    assert counts[0] == counts[1]


def test_the_sum_of_long_integers_is_sized(runner):
    """A million additions to itself would double it a million times."""
    source = """
        def f():
            n = 1
            while True:
                n = sum([n, n])
                xs = [n, n]
                n = sum(xs)
        f()
    """
    with pytest.raises(LimitReached, match="memory"):
        runner.run(source)


def test_a_sum_of_a_generator_expression_pays_for_its_turns(runner):
    with pytest.raises(LimitReached, match="fuel"):
        runner.run("x = sum(n * n for n in range(10**9))", fuel=10_000)
