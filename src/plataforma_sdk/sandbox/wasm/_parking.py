"""Parks a guest: its memory is put away until something is to be pumped, then written back and pumped.

A guest may be parked while it awaits its host: its coroutines lie in its memory, and the answer wakes it.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from typing import Final

from plataforma_sdk.errors import SandboxCrashedError
from plataforma_sdk.sandbox._monitor import ResourceMonitor
from plataforma_sdk.sandbox.wasm._hibernation import Asleep, hibernation_refusal, put_away, write_back
from plataforma_sdk.sandbox.wasm._memory import LinearMemory

__all__ = ["Parking"]

_LOG: Final = logging.getLogger("plataforma_sdk.sandbox.wasm")


class Parking:
    """Where one guest's memory goes while it is parked. Belongs to the loop that the guest belongs to.

    Args:
        memory: the guest's; one whose place is not known is never put away.
        monitor: is told what the guest holds.
        can_park: whether nothing is under way; see `Parkable.park`.
        on_awake: called when the memory is back.
        on_lost: called with an error if it cannot be brought back.

    Attributes:
        is_taken: whether the memory is away; nothing may run the guest then.
    """

    def __init__(
        self,
        memory: object,
        monitor: ResourceMonitor,
        *,
        can_park: Callable[[float | None], bool],
        on_awake: Callable[[], None],
        on_lost: Callable[[SandboxCrashedError], None],
    ) -> None:
        self.is_taken = False
        self._memory = memory
        self._monitor = monitor
        self._can_park = can_park
        self._on_awake = on_awake
        self._on_lost = on_lost
        self._asleep: Asleep | None = None
        self._packing: asyncio.Future[None] | None = None
        self._waking: asyncio.Task[None] | None = None

    async def park(self, *, quiet_s: float | None = None) -> bool:
        """Put the memory away and return whether it is; see `Parkable.park`."""
        if self.is_taken:
            return self._waking is None
        if not self._can_park(quiet_s):
            return False
        memory = self._memory
        refusal = await asyncio.to_thread(hibernation_refusal, memory)
        if refusal is not None or not isinstance(memory, LinearMemory):
            _warn(str(refusal))
            return False
        if self.is_taken or not self._can_park(quiet_s):
            return False  # something happened while the trial ran
        try:
            asleep = self._asleep = put_away(memory)
        except OSError as error:
            _warn(str(error))
            return False
        self.is_taken = True
        await self._pack(asleep)
        return self._asleep is asleep and self._waking is None

    async def _pack(self, asleep: Asleep) -> None:
        self._monitor.set_memory(asleep.held_bytes)
        self._packing = asyncio.get_running_loop().run_in_executor(None, asleep.pack)
        await asyncio.wait([self._packing])
        if self._asleep is asleep and self._waking is None:
            self._monitor.set_memory(asleep.held_bytes)

    def wake_soon(self) -> None:
        """Begin to bring the memory back; a second call does nothing."""
        if self._waking is None:
            self._waking = asyncio.get_running_loop().create_task(self._wake(), name="plataforma-wake")

    async def wake(self) -> None:
        """Bring the memory back, if it is away."""
        while self.is_taken and self._asleep is not None:
            self.wake_soon()
            if self._waking is not None:
                await asyncio.wait([self._waking])

    def forget(self) -> None:
        """The guest has ended: there is nothing to bring back."""
        self._asleep = None
        if self._waking is not None:
            self._waking.cancel()

    async def _wake(self) -> None:
        if self._packing is not None and not self._packing.done():
            await asyncio.wait([self._packing])
        asleep, memory = self._asleep, self._memory
        if asleep is None or not isinstance(memory, LinearMemory):
            return
        changes = await asyncio.to_thread(asleep.unpacked)
        if self._asleep is not asleep:
            return  # it has ended meanwhile
        self._waking = self._asleep = None
        try:
            write_back(memory, asleep, changes)
        except OSError as error:
            self._on_lost(SandboxCrashedError(f"A parked module could not be woken ({error}): its instance is ended"))
            return
        self.is_taken = False
        self._monitor.set_memory(memory.size_bytes)
        self._on_awake()


@functools.cache
def _warn(reason: str) -> None:
    """Say once a process why modules stay live."""
    _LOG.warning("Modules are not parked here, and stay live: %s", reason)
