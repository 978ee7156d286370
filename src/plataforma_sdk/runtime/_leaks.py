"""What a module leaves behind, or piles up: each with its owner and the line that made it."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from plataforma_sdk.events import EventBus
    from plataforma_sdk.package import ModulePackage

__all__ = ["Leak", "LeakReport", "Ledger", "Suspect"]

MAX_KEPT: Final = 100
"""Leaks of one module that are remembered; what leaks at each reload must not leak here too."""

PILE: Final = 8
"""How often one instance may register the same from the same line; a loop over a few handlers does it on purpose."""

_LOG: Final = logging.getLogger("plataforma_sdk.runtime")


@attrs.frozen(kw_only=True)
class Leak:
    """Something that is still there and should not be.

    Attributes:
        module: id of the module that owns it.
        version: the version that made it.
        kind: ``"subscription"``, ``"window"``, ``"endpoint"``, ``"timer"``, ``"task"`` or ``"thread"``.
        name: topic, window id, path, interval, or name of the task or thread.
        where: ``"vendas.py:12"``, the line of the module that made it; for a task or thread, the one where it is now.
            None where it is not known, as always in the tier ``wasm``.
        count: how many of the same; more than one where a live instance registers it again and again.
    """

    module: str
    version: str
    kind: str
    name: str
    where: str | None = None
    count: int = 1

    def __str__(self) -> str:
        place = f", at {self.where}" if self.where else ""
        what = f"Module {self.module!r} {self.version}"
        if self.count > 1:
            return (
                f"{what} holds {self.count} times the same {self.kind} {self.name!r}{place}: "
                "register it once, in on_load, or end the old one first"
            )
        return f"{what} left a {self.kind} behind: {self.name!r}{place}: end it in on_unload"


Suspect = tuple[Leak, Callable[[], bool]]
"""What should be gone by now, and a function that tells whether it is still there."""


class Ledger:
    """What one instance has registered, and from which of its lines.

    Args:
        package: the module's package, whose lines are named.
        on_pile: told once when the same was registered more often than can be meant.
    """

    def __init__(self, package: ModulePackage, on_pile: Callable[[Leak], None]) -> None:
        self._package = package
        self._on_pile = on_pile
        self._entries: dict[tuple[str, object], Leak] = {}
        self._counts: Counter[Leak] = Counter()

    def add(self, kind: str, key: object, name: str) -> None:
        """Take note of a registration, while the module's code that does it is on the stack."""
        entry = Leak(
            module=self._package.id, version=self._package.version, kind=kind, name=name, where=_line_of(self._package)
        )
        self._entries[kind, key] = entry
        self._counts[entry] += 1
        if self._counts[entry] == PILE + 1:
            self._on_pile(attrs.evolve(entry, count=PILE + 1))

    def drop(self, kind: str, key: object) -> None:
        """Take note of its end; one that is not there is left alone."""
        entry = self._entries.pop((kind, key), None)
        if entry is not None:
            self._counts[entry] -= 1
            if not self._counts[entry]:
                del self._counts[entry]

    def find(self, kind: str, key: object) -> Leak:
        """Return what is known of a registration."""
        unknown = Leak(module=self._package.id, version=self._package.version, kind=kind, name=str(key))
        return self._entries.get((kind, key), unknown)

    def piles(self) -> list[Leak]:
        """Return what was registered more often than can be meant, and is not ended."""
        return [attrs.evolve(entry, count=count) for entry, count in self._counts.items() if count > PILE]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._counts.clear()


class LeakReport:
    """What outlived the instances of one module."""

    def __init__(self, events: EventBus) -> None:
        self._events = events
        self._suspects: list[Suspect] = []

    def add(self, suspects: Iterable[Suspect]) -> None:
        """Take those that are still there, and tell of each by the log and as ``plataforma.module.leak``."""
        found = [(leak, is_there) for leak, is_there in suspects if is_there()]
        self._suspects = [suspect for suspect in [*self._suspects, *found] if suspect[1]()][-MAX_KEPT:]
        for leak, _ in found:
            self.tell(leak)

    def tell(self, leak: Leak) -> None:
        """Log a leak and emit it, once."""
        _LOG.warning("%s", leak, extra={"module_id": leak.module})
        self._events.emit("plataforma.module.leak", {**attrs.asdict(leak), "message": str(leak)})

    def leaks(self) -> list[Leak]:
        """Return those that are still there now."""
        self._suspects = [suspect for suspect in self._suspects if suspect[1]()]
        return [leak for leak, _ in self._suspects]


def _line_of(package: ModulePackage) -> str | None:
    """Find the module's own innermost line on the stack: `trusted` names its files ``<id>/...``, `restricted` bare."""
    frame, prefix = sys._getframe(2), f"<{package.id}>/"  # noqa: SLF001 - documented; `inspect` reads every source file
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(prefix) or (file.endswith(".py") and file in package.files):
            return f"{file.removeprefix(prefix)}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return None
