"""The wire between a host and its worker: frames on one stream socket, and the heads of what the worker sends.

A frame is four bytes of length, then a letter, a head of decimal numbers and names, and after a newline one line of
JSON of the one codec: compact JSON holds no newline.

::

    host to worker                          worker to host
    l bundle             load               R version              ready
    c<n> name            call n             r<n> usage / value     call n returned
      / args / kwargs                       e<n> usage / error     call n failed
    k<n>                 cancel call n      p<n> usage / error     it failed, and the instance with it
    v<n> / value         answers h          h<n> <c> name / args   awaited request n, for call c
    x<n> / error         answers h          d<n>                   cancel request n
    V value, X error     answer i and t     i<c> name / args       immediate request
                                            tn, tm                 the host's clock

`usage` is three numbers: processor time since the last frame that had one (µs), fuel since then, memory now (bytes).
The load is call 0. An immediate call blocks the worker, so there is one at a time and its answer needs no number.

The worker runs what nobody trusts, so the host reads its frames by one strict grammar; what does not fit is a
`BreachError`, and ends the worker. Tried and rejected: pickle and marshal (both run or trust what they read).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final, TypeAlias

import attrs

__all__ = [
    "FRAME_SLACK_BYTES",
    "PROTOCOL",
    "Ask",
    "BreachError",
    "ClockRead",
    "Drop",
    "FrameReader",
    "Ready",
    "Reply",
    "pack",
    "read_worker",
]

PROTOCOL: Final = 1
FRAME_SLACK_BYTES: Final = 1 << 16
"""What a worker's frame may hold beside the largest payload: head, brackets and commas. The host judges payloads."""

_LENGTH: Final = struct.Struct("<I")


class BreachError(Exception):
    """The other side broke the rules of the wire: nothing that it says is believed any more."""


@attrs.frozen
class Ready:
    """The worker has started; what it holds speaks our protocol."""


@attrs.frozen
class Reply:
    """How a call into the module ended.

    Attributes:
        kind: ``"r"`` returned, ``"e"`` failed, ``"p"`` failed and poisoned the instance.
        call: number of the call; 0 is the load.
        cpu_us: processor time since the last reply.
        fuel: units since the last reply.
        memory_bytes: memory held now.
        payload: the value or the error, encoded.
    """

    kind: str
    call: int
    cpu_us: int
    fuel: int
    memory_bytes: int
    payload: bytes


@attrs.frozen
class Ask:
    """What the module asks of its host.

    Attributes:
        number: of an awaited request; None for an immediate one.
        call: the call on whose behalf it is asked.
        method: name of the host function.
        payload: its arguments, encoded.
    """

    number: int | None
    call: int
    method: str
    payload: bytes


@attrs.frozen
class Drop:
    """Nobody awaits request `number` any more."""

    number: int


@attrs.frozen
class ClockRead:
    """The module reads the host's clock: `is_monotonic`, or the time of day."""

    is_monotonic: bool


_Message: TypeAlias = Ready | Reply | Ask | Drop | ClockRead
_Rule: TypeAlias = tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], _Message]]


def pack(body: bytes) -> bytes:
    """Make a frame of a body."""
    return _LENGTH.pack(len(body)) + body


def read_worker(body: bytes) -> Ready | Reply | Ask | Drop | ClockRead:
    """Read one frame of a worker's.

    Raises:
        BreachError: it fits no rule of the grammar.
    """
    read = _READERS.get(body[:1])
    if read is None:
        raise BreachError(f"no frame of a worker: {body[:40]!r}")
    pattern, make = read
    found = pattern.match(body)
    if found is None:
        raise BreachError(f"no frame of a worker: {body[:40]!r}")
    return make(found)


def _reply(found: re.Match[bytes]) -> Reply:
    kind, call, cpu_us, fuel, memory, payload = found.groups()
    return Reply(kind.decode(), int(call), int(cpu_us), int(fuel), int(memory), payload)


def _now(found: re.Match[bytes]) -> Ask:
    call, method, payload = found.groups()
    return Ask(None, int(call), method.decode(), payload)


def _awaited(found: re.Match[bytes]) -> Ask:
    number, call, method, payload = found.groups()
    return Ask(int(number), int(call), method.decode(), payload)


def _rule(pattern: bytes, make: Callable[[re.Match[bytes]], _Message]) -> _Rule:
    return re.compile(pattern + rb"\Z", re.DOTALL), make


_REPLY: Final = _rule(rb"([rep])([0-9]{1,15}) ([0-9]{1,15}) ([0-9]{1,18}) ([0-9]{1,15})\n(.*)", _reply)
_READERS: Final[dict[bytes, _Rule]] = {
    b"r": _REPLY,
    b"e": _REPLY,
    b"p": _REPLY,
    b"i": _rule(rb"i([0-9]{1,15}) ([a-z_.]{1,64})\n(.*)", _now),
    b"h": _rule(rb"h([0-9]{1,15}) ([0-9]{1,15}) ([a-z_.]{1,64})\n(.*)", _awaited),
    b"d": _rule(rb"d([0-9]{1,15})", lambda found: Drop(int(found[1]))),
    b"t": _rule(rb"t([nm])", lambda found: ClockRead(found[1] == b"m")),
    b"R": _rule(rb"R%d" % PROTOCOL, lambda _: Ready()),
}
"""First letter -> its rule; a payload is whatever follows the newline."""


class FrameReader:
    """Cuts a stream into frames.

    >>> reader = FrameReader(max_bytes=10)
    >>> reader.feed(pack(b"abc") + pack(b"d")[:3])
    >>> reader.next(), reader.next()
    (b'abc', None)
    """

    def __init__(self, max_bytes: int) -> None:
        """Refuse frames of more than `max_bytes`."""
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._at = 0

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._buffer += data

    def next(self) -> bytes | None:
        """Return the body of the next whole frame, or None.

        Raises:
            BreachError: a frame is empty, or longer than allowed.
        """
        begin = self._at + _LENGTH.size
        end = begin + self._size()
        if end == begin or len(self._buffer) < end:
            self._compact()
            return None
        with memoryview(self._buffer) as view:
            body = bytes(view[begin:end])
        self._at = end
        if end == len(self._buffer):
            self._compact()
        return body

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to be cut."""
        return self._at == len(self._buffer)

    @property
    def missing_bytes(self) -> int:
        """How many bytes the frame that has begun still lacks; 0 where its length is not known yet."""
        size = self._size()
        return max(0, self._at + _LENGTH.size + size - len(self._buffer)) if size else 0

    def _size(self) -> int:
        """Length of the next frame, or 0 where it has not arrived."""
        if len(self._buffer) - self._at < _LENGTH.size:
            return 0
        size: int = _LENGTH.unpack_from(self._buffer, self._at)[0]
        if not 0 < size <= self._max_bytes:
            raise BreachError(f"a frame of {size} bytes, where 1 to {self._max_bytes} are allowed")
        return size

    def _compact(self) -> None:
        del self._buffer[: self._at]
        self._at = 0
