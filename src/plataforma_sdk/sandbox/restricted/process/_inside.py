"""The restricted engine as it runs in a worker: the same one, but a call's time is the host's to measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from plataforma_sdk.errors import ResourceLimitError
from plataforma_sdk.sandbox import EngineContext
from plataforma_sdk.sandbox.restricted._engine import RestrictedEngine
from plataforma_sdk.sandbox.restricted._instance import RestrictedInstance
from plataforma_sdk.sandbox.restricted.process._bridge import WorkerMonitor

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.sandbox import ResourceLimits

__all__ = ["Bundle", "WorkerEngine", "WorkerInstance", "warm_up"]


@attrs.frozen(kw_only=True)
class Bundle:
    """What the engine reads of a package; the rest of it stays with the host."""

    id: str
    entry_file: str
    entry_class: str | None
    sources: Mapping[str, str]
    is_component: bool

    def as_package(self) -> ModulePackage:
        """The same object, for the engine's signature."""
        return cast("ModulePackage", self)


class WorkerInstance(RestrictedInstance):
    """An instance that leaves `max_call_ms` to the host, and tells when it is poisoned.

    The host's deadline stands still while a person is asked, also where that happens in another module.

    Attributes:
        on_poisoned: called with the limit that ended the instance.
    """

    on_poisoned: Callable[[ResourceLimitError], object] = staticmethod(lambda _: None)

    async def _within_deadline(self, function: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        try:
            return await self._serve(function, args, kwargs, None)
        except TimeoutError as error:
            raise self._translated(error) from None

    def _on_stop(self) -> None:
        super()._on_stop()
        ended = self._faults.ended()
        if isinstance(ended, ResourceLimitError):
            self.on_poisoned(ended)


class WorkerEngine(RestrictedEngine):
    """The engine, making instances for a worker."""

    instance_class = WorkerInstance


_WARM_UP: Final = """
from plataforma_sdk import ModuleFramework, ui

class WarmUp(ModuleFramework):
    async def on_load(self):
        self.items = [number * 2 for number in range(8) if number % 2]

    def render(self):
        return ui.column(ui.text(f"{len(self.items)}"))
"""


class _Nobody:
    """The bridge of a module that asks for nothing."""

    def call_now(self, method: str, args: list[Any]) -> Any:
        """Refuse."""
        raise NotImplementedError(method, args)

    async def call(self, method: str, args: list[Any]) -> Any:
        """Refuse."""
        raise NotImplementedError(method, args)


async def warm_up(engine: WorkerEngine, limits: ResourceLimits) -> None:
    """Load and call a module of our own, so that the first one of the host's finds everything imported and compiled."""
    bundle = Bundle(id="warm-up", entry_file="m.py", entry_class=None, sources={"m.py": _WARM_UP}, is_component=False)
    context = EngineContext(
        module_id="warm-up",
        version="0",
        bridge=_Nobody(),
        limits=limits,
        monitor=WorkerMonitor(limits, "warm-up"),
    )
    instance = await engine.load(bundle.as_package(), context)
    await instance.call("@load")
    await instance.call("@render", "main")
    await instance.close()
