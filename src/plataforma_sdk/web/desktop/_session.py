"""`PageSession`: one page of one person, through all connections that it has."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from plataforma_sdk import codec
from plataforma_sdk.web.desktop._frames import Frames, Shown
from plataforma_sdk.web.desktop._outbox import Outbox
from plataforma_sdk.web.desktop._protocol import WireLimits, module_window
from plataforma_sdk.windows import Window, WindowManager

__all__ = ["Connection", "PageSession"]

_STEP_PX: Final = 16
_MAX_WIDTH_PX: Final = 4_096

_KEPT_ACKS: Final = 1_024
"""More than a client keeps waiting; an older number that comes again was acknowledged before."""


class Connection(Protocol):
    """What serves a page: a socket."""

    def end(self, reason: str) -> None:
        """Tell the page why, and close."""

    async def stopped(self) -> None:
        """Wait until nothing is taken out of the outbox any more."""

    async def gone(self) -> None:
        """Wait until the page has been told why, or cannot be."""


class PageSession:
    """One page of one person, also while its connection is gone and it may come back.

    Attributes:
        id: unguessable; also the session of `WindowManager.mark_sent`.
        subject: whose it is.
        browser: id of the cookie's session that it belongs to.
        locale: BCP 47 tag.
        theme: ``"light"`` or ``"dark"``.
        outbox: what waits to be sent.
        connection: what serves it now, None while it is gone.
        running: numbers of messages that are being worked on.
    """

    def __init__(
        self,
        session_id: str,
        *,
        subject: str,
        browser: str,
        locale: str,
        windows: WindowManager,
        frames: Frames,
        limits: WireLimits,
    ) -> None:
        self.id = session_id
        self.subject = subject
        self.browser = browser
        self.locale = locale
        self.theme = "light"
        self.outbox = Outbox(limits.max_waiting_bytes)
        self.connection: Connection | None = None
        self.running: set[int] = set()
        self._windows = windows
        self._frames = frames
        self._shown: dict[tuple[str, str], Shown] = {}
        self._widths: dict[tuple[str, str], int] = {}
        self._last_seq = 0
        self._acks: OrderedDict[int, str] = OrderedDict()

    # --- messages --------------------------------------------------------------------------------------------------

    def send(self, message: dict[str, Any], *, replaces: str | None = None) -> None:
        """Queue a message; see `Session`."""
        self.outbox.put(codec.encode(message), replaces=replaces)

    def welcome(self, message: dict[str, Any]) -> None:
        """Queue a message before all that waits."""
        self.outbox.put(codec.encode(message), replaces="welcome", is_first=True)

    def is_new(self, seq: int) -> bool:
        """Tell whether a number comes for the first time; the acknowledgement of an old one is sent again."""
        if seq > self._last_seq:
            self._last_seq = seq
            return True
        ack = self._acks.get(seq)
        if ack is not None:
            self.outbox.put(ack, replaces=f"ack {seq}")
        return False

    def acknowledge(self, seq: int, **outcome: Any) -> None:
        """Answer a message, and keep the answer for a client that did not get it."""
        text = codec.encode({"type": "ack", "seq": seq, **outcome})
        self._acks[seq] = text
        if len(self._acks) > _KEPT_ACKS:
            self._acks.popitem(last=False)
        self.outbox.put(text, replaces=f"ack {seq}")

    # --- windows ---------------------------------------------------------------------------------------------------

    def show(self, window: Window) -> None:
        """Let the page show what a window shows, as soon as it is ready to read it."""
        name = (window.module, window.id)
        self.outbox.put_frame(name, self._frame_of(name))

    def show_again(self, module: str, window_id: str) -> None:
        """Send a window whole: the client has lost track of it."""
        self._shown.pop((module, window_id), None)
        window = self._windows.find(module, window_id)
        if window is not None:
            self.show(window)

    def resize(self, module: str, window_id: str, width: int) -> None:
        """Draw the charts of a window as wide as it stands on the page; in steps, so that pages share drawings."""
        window = self._windows.find(module, window_id)
        if window is not None:
            steps = round(min(max(width, _STEP_PX), _MAX_WIDTH_PX) / _STEP_PX)
            self._widths[module, window_id] = steps * _STEP_PX
            self.show(window)

    def show_all(self) -> None:
        """Show every window, those included that were closed since."""
        for name in [*self._shown, *((window.module, window.id) for window in self._windows)]:
            self.outbox.put_frame(name, self._frame_of(name))

    def _frame_of(self, name: tuple[str, str]) -> Callable[[], list[str]]:
        return lambda: self._frame(name)

    def _frame(self, name: tuple[str, str]) -> list[str]:
        """Write what the page has to be told of a window; from now on it counts as sent."""
        window, before = self._windows.find(*name), self._shown.get(name)
        if window is None:
            return self._closed(name)
        now = self._frames.show(window, self.locale, self._widths.get(name))
        if now is None:  # opened anew under its old name, and not rendered yet
            return [] if before is None or before.window is window else self._closed(name)
        text = self._frames.write(now, before)
        self._shown[name] = now
        self._windows.mark_sent(*name, self.id)
        return [] if text is None else [text]

    def _closed(self, name: tuple[str, str]) -> list[str]:
        self._widths.pop(name, None)
        if self._shown.pop(name, None) is None:
            return []
        return [codec.encode({"type": "closed", "module": name[0], "window": name[1]})]

    # --- coming back -----------------------------------------------------------------------------------------------

    def resume(self, seen: Mapping[str, Any]) -> None:
        """Go on with a client that shows the revisions `seen`; windows of which it missed something are sent whole."""
        has = {name: revision for text, revision in seen.items() if (name := module_window(text)) is not None}
        for name, shown in list(self._shown.items()):
            if has.get(name) != shown.revision:
                del self._shown[name]
        for module, window in _gone(has, self._shown, self._windows):
            self.send({"type": "closed", "module": module, "window": window})
        self.show_all()


def _gone(
    has: Iterable[tuple[str, str]], shown: Mapping[tuple[str, str], Shown], windows: WindowManager
) -> list[tuple[str, str]]:
    """Return the windows that a client shows still, and whose closing it missed."""
    return [name for name in has if name not in shown and windows.find(*name) is None]
