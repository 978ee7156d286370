"""What the engine asks of a guest that holds no module yet: to warm up, or to compile."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from plataforma_sdk.errors import SandboxCrashedError
from plataforma_sdk.sandbox.wasm._store import GuestStore
from plataforma_sdk.types import Clock, FakeClock

__all__ = ["WARM_UP", "ErrandHost", "begin_errand", "end_errand", "run_errand"]

WARM_UP: Final = b""
"""The request that makes a guest rehearse; see `guest._rehearsal`."""

_FUEL: Final = 200_000_000
_REFUSED: Final = b'{"type":"PermissionError","message":"there is no module yet"}'


class ErrandHost:
    """The host of a guest without a module: its time stands still, so that each warms up alike.

    Attributes:
        clock: the guest's time.
    """

    interrupt: BaseException | None = None

    def __init__(self) -> None:
        self.clock: Clock = FakeClock(0.0)

    def random_bytes(self, count: int) -> bytes:
        """Return entropy: the runner seeds `random` at its first call, and `Guest.load` seeds it anew."""
        return os.urandom(count)

    def serve_now(self, _method: bytes, _payload: bytes) -> tuple[bool, bytes]:
        """Refuse."""
        return False, _REFUSED


def begin_errand(store: GuestStore, request: bytes, *, fuel: int = _FUEL) -> None:
    """Begin; the caller polls."""
    store.begin(store.load, fuel, request)


def end_errand(store: GuestStore) -> bytes:
    """Return the answer of an errand that has ended.

    Raises:
        SandboxError: the guest trapped, or refused.
    """
    is_ok, text = store.end()
    if not is_ok:
        raise SandboxCrashedError(f"A guest without a module failed: {text[:300].decode(errors='replace')}")
    return text


async def run_errand(store: GuestStore, request: bytes, *, fuel: int = _FUEL) -> bytes:
    """Run an errand, a slice for each turn of the loop; the caller drops the store if this raises.

    Raises:
        SandboxError: the guest trapped, or refused.
    """
    begin_errand(store, request, fuel=fuel)
    while not store.poll():  # noqa: ASYNC110 - nothing to wait for: each poll runs a slice of the guest
        await asyncio.sleep(0)
    return end_errand(store)
