"""Reads what a guest wrote. It may have written anything: what is not of the wire's form is an error, never a guess.

The form of the lines is told in `guest/_wire.py`.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

from plataforma_sdk.errors import ResourceLimitError
from plataforma_sdk.sandbox.wasm._calls import HostRequest

__all__ = ["MAX_ERROR_CHARS", "OutboxReader", "read_outbox"]

MAX_ERROR_CHARS: Final = 65_536
_MAX_LINES: Final = 5_000
_PAYLOADS: Final = 4
"""Bounds on what one pump may make the host parse, since it holds the event loop meanwhile."""


class OutboxReader(Protocol):
    """Takes the messages of an outbox, in their order."""

    def on_return(self, number: int, value: str) -> None:
        """Call `number` returned this encoded value."""

    def on_raise(self, number: int, text: str) -> None:
        """Call `number` raised; `text` is the encoded error."""

    def on_request(self, request: HostRequest) -> None:
        """The guest awaits something of its host."""

    def on_dropped(self, number: int) -> None:
        """Nobody waits for request `number` any more."""

    def on_timer(self, when: float) -> None:
        """The guest wants to be pumped at this time at the latest."""


def read_outbox(text: bytes, reader: OutboxReader, *, max_payload_bytes: int, module: str) -> None:
    """Hand each message to `reader`.

    Raises:
        ResourceLimitError: there is more than one pump may say.
        ValueError: a line is not of the wire's form.
    """
    if not text:
        return
    bounds = (
        (len(text), max_payload_bytes * _PAYLOADS, "bytes"),
        (text.count(b"\n"), _MAX_LINES, "messages"),
    )
    for used, limit, unit in bounds:
        if used > limit:
            raise ResourceLimitError("outbox", used=used, limit=limit, unit=unit, module=module)
    for line in text.decode().split("\n"):
        _read_line(line, reader)


def _read_line(line: str, reader: OutboxReader) -> None:
    head, _, rest = line.partition(" ")
    kind, number = head[:1], head[1:]
    if kind == "r":
        reader.on_return(int(number), rest)
    elif kind == "e":
        if len(rest) > MAX_ERROR_CHARS:
            raise ValueError("an error without bounds")
        reader.on_raise(int(number), rest)
    elif kind == "h":
        call, method, args = rest.split(" ", 2)
        reader.on_request(HostRequest(int(number), int(call), method, args))
    elif kind == "d":
        reader.on_dropped(int(number))
    elif kind == "t" and math.isfinite(float(number)):
        reader.on_timer(float(number))
    else:
        raise ValueError(f"not a message: {line[:40]!r}")
