"""Hosts for a guest that is run again: they give what the journal holds, and nothing else happens."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn, Protocol

from wasmtime import WasmtimeError

from plataforma_sdk.sandbox.wasm._host import STEP
from plataforma_sdk.sandbox.wasm._recorder import CALL, MONOTONIC, RANDOM, WALL, Event
from plataforma_sdk.sandbox.wasm._wasi import InterruptibleHost
from plataforma_sdk.types import Clock

__all__ = ["ExactHost", "LenientHost", "ReplayedHost"]

_LOG: Final = b"log"
_NAMES: Final = {WALL: "the wall clock", MONOTONIC: "the monotonic clock", RANDOM: "random bytes"}
_SHOWN_CHARS: Final = 200

OnCall = Callable[[str, bytes, bool], None]
"""Takes ``(method, "call [args]", whether the host served it)`` of each immediate call."""


class ReplayedHost(InterruptibleHost, Protocol):
    """A guest's host made of a journal.

    Attributes:
        difference: what the guest did that the journal does not hold: ``(recorded, done)``; or None.
    """

    difference: tuple[str, str] | None

    def feed(self, events: Iterable[Event]) -> None:
        """Take what the host gave during the pump that is run next."""

    def rest(self) -> str | None:
        """Name what was recorded and not asked for."""


class _Clock:
    def __init__(self, take: Callable[[int], Any]) -> None:
        self._take = take

    def now(self) -> float:
        return float(self._take(WALL))

    def monotonic(self) -> float:
        return float(self._take(MONOTONIC))


class ExactHost:
    """Gives the guest the same answers in the same order; the first thing that it does otherwise ends it.

    Args:
        on_call: called with each immediate call.
    """

    def __init__(self, on_call: OnCall | None = None) -> None:
        self.clock: Clock = _Clock(lambda kind: self._take(kind).value)
        self.interrupt: BaseException | None = None
        self.difference: tuple[str, str] | None = None
        self._events: deque[Event] = deque()
        self._on_call = on_call

    def feed(self, events: Iterable[Event]) -> None:
        """See `ReplayedHost`."""
        self._events.extend(events)

    def rest(self) -> str | None:
        """See `ReplayedHost`."""
        return _shown(self._events[0]) if self._events else None

    def random_bytes(self, count: int) -> bytes:
        """Give the recorded bytes."""
        event = self._take(RANDOM)
        data: bytes = event.value
        if len(data) != count:
            self._differ(event, f"asked for {count}")
        return data

    def serve_now(self, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        """Give the recorded answer."""
        if method == STEP:
            return True, b""
        event = self._events.popleft() if self._events else None
        if event is None or event.kind != CALL or event.method != method or event.checksum != zlib.crc32(payload):
            self._differ(event, _asked(method, payload))
        if self._on_call is not None:
            self._on_call(method.decode("utf-8", "replace"), payload, event.is_ok)
        return event.is_ok, event.value

    def _take(self, kind: int) -> Event:
        event = self._events.popleft() if self._events else None
        if event is None or event.kind != kind:
            self._differ(event, f"asked for {_NAMES[kind]}")
        return event

    def _differ(self, event: Event | None, done: str) -> NoReturn:
        recorded = "nothing more" if event is None else _shown(event)
        self.difference = self.difference or (recorded, done)
        raise WasmtimeError(f"the journal holds {recorded}, the module {done}")  # the one error that crosses here


class LenientHost:
    """Serves another version of the module: what is not in the journal is made up where that does no harm.

    Answers of immediate calls are taken method by method; logging is always served; a clock that was read more often
    stands still, and randomness that was not recorded is a sequence of zeros.
    """

    def __init__(self) -> None:
        self.clock: Clock = _Clock(self._read)
        self.interrupt: BaseException | None = None
        self.difference: tuple[str, str] | None = None
        self._answers: dict[bytes, deque[Event]] = {}
        self._times: dict[int, deque[float]] = {WALL: deque(), MONOTONIC: deque()}
        self._last: dict[int, float] = {WALL: 0.0, MONOTONIC: 0.0}
        self._random = b""

    def feed(self, events: Iterable[Event]) -> None:
        """See `ReplayedHost`; what an earlier pump left over is forgotten."""
        self._answers.clear()
        for event in events:
            if event.kind == CALL:
                self._answers.setdefault(event.method, deque()).append(event)
            elif event.kind == RANDOM:
                self._random += event.value
            else:
                self._times[event.kind].append(event.value)

    def rest(self) -> str | None:
        """Nothing: another version may ask for less."""

    def random_bytes(self, count: int) -> bytes:
        """Give recorded bytes, then zeros."""
        data, self._random = self._random[:count], self._random[count:]
        return data.ljust(count, b"\0")

    def serve_now(self, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        """Give the next recorded answer of this method."""
        if method == STEP:
            return True, b""
        if method == _LOG:
            return True, b"null"
        answers = self._answers.get(method)
        if not answers:
            asked = _asked(method, payload)
            self.difference = self.difference or ("no answer to this", asked)
            raise WasmtimeError(f"the journal holds no answer to it: {asked}")
        event = answers.popleft()
        return event.is_ok, event.value

    def _read(self, kind: int) -> float:
        times = self._times[kind]
        if times:
            self._last[kind] = times.popleft()
        return self._last[kind]


def _asked(method: bytes, payload: bytes) -> str:
    return f"asked {method.decode('utf-8', 'replace')} {payload[:_SHOWN_CHARS].decode('utf-8', 'replace')}"


def _shown(event: Event) -> str:
    if event.kind == CALL:
        return f"a call of {event.method.decode('utf-8', 'replace')}"
    if event.kind == RANDOM:
        return f"{len(event.value)} random bytes"
    return f"a reading of {_NAMES[event.kind]}"
