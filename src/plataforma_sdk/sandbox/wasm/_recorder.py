"""Records a guest: stands between the pump and a store, and between the store and its host.

Neither knows of it, so that a guest that is not recorded pays nothing, and whatever kind of guest there is can be
recorded. What is recorded is what crosses, see `_journal`.

Before a pump runs its inbox is written, and when it has run, the rest: an inbox that kills the host's process is then
the last frame of the journal, and can be looked into.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.wasm._guest_protocol import Guest, GuestMemorySize
from plataforma_sdk.sandbox.wasm._host import STEP, InstanceHost
from plataforma_sdk.sandbox.wasm._journal import BEGIN, CLOSED, END, INSTANCE, PACKAGE, Frame, Journal
from plataforma_sdk.types import Clock

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["Begin", "End", "Event", "recorded", "recorded_further"]

LOAD: Final = 0
PUMP: Final = 1

OK: Final = 0
ERR: Final = 1
TRAPPED: Final = 2
DROPPED: Final = 3

WALL: Final = 1
MONOTONIC: Final = 2
RANDOM: Final = 3
CALL: Final = 4

_BEGIN: Final = struct.Struct("<BQI")
_END: Final = struct.Struct("<B?QII")
_CLOCK: Final = struct.Struct("<Bd")
_RANDOM: Final = struct.Struct("<BI")
_CALL: Final = struct.Struct("<B?HII")
_MAX_TEXT_BYTES: Final = 4_096
"""An outbox up to this size is kept whole, of a larger one its digest: the replay makes it anew."""


@attrs.frozen
class Event:
    """What the host gave while a guest ran.

    Attributes:
        kind: `WALL`, `MONOTONIC`, `RANDOM` or `CALL`.
        value: seconds, bytes, or the text of an answer.
        is_ok: whether an immediate call was served.
        method: its method.
        checksum: CRC-32 of what was asked.
    """

    kind: int
    value: Any
    is_ok: bool = True
    method: bytes = b""
    checksum: int = 0


@attrs.frozen
class Begin:
    """A BEGIN frame: the export, its budget of fuel, its texts."""

    export: int
    fuel: int
    first: bytes
    second: bytes

    @classmethod
    def read(cls, frame: Frame) -> Begin:
        """Decode a frame.

        Texts that are no UTF-8 are refused here: wasmtime's C API takes them for sound, and aborts the process.
        """
        export, fuel, size = _BEGIN.unpack_from(frame.body)
        first, second = frame.body[_BEGIN.size : _BEGIN.size + size], frame.body[_BEGIN.size + size :]
        first.decode()
        second.decode()
        return cls(export, fuel, first, second)


@attrs.frozen
class End:
    """An END frame.

    Attributes:
        outcome: `OK`, `ERR`, `TRAPPED` or `DROPPED`.
        is_digest: whether `text` is the digest of a longer text.
        fuel: fuel used.
        slices: how often the guest was resumed.
        text: the outbox, or the error's message.
        events: what the host gave, as written.
    """

    outcome: int
    is_digest: bool
    fuel: int
    slices: int
    text: bytes
    events: bytes = attrs.field(repr=False)

    @classmethod
    def read(cls, frame: Frame) -> End:
        """Decode a frame."""
        outcome, is_digest, fuel, slices, size = _END.unpack_from(frame.body)
        at = _END.size + size
        return cls(outcome, is_digest, fuel, slices, frame.body[_END.size : at], frame.body[at:])

    def read_events(self) -> Iterator[Event]:
        """Decode what the host gave, in its order."""
        data, at = self.events, 0
        while at < len(data):
            kind = data[at]
            if kind in (WALL, MONOTONIC):
                yield Event(kind, _CLOCK.unpack_from(data, at)[1])
                at += _CLOCK.size
            elif kind == RANDOM:
                size = _RANDOM.unpack_from(data, at)[1]
                at += _RANDOM.size + size
                yield Event(kind, data[at - size : at])
            else:
                _, is_ok, name, checksum, size = _CALL.unpack_from(data, at)
                at += _CALL.size + name + size
                text = data[at - size : at]
                text.decode()  # as in `Begin.read`
                yield Event(CALL, text, is_ok, data[at - size - name : at - size], checksum)


def written(text: bytes) -> tuple[bool, bytes]:
    """Return ``(is_digest, text or digest)`` as an END frame holds it."""
    if len(text) <= _MAX_TEXT_BYTES:
        return False, text
    return True, hashlib.sha256(text).digest()


class _RecordedClock:
    """The host's clock; what the guest reads of it is noted."""

    def __init__(self, clock: Clock, note: Callable[[bytes], None]) -> None:
        self._clock = clock
        self._note = note

    def now(self) -> float:
        value = self._clock.now()
        self._note(_CLOCK.pack(WALL, value))
        return value

    def monotonic(self) -> float:
        value = self._clock.monotonic()
        self._note(_CLOCK.pack(MONOTONIC, value))
        return value


