"""The rooms of one host, as its modules need them, and the services made for each module alone."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import attrs

from plataforma_sdk.errors import HostCallError, PlataformaError, error_to_data
from plataforma_sdk.logs import logger_of
from plataforma_sdk.types import Clock

if TYPE_CHECKING:
    from plataforma_sdk.api import ApiClient, EndpointTable
    from plataforma_sdk.events import EventBus
    from plataforma_sdk.runtime._telemetry import ModuleTelemetry
    from plataforma_sdk.services import Clipboard, KeyValueStorage, NotificationCenter
    from plataforma_sdk.windows import WindowManager

__all__ = ["HostParts", "ModuleServices"]

_LOG: Final = logger_of("plataforma_sdk.runtime")


@attrs.frozen(kw_only=True)
class HostParts:
    """What the modules of one host share.

    Attributes:
        events: the bus.
        windows: all windows.
        endpoints: all registered endpoints.
        notifications: where `notify` goes.
        clipboard: the person's clipboard.
        clock: time.
        context: what timers see: that of the host, not that of the call which began them, ended long since.
        telemetry_of: finds the counts and records of a module by id; None for one that is not loaded.
    """

    events: EventBus
    windows: WindowManager
    endpoints: EndpointTable
    notifications: NotificationCenter
    clipboard: Clipboard
    clock: Clock
    context: contextvars.Context = attrs.field(factory=contextvars.copy_context)
    telemetry_of: Callable[[str], ModuleTelemetry | None] = lambda _: None

    def report(self, module: str, during: str, error: BaseException) -> None:
        """Log a module's fault and tell it as ``plataforma.module.error``; it stops nobody else."""
        telemetry, text = self.telemetry_of(module), "Module %r failed in %s: %s"
        if telemetry is not None:
            telemetry.log(logging.WARNING, text, module, during, error)
        else:
            _LOG.warning(text, module, during, error, extra={"module_id": module})
        if not isinstance(error, PlataformaError):
            error = HostCallError(type(error).__name__, "see the host's log", module=module)
        self.events.emit("plataforma.module.error", {"module": module, "during": during, "error": error_to_data(error)})


@attrs.frozen(kw_only=True)
class ModuleServices:
    """What one module has for itself; outlives its instances and closes with the module.

    Attributes:
        api: the client that carries its identity.
        storage: its key-value storage.
        query: serves ``database.query``.
        execute: serves ``database.execute``.
        close: frees them.
    """

    api: ApiClient
    storage: KeyValueStorage
    query: Callable[[str, Any], Awaitable[list[dict[str, Any]]]]
    execute: Callable[[str, Any], Awaitable[int]]
    close: Callable[[], Awaitable[None]]
