"""`ApiProxy`: the one choke point between a module and every privilege.

Each call passes, in the specification's order: rate limit, permission, resource budget, call. What is asked for
decides by one table, `module.OPERATIONS`; what serves it is handed in by the host, so a service that nobody handed in
cannot be reached.

Source: specification, "Module Sandboxing System", `handleWorkerMessage`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import HostCallError, ModuleStateError, PermissionDeniedError, PlataformaError, error_to_data
from plataforma_sdk.logs import logger_of
from plataforma_sdk.module import OPERATIONS, Need, Operation
from plataforma_sdk.permissions import PermissionManager
from plataforma_sdk.sandbox._deadline import waiting_for_a_person
from plataforma_sdk.sandbox._monitor import ResourceMonitor

__all__ = ["ApiProxy", "Services"]

Services = Mapping[str, Callable[..., Any]]
"""Method -> what serves it: a plain function for an immediate method, a coroutine function for an awaited one."""

_LOG: Final = logger_of("plataforma_sdk.sandbox")
_HOST_PATH: Final = re.compile(r"(?:[A-Za-z]:)?(?:[\\/]+[\w.@~+-]+){2,}[\\/]*")
_MAX_ERROR_CHARS: Final = 500


class ApiProxy:
    """Serves the calls of one module.

    Args:
        module: id of the module.
        permissions: decides what it may do; asked at each call, so a revocation is seen at once.
        monitor: counts calls and refuses what passes a soft limit.
        services: what serves each method; a method that is absent is refused.

    >>> from plataforma_sdk.sandbox import ResourceMonitor
    >>> proxy = ApiProxy("vendas", PermissionManager(["events.emit"]), ResourceMonitor(),
    ...                  {"events.emit": lambda topic, data: print(topic, data)})
    >>> proxy.call_now("events.emit", ["saved", 7])
    saved 7
    """

    def __init__(
        self, module: str, permissions: PermissionManager, monitor: ResourceMonitor, services: Services
    ) -> None:
        self.module = module
        self.permissions = permissions
        self.monitor = monitor
        self._services = dict(services)
        self._is_closed = False

    def call_now(self, method: str, args: list[Any]) -> Any:
        """Serve an immediate call.

        Raises:
            PermissionDeniedError: the module lacks a permission that the call needs.
            QuotaExceededError: a soft limit is reached.
            HostCallError: the method does not exist here, or the host failed to serve it.
        """
        args, serve = self._admit(method, args, immediate=True)
        try:
            return self._hand_back(serve(*args))
        except Exception as error:  # noqa: BLE001 - a service may raise anything; the module learns a name and a text
            raise self._shown(method, error) from None

    async def call(self, method: str, args: list[Any]) -> Any:
        """Serve an awaited call; raises as `call_now`, and lets cancellation through."""
        args, serve = self._admit(method, args, immediate=False)
        try:
            if method == "permissions.request":
                with waiting_for_a_person():
                    return self._hand_back(await serve(*args))
            return self._hand_back(await serve(*args))
        except Exception as error:  # noqa: BLE001 - a service may raise anything; the module learns a name and a text
            raise self._shown(method, error) from None

    def close(self) -> None:
        """Refuse every further call: the module is being disposed of."""
        self._is_closed = True

    def _admit(self, method: str, args: list[Any], *, immediate: bool) -> tuple[list[Any], Callable[..., Any]]:
        operation = OPERATIONS.get(method)
        serve = self._services.get(method)
        if self._is_closed:
            raise ModuleStateError(f"Module {self.module!r} is unloaded", module=self.module, state="unloaded")
        self.monitor.count_host_call()
        if operation is None or serve is None or operation.immediate is not immediate:
            raise HostCallError("UnknownMethod", f"this host has no function {method!r}", module=self.module)
        if type(args) is not list or len(args) != operation.arity:
            raise HostCallError("TypeError", f"{method} takes {operation.arity} arguments", module=self.module)
        args = codec.copy_value(args)
        self._check_permission(operation, args)
        self._check_budget(operation, args)
        return args, serve

    def _check_permission(self, operation: Operation, args: list[Any]) -> None:
        try:
            needs = operation.needs(self.module, args)
        except (AttributeError, TypeError, ValueError) as error:
            raise HostCallError("TypeError", f"{operation.method}: {error}", module=self.module) from None
        for need in needs:
            self._require(need)

    def _require(self, need: Need) -> None:
        if need.any_scope and self.permissions.has_any(need.alternatives[0]):
            return  # the service asks for each scope by itself
        try:
            self.permissions.require(*need.alternatives)
        except PermissionDeniedError as error:
            self._blame(need.alternatives[1:] if error.reason == "undeclared" else ())
            raise

    def _blame(self, alternatives: tuple[str, ...]) -> None:
        """Refuse over the alternative that the manifest declares: that one is to be granted, no line to be added."""
        for name in alternatives:
            if self.permissions.explain(name).reason != "undeclared":
                self.permissions.require(name)

    def _check_budget(self, operation: Operation, args: list[Any]) -> None:
        size = self.monitor.check_values(args)
        if operation.method == "log":
            self.monitor.count_output(size)
        if operation.is_network:
            self.monitor.count_network_request()

    def _hand_back(self, result: Any) -> Any:
        result = codec.copy_value(result)
        self.monitor.check_values([result])
        return result

    def _shown(self, method: str, error: Exception) -> PlataformaError:
        """Turn what the host raised into what the module may see: no repr, no host path, bounded.

        A subclass of the host's own is unknown on the other side of a boundary, so it is a foreign error in each tier.
        """
        if isinstance(error, PlataformaError) and "code" in error_to_data(error):
            if error.module is None:
                error.module = self.module
            return error
        _LOG.warning("Serving %s for module %r failed", method, self.module, exc_info=error)
        text = _HOST_PATH.sub("<path>", str(error))[:_MAX_ERROR_CHARS]
        return HostCallError(type(error).__name__, text, module=self.module)
