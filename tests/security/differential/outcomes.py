"""Runs one program twice, plain and restricted, and tells what each did."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Generator
from typing import Any, Final

import attrs

from plataforma_sdk.sandbox.restricted._fuel import Account, LimitReached
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
from plataforma_sdk.sandbox.restricted._vetted import LIBRARIES

__all__ = ["Outcome", "Tools", "disagreement", "run_plain", "run_restricted"]

FUEL: Final = 300_000
MEMORY: Final = 256 << 20
_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+")
DEVIATIONS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # A star argument or an unpacking becomes a list before C sees it: what is none says so in list's words.
        (r"cannot unpack non-iterable \w+ object", "not iterable"),
        (r"(?:Value|\S+ argument) after \* must be an iterable, not \w+", "not iterable"),
        (r"can only join an iterable", "not iterable"),
        (r"'\w+' object is not iterable", "not iterable"),
        # A class of a module belongs to no file.
        (r"\b(?:program|sandbox)\.", ""),
        # A private name is renamed inside; what an error calls it is what the engine calls it.
        (r"\bp0_", "_"),
        # What is looked for may have a repr of any length, with an address in it.
        (r"\A.* is not in (?:list|deque)\Z", "the value is not there"),
        # A method that exists and is not offered says so.
        (r" in the restricted tier", ""),
    )
)
"""What plain and restricted may say differently, each with its reason: rewritten before comparing."""


@attrs.frozen
class Outcome:
    """What a program did.

    Attributes:
        log: what it traced, in order, and its end.
        printed: its output.
        fuel: units used; 0 for a plain run.
        limit: the limit that ended it, or None.
    """

    log: list[str]
    printed: str = ""
    fuel: int = attrs.field(default=0, eq=False)
    limit: str | None = None


class _Tick:
    """An awaitable that suspends once."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Generator[None, None, Any]:
        yield
        return self.value


class Tools:
    """The functions that a program finds defined: a log, a loop, something to await."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.printed: list[str] = []

    def names(self) -> dict[str, Any]:
        """By name."""
        return {"trace": self.trace, "drive": self.drive, "tick": _Tick, "ticks": self.ticks}

    def trace(self, *values: Any) -> Any:
        """Note the values and return the last: what is evaluated when, and to what."""
        self.log.append(" ".join(map(canonical, values)))
        return values[-1]

    def drive(self, awaitable: Any) -> Any:
        """The trivial loop: step a coroutine, or collect an async generator."""
        if hasattr(awaitable, "__anext__"):
            return self.drive(_collect(awaitable))
        steps = awaitable.__await__()
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    async def ticks(self, count: int) -> AsyncIterator[int]:
        """Some numbers, each after a turn."""
        for number in range(count):
            yield await _Tick(number)


async def _collect(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


def canonical(value: Any) -> str:
    """``repr`` without addresses, module names and the order of sets."""
    if type(value) in (set, frozenset):
        return f"{type(value).__name__}{sorted(map(canonical, value))}"
    text = _ADDRESS.sub("", value if type(value) is str else repr(value))
    for pattern, replacement in DEVIATIONS:
        text = pattern.sub(replacement, text)
    return text


def disagreement(plain: Outcome, restricted: Outcome) -> str | None:
    """Tell where the two runs part, or None.

    A method of a builtin type is looked up after its arguments have been evaluated, since the guard is a call of both:
    where the value has no such method, what the arguments do comes first. There the comparison ends.
    """
    for number, (first, second) in enumerate(zip(plain.log, restricted.log, strict=False)):
        if first != second:
            is_late = any("has no attribute" in line for line in plain.log[number:])
            return None if is_late else f"step {number}: plain {first!r}, restricted {second!r}"
    if len(plain.log) != len(restricted.log):
        return f"plain took {len(plain.log)} steps, restricted {len(restricted.log)}"
    return None if plain.printed == restricted.printed else f"printed {plain.printed!r}, then {restricted.printed!r}"


def run_plain(source: str) -> Outcome:
    """Run by CPython as it is."""
    tools = Tools()
    names = {"__name__": "program", **tools.names(), "print": _printer(tools)}
    try:
        exec(compile(source, "program.py", "exec", dont_inherit=True), names)
    except Exception as error:
        tools.trace("raised", type(error).__name__, str(error))
    return Outcome(tools.log, "".join(tools.printed))


def _printer(tools: Tools) -> Any:
    def print_(*values: Any, sep: Any = None, end: Any = None) -> None:
        text = io.StringIO()
        print(*values, sep=sep, end=end, file=text)
        kept = text.getvalue()
        tools.printed.append(canonical(kept.removesuffix("\n" if end is None else end)))

    return print_


def run_restricted(source: str, fuel: int = FUEL) -> Outcome:
    """Run by the engine, with a large account."""
    tools = Tools()
    sandbox = Sandbox(MEMORY, libraries=LIBRARIES, output=lambda text: tools.printed.append(canonical(text)))
    outer = sandbox.meter.enter(Account(fuel, fuel))
    limit = None
    try:
        sandbox.run_source(source, "program.py", tools.names())
    except LimitReached as reached:
        limit = reached.resource
    except Exception as error:
        tools.trace("raised", type(error).__name__, str(error))
    finally:
        sandbox.meter.leave(outer)
    return Outcome(tools.log, "".join(tools.printed), sandbox.meter.fuel_used, limit)
