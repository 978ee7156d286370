"""Counts and tells what happens to modules: one `HostTelemetry` for a host, one `ModuleTelemetry` for each module."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from time import perf_counter_ns
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import attrs

from plataforma_sdk.logs import CURRENT_CALL, LogVolume, ModuleCall, ModuleInfo, info_fields, logger_of
from plataforma_sdk.runtime._durations import Durations
from plataforma_sdk.runtime._observers import CallOutcome, Observers
from plataforma_sdk.runtime._stats import HostStats, ModuleStats

if TYPE_CHECKING:
    from plataforma_sdk.permissions import AuditRecord
    from plataforma_sdk.runtime._handle import ModuleHandle
    from plataforma_sdk.sandbox import ResourceMonitor
    from plataforma_sdk.types import Clock

__all__ = ["HostTelemetry", "ModuleTelemetry", "Totals", "module_stats"]

MAX_KINDS: Final = 64
"""Classes of errors that are counted by name; a host's own service may raise any."""

_LOG: Final = logger_of("plataforma_sdk.runtime")
_EVENT_LOG: Final = logger_of("plataforma_sdk.events")
_MODULE_LOG: Final = logger_of("plataforma_sdk.module")
_PERMISSION_LOG: Final = logger_of("plataforma_sdk.permissions")
for _name in ("sandbox.restricted", "sandbox.wasm"):  # whose files ask `logging` itself, as does `permissions`
    logger_of(f"plataforma_sdk.{_name}")
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_DENYING: Final = frozenset({"check", "request"})

_current: Final = CURRENT_CALL.get
_enter: Final = CURRENT_CALL.set


@attrs.define(eq=False)
class Totals:
    """Sums of a module, or of those that a host has unloaded."""

    calls: int = 0
    denials: int = 0
    prompts: int = 0
    restarts: int = 0
    failures: Counter[str] = attrs.field(factory=Counter)

    def add(self, other: Totals) -> None:
        """Add what another has counted."""
        self.calls += other.calls
        self.denials += other.denials
        self.prompts += other.prompts
        self.restarts += other.restarts
        self.failures.update(other.failures)


class ModuleTelemetry:
    """Counts what happens to one module, and writes the records about it.

    Attributes:
        info: the module, by its names; a reload replaces it.
        totals: its sums.
        is_loaded: whether its load succeeded.
        running: calls under way.
        reloads: reloads that took over.
        events_emitted: events that it emitted.
        quotas: soft limit -> how often it ran into it.
    """

    def __init__(
        self,
        info: ModuleInfo,
        clock: Clock,
        monitor: ResourceMonitor,
        observers: Observers,
        next_id: Callable[[], int],
    ) -> None:
        self.info = info
        self.totals = Totals()
        self.is_loaded = False
        self.running = 0
        self.reloads = 0
        self.events_emitted = 0
        self.quotas: Counter[str] = Counter()
        self.durations = Durations()
        self.volume = LogVolume(clock)
        self._monitor = monitor
        self._observers = observers
        self._is_observed = bool(observers)
        self._next_id = next_id

    # --- calls -----------------------------------------------------------------------------------------------------

    def begin(self, function: str) -> ModuleCall:
        """Begin a call; `end` it in the same task."""
        call = ModuleCall(self._next_id(), self.info, function, _current())
        self.running += 1
        _enter(call)
        if self._is_observed:
            self._observers.before(call)
        call.started_ns = perf_counter_ns()
        return call

    def end(self, call: ModuleCall, error: BaseException | None) -> None:
        """End a call, however it went."""
        duration_ns = perf_counter_ns() - call.started_ns
        self.durations.add(duration_ns)
        self.running -= 1
        self.totals.calls += 1
        if error is not None:
            self._count(self.totals.failures, type(error).__name__)
        if self._is_observed:
            memory = self._monitor.usage.memory_bytes
            self._observers.after(call, CallOutcome(duration_ns=duration_ns, error=error, memory_bytes=memory))
        _enter(call.parent)

    @contextlib.contextmanager
    def measured(self, function: str) -> Iterator[None]:
        """Count the block as a call; `begin` and `end` are for where a microsecond counts."""
        call = self.begin(function)
        try:
            yield
        except BaseException as error:
            self.end(call, error)
            raise
        self.end(call, None)

    def _count(self, kinds: Counter[str], kind: str) -> None:
        kinds[kind if kind in kinds or len(kinds) < MAX_KINDS else "other"] += 1

    # --- records ---------------------------------------------------------------------------------------------------

    def log(self, level: int, message: str, *args: Any, logger: logging.Logger = _LOG, **extra: Any) -> None:
        """Write a record about the module; `message` is the library's own."""
        call = CURRENT_CALL.get()
        is_own = call is not None and call.module.id == self.info.id
        fields = info_fields(self.info, call.id if call is not None and is_own else None)
        self.volume.log(logger, level, message, *args, extra={**fields, **extra})

    def log_of_module(self, level: str, message: str, fields: Any) -> None:
        """Write what the module itself logs."""
        number = _LEVELS.get(level, logging.INFO)
        self.log(number, "%s: %s", self.info.id, message, logger=_MODULE_LOG, fields=fields)

    def on_audit(self, record: AuditRecord) -> None:
        """Count and tell a denial or a prompt."""
        if record.action == "prompt":
            self.totals.prompts += 1
        if record.action in _DENYING or (record.action == "prompt" and record.outcome == "denied"):
            self.totals.denials += 1
            text = "Module %r was refused %s (%s)"
            self.log(
                logging.WARNING, text, self.info.id, record.permission, record.detail, logger=_PERMISSION_LOG,
                permission=record.permission,
            )  # fmt: skip

    def on_quota(self, resource: str) -> None:
        """Count and tell that the module ran into a soft limit."""
        self.quotas[resource] += 1
        self.log(logging.WARNING, "Module %r reached its %s limit", self.info.id, resource, resource=resource)

    def on_restart(self) -> None:
        """Count and tell that its instance is being replaced."""
        self.totals.restarts += 1
        self.log(logging.WARNING, "Module %r is restarted: its instance was ended", self.info.id)

    def on_state(self, what: str, version: str) -> None:
        """Tell that it was loaded, reloaded or unloaded, or has failed for good."""
        self.info = attrs.evolve(self.info, version=version)
        self.reloads += what == "reloaded"
        level = logging.ERROR if what == "failed" else logging.INFO
        self.log(level, "Module %r %s %s", self.info.id, version, "has failed for good" if what == "failed" else what)


