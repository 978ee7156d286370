"""Trying again: what may pass, how long to wait, and when to give up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import attrs

from plataforma_sdk.api._httpx import load_httpx2
from plataforma_sdk.errors import RegistryError

if TYPE_CHECKING:
    import httpx2

__all__ = ["BusyError", "CutError", "Tries", "WebOptions", "passing_errors"]

_MAX_WAIT_S: Final = 30.0


@attrs.frozen(kw_only=True)
class WebOptions:
    """How patient a client is, and what it stands on.

    Attributes:
        timeout_s: for an answer, and for each piece of a download; large bodies get a second more for each 16 KiB.
        max_tries: how often a request is sent that fails by its connection or by 429, 500, 502, 503 or 504.
        first_wait_s: before the second try; doubled before each one after it, varied by half.
        transport: takes the place of the real network.
        sleep: waits, in seconds.
    """

    timeout_s: float = 30.0
    max_tries: int = 4
    first_wait_s: float = 0.2
    transport: httpx2.AsyncBaseTransport | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class CutError(Exception):
    """An answer that ended before the length that it announced."""


class BusyError(Exception):
    """An answer that may be another one in a moment."""

    def __init__(self, refusal: RegistryError, retry_after: str) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.retry_after = retry_after


class Tries:
    """Counts the tries of one request, and waits between them."""

    def __init__(self, origin: str, options: WebOptions) -> None:
        self._origin = origin
        self._options = options
        self._made = 1

    async def again(self, error: Exception) -> None:
        """Wait for the next try, or raise what the last one ended with."""
        seconds = self._options.first_wait_s * 2 ** (self._made - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        if isinstance(error, BusyError):
            failure = error.refusal
            seconds = float(error.retry_after) if error.retry_after.isdecimal() else seconds
        else:
            problem = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            failure = RegistryError(
                f"{self._origin} gave no whole answer in {self._made} tries ({problem}): see to the connection, "
                "and repeat the command; what arrived is not done twice"
            )
        if self._made >= self._options.max_tries or seconds > _MAX_WAIT_S:
            raise failure from error
        self._made += 1
        await self._options.sleep(seconds)


def passing_errors() -> tuple[type[Exception], ...]:
    """Return what may be otherwise in a moment; imports httpx2."""
    return (TimeoutError, CutError, BusyError, load_httpx2().TransportError)
