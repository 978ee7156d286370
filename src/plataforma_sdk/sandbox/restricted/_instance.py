"""One module under the restricted policy."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import weakref
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import PlataformaError, ResourceLimitError
from plataforma_sdk.module import ModuleContext, find_entry
from plataforma_sdk.sandbox._deadline import CallDeadline
from plataforma_sdk.sandbox._in_process import InProcessInstance, count_cancellations
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.restricted._asyncio import AsyncTwin, Tasks
from plataforma_sdk.sandbox.restricted._breaker import PROCESS, MemoryBreaker
from plataforma_sdk.sandbox.restricted._cache import CompileCache
from plataforma_sdk.sandbox.restricted._crossing import Crossing
from plataforma_sdk.sandbox.restricted._driving import Metered, close_quietly
from plataforma_sdk.sandbox.restricted._faults import INTERRUPTED, Faults
from plataforma_sdk.sandbox.restricted._fuel import Account
from plataforma_sdk.sandbox.restricted._gates import Gates, record_class
from plataforma_sdk.sandbox.restricted._host_module import RestrictedRuntime, host_function
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
from plataforma_sdk.sandbox.restricted._share import Share
from plataforma_sdk.sandbox.restricted._twins import FrameworkTwin
from plataforma_sdk.sandbox.restricted._vetted import LIBRARIES

__all__ = ["DEFAULT_FUEL", "RestrictedInstance"]

DEFAULT_FUEL: Final = 10_000_000
"""Units of one call where `ResourceLimits.max_fuel` is None: 50 ms of an empty loop, half a second of a busy one."""

_GRACE_S: Final = 0.1
"""How long a call has to end in order once its instance is closed."""

_CONTEXT: Final = record_class("ModuleContext", ("id", "version", "config", "locale"))


class RestrictedInstance(InProcessInstance):
    """One module, instrumented and metered."""

    def __init__(
        self,
        sources: Mapping[str, str],
        context: EngineContext,
        cache: CompileCache,
        breaker: MemoryBreaker = PROCESS,
    ) -> None:
        super().__init__(context)
        self._reported = (0.0, 0)
        self._has_told_of_limit = False
        self._handlers: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        self._sandbox = Sandbox(
            context.limits.max_memory_bytes,
            sources=sources,
            output=self._print,
            libraries=LIBRARIES,
            cache=cache,
            module=context.module_id,
            breaker=breaker,
        )
        self._sandbox.roots = self._roots
        self._loop = asyncio.get_running_loop()
        meter = self._sandbox.meter
        meter.source.on_stop = self._on_stop
        meter.on_dropped = self._on_dropped
        context.monitor.pending = _pending_of(weakref.ref(self))
        if context.limits.max_cpu_ms_per_s is not None:
            meter.share = Share(context.limits.max_cpu_ms_per_s)
        self._faults = Faults(self._sandbox, context.module_id)
        self._tasks = Tasks(meter, self._background_account, self._report_task)
        self._crossing = Crossing(
            meter.charge,
            self._sandbox.iterables.bounded,
            self._as_host_function,
            meter.alloc,
            self._sandbox.own_decimal,
        )
        self._gates = Gates(meter, self._crossing)
        self._runtime = RestrictedRuntime(self._module_context(), self._crossing)
        self._twin = FrameworkTwin(self._gates, self._runtime.host, self._runtime, self._sandbox.classes.export)
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
        made = host_function(function, self._crossing)
        self._handlers[made] = function
        return made

    def _roots(self) -> list[Any]:
        """What the module holds beside its globals: what the host holds for it counts."""
        return [self._runtime.author, *self._tasks.roots, *self._handlers.values()]

    def _print(self, text: str) -> None:
        self._log("log", ["info", text, {}])

    # --- accounts ------------------------------------------------------------------------------------------------

    @property
    def _fuel(self) -> int:
        return self._context.limits.max_fuel or DEFAULT_FUEL

    def _background_account(self) -> Account:
        return Account(self._fuel, self._fuel, self._context.limits.max_step_ms, is_renewed=True)

    def _report_task(self, error: BaseException) -> None:
        """Tell the host's log of a background task that failed; of a limit once, though it ends all of them."""
        translated = self._translated(error)
        if self._has_told_of_limit:
            return
        self._has_told_of_limit = self.is_poisoned
        if not self._is_closed:
            try:
                self._context.bridge.call_now("log", ["error", f"A background task failed: {translated}", {}])
            except PlataformaError:
                return

    # --- load ----------------------------------------------------------------------------------------------------

    def start(self, entry_file: str, entry_class: str | None) -> None:
        """Run the entry file and make the author's object. Exempt from `max_step_ms`, bounded by `max_call_ms`."""
        account = Account(self._fuel, self._fuel, deadline=CallDeadline(self._context.limits.max_call_ms))
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
            self._after_call()
        raise failure  # outside of the handler: the module's exception does not become its context

    def _make(self, cls: Any) -> Any:
        context = self._context
        config = self._crossing.inward(codec.copy_value(dict(context.config)))
        return cls(_CONTEXT(id=context.module_id, version=context.version, config=config, locale=context.locale))

    # --- calls ---------------------------------------------------------------------------------------------------

    def _check_usable(self) -> None:
        super()._check_usable()
        ended = self._faults.ended()
        if ended is not None:
            raise ended

    async def _serve(
        self, function: str, args: list[Any], kwargs: dict[str, Any], deadline: CallDeadline | None
    ) -> Any:
        meter = self._sandbox.meter
        account = Account(self._fuel, self._fuel, float(self._context.limits.max_step_ms), deadline=deadline)
        cancels = count_cancellations()
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
            if count_cancellations() > cancels:
                raise
            failure = self._translated(error)
        except BaseException as error:  # noqa: BLE001
            failure = self._translated(error)
        raise failure  # outside of the handler: the module's exception does not become its context

    def _translated(self, error: BaseException) -> BaseException:
        return self._faults.translate(error)

    def _on_late(self, limit: ResourceLimitError) -> None:
        self._sandbox.meter.stop(limit.resource, limit.used, limit.limit, limit.unit)

    def pending(self) -> tuple[float, int]:
        """Milliseconds and fuel since calls were last counted: one that goes on and on is seen while it does."""
        meter = self._sandbox.meter
        cpu_s, fuel = self._reported
        return (meter.cpu_s - cpu_s) * 1_000, meter.fuel_used - fuel

    def _after_call(self) -> None:
        meter, monitor = self._sandbox.meter, self._context.monitor
        cpu_ms, fuel = self.pending()
        self._reported = (meter.cpu_s, meter.fuel_used)
        monitor.add_cpu(cpu_ms)
        monitor.add_fuel(fuel)
        monitor.set_memory(self._sandbox.memory.settle())

    # --- end -----------------------------------------------------------------------------------------------------

    @property
    def is_poisoned(self) -> bool:
        """Whether a hard limit, the host or the process's breaker has ended the sandbox: it answers no more."""
        return self._sandbox.meter.is_stopped

    def interrupt(self) -> None:
        """End the module where it stands: for a thread that watches the loop. Thread-safe; running code ends at once.

        Calls under way and later ones raise `SandboxCrashedError`.
        """
        self._sandbox.meter.stop(INTERRUPTED)

    def _on_dropped(self, generator: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the collector may run in any thread, the loop may be closed
            self._loop.call_soon_threadsafe(self._finish, generator)

    def _finish(self, generator: Any) -> None:
        """Let an async generator that was dropped half way clean up, as a background task."""
        if not (self._is_closed or self.is_poisoned):
            self._tasks.spawn(_await(generator.aclose()), is_background=True)

    def _on_stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and took everything with it
            self._loop.call_soon_threadsafe(self._let_go)

    def _let_go(self) -> None:
        """Stop the tasks of a sandbox that was ended, and free what it held: it may never be called again."""
        self._tasks.cancel()
        for generator in self._runtime.streams.take_all():
            close_quietly(generator)
        for namespace in self._sandbox.namespaces.values():
            namespace.clear()
        if self._runtime.author is not None:
            vars(self._runtime.author).clear()

    async def close(self) -> None:
        """End running calls and the module's tasks; what the module made goes with the instance.

        They are asked first; what swallows that is ended by the meter.
        """
        self._end_calls()
        if self._asked:
            self._loop.call_later(_GRACE_S, self._end_stubborn)
        self._left = await self._tasks.close(self.interrupt)

    def _end_stubborn(self) -> None:
        """End the calls that went on although they were asked to end."""
        if self._asked:
            self.interrupt()
            self._ask_again()


def _pending_of(instance: weakref.ref[RestrictedInstance]) -> Callable[[], tuple[float, int]]:
    """The meters outlive the instance, and must not keep it."""

    def pending() -> tuple[float, int]:
        found = instance()
        return (0.0, 0) if found is None else found.pending()

    return pending


def _as_coroutine(awaitable: Any) -> Coroutine[Any, Any, Any]:
    return awaitable if inspect.iscoroutine(awaitable) else _await(awaitable)


async def _await(awaitable: Any) -> Any:
    return await awaitable
