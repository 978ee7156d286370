"""Real functions of well-known packages do the same plain and restricted.

The packages are those of the dependency group `differential`; ``nox -s differential`` installs it, and says which
functions the policy does not take and why.
"""

from __future__ import annotations

import collections
import importlib.util
import sys
from typing import Final

import pytest

from tests.security.differential.slices import functions_of
from tests.security.differential.trials import Trial, try_function

PACKAGES: Final = ("algorithms", "boltons", "funcy", "inflection", "more_itertools", "toolz")
LEAST: Final = 200
"""Distinct functions that must have run with at least one normal return."""

# An iterator of a package that is dropped halfway complains when it is freed, plain and restricted.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(300)]

KNOWN: Final = {
    "functools.wraps copies the name, and not where it was defined": ("more_itertools.more.consumer",),
    "the factory of a defaultdict stays": ("more_itertools.more.map_reduce",),
    "operator.itemgetter makes a function": ("toolz.itertoolz.getter",),
    "json indents by a number": ("boltons.ecoutils.dumps",),
    "a dict, a set and the like show no special method by name": (
        "funcy.funcolls.all_fn",
        "funcy.funcolls.any_fn",
        "funcy.funcs.compose",
        "funcy.funcs.juxt",
        "funcy.funcs.ljuxt",
        "funcy.funcs.rcompose",
        "funcy.seqs.group_by_keys",
        "more_itertools.more.unique_to_each",
        "more_itertools.recipes.unique_everseen",
    ),
    "a slice is written, not passed": ("more_itertools.more.substrings", "more_itertools.recipes.subslices"),
    "operator.attrgetter says another error of what is no text": ("funcy.colls.lpluck_attr", "funcy.colls.pluck_attr"),
    "itertools.tee looks at what it copies, even for no copies": ("boltons.iterutils.windowed_iter",),
    "a range is searched for an integer": ("more_itertools.recipes.iter_index",),
    "math.sumprod takes numbers, and says another error of text": (
        "more_itertools.recipes.convolve",
        "more_itertools.recipes.polynomial_eval",
        "more_itertools.recipes.sum_of_squares",
    ),
    "text is encoded as UTF-8, UTF-16, ASCII or Latin-1": (
        "boltons.urlutils.parse_qsl",
        "boltons.urlutils.unquote",
        "boltons.urlutils.unquote_to_bytes",
    ),
}
"""Reason -> functions that part from plain Python, each by what the tier leaves out."""


def trials() -> list[Trial]:
    functions = [function for package in PACKAGES for function in functions_of(package)]
    return [trial for trial in map(try_function, functions) if trial is not None]


@pytest.mark.skipif(
    any(importlib.util.find_spec(package) is None for package in PACKAGES),
    reason="the packages of the group 'differential' are absent: run nox -s differential",
)
def test_functions_of_packages_do_the_same_plain_and_restricted() -> None:
    """Every function that the policy accepts, called as its documentation does and with arguments made up."""
    found = trials()
    compared = {trial.function for trial in found if trial.returned and trial.difference is None}
    apart = {trial.function: trial for trial in found if trial.difference is not None}
    report(found, compared)

    known = {name for names in KNOWN.values() for name in names}
    assert {name: trial.difference for name, trial in apart.items() if name not in known} == {}
    assert len(compared) >= LEAST


def report(found: list[Trial], compared: set[str]) -> None:
    """Say how many, and what authors would miss; shown by ``pytest -rP``."""
    reasons = collections.Counter(trial.refused for trial in found if trial.refused)
    lines = [f"{len(compared)} functions compared, {reasons.total()} not taken:"]
    lines += [f"{count:5}  {reason}" for reason, count in reasons.most_common()]
    sys.stdout.write("\n".join(lines) + "\n")