class HostTelemetry:
    """Counts for a host."""

    def __init__(self, subject: str, clock: Clock, observers: Observers) -> None:
        self._subject = subject
        self._clock = clock
        self._observers = observers
        self._next_id = itertools.count(1).__next__
        self._gone = Totals()
        self._modules: dict[str, ModuleTelemetry] = {}
        self._loads = 0
        self._unloads = 0

    def module(self, module_id: str, version: str, engine: str, monitor: ResourceMonitor) -> ModuleTelemetry:
        """Begin to count for a module."""
        info = ModuleInfo(id=module_id, version=version, engine=engine, subject=self._subject)
        made = ModuleTelemetry(info, self._clock, monitor, self._observers, self._next_id)
        self._modules[module_id] = made
        return made

    def of(self, module_id: str) -> ModuleTelemetry | None:
        """Return that of a module that is loaded, or loading."""
        return self._modules.get(module_id)

    def log_event_fault(self, module_id: str, text: str, *args: Any) -> None:
        """Write that a module failed in a handler; within what it may write, since it may emit as often as it likes."""
        module = self.of(module_id)
        if module is not None:
            module.log(logging.ERROR, text, *args, logger=_EVENT_LOG)
        else:
            _EVENT_LOG.error(text, *args, extra={"module_id": module_id})

    def on_loaded(self, module: ModuleTelemetry) -> None:
        """Count a load."""
        self._loads += 1
        module.is_loaded = True

    def on_unloaded(self, module: ModuleTelemetry) -> None:
        """Keep the sums of a module that goes, or whose load has failed."""
        if self._modules.get(module.info.id) is module:  # a failed load may be told twice
            del self._modules[module.info.id]
            self._unloads += module.is_loaded
            self._gone.add(module.totals)

    def stats(self, handles: list[ModuleHandle]) -> HostStats:
        """Write down what was counted."""
        modules = {handle.id: handle.stats for handle in handles}
        totals = Totals()
        totals.add(self._gone)
        for handle in handles:
            totals.add(handle._live.telemetry.totals)  # noqa: SLF001
        return HostStats(
            subject=self._subject,
            modules=MappingProxyType(modules),
            loads=self._loads,
            unloads=self._unloads,
            calls=totals.calls,
            failures=MappingProxyType(dict(totals.failures)),
            denials=totals.denials,
            prompts=totals.prompts,
            restarts=totals.restarts,
            memory_bytes=sum(module.usage.memory_bytes for module in modules.values()),
        )


def module_stats(handle: ModuleHandle) -> ModuleStats:
    """Write down what was counted for a module."""
    live = handle._live  # noqa: SLF001
    counted, durations = live.telemetry, live.telemetry.durations
    return ModuleStats(
        id=handle.id,
        version=handle.version,
        engine=handle.engine,
        state=handle.state,
        calls=counted.totals.calls,
        running=counted.running,
        failures=MappingProxyType(dict(counted.totals.failures)),
        p50_ms=durations.percentile_ms(0.50),
        p95_ms=durations.percentile_ms(0.95),
        p99_ms=durations.percentile_ms(0.99),
        denials=counted.totals.denials,
        prompts=counted.totals.prompts,
        quotas=MappingProxyType(dict(counted.quotas)),
        restarts=counted.totals.restarts,
        reloads=counted.reloads,
        log_records=counted.volume.written,
        log_records_dropped=counted.volume.dropped,
        events=live.parts.events.stats(handle.id),
        events_emitted=counted.events_emitted,
        usage=handle.usage,
    )
