"""One module under the restricted policy."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine, Mapping
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import ModuleStateError, PlataformaError, ResourceLimitError
from plataforma_sdk.module import ModuleContext, find_entry
from plataforma_sdk.sandbox._deadline import CallDeadline
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.restricted._asyncio import AsyncTwin, Tasks
from plataforma_sdk.sandbox.restricted._cache import CompileCache
from plataforma_sdk.sandbox.restricted._crossing import Crossing
from plataforma_sdk.sandbox.restricted._driving import Metered
from plataforma_sdk.sandbox.restricted._faults import Faults
from plataforma_sdk.sandbox.restricted._fuel import Account, LimitReached, Share
from plataforma_sdk.sandbox.restricted._gates import Gates, record_class
from plataforma_sdk.sandbox.restricted._host_module import RestrictedRuntime, host_function
from plataforma_sdk.sandbox.restricted._memory import MemoryAccount
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
from plataforma_sdk.sandbox.restricted._twins import FrameworkTwin
from plataforma_sdk.sandbox.restricted._vetted import LIBRARIES

__all__ = ["DEFAULT_FUEL", "RestrictedInstance"]

DEFAULT_FUEL: Final = 10_000_000
"""Units of one call where `ResourceLimits.max_fuel` is None: a third of a second of the tightest loop."""

_CONTEXT: Final = record_class("ModuleContext", ("id", "version", "config", "locale"))


class RestrictedInstance:
    """One module, instrumented and metered.

    Attributes:
        is_poisoned: a hard limit has been reached; the sandbox answers no more.
    """

    def __init__(self, sources: Mapping[str, str], context: EngineContext, cache: CompileCache) -> None:
        self.is_poisoned = False
        self._is_closed = False
        self._context = context
        self._limit: ResourceLimitError | None = None
        self._calls: set[tuple[asyncio.Task[Any] | None, object]] = set()
        self._reported = (0.0, 0)
        self._sandbox = Sandbox(
            context.limits.max_memory_bytes,
            sources=sources,
            output=self._print,
            libraries=LIBRARIES,
            cache=cache,
            module=context.module_id,
        )
        meter = self._sandbox.meter
        if context.limits.max_cpu_ms_per_s is not None:
            meter.share = Share(context.limits.max_cpu_ms_per_s)
        self._faults = Faults(self._sandbox, context.module_id)
        self._tasks = Tasks(meter, self._background_account, self._report_task)
        self._crossing = Crossing(meter.charge, self._sandbox.iterables.bounded, self._as_host_function, meter.alloc)
        self._gates = Gates(meter, self._crossing)
        self._runtime = RestrictedRuntime(self._module_context(), self._crossing)
        self._twin = FrameworkTwin(self._gates, self._runtime.host, self._runtime, self._sandbox.classes.export)
        self._memory = MemoryAccount(meter, self._sandbox.classes.meta)
        self._log = self._gates.now(context.bridge.call_now, "log")
        self._sandbox.add_libraries(
            self._twin.libraries() | {"asyncio": lambda sandbox: AsyncTwin(sandbox, self._tasks).make()}
        )
        self._sandbox.clock, self._sandbox.seed = context.clock, context.seed

    def _module_context(self) -> ModuleContext:
        context = self._context
        return ModuleContext(
            id=context.module_id,
            version=context.version,
            bridge=context.bridge,
            config=codec.copy_value(dict(context.config)),
            locale=context.locale,
            messages=context.messages,
            max_tree_nodes=context.limits.max_tree_nodes,
        )

    def _as_host_function(self, function: Any) -> Any:
        return host_function(function, self._crossing)

    def _print(self, text: str) -> None:
        self._log("log", ["info", text, {}])

    # --- accounts ------------------------------------------------------------------------------------------------

    @property
    def _fuel(self) -> int:
        return self._context.limits.max_fuel or DEFAULT_FUEL

    def _background_account(self) -> Account:
        return Account(self._fuel, self._fuel, self._context.limits.max_step_ms, is_renewed=True)

    def _report_task(self, error: BaseException) -> None:
        """Tell the host's log of a background task that failed; a limit poisons the instance."""
        translated = self._faults.translate(error)
        if isinstance(translated, ResourceLimitError):
            self._poison(translated)
        if not self._is_closed:
            try:
                self._context.bridge.call_now("log", ["error", f"A background task failed: {translated}", {}])
            except PlataformaError:
                return

    # --- load ----------------------------------------------------------------------------------------------------

    def start(self, entry_file: str, entry_class: str | None) -> None:
        """Run the entry file and make the author's object. Exempt from `max_step_ms`, bounded by `max_call_ms`."""
        account = Account(self._fuel, self._fuel, float(self._context.limits.max_call_ms))
        meter = self._sandbox.meter
        outer = meter.enter(account)
        try:
            namespace = self._sandbox.run_file(entry_file)
            cls = find_entry(namespace, self._twin.cls, entry_class, module=self._context.module_id)
            self._runtime.adopt(self._make(cls))
            meter.check()
            return  # noqa: TRY300
        except BaseException as error:  # noqa: BLE001
            failure = self._translated(error)
        finally:
            meter.leave(outer)
            self._report_usage()
        raise failure  # outside of the handler: the module's exception does not become its context

    def _make(self, cls: Any) -> Any:
        context = self._context
        config = self._crossing.inward(codec.copy_value(dict(context.config)))
        return cls(_CONTEXT(id=context.module_id, version=context.version, config=config, locale=context.locale))

    # --- calls ---------------------------------------------------------------------------------------------------

    async def call(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call into the module; see `Instance.call`."""
        self._check_usable()
        task = asyncio.current_task()
        entry = (task, object())
        self._calls.add(entry)
        try:
            monitor = self._context.monitor
            received, named = codec.copy_value(list(args)), codec.copy_value(kwargs)
            monitor.check_values([*received, *named.values()])
            result = await self._within_deadline(function, received, named)
            monitor.check_values([result])
            return result  # noqa: TRY300
        except asyncio.CancelledError:
            if entry in self._calls or task is None:
                raise
            task.uncancel()  # ours, from `close`: the caller is told, not cancelled
            raise self._closed_error() from None
        finally:
            self._calls.discard(entry)
            self._report_usage()

    def _check_usable(self) -> None:
        if self._is_closed:
            raise self._closed_error()
        if self._limit is not None:
            raise self._limit

    def _closed_error(self) -> ModuleStateError:
        module = self._context.module_id
        return ModuleStateError(f"Module {module!r} is closed", module=module, state="unloaded")

    async def _within_deadline(self, function: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        limits = self._context.limits
        deadline = CallDeadline(limits.max_call_ms)
        try:
            async with deadline:
                return await self._dispatch(function, args, kwargs)
        except TimeoutError as error:
            if not deadline.has_passed:
                raise self._translated(error) from None
            limit = ResourceLimitError(
                "call_time",
                used=deadline.elapsed_ms,
                limit=limits.max_call_ms,
                unit="ms",
                module=self._context.module_id,
            )
            self._poison(limit)
            raise limit from None

    async def _dispatch(self, function: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        meter = self._sandbox.meter
        account = Account(self._fuel, self._fuel, float(self._context.limits.max_step_ms))
        cancels = _cancels()
        try:
            outer = meter.enter(account)
            try:
                result = self._runtime.dispatch(function, args, kwargs)
            finally:
                meter.leave(outer)
            if inspect.isawaitable(result):
                result = self._crossing.outward(await Metered(meter, account, _as_coroutine(result)))
            meter.check()
            return codec.copy_value(result)
        except TimeoutError:
            raise
        except asyncio.CancelledError as error:
            if _cancels() > cancels:
                raise
            failure = self._translated(error)
        except BaseException as error:  # noqa: BLE001
            failure = self._translated(error)
        raise failure  # outside of the handler: the module's exception does not become its context

    def _translated(self, error: BaseException) -> BaseException:
        translated = self._faults.translate(error)
        if isinstance(translated, ResourceLimitError) and self._faults.is_hard(error):
            self._poison(translated)
        return translated

    def _poison(self, limit: ResourceLimitError) -> None:
        self.is_poisoned = True
        self._limit = self._limit or limit
        try:
            self._sandbox.meter.trip(limit.resource)
        except LimitReached:
            return

    def _report_usage(self) -> None:
        meter, monitor = self._sandbox.meter, self._context.monitor
        cpu_s, fuel = self._reported
        self._reported = (meter.cpu_s, meter.fuel_used)
        monitor.add_cpu((meter.cpu_s - cpu_s) * 1_000)
        monitor.add_fuel(meter.fuel_used - fuel)
        roots = [self._runtime.author, *self._tasks.roots, *self._sandbox.bound_values()]
        monitor.set_memory(self._memory.settle(roots, self._sandbox.namespaces.values()))

    # --- end -----------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End running calls and the module's tasks; what the module made goes with the instance."""
        self._is_closed = True
        calls, self._calls = self._calls, set()
        current = asyncio.current_task()
        for task in {task for task, _ in calls if task is not None and task is not current}:
            task.cancel()
        await self._tasks.close()


def _cancels() -> int:
    """How often the running task was cancelled; where that did not grow, the module raised `CancelledError` itself."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _as_coroutine(awaitable: Any) -> Coroutine[Any, Any, Any]:
    return awaitable if inspect.iscoroutine(awaitable) else _await(awaitable)


async def _await(awaitable: Any) -> Any:
    return await awaitable
