"""Features that tell a person what happened: notifications of modules, and faults that nobody asked about."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.errors import PlataformaError, error_from_data
from plataforma_sdk.services import Notification
from plataforma_sdk.types import Event, Subscription
from plataforma_sdk.web.desktop._launcher import shown_name
from plataforma_sdk.web.desktop._protocol import error_fields

if TYPE_CHECKING:
    from plataforma_sdk.runtime import ModuleHost
    from plataforma_sdk.web.desktop._features import Session

__all__ = ["Notifications", "Toasts"]

_MAX_UNTOLD: Final = 20
"""A module that does not load is said before any page is open."""

_STATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "failed": ("error", "has failed for good", "reload it, or look at the log for why"),
    "restarted": ("warning", "was restarted: its instance had been ended", "what it held in memory is gone"),
}


class _Feature:
    """What both have in common: the pages, and messages to all of them."""

    receives: frozenset[str] = frozenset()

    def __init__(self, host: ModuleHost) -> None:
        self._host = host
        self._sessions: dict[str, Session] = {}
        self._subscriptions: list[Subscription] = []
        self._untold: OrderedDict[object, dict[str, Any]] = OrderedDict()

    async def aclose(self) -> None:
        """Listen no more."""
        for subscription in self._subscriptions:
            subscription.unsubscribe()
        self._subscriptions.clear()

    def joined(self, session: Session) -> None:
        """Tell a page, too, from now on, and what happened while there was none."""
        self._sessions[session.id] = session
        for message in self._untold.values():
            session.send(message)
        self._untold.clear()

    def left(self, session: Session) -> None:
        """Tell it no more."""
        self._sessions.pop(session.id, None)

    async def receive(self, session: Session, message: Mapping[str, Any]) -> None:
        """Nothing is received."""

    def _tell(self, message: dict[str, Any], *, replaces: str | None = None) -> None:
        for session in list(self._sessions.values()):
            session.send(message, replaces=replaces)
        if not self._sessions:
            self._untold[replaces or object()] = message
            if len(self._untold) > _MAX_UNTOLD:
                self._untold.popitem(last=False)


class Notifications(_Feature):
    """Shows what modules send by `notify`."""

    async def start(self) -> None:
        """Listen to the host's notification center."""
        self._subscriptions.append(self._host.notifications.on_notify(self._on_notify))

    def _on_notify(self, notification: Notification) -> None:
        self._tell(
            {
                "type": "notification",
                "id": notification.id,
                "module": notification.module,
                "title": notification.title,
                "body": notification.body,
                "at": notification.at,
            }
        )


class Toasts(_Feature):
    """Shows faults that no page asked about: in events, timers, renders and endpoints, restarts, and final failures.

    What a page asked for and was refused stands in its acknowledgement.
    """

    async def start(self) -> None:
        """Listen to what the host emits about its modules."""
        events = self._host.events
        self._subscriptions.append(events.subscribe("plataforma.module.error", self._on_error))
        for state in _STATES:
            self._subscriptions.append(events.subscribe(f"plataforma.module.{state}", self._on_state))

    def say(self, error: PlataformaError, *, module: str | None = None, during: str | None = None) -> None:
        """Show an error; a fault that comes again before a page has read it is shown once."""
        fields = error_fields(error)
        if during is not None:
            fields["text"] = f"{during}: {fields['text']}"
        message = {"type": "toast", "level": "error", "module": module or error.module, **fields}
        self._tell(message, replaces=f"toast {message['module']} {fields['code']} {fields['text']}")

    def _on_error(self, event: Event) -> None:
        data = event.data
        self.say(error_from_data(data["error"]), module=data["module"], during=data["during"])

    def _on_state(self, event: Event) -> None:
        module, state = event.data["module"], event.topic.rpartition(".")[2]
        level, what, advice = _STATES[state]
        handle = self._host.modules.get(module)
        name = module if handle is None else shown_name(handle.manifest)
        text = f"{name!r} {what}"
        message = {"type": "toast", "level": level, "module": module, "code": state, "text": text, "advice": advice}
        self._tell(message, replaces=f"toast {module} {state}")