class _RecordedHost:
    """A `GuestHost` that notes what it gives."""

    def __init__(self, host: InstanceHost) -> None:
        self.events: list[bytes] = []
        self.clock: Clock = _RecordedClock(host.clock, self._note)
        self._host = host

    def _note(self, event: bytes) -> None:
        self.events.append(event)

    @property
    def interrupt(self) -> BaseException | None:
        return self._host.interrupt

    @interrupt.setter
    def interrupt(self, error: BaseException | None) -> None:
        self._host.interrupt = error

    def random_bytes(self, count: int) -> bytes:
        data = self._host.random_bytes(count)
        self.events.append(_RANDOM.pack(RANDOM, len(data)) + data)
        return data

    def serve_now(self, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        answer = self._host.serve_now(method, payload)
        if method != STEP:  # it tells the host's clock something, and has one answer
            is_ok, text = answer
            head = _CALL.pack(CALL, is_ok, len(method), zlib.crc32(payload), len(text))
            self.events.append(b"".join((head, method, text)))
        return answer


class _RecordedGuest:
    """A `Guest` whose calls are written to a journal; whatever else is asked of it, its store answers."""

    def __init__(self, guest: Guest, host: _RecordedHost, journal: Journal, instance: int) -> None:
        self._guest = guest
        self._events = host.events
        self._journal = journal
        self._instance = instance
        self._load = guest.load
        self._budget = 0
        self._slices = 0
        self._is_open = False
        self._is_closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._guest, name)

    @property
    def unrecorded(self) -> Guest:
        return self._guest

    @property
    def memory(self) -> GuestMemorySize:
        return self._guest.memory

    @property
    def is_busy(self) -> bool:
        return self._guest.is_busy

    def begin(self, call: Any, fuel: int, first: bytes, second: bytes = b"") -> None:
        self._budget, self._slices, self._is_open = fuel, 0, True
        export = LOAD if call == self._load else PUMP  # bound methods are equal, not the same
        body = b"".join((_BEGIN.pack(export, fuel, len(first)), first, second))
        self._journal.write(BEGIN, self._instance, body)
        self._guest.begin(call, fuel, first, second)

    def poll(self) -> bool:
        self._slices += 1
        return self._guest.poll()

    def end(self) -> tuple[bool, bytes]:
        fuel = self._budget - self._guest.fuel_left()
        try:
            is_ok, text = self._guest.end()
        except PlataformaError as error:
            self._write_end(TRAPPED, fuel, str(error).encode())
            raise
        self._write_end(OK if is_ok else ERR, fuel, text)
        return is_ok, text

    def drop(self) -> None:
        if self._is_open:
            self._write_end(DROPPED, self._budget - self._guest.fuel_left(), b"")
        if not self._is_closed:
            self._is_closed = True
            self._journal.write(CLOSED, self._instance, b"")
        self._guest.drop()

    def _write_end(self, outcome: int, fuel: int, text: bytes) -> None:
        self._is_open = False
        is_digest, kept = written(text)
        head = _END.pack(outcome, is_digest, fuel, self._slices, len(kept))
        self._journal.write(END, self._instance, b"".join((head, kept, *self._events)))
        self._events.clear()


def recorded(
    make_store: Callable[[InstanceHost], Guest],
    journal: Journal,
    package: ModulePackage,
    context: EngineContext,
    *,
    runner: str,
) -> Callable[[InstanceHost], Guest]:
    """Return what makes the same store, recorded.

    Args:
        make_store: makes a fresh store: one that has served before would begin with another memory than a replay does.
        journal: an open journal.
        package: kept in the journal, so that a replay needs nothing else.
        context: identity and limits of the module.
        runner: sha256 of what is instantiated.
    """

    def make(host: InstanceHost) -> Guest:
        instance = journal.new_instance()
        journal.write(INSTANCE, instance, codec.encode(facts(package, context, runner)).encode())
        journal.write(PACKAGE, instance, package.to_bytes())
        return _record(make_store, host, journal, instance)

    return make


def recorded_further(
    make_store: Callable[[InstanceHost], Guest], journal: Journal, instance: int
) -> Callable[[InstanceHost], Guest]:
    """Return what makes the same store, recorded as an instance that the journal holds from its beginning."""
    return lambda host: _record(make_store, host, journal, instance)


def _record(make_store: Callable[[InstanceHost], Guest], host: InstanceHost, journal: Journal, instance: int) -> Guest:
    seen = _RecordedHost(host)
    return cast("Guest", _RecordedGuest(make_store(cast("InstanceHost", seen)), seen, journal, instance))


def facts(package: ModulePackage, context: EngineContext, runner: str) -> dict[str, Any]:
    """Describe an instance: what its journal and its snapshots begin with."""
    return {
        "module": context.module_id,
        "version": context.version,
        "digest": package.digest,
        "runner": runner,
        "is_component": package.is_component,
        "wasmtime": importlib.metadata.version("wasmtime"),
        "library": importlib.metadata.version("plataforma-sdk"),
        "max_memory_bytes": context.limits.max_memory_bytes,
        "max_fuel": context.limits.max_fuel,
        "seed": context.seed,
        "began": context.clock.now(),
    }
