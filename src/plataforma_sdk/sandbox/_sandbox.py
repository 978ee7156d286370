"""`ModuleSandbox`: one module without a host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from plataforma_sdk.logs import logger_of
from plataforma_sdk.permissions import PermissionManager
from plataforma_sdk.sandbox._engines import make_engine
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox._monitor import ResourceMonitor, ResourceUsage
from plataforma_sdk.sandbox._protocols import Engine, EngineContext, Instance
from plataforma_sdk.sandbox._proxy import ApiProxy, Services
from plataforma_sdk.sandbox._supervisor import Supervisor
from plataforma_sdk.types import Clock, SystemClock

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["ModuleSandbox"]

_LOG: Final = logger_of("plataforma_sdk.module")
_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class ModuleSandbox:
    """Runs one module without a host: limits, metering and permissions, and no services but those given.

    Args:
        package: what to run.
        engine: ``"trusted"``, ``"restricted"``, ``"wasm"`` or an `Engine`.
        permissions: what the module is granted; it holds those of them that its manifest declares.
        limits: what it may use; its manifest may lower them.
        services: method -> what serves it, beside logging, the clock and permission checks.
        config: values for the manifest's ``[config]``.
        seed: seed of the module's random numbers, to repeat a run.
        clock: where the module's time comes from.
        isolation: ``"process"`` runs it in a worker process; for `restricted` only.

    >>> import asyncio
    >>> from plataforma_sdk import ModulePackage, ModuleSandbox
    >>> source = '''
    ... from plataforma_sdk import ModuleFramework, ui
    ... class Sums(ModuleFramework):
    ...     async def on_load(self): self.total = 0
    ...     def render(self): return ui.text(str(self.total))
    ...     def add(self, n): self.total += n; return self.total
    ... '''
    >>> async def main():
    ...     package = ModulePackage.from_source(source, id="sums")
    ...     async with ModuleSandbox(package, engine="trusted") as sandbox:
    ...         return await sandbox.call("add", 2)
    >>> asyncio.run(main())
    2
    """

    def __init__(
        self,
        package: ModulePackage,
        *,
        engine: str | Engine,
        permissions: Iterable[str] = (),
        limits: ResourceLimits | None = None,
        services: Services | None = None,
        config: Mapping[str, Any] | None = None,
        seed: int | None = None,
        clock: Clock | None = None,
        isolation: str | None = None,
    ) -> None:
        manifest = package.manifest
        self.package = package
        self.engine = make_engine(engine, isolation=isolation)
        self.limits = (limits or ResourceLimits()).lowered_by(manifest.limits)
        self._clock = clock or SystemClock()
        self.monitor = ResourceMonitor(self.limits, module=package.id, clock=self._clock)
        self.permissions = PermissionManager(
            permissions, module=package.id, declared=manifest.permissions.declared, clock=self._clock
        )
        self._services = {**self._basic_services(), **(services or {})}
        self._config = manifest.config_values(config or {})
        self._seed = seed
        self._supervisor = Supervisor(package.id, self._launch, restart=manifest.restart, clock=self._clock)

    @property
    def usage(self) -> ResourceUsage:
        """What the module has used."""
        return self.monitor.usage

    @property
    def state(self) -> str:
        """The state of the module: loading, active, failed or unloaded."""
        return self._supervisor.state

    @property
    def restarts(self) -> int:
        """How many times the instance was replaced after a hard limit or a crash."""
        return self._supervisor.restarts

    async def __aenter__(self) -> Self:
        await self._supervisor.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def call(self, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a public method of the author's class; see `Instance.call`."""
        self.monitor.begin_call()
        return await self._supervisor.call(method, *args, **kwargs)

    async def render(self, window_id: str = "main") -> dict[str, Any]:
        """Render a window and return its tree, plain data."""
        tree: dict[str, Any] = await self.call("@render", window_id)
        return tree

    async def aclose(self) -> None:
        """End the module; a second call does nothing."""
        await self._supervisor.close()
        await self.engine.close()

    async def _launch(self, attach: Callable[[Instance], None]) -> Instance:
        proxy = ApiProxy(self.package.id, self.permissions, self.monitor, self._services)
        context = EngineContext(
            module_id=self.package.id,
            version=self.package.version,
            bridge=proxy,
            limits=self.limits,
            monitor=self.monitor,
            config=self._config,
            clock=self._clock,
            seed=self._seed,
        )
        instance = await self.engine.load(self.package, context)
        attach(instance)
        try:
            await instance.call("@load")
        except BaseException:
            await instance.close()
            raise
        return instance

    def _basic_services(self) -> dict[str, Any]:
        permissions, module = self.permissions, self.package.id

        def log(level: str, message: str, fields: dict[str, Any]) -> None:
            _LOG.log(_LEVELS.get(level, 20), "%s: %s", module, message, extra={"module_id": module, "fields": fields})

        return {
            "log": log,
            "clock.now": self._clock.now,
            "permissions.has": permissions.has,
            "permissions.require": permissions.require,
            "permissions.request": permissions.request,
        }
