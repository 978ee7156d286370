"""The task manager: what each module costs, once a second while somebody looks, and what a person does about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.types import Clock, SystemClock
from plataforma_sdk.web.desktop._meters import Meters, limits_of
from plataforma_sdk.web.desktop._topics import Topic, text_of

if TYPE_CHECKING:
    from plataforma_sdk.runtime import ModuleHandle
    from plataforma_sdk.web.desktop._features import Session

__all__ = ["DesktopTasks"]

_ACTIONS: Final = ("park", "restart", "unload", "limits")
_LOG: Final = logger_of("plataforma_sdk.web.desktop")


class DesktopTasks:
    """Sends the topic ``tasks`` to the pages that watch it, and parks, restarts, ends and throttles modules.

    A module that is computing when a person unloads it ends where it stands; one that is idle says goodbye in its
    `on_unload`. A person lowers limits and takes that back, and never raises one beyond what the host gives.

    Args:
        host: whose modules.
        clock: times the beats.
    """

    receives: frozenset[str] = frozenset({"watch", "task"})

    def __init__(self, host: ModuleHost, *, clock: Clock | None = None) -> None:
        self._host = host
        self._meters = Meters(host, clock or SystemClock())
        self._topic = Topic("tasks", host.subject, self._beat)

    async def start(self) -> None:
        """Nothing is to be begun."""

    async def aclose(self) -> None:
        """Send no more."""
        self._topic.close()
        self._meters.forget()

    def joined(self, session: Session) -> None:
        """A page asks for what it wants to watch."""

    def left(self, session: Session) -> None:
        """Send no more to a page."""
        self._topic.drop(session)
        self._rest()

    async def receive(self, session: Session, message: Mapping[str, Any]) -> Any:
        """Watch, or act on a module; return what came of it.

        Raises:
            PlataformaError: it is another subject's, there is no such module or action, or it failed.
        """
        if message.get("type") == "watch":
            if self._topic.watch(session, message):
                self._show()
            self._rest()
            return None
        self._topic.check(session)
        module, action = text_of(message, "module"), text_of(message, "action")
        handle = self._host.modules.get(module)
        if handle is None:
            raise PlataformaError(f"Module {module!r} is not loaded", module=module)
        if action not in _ACTIONS:
            raise PlataformaError(f"An action is one of {', '.join(_ACTIONS)}", module=module)
        _LOG.info("A person asked to %s module %r", f"change {action} of" if action == "limits" else action, module)
        try:
            return await _act(handle, action, message.get("limits"))
        finally:
            self._show()

    def _beat(self) -> None:
        self._meters.read()
        self._show()

    def _show(self) -> None:
        if self._topic.is_watched:
            message = self._meters.message()
            self._topic.send(lambda _: message)

    def _rest(self) -> None:
        if not self._topic.is_watched:
            self._meters.forget()


async def _act(handle: ModuleHandle, action: str, limits: object) -> dict[str, Any]:
    if action == "park":
        return {"parked": await handle.park()}
    if action == "limits":
        return _lower(handle, limits)
    if action == "restart":
        await handle.restart()
    else:
        await handle.unload(at_once=handle.stats.running > 0)
    return {"state": handle.state}


def _lower(handle: ModuleHandle, limits: object) -> dict[str, Any]:
    if not isinstance(limits, dict) or not limits:
        raise PlataformaError("Limits are a name and a whole number each, such as max_call_ms: 500", module=handle.id)
    known = [field.name for field in attrs.fields(ResourceLimits)]
    unknown = next((name for name in limits if name not in known), None)
    if unknown is not None:
        raise PlataformaError(
            f"There is no limit {str(unknown)[:40]!r}; there are {', '.join(known)}", module=handle.id
        )
    try:
        handle.lower_limits(**limits)
    except ValueError as error:
        raise PlataformaError(f"Limits of module {handle.id!r}: {error}", module=handle.id) from None
    return limits_of(handle)
