"""Telling the audit and the listeners what happened."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import attrs

from plataforma_sdk.permissions._values import AuditRecord, PermissionChange
from plataforma_sdk.types import Clock, Subscription

__all__ = ["Announcer"]

_log: Final = logging.getLogger("plataforma_sdk.permissions")


@attrs.define(eq=False)
class Announcer:
    """Writes the audit of one module and calls the listeners of one manager; a fault of theirs stops nobody.

    Attributes:
        subject: the person or tenant.
        module: id of the module, or None.
        clock: dates the records.
        audit: receives each record, or None.
    """

    subject: str
    module: str | None
    clock: Clock
    audit: Callable[[AuditRecord], None] | None
    _listeners: dict[object, Callable[[PermissionChange], None]] = attrs.field(factory=dict)

    def write(self, action: str, permission: str, outcome: str, detail: str = "") -> None:
        """Hand a record to the audit."""
        if self.audit is None:
            return
        record = AuditRecord(
            at=self.clock.now(),
            subject=self.subject,
            module=self.module,
            action=action,
            permission=permission,
            outcome=outcome,
            detail=detail,
        )
        try:
            self.audit(record)
        except Exception:  # noqa: BLE001 - a full disk must not stop the host, nor grant or refuse anything
            _log.exception("The audit refused a record: %r", record)

    def listen(self, callback: Callable[[PermissionChange], None]) -> Subscription:
        """Call back on every change, until the subscription ends."""
        key = object()
        self._listeners[key] = callback
        return Subscription("permissions", lambda: self._listeners.pop(key, None) and None)

    def tell(self, change: PermissionChange) -> None:
        """Call every listener, in the order in which they came."""
        for callback in list(self._listeners.values()):
            try:
                callback(change)
            except Exception:  # noqa: BLE001 - every listener fails alone
                _log.exception("A listener to permission changes of module %r failed", self.module)
