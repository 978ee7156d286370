"""What the pump needs of a guest's store, whatever runs in it."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Guest", "GuestMemorySize"]


class GuestMemorySize(Protocol):
    """The size of a guest's memory."""

    @property
    def size_bytes(self) -> int:
        """As of the last `measure`; 0 where it is unknown."""

    def measure(self) -> int:
        """Return the size now."""


class Guest(Protocol):
    """A guest: its two exports, and at most one call under way.

    Belongs to the thread of its loop, save while it is lent: then `poll` alone may run, in one other thread.
    """

    @property
    def load(self) -> Any:
        """The export ``load``, for `begin`."""

    @property
    def pump(self) -> Any:
        """The export ``pump``, for `begin`."""

    @property
    def memory(self) -> GuestMemorySize:
        """Its memory."""

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way, or the guest is lent."""

    def begin(self, call: Any, fuel: int, first: bytes, second: bytes = b"") -> None:
        """Begin a call with a budget of fuel; `poll` runs it."""

    def poll(self) -> bool:
        """Run one slice; true when the call has ended, or the store was dropped meanwhile."""

    def end(self) -> tuple[bool, bytes]:
        """Return what the call that ended returned; raises what ended the guest."""

    def fuel_left(self) -> int:
        """Return what is left of the last call's budget."""

    def lend(self) -> None:
        """Leave the guest to another thread, which may `poll` it and nothing else."""

    def take_back(self) -> None:
        """The other thread is done; what was dropped meanwhile is freed now."""

    def drop(self) -> None:
        """Free everything, once nobody is inside and it is not lent; a second call does nothing."""
