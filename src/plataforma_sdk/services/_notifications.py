"""Notifications from modules to the person in front of the host."""

from __future__ import annotations

import unicodedata
from collections import deque
from collections.abc import Callable
from typing import Final

import attrs

from plataforma_sdk.errors import QuotaExceededError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.types import Clock, Subscription, SystemClock

__all__ = ["Notification", "NotificationCenter"]

MAX_TITLE_CHARS: Final = 200
MAX_BODY_CHARS: Final = 2_000
WINDOW_S: Final = 60.0

_log = logger_of("plataforma_sdk.services")


@attrs.frozen
class Notification:
    """One notification, its texts cut and stripped of control and bidi characters.

    Attributes:
        id: number within its center, from 1.
        module: id of the module that sent it; show it beside the text, which is the module's own.
        title: at most 200 characters, one line.
        body: at most 2,000 characters; line breaks are kept.
        at: seconds since the Unix epoch.
    """

    id: int
    module: str
    title: str
    body: str
    at: float


class NotificationCenter:
    """Takes notifications, keeps the latest, and hands each to the host's callbacks.

    >>> center = NotificationCenter()
    >>> subscription = center.on_notify(lambda notification: print(notification.module, notification.title))
    >>> _ = center.notify("vendas", "Nova venda", "R$ 10,00")
    vendas Nova venda
    """

    def __init__(self, *, keep: int = 100, max_per_minute: int = 20, clock: Clock | None = None) -> None:
        """Keep the latest `keep`; one module may send `max_per_minute`."""
        self._recent: deque[Notification] = deque(maxlen=keep)
        self._max_per_minute = max_per_minute
        self._clock = clock or SystemClock()
        self._sent: dict[str, deque[float]] = {}
        self._callbacks: list[Callable[[Notification], None]] = []
        self._last_id = 0

    def notify(self, module: str, title: str, body: str = "") -> Notification:
        """Take one notification; texts are cut, not refused.

        Raises:
            QuotaExceededError: the module has sent as many as it may in the last minute.
        """
        self._check_rate(module)
        self._last_id += 1
        notification = Notification(
            self._last_id,
            module,
            _clean(title, MAX_TITLE_CHARS, keep=""),
            _clean(body, MAX_BODY_CHARS, keep="\n"),
            self._clock.now(),
        )
        self._recent.append(notification)
        for callback in tuple(self._callbacks):
            _call(callback, notification)
        return notification

    def on_notify(self, callback: Callable[[Notification], None]) -> Subscription:
        """Call `callback` for every notification, within `notify`; what it raises is logged and stops nobody."""

        def once(notification: Notification) -> None:
            callback(notification)

        self._callbacks.append(once)
        return Subscription("system.notifications", lambda: self._callbacks.remove(once))

    def recent(self, module: str | None = None) -> tuple[Notification, ...]:
        """Return the notifications kept, oldest first; those of one module, or all."""
        return tuple(one for one in self._recent if module is None or one.module == module)

    def forget(self, module: str) -> None:
        """Drop what is kept of a module; its rate still counts, so that a reload is no way around it."""
        self._recent = deque((one for one in self._recent if one.module != module), maxlen=self._recent.maxlen)

    def _check_rate(self, module: str) -> None:
        now = self._clock.monotonic()
        for name, times in list(self._sent.items()):
            while times and times[0] <= now - WINDOW_S:
                times.popleft()
            if not times:
                del self._sent[name]
        sent = self._sent.setdefault(module, deque())
        if len(sent) >= self._max_per_minute:
            raise QuotaExceededError(
                "notifications",
                used=len(sent) + 1,
                limit=self._max_per_minute,
                unit="notifications/min",
                module=module,
                advice="gather several into one",
            )
        sent.append(now)


def _call(callback: Callable[[Notification], None], notification: Notification) -> None:
    try:
        callback(notification)
    except Exception as error:  # noqa: BLE001 - a callback may raise anything
        _log.error("A notification callback failed", exc_info=error)


def _clean(text: str, limit: int, *, keep: str) -> str:
    """Strip control, format (bidi among them) and separator characters, and cut with an ellipsis."""
    shown = "".join(
        char if char in keep or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} else " "
        for char in str(text)[: limit * 2]
    ).strip()
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
