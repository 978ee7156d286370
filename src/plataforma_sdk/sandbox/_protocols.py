"""The contracts between a host and its engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs

from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox._monitor import ResourceMonitor
from plataforma_sdk.types import Clock, SystemClock

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.sandbox.wasm import Journal, Resumption

__all__ = ["Engine", "EngineContext", "HostBridge", "Instance", "LeftRunning", "Lingering", "Parkable"]


class HostBridge(Protocol):
    """The one door through which a module reaches its host; `ApiProxy` implements it."""

    def call_now(self, method: str, args: list[Any]) -> Any:
        """Serve an immediate call; raises `PlataformaError` only."""

    async def call(self, method: str, args: list[Any]) -> Any:
        """Serve an awaited call; raises `PlataformaError` only, and lets cancellation through."""


@attrs.frozen(kw_only=True)
class EngineContext:
    """What an engine needs to run one module.

    Attributes:
        module_id: id of the module.
        version: its version.
        bridge: the door to the host.
        limits: what the module may use.
        monitor: where the engine counts what it used.
        config: the module's configuration, plain data.
        locale: BCP 47 tag, ``"pt-BR"``.
        messages: translations for `locale`, key -> text.
        clock: time as the module sees it.
        seed: seed of the module's random numbers; None takes fresh entropy.
        journal: where `wasm` records what goes into the module and what comes out, or None.
        resume: a guest that ran elsewhere, for `wasm` to take over in place of loading the package; or None.
    """

    module_id: str
    version: str
    bridge: HostBridge
    limits: ResourceLimits = attrs.field(factory=ResourceLimits)
    monitor: ResourceMonitor
    config: Mapping[str, Any] = attrs.field(factory=dict)
    locale: str = "en"
    messages: Mapping[str, str] = attrs.field(factory=dict)
    clock: Clock = attrs.field(factory=SystemClock)
    seed: int | None = None
    journal: Journal | None = None
    resume: Resumption | None = None


@runtime_checkable
class Instance(Protocol):
    """One module, loaded. Calls interleave at awaits; values are copied by the codec in both directions."""

    @property
    def is_poisoned(self) -> bool:
        """Whether a hard limit or a crash ended it: every further call is refused, and the runtime replaces it."""

    async def call(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a public method by name, or one of the host's functions, whose names begin with ``@``.

        Raises:
            GuestError: the module's own code failed.
            ResourceLimitError: a hard limit ended the call.
            SandboxCrashedError: the sandbox ended without saying why.
        """

    async def close(self) -> None:
        """Free everything; running calls are cancelled. A second call does nothing."""


@attrs.frozen(kw_only=True)
class LeftRunning:
    """Something that a module started by itself and that `Instance.close` did not end.

    Attributes:
        kind: ``"task"`` or ``"thread"``.
        name: its name.
        where: ``"vendas.py:12"``, where it is now, or None.
        is_there: tells whether it still runs.
    """

    kind: str
    name: str
    where: str | None
    is_there: Callable[[], bool]


@runtime_checkable
class Lingering(Protocol):
    """An instance whose module runs in the host's own interpreter, and so can leave something running there."""

    def left_running(self) -> list[LeftRunning]:
        """Return what has not ended, once it is closed."""


@runtime_checkable
class Parkable(Protocol):
    """An instance that can be put away while nothing happens in it, and comes back when something does."""

    @property
    def is_parked(self) -> bool:
        """Whether it is put away."""

    async def park(self, *, quiet_s: float | None = None) -> bool:
        """Put it away; return whether it is, and leave it live where it cannot be.

        Args:
            quiet_s: leave it alone where it serves a call, awaits its host, or has a timer due within so many seconds;
                by default only while its code is running.
        """


@runtime_checkable
class Engine(Protocol):
    """Runs modules of one trust tier.

    Attributes:
        name: ``"trusted"``, ``"restricted"`` or ``"wasm"``.
    """

    name: str

    async def load(self, package: ModulePackage, context: EngineContext) -> Instance:
        """Compile and instantiate a module; its `on_load` has not run when this returns.

        Raises:
            ModuleLoadError: the package holds nothing that this engine can run.
            PolicyError: the source is refused, with every fault.
        """

    async def close(self) -> None:
        """Free what the engine holds beside its instances."""
