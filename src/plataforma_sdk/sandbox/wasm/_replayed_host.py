"""Hosts for a guest that is run again: they give what the journal holds, and nothing else happens."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

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
    def __init__(self, take: Callable[[int, str], Any]) -> None:
        self._take = take

    def now(self) -> float:
        return float(self._take(WALL, _NAMES[WALL]))

    def monotonic(self) -> float:
        return float(self._take(MONOTONIC, _NAMES[MONOTONIC]))


class ExactHost:
    """Gives the guest the same answers in the same order; the first thing that it does otherwise ends it.

    Args:
        on_call: called with each immediate call.
    """

    def __init__(self, on_call: OnCall | None = None) -> None:
        self.clock: Clock = _Clock(lambda kind, what: self._take(kind, what).value)
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
        data: bytes = self._take(RANDOM, _NAMES[RANDOM]).value
        if len(data) != count:
            self._differ(f"{len(data)} random bytes", f"asked for {count}")
        return data

    def serve_now(self, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        """Give the recorded answer."""
        if method == STEP:
            return True, b""
        asked = method.decode("utf-8", "replace")
        event = self._take(CALL, f"{asked} {payload[:_SHOWN_CHARS].decode('utf-8', 'replace')}")
        if event.method != method or event.checksum != zlib.crc32(payload):
            self._differ(_shown(event), f"asked {asked} {payload[:_SHOWN_CHARS].decode('utf-8', 'replace')}")
        if self._on_call is not None:
            self._on_call(asked, payload, event.is_ok)
        return event.is_ok, event.value

    def _take(self, kind: int, what: str) -> Event:
        if not self._events:
            self._differ("nothing more", f"asked for {what}")
        event = self._events.popleft()
        if event.kind != kind:
            self._differ(_shown(event), f"asked for {what}")
        return event

    def _differ(self, recorded: str, done: str) -> None:
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
            asked = f"{method.decode('utf-8', 'replace')} {payload[:_SHOWN_CHARS].decode('utf-8', 'replace')}"
            self.difference = self.difference or ("no answer to this", f"asked {asked}")
            raise WasmtimeError(f"the journal holds no answer to {asked}")
        event = answers.popleft()
        return event.is_ok, event.value

    def _read(self, kind: int, _what: str) -> float:
        times = self._times[kind]
        if times:
            self._last[kind] = times.popleft()
        return self._last[kind]


def _shown(event: Event) -> str:
    if event.kind == CALL:
        return f"a call of {event.method.decode('utf-8', 'replace')}"
    return f"a reading of {_NAMES[event.kind]}"
