"""Keeps one module running: replaces an instance that a hard limit or a crash has poisoned.

The first replacement is made at once, later ones back off, and the fifth within 60 s ends in `failed`: a module that
always traps must not keep its host busy. Source: Erlang/OTP, "Supervisor Behaviour", maximum restart intensity.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from plataforma_sdk.errors import ModuleStateError, PlataformaError, ResourceLimitError, SandboxCrashedError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.sandbox._protocols import Instance
from plataforma_sdk.types import Clock, SystemClock

__all__ = ["RESTART_WINDOW_S", "Supervisor"]

MAX_RESTARTS: Final = 5
RESTART_WINDOW_S: Final = 60.0
_BACKOFF_S: Final = (0.0, 0.1, 0.3, 1.0)

_LOG: Final = logger_of("plataforma_sdk.sandbox")


class Supervisor:
    """Runs the calls of one module and replaces its instance where it is poisoned.

    Args:
        module: id of the module.
        launch: makes a fresh instance, passes it to the callable that it is given, and runs its `on_load`; so a
            handler that is called while `on_load` waits finds the instance. Disposes of what a poisoned one registered.
        restart: whether the manifest allows `on_load` to run again; otherwise a trap ends in `failed`.
        clock: times the window and the back-off.
        on_failed: called when the module has failed for good, to dispose of what it had registered.

    Attributes:
        state: loading, active, failed or unloaded; the runtime adds reloading and parked.
        restarts: how many times the instance was replaced.
    """

    def __init__(
        self,
        module: str,
        launch: Callable[[Callable[[Instance], None]], Awaitable[Instance]],
        *,
        restart: bool = True,
        clock: Clock | None = None,
        on_failed: Callable[[], None] = lambda: None,
    ) -> None:
        self.module = module
        self.state = "loading"
        self.restarts = 0
        self._launch = launch
        self.restart = restart
        self._on_failed = on_failed
        self._clock = clock or SystemClock()
        self._traps: deque[float] = deque()
        self._instance: Instance | None = None
        self._replacing: asyncio.Task[PlataformaError | None] | None = None

    async def start(self) -> None:
        """Launch the first instance; a failure leaves the state `failed` and passes on."""
        try:
            self._instance = await self._launch(self._attach)
        except BaseException:
            self._instance = None
            self.state = "failed"
            raise
        self.state = "active"

    async def call(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call into the module; waits for a replacement that is under way.

        Raises:
            ModuleStateError: the module has failed or is unloaded.
        """
        instance = self._instance
        if instance is None or self.state != "active" or instance.is_poisoned:
            instance = await self._ready()
        try:
            return await instance.call(function, *args, **kwargs)
        except (ResourceLimitError, SandboxCrashedError) as error:
            if instance.is_poisoned:
                await self._on_poisoned(instance, error)
            raise

    def adopt(self, instance: Instance) -> Instance | None:
        """Put another instance in place, as a reload does; return the old one, which the caller closes.

        Raises:
            ModuleStateError: the module was unloaded meanwhile.
        """
        if self.state == "unloaded":
            raise self._ended("unloaded")
        old, self._instance = self._instance, instance
        self.state = "active"
        self._traps.clear()
        return old

    async def replace(self) -> None:
        """Replace the instance because the host wants it, at once and not counted among the traps.

        Where a replacement is under way, that is the one.

        Raises:
            PlataformaError: the fresh one does not load, and the module has failed.
            ModuleStateError: the module was unloaded meanwhile.
        """
        if self._replacing is None:
            old, self._instance = self._instance, None
            self.state = "active"
            self._traps.clear()
            self._replacing = self._begin(old, 0.0)
        replacing = self._replacing
        await asyncio.wait([replacing])
        error = self._ended("unloaded") if replacing.cancelled() else replacing.result()
        if error is not None:
            raise error

    async def close(self) -> None:
        """End the module; a second call does nothing."""
        self.state = "unloaded"
        replacing, self._replacing = self._replacing, None
        if replacing is not None and replacing is not asyncio.current_task():
            replacing.cancel()
            await asyncio.wait([replacing])
        instance, self._instance = self._instance, None
        if instance is not None:
            await instance.close()

    @property
    def instance(self) -> Instance | None:
        """The instance in place, if there is one."""
        return self._instance

    def _ended(self, state: str) -> ModuleStateError:
        return ModuleStateError(f"Module {self.module!r} is {state}", module=self.module, state=state)

    def _attach(self, instance: Instance) -> None:
        self._instance = instance

    async def _ready(self) -> Instance:
        while self._instance is None and self._replacing is not None:
            await asyncio.wait([self._replacing])  # neither cancels it nor is cancelled with it
        if self._instance is None or self.state in ("failed", "unloaded"):
            raise ModuleStateError(
                f"Module {self.module!r} is {self.state}; "
                + ("see its last error and reload() it" if self.state == "failed" else "load it again"),
                module=self.module,
                state=self.state,
            )
        if self._instance.is_poisoned and self.state == "active":
            await self._on_poisoned(self._instance, self._found_ended())
            return await self._ready()
        return self._instance

    def _found_ended(self) -> SandboxCrashedError:
        """Name what ended an instance between two calls: a task of its own, or a call whose caller went away."""
        return SandboxCrashedError(f"Module {self.module!r} was ended outside of a call", module=self.module)

    async def _on_poisoned(self, instance: Instance, error: PlataformaError) -> None:
        if instance is self._instance and self.state == "active" and self._replacing is None:
            self._instance = None
            await self._begin_replacement(instance, error)
        if isinstance(error, ResourceLimitError):
            error.replaced = self.state == "active"

    async def _begin_replacement(self, instance: Instance, error: PlataformaError) -> None:
        now = self._clock.monotonic()
        self._traps.append(now)
        while now - self._traps[0] > RESTART_WINDOW_S:
            self._traps.popleft()
        if not self.restart or len(self._traps) >= MAX_RESTARTS:
            self.state = "failed"
            self._log("has failed for good", error)
            self._on_failed()
            await instance.close()
            return
        self._replacing = self._begin(instance, _BACKOFF_S[len(self._traps) - 1])
        if len(self._traps) == 1:
            await asyncio.wait([self._replacing])

    def _log(self, what: str, error: PlataformaError) -> None:
        extra = {"module_id": self.module}
        _LOG.error("Module %r %s: %s", self.module, what, error.message, extra=extra)

    def _begin(self, old: Instance | None, delay_s: float) -> asyncio.Task[PlataformaError | None]:
        return asyncio.create_task(self._replace(old, delay_s), name=f"plataforma-restart-{self.module}")

    async def _replace(self, old: Instance | None, delay_s: float) -> PlataformaError | None:
        """Launch another instance; return the error that it failed with."""
        try:
            if old is not None:
                await old.close()
            await asyncio.sleep(delay_s)
            self._instance = await self._launch(self._attach)
            self.restarts += 1
        except PlataformaError as error:
            self._instance = None
            self.state = "failed"
            self._log("could not be replaced", error)
            self._on_failed()
            return error
        finally:
            self._replacing = None
        return None
