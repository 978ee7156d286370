"""Who watches the calls of a host's modules, beside its own counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol, runtime_checkable

import attrs

from plataforma_sdk.logs import ModuleCall, logger_of

__all__ = ["CallObserver", "CallOutcome", "Observers"]

_LOG: Final = logger_of("plataforma_sdk.runtime")


@attrs.frozen(kw_only=True)
class CallOutcome:
    """How a call ended.

    Attributes:
        duration_ns: how long it took.
        error: what it raised, or None.
        memory_bytes: what the module holds now; 0 where its tier does not count it.
    """

    duration_ns: int
    error: BaseException | None
    memory_bytes: int


@runtime_checkable
class CallObserver(Protocol):
    """Is told of every call into a module, in the host's loop, before and after; must not block.

    What it raises is logged and stops neither the call nor other observers. A plugin's hook
    ``plataforma_call_observer`` returns one for each host.
    """

    def before_call(self, call: ModuleCall) -> None:
        """Take note that a call begins."""

    def after_call(self, call: ModuleCall, outcome: CallOutcome) -> None:
        """Take note of how it ended; called once for each `before_call`, also where the call was cancelled."""


class Observers:
    """Passes calls on to each observer; false where there is none."""

    def __init__(self, observers: Iterable[CallObserver] = ()) -> None:
        self._observers = tuple(observers)

    def __bool__(self) -> bool:
        return bool(self._observers)

    def before(self, call: ModuleCall) -> None:
        """Tell all that a call begins."""
        for observer in self._observers:
            try:
                observer.before_call(call)
            except Exception:  # noqa: BLE001 - a watcher stops nobody
                _LOG.exception("An observer failed before a call of module %r", call.module.id)

    def after(self, call: ModuleCall, outcome: CallOutcome) -> None:
        """Tell all how it ended, the last first: what they opened closes in order."""
        for observer in reversed(self._observers):
            try:
                observer.after_call(call, outcome)
            except Exception:  # noqa: BLE001 - a watcher stops nobody
                _LOG.exception("An observer failed after a call of module %r", call.module.id)
