"""Runs a journal again: a production fault becomes a local test."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, IntegrityError, PlataformaError, SandboxCrashedError
from plataforma_sdk.sandbox.wasm._calls import guest_error
from plataforma_sdk.sandbox.wasm._journal import (
    BEGIN,
    END,
    INSTANCE,
    PACKAGE,
    Frame,
    facts_of,
    read_frames,
    reading_frames,
)
from plataforma_sdk.sandbox.wasm._player import Played, Player, limits_of
from plataforma_sdk.sandbox.wasm._recorder import DROPPED, ERR, OK, PUMP, TRAPPED, Begin, End, written
from plataforma_sdk.sandbox.wasm._traps import limit_error

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["Difference", "ReplayReport", "ReplayedFault", "replay"]

_KEPT_FAULTS: Final = 100
_SHOWN_CHARS: Final = 400
_OUTCOMES: Final = {OK: "ended", ERR: "failed", TRAPPED: "trapped", DROPPED: "was ended by its host"}


@attrs.frozen(kw_only=True)
class Difference:
    """Where a replay left its journal.

    Attributes:
        pump: number of the pump, from 1; 0 while the module's code loaded.
        what: ``"outbox"``, ``"fuel"``, ``"outcome"`` or ``"host"``: what the guest asked of its host.
        recorded: what the journal holds.
        replayed: what happened now.

    >>> print(Difference(pump=3, what="fuel", recorded="10", replayed="11"))
    pump 3: the fuel differs: recorded 10; now 11
    """

    pump: int
    what: str
    recorded: str
    replayed: str

    def __str__(self) -> str:
        where = f"pump {self.pump}" if self.pump else "loading"
        return f"{where}: the {self.what} differs: recorded {self.recorded}; now {self.replayed}"


@attrs.frozen(kw_only=True)
class ReplayedFault:
    """An error that a journal holds, raised again.

    Attributes:
        pump: number of the pump, 0 while the module's code loaded.
        error: what the caller was given: a `GuestError` with the guest's traceback, a `ResourceLimitError`, ...
    """

    pump: int
    error: PlataformaError


@attrs.frozen(kw_only=True)
class ReplayReport:
    """What came of a replay.

    Attributes:
        module: id of the module.
        version: its version, of the last instance.
        pumps: how many pumps ran.
        fuel: fuel that they used, loading included.
        instances: how many guests the journal holds: one, and one for each reload or replacement.
        difference: the first difference, after which nothing was run; None where all is identical.
        faults: errors that calls ended with, the last 100.
        is_torn: whether the journal ends within a pump: its host was killed, or died of it.
        seconds: time taken, without starting the engine.
        notes: what may be in the way of an exact replay.
    """

    module: str
    version: str
    pumps: int
    fuel: int
    instances: int
    difference: Difference | None
    faults: tuple[ReplayedFault, ...]
    is_torn: bool
    seconds: float
    notes: tuple[str, ...]

    @property
    def is_identical(self) -> bool:
        """Whether every outbox and every fuel count was the recorded one."""
        return self.difference is None

    @property
    def fault(self) -> ReplayedFault | None:
        """The last fault."""
        return self.faults[-1] if self.faults else None


def replay(
    path: str | os.PathLike[str], *, until: int | None = None, package: ModulePackage | None = None
) -> ReplayReport:
    """Run a journal again in fresh guests, without a host, and compare every outbox and every fuel count.

    Blocks: 10,000 to 30,000 small pumps a second; call it off the event loop. Nothing that the module asks for
    happens: the answers are the recorded ones.

    Args:
        path: the journal; a torn end is left out.
        until: number of the last pump to run; None for all.
        package: another version of the module, to be run on what this one was given, such as one that mends a fault:
            outboxes and fuel are not compared then, and the only difference is a question without a recorded answer.

    Raises:
        IntegrityError: the file is no journal.
        StaleRunnerError: it was recorded with another guest runner.
        SandboxError: the engine does not run here.
    """
    return _Replay(until, package).run(read_frames(path))


class _Replay:
    def __init__(self, until: int | None, package: ModulePackage | None) -> None:
        self._until = until
        self._package = package
        self._facts: dict[int, dict[str, Any]] = {}
        self._players: dict[int, Player] = {}
        self._open: dict[int, Begin] = {}
        self._last: dict[str, Any] = {}
        self._pumps = 0
        self._fuel = 0
        self._faults: list[ReplayedFault] = []
        self._difference: Difference | None = None
        self._seconds = 0.0
        self._is_torn = False

    def run(self, frames: Iterator[Frame]) -> ReplayReport:
        try:
            with reading_frames():
                self._take_all(frames)
        finally:
            for player in self._players.values():
                player.close()
        if not self._last:
            raise IntegrityError("The journal holds no instance: nothing was recorded in it")
        return self._report()

    def _take_all(self, frames: Iterator[Frame]) -> None:
        for frame in frames:
            if self._difference is not None or self._is_over():
                break
            self._take(frame)
        self._is_torn = bool(self._open) and not self._is_over() and self._difference is None
        for instance in list(self._open) if self._is_torn else ():
            self._play(instance, None)

    def _is_over(self) -> bool:
        return self._until is not None and self._pumps >= self._until

    def _take(self, frame: Frame) -> None:
        number = frame.instance
        if frame.kind == INSTANCE:
            self._last = self._facts[number] = facts_of(frame)
        elif frame.kind == PACKAGE:
            self._players[number] = Player(self._facts[number], frame.body, package=self._package)
        elif frame.kind == BEGIN:
            self._open[number] = Begin.read(frame)
        elif frame.kind == END and number in self._open:
            self._play(number, End.read(frame))

    def _play(self, number: int, end: End | None) -> None:
        begin = self._open.pop(number)
        player = self._players[number]
        player.prepare()
        began = time.perf_counter()
        played = player.play(begin, end)
        self._seconds += time.perf_counter() - began
        self._pumps += begin.export == PUMP
        self._fuel += played.fuel
        pump = self._pumps if begin.export == PUMP else 0
        if end is not None:
            self._difference = self._compare(pump, end, played)
        if self._difference is None:
            self._note_faults(pump, played, self._facts[number])

    def _compare(self, pump: int, end: End, played: Played) -> Difference | None:
        if played.difference is not None:
            recorded, done = played.difference
            return Difference(pump=pump, what="host", recorded=recorded, replayed=done)
        if self._package is not None or (end.outcome == played.outcome == DROPPED):
            return None
        if end.outcome != played.outcome:
            return Difference(
                pump=pump, what="outcome", recorded=_outcome(end), replayed=f"{_OUTCOMES[played.outcome]}"
            )
        if (end.is_digest, end.text) != written(played.text):
            recorded = "another long text" if end.is_digest else _short(end.text)
            return Difference(pump=pump, what="outbox", recorded=recorded, replayed=_short(played.text))
        if end.fuel != played.fuel:
            return Difference(pump=pump, what="fuel", recorded=f"{end.fuel:,}", replayed=f"{played.fuel:,}")
        return None

    def _note_faults(self, pump: int, played: Played, facts: dict[str, Any]) -> None:
        for error in _errors_of(played, facts):
            self._faults.append(ReplayedFault(pump=pump, error=error))
            del self._faults[:-_KEPT_FAULTS]

    def _report(self) -> ReplayReport:
        notes = [note for player in self._players.values() for note in player.notes]
        return ReplayReport(
            module=str(self._last.get("module", "")),
            version=str(self._last.get("version", "")) if self._package is None else self._package.version,
            pumps=self._pumps,
            fuel=self._fuel,
            instances=len(self._players),
            difference=self._difference,
            faults=tuple(self._faults),
            is_torn=self._is_torn,
            seconds=self._seconds,
            notes=tuple(dict.fromkeys(notes)),
        )


def _errors_of(played: Played, facts: dict[str, Any]) -> Iterator[PlataformaError]:
    """Find what calls ended with; a task that was cancelled is no fault."""
    module = str(facts.get("module", ""))
    if played.error is not None:
        yield played.error
    elif played.outcome == DROPPED:
        yield SandboxCrashedError(f"The host ended module {module!r} in the middle of this pump", module=module)
    elif played.outcome == ERR:
        yield from _error_of(played.text.decode(), facts, module)
    elif played.text.startswith(b"e") or b"\ne" in played.text:
        for line in played.text.decode().split("\n"):
            if line.startswith("e"):
                yield from _error_of(line.partition(" ")[2], facts, module)


def _error_of(text: str, facts: dict[str, Any], module: str) -> Iterator[PlataformaError]:
    try:
        data = codec.decode(text)
    except CodecError:
        data = None
    if not isinstance(data, dict):  # the guest may have written anything
        yield SandboxCrashedError(f"Module {module!r} raised an error that is not readable", module=module)
    elif data.get("limit") in ("stack", "memory"):
        yield limit_error(str(data["limit"]), module=module, limits=limits_of(facts))
    elif "cancelled" not in data:
        yield guest_error(data, module)


def _outcome(end: End) -> str:
    return f"{_OUTCOMES[end.outcome]}: {_short(end.text)}" if end.outcome == TRAPPED else _OUTCOMES[end.outcome]


def _short(text: bytes) -> str:
    shown = text.decode("utf-8", "replace")
    return repr(shown if len(shown) <= _SHOWN_CHARS else shown[:_SHOWN_CHARS] + "...")
