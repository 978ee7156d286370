"""The settings window: every decision about every module, live, and taken back or made anew from there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.permissions import is_swallowed, is_touched, parse_permission
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.web.desktop._entries import listed_permissions
from plataforma_sdk.web.desktop._topics import Topic, text_of

if TYPE_CHECKING:
    from plataforma_sdk.permissions import PermissionChange, PermissionManager
    from plataforma_sdk.types import Subscription
    from plataforma_sdk.web.desktop._features import Session

__all__ = ["DesktopDecisions"]

_ACTIONS: Final = ("grant", "deny", "revoke", "lift")
_LOG: Final = logger_of("plataforma_sdk.web.desktop")


class DesktopDecisions:
    """Sends the topic ``permissions`` to the pages that watch it, and changes what a person changes there.

    What is changed here is a person's decision and kept as one. It never lifts what the host's own code denies, and
    grants nothing that the manifest does not declare.
    """

    receives: frozenset[str] = frozenset({"watch", "permission"})

    def __init__(self, host: ModuleHost) -> None:
        self._host = host
        self._topic = Topic("permissions", host.subject, self._refresh)
        self._followed: dict[PermissionManager, Subscription] = {}
        self._is_stale = False

    async def start(self) -> None:
        """Nothing is to be begun."""

    async def aclose(self) -> None:
        """Send no more."""
        self._topic.close()
        self._follow(())

    def joined(self, session: Session) -> None:
        """A page asks for what it wants to watch."""

    def left(self, session: Session) -> None:
        """Send no more to a page."""
        self._topic.drop(session)
        self._follow_all()

    async def receive(self, session: Session, message: Mapping[str, Any]) -> None:
        """Watch, or change a decision.

        Raises:
            PlataformaError: it is another subject's, there is no such decision, or it is not the person's to make.
        """
        if message.get("type") == "watch":
            if self._topic.watch(session, message):
                self._refresh()
            self._follow_all()
            return
        self._topic.check(session)
        module, permission = text_of(message, "module"), str(parse_permission(text_of(message, "permission")))
        action = text_of(message, "action")
        if action not in _ACTIONS:
            raise PlataformaError(f"An action is one of {', '.join(_ACTIONS)}", module=module)
        handle = self._host.modules.get(module)
        if handle is None:
            self._forget(module, permission, action)
        else:
            _change(handle.permissions, permission, action)
        self._refresh()

    # --- live ------------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        self._is_stale = False
        if self._topic.is_watched:
            self._follow_all()
            self._topic.send(lambda locale: {"type": "permissions", "modules": listed_permissions(self._host, locale)})

    def _follow_all(self) -> None:
        """Listen to the managers of the modules loaded now; to none where nobody watches."""
        handles = self._host.modules.values() if self._topic.is_watched else ()
        self._follow(tuple(handle.permissions for handle in handles))

    def _follow(self, managers: tuple[PermissionManager, ...]) -> None:
        for gone in [manager for manager in self._followed if manager not in managers]:
            self._followed.pop(gone).unsubscribe()
        for manager in managers:
            if manager not in self._followed:
                self._followed[manager] = manager.on_change(self._listener())

    def _listener(self) -> Callable[[PermissionChange], None]:
        """Make what hears of changes, in whatever thread they are made, and refreshes once for all those of a turn."""
        loop = asyncio.get_running_loop()

        def listen(_: PermissionChange) -> None:
            if not self._is_stale:
                self._is_stale = True
                loop.call_soon_threadsafe(self._refresh)

        return listen

    # --- changes ---------------------------------------------------------------------------------------------------

    def _forget(self, module: str, permission: str, action: str) -> None:
        """Forget a stored decision about a module that is not loaded."""
        keys = [key for key in self._host.decisions.keys(self._host.subject) if key.module == module]
        if action in ("grant", "deny") or not keys:
            raise PlataformaError(f"Module {module!r} is not loaded: load it to decide about it", module=module)
        if not sum(self._host.decisions.forget(key, permission) for key in keys):
            raise PlataformaError(f"Nothing is kept about {permission!r} of module {module!r}", module=module)
        _LOG.info("A person forgot the decision on %r of module %r", permission, module)


def _change(permissions: PermissionManager, permission: str, action: str) -> None:
    if action == "revoke":
        permissions.revoke(permission)
    elif action == "grant":
        _check_declared(permissions, permission)
        _check_host(permissions, permission)
        permissions.grant(permission, forever=True, by="person")
    elif action == "deny":
        _check_declared(permissions, permission)
        _deny(permissions, permission)
    else:
        _lift(permissions, permission)


def _deny(permissions: PermissionManager, permission: str) -> None:
    """Deny in the person's name; a denial of the host stays the host's, or the person could lift it afterwards."""
    parsed, denied = parse_permission(permission), _denied_by_host(permissions)
    parts = [parsed.name if scope is None else f"{parsed.name}[{scope}]" for scope in parsed.parts]
    kept = [part for part in parts if part not in denied]
    for part in [permission] if kept == parts else kept:
        permissions.deny(part, by="person")


def _check_declared(permissions: PermissionManager, permission: str) -> None:
    """Refuse what would change nothing, and would be kept for nothing."""
    if permissions.explain(permission).reason == "undeclared":
        raise PlataformaError(
            f"Module {permissions.module!r} does not declare {permission!r}, so it cannot hold it",
            module=permissions.module,
        )


def _lift(permissions: PermissionManager, permission: str) -> None:
    """Take back a person's denials inside a permission, and none of the host's."""
    inside = [
        rule.permission
        for rule in permissions.rules
        if not rule.is_allowed and rule.by == "person" and is_swallowed(rule.permission, by=permission)
    ]
    if not inside:
        _check_host(permissions, permission)
    for denied in inside:
        permissions.lift(denied)


def _denied_by_host(permissions: PermissionManager) -> list[str]:
    return [rule.permission for rule in permissions.rules if not rule.is_allowed and rule.by == "host"]


def _check_host(permissions: PermissionManager, permission: str) -> None:
    """Refuse to change what the host's own code denies."""
    if any(is_touched(permission, by=denial) for denial in _denied_by_host(permissions)):
        raise PlataformaError(
            f"The application itself denies {permission!r} to module {permissions.module!r}: only its host can change "
            "that",
            module=permissions.module,
        )
