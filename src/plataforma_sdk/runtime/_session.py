"""What one instance of a module registered at its host, and the services through which it did.

Whatever is registered here is disposed of with the session. A reload makes a second session that is *staged*: it
checks and queues, and takes effect only when the new instance has loaded, so a failed reload leaves the old one whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.errors import (
    HostCallError,
    ModuleStateError,
    PermissionDeniedError,
    PlataformaError,
    QuotaExceededError,
)
from plataforma_sdk.events import check_pattern, pattern_inside
from plataforma_sdk.runtime._leaks import Leak, Ledger, Suspect
from plataforma_sdk.sandbox import Registrations
from plataforma_sdk.types import ApiRequest, Event, Subscription, module_segment
from plataforma_sdk.windows import WindowManager

if TYPE_CHECKING:
    from plataforma_sdk.manifest import Manifest
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.permissions import PermissionManager
    from plataforma_sdk.runtime._parts import HostParts, ModuleServices
    from plataforma_sdk.runtime._telemetry import ModuleTelemetry
    from plataforma_sdk.services import KeyValueStorage, StagedStorage

__all__ = ["ModuleSession"]

MAX_TIMERS: Final = 64
MIN_INTERVAL_S: Final = 0.01
SETTLE_S: Final = 0.5


class ModuleSession:
    """The registrations of one instance.

    Args:
        package: the module's package.
        permissions: what it may do.
        parts: the rooms of the host.
        services: the services made for this module alone.
        call: how a handler of the module is called; goes through the supervisor, so that a trap is seen.
        telemetry: counts, and writes its log.
        storage: what it reads and writes in place of the module's storage, where it has not taken over yet.
        on_pile: told where it registers the same again and again.
        on_dirty: told when it says that its windows show something else: a long call does so before it ends.
        is_staged: queue registrations until `commit`.

    Attributes:
        registrations: what is registered, as the calls that did it.
        ledger: what is registered, with the lines that did it.
    """

    def __init__(
        self,
        package: ModulePackage,
        permissions: PermissionManager,
        parts: HostParts,
        services: ModuleServices,
        call: Callable[..., Awaitable[Any]],
        *,
        telemetry: ModuleTelemetry,
        storage: StagedStorage | None = None,
        on_pile: Callable[[Leak], None] = lambda _: None,
        on_dirty: Callable[[], None] = lambda: None,
        is_staged: bool = False,
    ) -> None:
        self.id = package.id
        self._package = package
        self._permissions = permissions
        self._parts = parts
        self._own = services
        self._call = call
        self._telemetry = telemetry
        self._on_dirty = on_dirty
        self._storage: KeyValueStorage | StagedStorage = storage or services.storage
        self._is_over = False
        self._staged: list[Callable[[], object]] | None = [] if is_staged else None
        self._subscriptions: dict[int, Subscription] = {}
        self._endpoints: list[Subscription] = []
        self._timers: dict[int, asyncio.Task[None]] = {}
        self._windows: set[str] = set()
        self._shadow = WindowManager()
        self._numbers: set[int] = set()
        self._timer_count = 0
        self._ended_timers: dict[asyncio.Task[None], Leak] = {}
        self.registrations = Registrations()
        self.ledger = Ledger(package, on_pile)

    @property
    def _manifest(self) -> Manifest:
        return self._package.manifest

    def services(self) -> dict[str, Callable[..., Any]]:
        """Method of `module.OPERATIONS` -> what serves it."""
        own, storage, permissions = self._own, self._storage, self._permissions
        return {
            "log": self._telemetry.log_of_module,
            "clock.now": self._parts.clock.now,
            "events.emit": self._emit,
            "events.subscribe": self._subscribe,
            "events.unsubscribe": self._unsubscribe,
            "events.request": self._request,
            "api.register": self._register_endpoint,
            "api.call": self._api_call,
            "windows.create": self._create_window,
            "windows.update": self._update_window,
            "windows.close": self._close_window,
            "windows.invalidate": self._invalidate,
            "timers.start": self._start_timer,
            "timers.stop": self._stop_timer,
            "permissions.has": permissions.has,
            "permissions.require": permissions.require,
            "permissions.request": permissions.request,
            "database.query": own.query,
            "database.execute": own.execute,
            "storage.get": storage.get,
            "storage.set": storage.set,
            "storage.delete": storage.delete,
            "storage.keys": storage.keys,
            "system.notify": self._notify,
            "clipboard.read": self._parts.clipboard.read,
            "clipboard.write": self._parts.clipboard.write,
            "asset.read": self._read_asset,
        }

    def commit(self) -> None:
        """Put what was queued into effect; from now on registrations take effect at once."""
        staged, self._staged = self._staged or [], None
        for apply in staged:
            try:
                apply()
            except PlataformaError as error:  # what can be checked was checked when it was queued
                self._parts.report(self.id, "a registration of its reload", error)

    def dispose(self) -> None:
        """Take back everything that was registered, and let nothing more be; a second call does nothing.

        What still runs of the instance, its `on_unload` included, must not reach what a successor has registered.
        """
        self._is_over = True
        self._staged = None
        for subscription in [*self._subscriptions.values(), *self._endpoints]:
            subscription.unsubscribe()
        self._subscriptions.clear()
        self._endpoints.clear()
        for number, timer in self._timers.items():
            timer.cancel()
            self._ended_timers[timer] = self.ledger.find("timer", number)
        self._timers.clear()
        for window_id in self._windows:
            self._parts.windows.close(self.id, window_id)
        self._windows.clear()
        self.ledger.clear()

    async def settle(self) -> list[Suspect]:
        """Wait until what `dispose` has cancelled is gone; return what should be."""
        ended, self._ended_timers = self._ended_timers, {}
        waited = [timer for timer in ended if timer is not asyncio.current_task()]
        if waited:
            await asyncio.wait(waited, timeout=SETTLE_S)
        return [(ended[timer], _is_running(timer)) for timer in waited if not timer.done()]

    def _apply(self, action: Callable[[], object]) -> None:
        if self._is_over:
            return
        if self._staged is None:
            action()
        else:
            self._staged.append(action)

    def _take_number(self, number: int) -> None:
        """Refuse a number that is in use: it would hide a registration from its own disposal."""
        if type(number) is not int or number in self._numbers:
            raise HostCallError("ValueError", f"{number!r} is no new number for a handler", module=self.id)
        self._numbers.add(number)

    def _give_number_back(self, kind: str, number: int) -> None:
        self._numbers.discard(number)
        self.ledger.drop(kind, number)

    # --- events ----------------------------------------------------------------------------------------------------

    def _emit(self, topic: str, data: Any) -> None:
        self._telemetry.events_emitted += 1
        self._parts.events.emit(topic, data, source=self.id)  # the bus puts it under the module's own namespace

    def _subscribe(self, number: int, topic: str) -> None:
        own = f"module.{module_segment(self.id)}."
        consumed = self._manifest.events.consumed
        if not topic.startswith(own) and not any(pattern_inside(topic, allowed) for allowed in consumed):
            raise PermissionDeniedError(
                f"events.subscribe[{topic}]",
                module=self.id,
                reason="not consumed",
                line=f'consumed = ["{topic}"]',
                advice=f"add {topic!r} to consumed under [events] in module.toml",
            )

        check_pattern(topic)
        self._take_number(number)

        async def deliver(event: Event) -> Any:
            return await self._call("@event", number, event.to_data(), event.topic.startswith(own))

        def accept(actual: str) -> bool:
            return self._permissions.has(f"events.subscribe[{actual}]")

        def apply() -> None:
            self._subscriptions[number] = self._parts.events.subscribe(topic, deliver, owner=self.id, accept=accept)

        self._apply(apply)
        self.ledger.add("subscription", number, topic)

    def _unsubscribe(self, number: int) -> None:
        self._give_number_back("subscription", number)

        def apply() -> None:
            subscription = self._subscriptions.pop(number, None)
            if subscription is not None:
                subscription.unsubscribe()

        self._apply(apply)

    async def _request(self, topic: str, data: Any, timeout_s: float) -> Any:
        return await self._parts.events.request(topic, data, source=self.id, timeout_s=timeout_s)

    # --- API -------------------------------------------------------------------------------------------------------

    def _register_endpoint(self, number: int, path: str, methods: list[str]) -> None:
        self._take_number(number)

        async def answer(request: ApiRequest) -> Any:
            return await self._call("@endpoint", number, request.to_data())

        declared = [method for method in methods if self._manifest.allows_endpoint(path, method)]

        def register() -> Subscription:
            return self._parts.endpoints.register(self.id, path, methods, answer, allowed={path: declared})

        if self._staged is not None:
            register().unsubscribe()  # raises now what it would raise at `commit`
        self._apply(lambda: self._endpoints.append(register()))
        self.ledger.add("endpoint", number, path)

    async def _api_call(self, path: str, options: Mapping[str, Any]) -> Any:
        return await self._own.api.request(path, **options)

    # --- windows ---------------------------------------------------------------------------------------------------

    def _create_window(self, settings: dict[str, Any]) -> None:
        if self._staged is not None:
            self._check_window(settings)

        def apply() -> None:
            self._parts.windows.create(self.id, **settings)
            self._windows.add(settings["id"])

        self._apply(apply)
        self.ledger.add("window", settings["id"], settings["id"])

    def _check_window(self, settings: dict[str, Any]) -> None:
        """Raise now what a staged window would raise at `commit`: try it among the staged ones alone."""
        self._shadow.create(self.id, **settings)

    def _update_window(self, window_id: str, changes: dict[str, Any]) -> None:
        self._apply(lambda: self._parts.windows.update(self.id, window_id, **changes))

    def _close_window(self, window_id: str) -> None:
        self.ledger.drop("window", window_id)

        def apply() -> None:
            if window_id in self._windows:
                self._windows.discard(window_id)
                self._parts.windows.close(self.id, window_id)

        self._apply(apply)

    def _invalidate(self, window_id: str | None) -> None:
        def apply() -> None:
            self._parts.windows.invalidate(self.id, window_id)
            self._on_dirty()

        self._apply(apply)

    # --- timers ----------------------------------------------------------------------------------------------------

    def _start_timer(self, number: int, seconds: float) -> None:
        if not isinstance(seconds, (int, float)) or not MIN_INTERVAL_S <= seconds <= 86_400 * 366:
            raise ValueError(f"every() takes seconds from {MIN_INTERVAL_S} up, not {seconds!r}")
        if self._timer_count >= MAX_TIMERS:
            raise QuotaExceededError("timers", used=MAX_TIMERS + 1, limit=MAX_TIMERS, unit="timers", module=self.id)
        self._take_number(number)
        self._timer_count += 1

        def apply() -> None:
            self._timers[number] = asyncio.create_task(
                self._tick(number, seconds), name=f"{self.id}-timer-{number}", context=self._parts.context.copy()
            )

        self._apply(apply)
        self.ledger.add("timer", number, f"every {seconds} s")

    def _stop_timer(self, number: int) -> None:
        self._give_number_back("timer", number)

        def apply() -> None:
            timer = self._timers.pop(number, None)
            self._timer_count -= timer is not None
            if timer is not None and timer is not asyncio.current_task():
                timer.cancel()

        self._apply(apply)

    async def _tick(self, number: int, seconds: float) -> None:
        while number in self._timers:
            await asyncio.sleep(seconds)
            try:
                await self._call("@timer", number)
            except ModuleStateError:
                return  # the module has failed or is going
            except PlataformaError as error:
                self._parts.report(self.id, "timer", error)

    # --- the rest --------------------------------------------------------------------------------------------------

    async def _notify(self, title: str, body: str) -> None:
        self._parts.notifications.notify(self.id, title, body)

    async def _read_asset(self, path: str) -> bytes:
        return self._package.read_asset(path)


def _is_running(task: asyncio.Task[None]) -> Callable[[], bool]:
    return lambda: not task.done()
