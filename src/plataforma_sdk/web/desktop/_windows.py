"""Has the windows of all modules rendered while somebody looks, once for all pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from plataforma_sdk.types import Subscription
from plataforma_sdk.windows import Window

if TYPE_CHECKING:
    from plataforma_sdk.runtime import ModuleHost

__all__ = ["WindowWatch"]


class WindowWatch:
    """Watches the windows of a host, and its modules while there are pages.

    A module renders at most once a frame, however many pages show it, and not at all where there is none.

    Args:
        host: whose windows.
        show: called with each window that was opened, changed, closed, or shows another tree.
    """

    def __init__(self, host: ModuleHost, show: Callable[[Window], None]) -> None:
        self._host = host
        self._show = show
        self._modules: dict[str, Subscription] = {}
        self._windows: Subscription | None = None

    @property
    def is_watching(self) -> bool:
        """Whether modules render."""
        return self._windows is not None

    def begin(self) -> None:
        """Watch; a second call does nothing."""
        if self._windows is None:
            self._windows = self._host.windows.on_change(self._show)
        for module_id in self._host.modules:
            self.renew(module_id)

    def renew(self, module_id: str) -> None:
        """Watch a module that was loaded, or became active, and have it render what it has not rendered yet."""
        if self._windows is None:
            return
        self.drop(module_id)
        handle = self._host.modules.get(module_id)
        if handle is not None:
            self._modules[module_id] = handle.watch(lambda _: None)  # `on_change` tells what came of it

    def drop(self, module_id: str) -> None:
        """Watch a module no longer."""
        subscription = self._modules.pop(module_id, None)
        if subscription is not None:
            subscription.unsubscribe()

    def end(self) -> None:
        """Watch no longer; a second call does nothing."""
        for module_id in list(self._modules):
            self.drop(module_id)
        if self._windows is not None:
            self._windows.unsubscribe()
            self._windows = None
