"""Tries a function of a package, plain and restricted, and says how far the policy let it."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from typing import Final

import attrs

from plataforma_sdk.errors import ModuleLoadError, PolicyError
from plataforma_sdk.sandbox.restricted import compile_source
from tests.security.differential.calls import calls_of
from tests.security.differential.outcomes import Outcome, disagreement, run_plain, run_restricted
from tests.security.differential.slices import Function

__all__ = ["Trial", "try_function"]

_UNSTEADY: Final = ("random", "time", "uuid", "secrets", "now(", "today(", "id(", "perf_counter", "getsizeof")
"""What differs between any two runs."""

_OTHERWISE: Final = "except Exception as error:\n    trace('raised', type(error).__name__, str(error))"
_HELPERS: Final = textwrap.dedent("""\
    def shown_(value, depth=0):
        if depth > 3 or isinstance(value, (str, bytes, dict, set, frozenset, range)):
            return value
        try:
            items = iter(value)
        except TypeError:
            return value
        return ['items', [shown_(item, depth + 1) for _, item in zip(range(30), items)]]
    def attempt_(make):
        try:
            trace('returned', shown_(make()))
        except Exception as error:
            trace('raised', type(error).__name__, str(error))
    """)


@attrs.frozen
class Trial:
    """What became of one function.

    Attributes:
        function: its dotted name.
        refused: why the policy, or the vetted library, does not take it; None where it ran.
        returned: calls that returned normally, plain and restricted.
        raised: calls that raised.
        difference: where plain and restricted parted, or None.
        source: the program of the first difference.
    """

    function: str
    refused: str | None = None
    returned: int = 0
    raised: int = 0
    difference: str | None = None
    source: str = ""


def try_function(function: Function) -> Trial | None:
    """Run all calls of a function both ways; None where its result hangs on chance or time."""
    if any(word in function.source for word in _UNSTEADY):
        return None
    refused = _refusal(function.source)
    if refused is not None:
        return Trial(function.name, refused)
    alone = run_restricted(function.source)
    if alone.log or alone.limit:  # it does not load: a base class or an import that the tier lacks
        return Trial(function.name, (alone.limit or alone.log[0]).partition(" there are")[0])
    calls = [call for call in calls_of(function) if _refusal(_statement(call)) is None]
    source, outcome = _restricted(function, calls)
    if outcome.limit is not None:  # some call has no end: leave those out
        calls = [call for call in calls if _restricted(function, [call])[1].limit is None]
        source, outcome = _restricted(function, calls)
    if outcome.limit is not None:
        return Trial(function.name, f"limit: {outcome.limit}")
    missing = next((line for line in outcome.log if line.startswith("raised ImportError")), None)
    if missing is not None:
        return Trial(function.name, missing.partition(" there are")[0])
    difference = disagreement(_by_type(run_plain(source)), _by_type(outcome))
    returned = sum(line.startswith("returned") for line in outcome.log)
    raised = sum(line.startswith("raised") for line in outcome.log)
    return Trial(function.name, None, returned, raised, difference, source if difference else "")


def _by_type(outcome: Outcome) -> Outcome:
    """Errors by their type: a vetted function that gets the wrong kind of value says so in its own words."""
    log = [" ".join(line.split(" ")[:2]) if line.startswith("raised") else line for line in outcome.log]
    return attrs.evolve(outcome, log=log)


def _refusal(source: str) -> str | None:
    try:
        compile_source(source, "program.py")
    except PolicyError as error:
        return f"{error.rule}: {error.faults[0].problem}" if error.faults else str(error)
    except ModuleLoadError as error:
        return str(error)
    return None


def _restricted(function: Function, calls: Sequence[str]) -> tuple[str, Outcome]:
    source = function.source + _HELPERS + "\n".join(map(_statement, calls)) + "\n"
    return source, run_restricted(source)


def _statement(call: str) -> str:
    body = ast.parse(call).body
    if len(body) == 1 and isinstance(body[0], ast.Expr):
        return f"attempt_(lambda: (\n{call}\n))"
    return f"try:\n{textwrap.indent(call, '    ')}\n{_OTHERWISE}"
