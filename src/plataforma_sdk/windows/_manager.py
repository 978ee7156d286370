"""`WindowManager`: the open windows of all modules of a host."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from plataforma_sdk.errors import ModuleStateError, QuotaExceededError, UnknownHandlerError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.types import Subscription
from plataforma_sdk.windows._events import AcceptedEvent, UiEvent, accept_event
from plataforma_sdk.windows._window import Window, checked_settings

__all__ = ["WindowManager"]

MAX_WINDOWS: Final = 32

Watcher: TypeAlias = Callable[[Window], object]

_log: Final = logger_of("plataforma_sdk.windows")


class WindowManager:
    """Open windows by module and id; iterating yields them in the order in which they were opened.

    >>> windows = WindowManager()
    >>> windows.create("vendas", title="Vendas").id
    'main'
    >>> [window.title for window in windows]
    ['Vendas']

    Args:
        max_windows: open windows of one module.
    """

    def __init__(self, *, max_windows: int = MAX_WINDOWS) -> None:
        self._max_windows = max_windows
        self._windows: dict[tuple[str, str], Window] = {}
        self._of: dict[str, dict[str, Window]] = {}
        self._watchers: dict[object, Watcher] = {}

    def create(
        self,
        module: str,
        id: str = "main",  # noqa: A002 - the word of the wire
        *,
        title: str,
        width: int = 800,
        height: int = 600,
        modal: bool = False,
    ) -> Window:
        """Open a window.

        Raises:
            RenderError: a setting that does not hold what it may.
            ModuleStateError: the module has a window of this id open.
            QuotaExceededError: the module has too many windows open.
        """
        given = {"title": title, "width": width, "height": height, "modal": modal}
        settings = checked_settings(module, id, given)
        if (module, id) in self._windows:
            raise ModuleStateError(
                f"Window {id!r} of module {module!r} is open already; close it, or give the new one another id",
                module=module,
            )
        used = len(self.of(module))
        if used >= self._max_windows:
            raise QuotaExceededError(
                "windows", used=used, limit=self._max_windows, unit="windows", module=module, advice="close one first"
            )
        window = self._windows[module, id] = Window(id=id, module=module, **settings)
        self._of.setdefault(module, {})[id] = window
        self._tell(window)
        return window

    def find(self, module: str, window_id: str) -> Window | None:
        """Return an open window, or None."""
        return self._windows.get((module, window_id))

    def get(self, module: str, window_id: str) -> Window:
        """Return an open window.

        Raises:
            ModuleStateError: it is not open.
        """
        window = self.find(module, window_id)
        if window is None:
            raise ModuleStateError(f"Module {module!r} has no open window {window_id!r}; create it", module=module)
        return window

    def of(self, module: str) -> tuple[Window, ...]:
        """Return the open windows of a module, oldest first."""
        own = self._of.get(module)  # after each call of each module: the windows of all the others must not be walked
        return tuple(own.values()) if own else ()

    def __iter__(self) -> Iterator[Window]:
        return iter(tuple(self._windows.values()))

    def __len__(self) -> int:
        return len(self._windows)

    def update(self, module: str, window_id: str, **changes: Any) -> Window:
        """Change ``title``, ``width``, ``height`` or ``modal``; all of them or, where one is refused, none.

        Raises:
            RenderError: a setting that does not exist or does not hold what it may.
            ModuleStateError: the window is not open.
        """
        window = self.get(module, window_id)
        for name, value in checked_settings(module, window_id, changes).items():
            setattr(window, name, value)
        self._tell(window)
        return window

    def invalidate(self, module: str, window_id: str | None = None) -> None:
        """Mark one window, or all of a module, as no longer up to date; one that a person has closed is left out."""
        for window in self.of(module):
            if window_id in {None, window.id}:
                window.is_dirty = True

    def show(self, module: str, window_id: str, tree: Mapping[str, Any], *, session: str | None = None) -> Window:
        """Make a tree what the window shows, and record who is sent it.

        A tree equal to the last keeps its revision.

        Args:
            module: id of the module.
            window_id: id of the window.
            tree: a tree that passed `ui.validate_tree`; handed over, not copied.
            session: the session that is sent it, if one is; see `mark_sent`.

        Raises:
            ModuleStateError: the window is not open.
        """
        window = self.get(module, window_id)
        window.is_dirty = False
        has_changed = window.history.push(tree)
        if session is not None:
            window.history.mark_sent(session)
        if has_changed:
            self._tell(window)
        return window

    def mark_sent(self, module: str, window_id: str, session: str) -> None:
        """Record that a session was sent what the window shows now; only then are its events accepted.

        Raises:
            ModuleStateError: the window is not open.
        """
        self.get(module, window_id).history.mark_sent(session)

    def forget_session(self, session: str) -> None:
        """Forget what a session was sent, once it has ended."""
        for window in self:
            window.history.forget(session)

    def accept(self, module: str, event: UiEvent, *, session: str) -> AcceptedEvent:
        """Check what a person did, and return what to call the module with.

        Accepted is an event whose handler and arguments stand, in the element it names, in a tree sent to this session
        within the last four revisions, stand in the current tree still, and whose value fits the element there. One
        search through both trees at their first event, a look at their actions afterwards.

        Raises:
            UnknownHandlerError: it is not to be passed on; the message says why.
        """
        window = self.find(module, event.window_id)
        if window is None:
            raise UnknownHandlerError(f"Module {module!r} has no open window {event.window_id[:64]!r}", module=module)
        return accept_event(window.history, event, session, module)

    def close(self, module: str, window_id: str) -> None:
        """Close a window; one that is not open is left alone."""
        window = self._windows.pop((module, window_id), None)
        if window is not None:
            own = self._of[module]
            del own[window_id]
            if not own:
                del self._of[module]
            window.is_open = False
            self._tell(window)

    def dispose(self, module: str) -> None:
        """Close all windows of a module."""
        for window in self.of(module):
            self.close(module, window.id)

    def on_change(self, watch: Watcher) -> Subscription:
        """Have `watch` called with each window that was opened, changed, closed, or shows another tree.

        A fault in it is logged and stops nobody else.
        """
        key = object()
        self._watchers[key] = watch

        def end() -> None:
            self._watchers.pop(key, None)

        return Subscription("windows", end)

    def _tell(self, window: Window) -> None:
        for watch in tuple(self._watchers.values()):
            try:
                watch(window)
            except Exception:  # noqa: BLE001 - logged; a window must not depend on who looks at it
                _log.exception("A watcher of window %r of module %r failed", window.id, window.module)
