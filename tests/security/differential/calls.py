"""Finds calls for a function: the examples of its docstring, and arguments made up from the names of its parameters."""

from __future__ import annotations

import ast
import doctest
import itertools
import random
from collections.abc import Iterator
from typing import Final

from tests.security.differential.slices import Function

__all__ = ["calls_of"]

_MAX_GENERATED: Final = 24
_MAX_EXAMPLES: Final = 30
_HINTS: Final[dict[str, tuple[str, ...]]] = {
    "n k size count i j start stop step length num width digits r index maximum minimum x y a b times": ("3", "0", "1", "2", "-1", "12", "255"),
    "iterable iterables items seq sequence lst array coll collection values it xs elements nums numbers data arr l": (
        "[3, 1, 2]", "[]", "'abcab'", "[1, 1, 2, 2]", "['b', 'a']", "range(4)", "iter([1, 2, 3])", "[(1, 2), (3, 4)]", "[[1, 2], [3]]",
    ),
    "s string text word value name term sentence line pattern sub char ch t seq1 seq2 s1 s2 str_ key": (
        "'Hello World'", "''", "'some_snake_case'", "'CamelCaseName'", "'a,b;c'", "'abc'", "'kitten'", "'12'", "'ação é'",
    ),
    "number": ("'7992739871'", "'978-0-471-11709-4'", "12", "'ab'", "1234567.891", "0", "'12345678Z'", "'123456782'"),
    "func function f fn key pred predicate callback iteratee keyfunc comparator mapper test": (
        "lambda v: v", "lambda v: bool(v)", "str", "lambda *v: v", "lambda v: v % 2", "len",
    ),
    "d dict mapping obj object dictionary m dct source": ("{'a': 1, 'b': 2}", "{}", "{'a': {'b': [1, 2]}}", "[1, 2]", "{1: 'x'}"),
    "matrix grid board graph": ("[[1, 2], [3, 4]]", "[[0]]", "[]", "{'a': ['b'], 'b': []}", "[[0, 1, 0], [1, 0, 1], [0, 1, 0]]"),
}  # fmt: skip
_ANY: Final = ("3", "'abc'", "[1, 2, 3]", "{'a': 1}", "None", "2.5", "(1, 2)", "lambda v: v", "True", "'a b'", "[]")
_POOLS: Final = {name: pool for names, pool in _HINTS.items() for name in names.split()}


def calls_of(function: Function) -> list[str]:
    """Statements that call the function; an expression among them is an attempt on its own."""
    return [*itertools.islice(_examples(function), _MAX_EXAMPLES), *_generated(function)]


def _examples(function: Function) -> Iterator[str]:
    """The examples of its docstring and of its module's that mention it, or that set up what follows."""
    name = function.node.name
    for docstring in function.examples:
        try:
            examples = doctest.DocTestParser().get_examples(docstring)
        except ValueError:
            continue
        if not any(name in example.source for example in examples):
            continue
        for example in examples:
            source = example.source.strip()
            if function.package not in source and _is_python(source):
                yield source


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _generated(function: Function) -> list[str]:
    """Calls with every parameter that has no default filled from its pool."""
    arguments = function.node.args
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    needed = positional[: len(positional) - len(arguments.defaults)]
    pools = [_POOLS.get(item.lower(), _ANY) for item in needed]
    if arguments.vararg:
        pools += [_POOLS.get(arguments.vararg.arg, _ANY)] * 2
    required = [
        item.arg for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None
    ]
    chooser = random.Random(function.name)
    made: dict[str, None] = {}
    for number in range(_MAX_GENERATED):
        chosen = [pool[number % len(pool)] if number < 3 else chooser.choice(pool) for pool in pools]
        chosen += [f"{item}={chooser.choice(_POOLS.get(item, _ANY))}" for item in required]
        made[f"{function.node.name}({', '.join(chosen)})"] = None
    return list(made)
