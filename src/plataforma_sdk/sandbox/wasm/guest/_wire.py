"""The guest's end of the wire: what crosses, as lines of text.

One message a line; compact JSON holds no raw line end. ``<n>`` numbers calls on the host's side and futures on the
guest's, each from 1.

Inbox of `pump` (host -> guest); the first line is the host's monotonic time in seconds:

===========================  ==========================================================================
``c<n> function [args]``     call; with keyword arguments ``{"args": [...], "kwargs": {...}}``
``k<n>``                     cancel call n
``v<n> value``               future n has a value
``x<n> error``               future n has failed
===========================  ==========================================================================

Outbox (guest -> host), in the order in which things happened:

===========================  ==========================================================================
``r<n> value``               call n returns
``e<n> error``               call n raises
``h<n> call method [args]``  ask the host for something awaited, on behalf of a call (0: of none)
``d<n>``                     nobody waits for future n any more
``t<seconds>``               pump again at this time at the latest; always the last line
===========================  ==========================================================================

An immediate host function goes through the import ``host.call(method, "call [args]")``; its error is an error below.
``host.call("@step", "")`` tells the host that another step begins (it times steps one by one).

An error is one of ``{"code", "message", "fields"}`` for the library's own (see `errors`), ``{"type", "message",
"traceback"}`` for any other, ``{"limit": "stack" | "memory"}`` for what ends an instance, ``{"cancelled": true}``.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import traceback
from collections.abc import Callable
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, PlataformaError, error_from_data, error_to_data

__all__ = ["CALL", "SCAN", "GuestBridge", "Outbox", "describe_error", "read", "write"]

CALL: Final[contextvars.ContextVar[str]] = contextvars.ContextVar("plataforma_call", default="0")
"""Number of the call on whose behalf code runs, as it is written; tasks inherit it."""

SCAN: Final[Callable[[str, int], tuple[Any, int]]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_CONSTANTS: Final = {"null": None, "true": True, "false": False}
_TOO_LARGE: Final = ("index-sized integer", "is too long", "are too long")
_MAX_TRACEBACK_FRAMES: Final = 40
_MAX_TEXT_CHARS: Final = 2_000


def read(text: str) -> Any:
    """Decode what the host wrote. It was checked when it was written, so only tags need the codec."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return codec.decode(text) if '"$' in text else SCAN(text, 0)[0]


def write(value: object) -> str:
    """Encode for the host."""
    return "null" if value is None else codec.encode(value)


class Outbox:
    """What the guest has to say when the pump ends, and the futures that it waits for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.lines: list[str] = []
        self._loop = loop
        self._futures: dict[int, asyncio.Future[Any]] = {}
        self._last = 0

    def open(self, method: str, args: list[Any]) -> tuple[int, asyncio.Future[Any]]:
        """Ask the host for something awaited."""
        text = codec.encode(args)
        self._last += 1
        future: asyncio.Future[Any] = asyncio.Future(loop=self._loop)
        self._futures[self._last] = future
        self.lines.append(f"h{self._last} {CALL.get()} {method} {text}")
        return self._last, future

    def drop(self, number: int) -> None:
        """Tell the host that nobody waits for a future any more."""
        if self._futures.pop(number, None) is not None:
            self.lines.append(f"d{number}")

    def resolve(self, number: int, text: str) -> None:
        """Give a future its value."""
        future = self._futures.pop(number, None)
        if future is not None and not future.done():
            future.set_result(read(text))

    def reject(self, number: int, text: str) -> None:
        """Give a future its error."""
        future = self._futures.pop(number, None)
        if future is not None and not future.done():
            future.set_exception(error_from_data(read(text)))

    def take(self) -> str:
        """Return what is to be said and begin anew."""
        text = "\n".join(self.lines)
        self.lines.clear()
        return text


class GuestBridge:
    """How the module reaches its host; what `ModuleContext.bridge` is inside the guest.

    Args:
        host_call: the component's import: ``(method, payload) -> text``.
        refusal: what `host_call` raises, with the error's text in ``.value``.
        outbox: where awaited calls go.
    """

    def __init__(self, host_call: Callable[[str, str], str], refusal: type[Any], outbox: Outbox) -> None:
        self._host_call = host_call
        self._refusal = refusal
        self._outbox = outbox

    def call_now(self, method: str, args: list[Any]) -> Any:
        """Call an immediate function of the host."""
        try:
            text = self._host_call(method, f"{CALL.get()} {codec.encode(args)}")
        except self._refusal as refusal:
            raise error_from_data(read(refusal.value)) from None
        return read(text)

    async def call(self, method: str, args: list[Any]) -> Any:
        """Call an awaited function of the host; cancelling it tells the host to stop."""
        number, future = self._outbox.open(method, args)
        try:
            return await future
        finally:
            self._outbox.drop(number)


def describe_error(error: BaseException, owns: Callable[[str], bool]) -> str:
    """Write an error for the outbox.

    Args:
        error: what was raised.
        owns: whether a file name is the author's own; only such frames are shown.
    """
    if isinstance(error, asyncio.CancelledError):
        return '{"cancelled":true}'
    if isinstance(error, RecursionError):
        return '{"limit":"stack"}'
    if _is_out_of_memory(error):
        return '{"limit":"memory"}'
    if isinstance(error, PlataformaError):
        try:
            return codec.encode(error_to_data(error))
        except CodecError:
            """A field that does not cross: describe it as any other error."""
    lines = _traceback(error, owns)
    return codec.encode({"type": type(error).__name__, "message": _text(error), "traceback": lines})


def _is_out_of_memory(error: BaseException) -> bool:
    """Tell the interpreter's own from what a module made up.

    The interpreter's `MemoryError` says nothing; what does not even fit 32 bits of address is an `OverflowError`.
    """
    if isinstance(error, MemoryError):
        return not error.args
    return isinstance(error, OverflowError) and any(wording in str(error) for wording in _TOO_LARGE)


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an author's __str__ may do anything
        text = "<str() of the exception failed>"
    return text[:_MAX_TEXT_CHARS].encode("utf-8", "replace").decode()


def _traceback(error: BaseException, owns: Callable[[str], bool]) -> list[str]:
    try:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if owns(frame.filename)][-_MAX_TRACEBACK_FRAMES:]
        lines = traceback.format_list(own or frames[-1:])
    except Exception:  # noqa: BLE001 - a report must not fail
        return []
    return [line[:_MAX_TEXT_CHARS].encode("utf-8", "replace").decode() for line in lines]
