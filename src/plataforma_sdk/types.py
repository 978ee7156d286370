"""Values that every room shares: JSON values, ids, the clock, events and API requests.

Belongs to the authoring layer: standard library and attrs only, the same file runs inside the WASM guest.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Protocol, Self, TypeAlias, runtime_checkable

import attrs

__all__ = [
    "MODULE_ID_PATTERN",
    "ApiRequest",
    "Clock",
    "Event",
    "FakeClock",
    "JsonValue",
    "Subscription",
    "SystemClock",
    "is_module_id",
    "module_segment",
]

JsonValue: TypeAlias = (
    "bool | int | float | str | bytes | Decimal | datetime.date | datetime.datetime"
    " | list[JsonValue] | tuple[JsonValue, ...] | dict[str, JsonValue] | None"
)
"""What may cross a boundary: JSON, and bytes, Decimal, date, datetime and large integers by tag (see `codec`)."""

MODULE_ID_PATTERN: Final = re.compile(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*/)?[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
"""A module id: ``name`` or ``namespace/name``; `is_module_id` checks its length too."""
MAX_MODULE_ID_BYTES: Final = 64


def is_module_id(text: str) -> bool:
    """Tell whether `text` is a module id: ``name`` or ``namespace/name``, at most 64 bytes."""
    return len(text) <= MAX_MODULE_ID_BYTES and MODULE_ID_PATTERN.fullmatch(text) is not None


def module_segment(module_id: str) -> str:
    """Write a module id as one segment of a topic, path or header: ``acme/vendas`` reads ``acme--vendas``.

    Unambiguous, since an id never holds two hyphens in a row.
    """
    return module_id.replace("/", "--")


@runtime_checkable
class Clock(Protocol):
    """Where time comes from; injected everywhere, so that tests do not sleep."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""


class SystemClock:
    """The clock of the machine."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class FakeClock:
    """A clock that stands still until it is advanced.

    >>> clock = FakeClock()
    >>> clock.advance(1.5)
    >>> clock.monotonic()
    1.5
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._start = now
        self._elapsed = 0.0

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self._start + self._elapsed

    def monotonic(self) -> float:
        """Seconds advanced since the clock was made."""
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Move forward; a negative step is a `ValueError`."""
        if seconds < 0:
            raise ValueError(f"a clock does not go back: {seconds}")
        self._elapsed += seconds


@attrs.define(eq=False)
class Event:
    """Something that happened: what a handler receives.

    Attributes:
        topic: dotted name, ``"data.vendas.updated"``.
        data: the payload, the recipient's own copy.
        source: id of the module that emitted it, or None for the host.
        id: number of the event in its bus, from 1.
        causes: ids of the events whose handling led to this one, oldest first; its length is the depth.
    """

    topic: str
    data: Any = None
    source: str | None = None
    id: int = 0
    causes: tuple[int, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Write the event as plain data, for a boundary."""
        return {
            "topic": self.topic,
            "data": self.data,
            "source": self.source,
            "id": self.id,
            "causes": list(self.causes),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_data` wrote."""
        return cls(data["topic"], data["data"], data["source"], data["id"], tuple(data["causes"]))


@attrs.frozen
class ApiRequest:
    """A call to an endpoint that a module registered.

    Attributes:
        method: ``"GET"``, ``"POST"`` ...
        path: the checked path, ``"/vendas/resumo"``.
        params: query parameters.
        json: the decoded body, or None.
        headers: allow-listed request headers, names in lower case.
        caller: id of the calling module, or None for the host; set by the host, never by the caller.
    """

    method: str
    path: str
    params: Mapping[str, Any] = attrs.field(factory=dict)
    json: Any = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    caller: str | None = None

    def to_data(self) -> dict[str, Any]:
        """Write the request as plain data, for a boundary."""
        return {
            "method": self.method,
            "path": self.path,
            "params": dict(self.params),
            "json": self.json,
            "headers": dict(self.headers),
            "caller": self.caller,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_data` wrote."""
        return cls(**data)


class Subscription:
    """A live subscription; ends with `unsubscribe`, with the ``with`` block, or with its owner.

    Attributes:
        topic: the topic or pattern subscribed to.
    """

    __slots__ = ("_cancel", "topic")

    def __init__(self, topic: str, cancel: Callable[[], None]) -> None:
        self.topic = topic
        self._cancel: Callable[[], None] | None = cancel

    @property
    def is_active(self) -> bool:
        """Whether events still arrive."""
        return self._cancel is not None

    def unsubscribe(self) -> None:
        """End the subscription; a second call does nothing."""
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unsubscribe()

    def __repr__(self) -> str:
        return f"<Subscription {self.topic!r} {'active' if self.is_active else 'ended'}>"
