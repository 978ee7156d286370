"""What a module has registered at its host, as the calls that would register it again."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["REGISTERING", "Registrations"]

_BEGINS: Final = frozenset({"events.subscribe", "timers.start", "api.register"})
_ENDS: Final = frozenset({"events.unsubscribe", "timers.stop"})

REGISTERING: Final = (*sorted(_BEGINS | _ENDS), "windows.create", "windows.update", "windows.close")
"""The calls that `Registrations.note` takes account of."""


class Registrations:
    """Keeps account of a module's immediate calls; its handlers are known by the numbers that it gave them.

    >>> kept = Registrations()
    >>> kept.note("timers.start", [1, 60.0]); kept.note("timers.start", [2, 5.0]); kept.note("timers.stop", [1])
    >>> kept.calls()
    [('timers.start', [2, 5.0])]
    """

    def __init__(self) -> None:
        self._numbered: dict[int, tuple[str, list[Any]]] = {}
        self._windows: dict[str, dict[str, Any]] = {}

    def note(self, method: str, args: list[Any]) -> None:
        """Take account of a call that the host has served; any other than a registration is left out."""
        if method in _BEGINS:
            self._numbered[args[0]] = (method, list(args))
        elif method in _ENDS:
            self._numbered.pop(args[0], None)
        elif method == "windows.create":
            self._windows[args[0]["id"]] = dict(args[0])
        elif method == "windows.update" and args[0] in self._windows:
            self._windows[args[0]].update(args[1])
        elif method == "windows.close":
            self._windows.pop(args[0], None)

    def calls(self) -> list[tuple[str, list[Any]]]:
        """Return ``(method, arguments)`` of the calls that register again what is registered now."""
        return [*self._numbered.values(), *(("windows.create", [dict(window)]) for window in self._windows.values())]
