"""OpenTelemetry, where the host's own installation has it: a span a call, its host calls as children, metrics.

No dependency of ours: without the package ``opentelemetry-api``, or without a provider that was set before the host
was made, nothing of this runs.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final
from weakref import WeakKeyDictionary

from plataforma_sdk.errors import PermissionDeniedError
from plataforma_sdk.logs import CURRENT_CALL, ModuleCall, logger_of
from plataforma_sdk.runtime._observers import CallOutcome
from plataforma_sdk.sandbox import ApiProxy

__all__ = ["TracedProxy", "TracingObserver", "tracing_observer"]

_LOG: Final = logger_of("plataforma_sdk.runtime")
_SCOPE: Final = "plataforma_sdk"
_UNTRACED: Final = frozenset({"log", "clock.now", "permissions.has"})
"""Too frequent, or told elsewhere."""

_NS: Final = 1e9


def tracing_observer() -> TracingObserver | None:
    """Return the observer, or None where nobody would receive a span or a measurement."""
    if "opentelemetry" not in sys.modules and importlib.util.find_spec("opentelemetry") is None:
        return None
    try:
        metrics, trace = (importlib.import_module(f"opentelemetry.{name}") for name in ("metrics", "trace"))
    except ImportError:
        return None  # another package of that namespace
    tracers, meters = trace.get_tracer_provider(), metrics.get_meter_provider()
    if isinstance(tracers, trace.ProxyTracerProvider) and type(meters).__name__ == "_ProxyMeterProvider":
        return None
    return TracingObserver(trace, tracers, meters)


class TracingObserver:
    """Makes a span ``module.call`` of each call, and measures it; a `CallObserver`.

    The span is a child of the caller's. The function stands in ``code.function.name`` and an error's class in
    ``error.type``, as the semantic conventions have it; the rest under ``plataforma.``.
    """

    def __init__(self, trace: Any, tracers: Any, meters: Any) -> None:
        self._trace = trace
        self._tracer = tracers.get_tracer(_SCOPE)
        self._instruments = _instruments_of(meters)
        self._open: dict[int, tuple[AbstractContextManager[Any], Any]] = {}

    def before_call(self, call: ModuleCall) -> None:
        """Open the span and make it current."""
        module = call.module
        attributes = {
            "code.function.name": call.function,
            "plataforma.module.id": module.id,
            "plataforma.module.version": module.version,
            "plataforma.module.engine": module.engine,
            "plataforma.call.id": call.id,
            "plataforma.subject": module.subject,
        }
        scope = self._tracer.start_as_current_span(
            "module.call", attributes=attributes, record_exception=False, set_status_on_exception=False
        )
        self._open[call.id] = (scope, scope.__enter__())

    def after_call(self, call: ModuleCall, outcome: CallOutcome) -> None:
        """Close it, with the error if there is one."""
        scope, span = self._open.pop(call.id, (None, None))
        if scope is None:
            return  # it could not be opened, which is in the log
        labels: dict[str, Any] = {
            "plataforma.module.id": call.module.id,
            "plataforma.module.engine": call.module.engine,
        }
        if outcome.error is not None:
            labels["error.type"] = type(outcome.error).__name__
        self._close(scope, span, outcome.error)
        self._instruments["duration"].record(outcome.duration_ns / _NS, labels)
        memory = self._instruments.get("memory")
        if memory is not None:
            memory.set(outcome.memory_bytes, {"plataforma.module.id": call.module.id})

    def _close(self, scope: AbstractContextManager[Any], span: Any, error: BaseException | None) -> None:
        try:
            if error is not None:
                self._fail(span, error)
        finally:
            scope.__exit__(None, None, None)  # else this span would be the parent of all that comes

    def _fail(self, span: Any, error: BaseException) -> None:
        name = type(error).__name__
        span.set_attribute("error.type", name)
        span.add_event("exception", {"exception.type": name, "exception.message": str(error)[:500]})
        span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, name))

    @contextlib.contextmanager
    def host_call(self, module: str, method: str) -> Iterator[None]:
        """Make a span of something that a module asks of its host, within that of its call; a fault of it stops nobody.

        What the host answers in place of a result is recorded.
        """
        scope, span = self._open_host_call(module, method)
        error: BaseException | None = None
        try:
            yield
        except BaseException as caught:
            error = caught
            raise
        finally:
            if scope is not None:
                self._close_host_call(scope, span, module, error)
            error = None  # no cycle with the frame

    def _open_host_call(self, module: str, method: str) -> tuple[AbstractContextManager[Any] | None, Any]:
        attributes = {"plataforma.module.id": module, "plataforma.host.method": method}
        try:
            scope = self._tracer.start_as_current_span(
                "module.host_call", attributes=attributes, record_exception=False, set_status_on_exception=False
            )
            return scope, scope.__enter__()
        except Exception:  # noqa: BLE001 - a span processor or sampler may raise anything
            _LOG.exception("The span of %s for module %r could not be opened", method, module)
            return None, None

    def _close_host_call(
        self, scope: AbstractContextManager[Any], span: Any, module: str, error: BaseException | None
    ) -> None:
        try:
            if isinstance(error, PermissionDeniedError):
                self._instruments["denials"].add(1, {"plataforma.module.id": module})
            self._close(scope, span, error)
        except Exception:  # noqa: BLE001 - as above
            _LOG.exception("A span of module %r could not be closed", module)


class TracedProxy(ApiProxy):
    """An `ApiProxy` whose calls are spans."""

    def __init__(self, *args: Any, tracing: TracingObserver) -> None:
        super().__init__(*args)
        self._tracing = tracing

    def call_now(self, method: str, args: list[Any]) -> Any:
        """See `ApiProxy.call_now`."""
        if method in _UNTRACED or CURRENT_CALL.get() is None:
            return super().call_now(method, args)
        with self._tracing.host_call(self.module, method):
            return super().call_now(method, args)

    async def call(self, method: str, args: list[Any]) -> Any:
        """See `ApiProxy.call`."""
        with self._tracing.host_call(self.module, method):
            return await super().call(method, args)


_MADE: Final[WeakKeyDictionary[Any, dict[str, Any]]] = WeakKeyDictionary()
"""Provider -> instruments: there may be many hosts, the SDK warns where an instrument is made twice, and the API keeps
every meter that is asked for before a provider is set."""


def _instruments_of(provider: Any) -> dict[str, Any]:
    made = _MADE.get(provider)
    if made is None:
        meter = provider.get_meter(_SCOPE)
        make: dict[str, Callable[[], Any]] = {
            "duration": lambda: meter.create_histogram(
                "plataforma.module.call.duration", unit="s", description="Duration of calls into modules"
            ),
            "denials": lambda: meter.create_counter(
                "plataforma.module.denials", unit="{denial}", description="Things that modules were refused"
            ),
        }
        if hasattr(meter, "create_gauge"):  # younger than the rest of the API
            make["memory"] = lambda: meter.create_gauge(
                "plataforma.module.memory", unit="By", description="Memory that a module holds"
            )
        made = _MADE[provider] = {name: create() for name, create in make.items()}
    return made
