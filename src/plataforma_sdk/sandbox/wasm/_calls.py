"""A call into a guest that is under way, and what came of it."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Mapping
from typing import Any, Final

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, GuestError, PlataformaError, SandboxCrashedError, error_from_data

__all__ = ["HostRequest", "PendingCall", "guest_error"]

_MAX_TEXT_CHARS: Final = 2_000
_MAX_NAME_CHARS: Final = 200
_MAX_TRACEBACK_LINES: Final = 50


@attrs.frozen
class HostRequest:
    """Something that the guest awaits of its host.

    Attributes:
        number: the guest's future.
        call: the call on whose behalf it is asked, 0 for none.
        method: name of the host function.
        args: its arguments, encoded.
    """

    number: int
    call: int
    method: str
    args: str


class PendingCall:
    """One call, from its line in the inbox to its line in the outbox.

    Made for every call: what most calls leave as it is stands on the class.

    Args:
        number: its number on the wire.
        fuel_left: what is left of its budget.

    Attributes:
        context: the caller's context variables, in which host functions are served; None until the caller waits.
        waiter: set where the caller waits.
        value: the encoded result.
        error: what ended the call instead.
        is_done: whether there is a result or an error.
        is_cancelled: whether the host has asked the guest to stop.
    """

    context: contextvars.Context | None = None
    waiter: asyncio.Future[None] | None = None
    value: str = "null"
    error: PlataformaError | None = None
    is_done: bool = False
    is_cancelled: bool = False

    def __init__(self, number: int, fuel_left: int) -> None:
        self.number = number
        self.fuel_left = fuel_left

    def settle(self, value: str = "null", error: PlataformaError | None = None) -> None:
        """End the call; the first end counts."""
        if self.is_done:
            return
        self.value, self.error, self.is_done = value, error, True
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def result(self) -> Any:
        """Return the decoded result, or raise."""
        if self.error is not None:
            raise self.error
        return None if self.value == "null" else codec.decode(self.value)


def guest_error(data: Mapping[str, Any], module: str) -> PlataformaError:
    """Rebuild an error that the guest described. It may say anything, so nothing of it is believed or unbounded."""
    if "cancelled" in data:
        return GuestError("CancelledError", "the module cancelled the task that served this call", module=module)
    if "code" in data:
        return _own_error(data, module)
    lines = data.get("traceback")
    return GuestError(
        str(data.get("type", "Exception"))[:_MAX_NAME_CHARS],
        str(data.get("message", ""))[:_MAX_TEXT_CHARS],
        traceback=[str(line)[:_MAX_TEXT_CHARS] for line in lines[:_MAX_TRACEBACK_LINES]]
        if isinstance(lines, list)
        else (),
        module=module,
    )


def _own_error(data: Mapping[str, Any], module: str) -> PlataformaError:
    try:
        error = error_from_data(data)
    except (TypeError, ValueError, AttributeError, CodecError):
        return SandboxCrashedError(f"Module {module!r} raised an error that is not readable", module=module)
    error.module = module  # never another's: the guest may have written any name
    return error
