"""`ModuleTestEnvironment`: a real host around one module, with fakes behind it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from plataforma_sdk.errors import ModuleStateError, PlataformaError
from plataforma_sdk.module import ModuleFramework
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import Leak, ModuleHandle, ModuleHost, package_of_class
from plataforma_sdk.testing._api import FakeApi
from plataforma_sdk.testing._database import FakeDatabase
from plataforma_sdk.testing._permissions import MockPermissionManager
from plataforma_sdk.testing._pilot import ModulePilot
from plataforma_sdk.testing._recorder import EventRecorder
from plataforma_sdk.testing._registry import MemoryRegistry
from plataforma_sdk.types import FakeClock

if TYPE_CHECKING:
    from plataforma_sdk.permissions import PermissionAnswer
    from plataforma_sdk.sandbox import ResourceLimits

__all__ = ["ModuleTestEnvironment"]

_DEFAULT_TIER: Final = "trusted"


class ModuleTestEnvironment:
    """A host with one module in it, and everything around it in the test's hands.

    The module holds what its manifest declares, required and optional, unless `grants` says otherwise; a request
    that no `prompts` answer, and an API call that no `api` answers, are refused and fail `assert_expected`, which
    leaving the block calls, as it does `assert_no_leaks`.

    Args:
        target: a path, a `ModulePackage`, or a `ModuleFramework` subclass (`trusted` only).
        tier: ``"trusted"``, ``"restricted"`` or ``"wasm"``.
        grants: what it holds; None for all that it declares.
        prompts: permission -> how the person answers: True, False or a `PermissionAnswer`.
        api: a `FakeApi`, or its routes; anything else that `ModuleHost` takes serves as it is.
        database: a `FakeDatabase`, or its tables, or a path.
        config: values for the module's ``[config]``.
        limits: what it may use.
        modules: further packages, for ``host.load("id@range")``.
        clock: time; it stands still until it is advanced. None takes the machine's.
        settings: further arguments of `ModuleHost`.

    Attributes:
        host: the host.
        handle: the loaded module.
        pilot: drives its windows.
        api: what the module calls.
        database: the module's tables, or None.
        events: what was emitted since the host began.
        clock: time.
        registry: further packages.
    """

    host: ModuleHost
    handle: ModuleHandle
    pilot: ModulePilot
    events: EventRecorder

    def __init__(
        self,
        target: str | os.PathLike[str] | ModulePackage | type[ModuleFramework],
        *,
        tier: str = _DEFAULT_TIER,
        grants: Iterable[str] | None = None,
        prompts: Mapping[str, PermissionAnswer | bool] | None = None,
        api: Any = None,
        database: Any = None,
        config: Mapping[str, Any] | None = None,
        limits: ResourceLimits | None = None,
        modules: Iterable[ModulePackage] = (),
        clock: FakeClock | None = None,
        **settings: Any,
    ) -> None:
        self.tier = tier
        self.api = FakeApi(api) if api is None or isinstance(api, Mapping) else api
        self.database = FakeDatabase(database) if isinstance(database, Mapping) else database
        self.clock = clock
        self.registry = MemoryRegistry(*modules)
        self._target = target
        self._grants = None if grants is None else tuple(grants)
        self._prompts = dict(prompts or {})
        self._config = dict(config or {})
        self._limits = limits
        self._settings = settings
        self._managers: dict[str, MockPermissionManager] = {}
        self._handles: list[ModuleHandle] = []
        self._leaks: dict[Leak, None] = {}

    if not TYPE_CHECKING:  # a type checker would take it for leave to misspell

        def __getattr__(self, name: str) -> Any:
            """Say what is missing where the environment was not entered."""
            if name in ("host", "handle", "pilot", "events"):
                raise AttributeError(
                    f"there is no {name} before the environment is entered: "
                    "'async with plataforma_environment as environment', or ModuleTestEnvironment(...) in its place",
                    name=name,
                    obj=self,
                )
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    @property
    def permissions(self) -> MockPermissionManager:
        """The module's permissions, with account of every check."""
        manager = self._managers.get(self.handle.id)
        if manager is None:
            raise ModuleStateError("The environment is not entered: 'async with ModuleTestEnvironment(...)'")
        return manager

    async def __aenter__(self) -> Self:
        target = self._package()
        package = package_of_class(target) if isinstance(target, type) else target
        self.host = ModuleHost(
            engine=self.tier,
            api=self.api,
            database=self.database,
            registry=self.registry,
            limits=self._limits,
            config={package.id: self._config},
            clock=self.clock,
            permission_manager=self._manager,
            **self._settings,
        )
        await self.host.__aenter__()
        try:
            self.events = EventRecorder(self.host.events)
            grants = package.manifest.permissions.declared if self._grants is None else self._grants
            self.handle = await self.host.load(target, grants=grants)
            self._handles.append(self.handle)
            self.pilot = ModulePilot(self.handle)
            await self.pilot.settle()
        except BaseException as error:
            await self._close()
            if isinstance(error, PlataformaError) and isinstance(self.api, FakeApi):
                self.api.assert_expected()  # a call without an answer explains more than what the module made of it
            raise
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        await self._close()
        if kind is None:
            self.assert_expected()
            self.assert_no_leaks()

    async def load(self, target: Any, **options: Any) -> ModulePilot:
        """Load another module into the same host; its permissions are in `permissions_of`."""
        handle = await self.host.load(target, **options)
        self._handles.append(handle)
        return ModulePilot(handle)

    def permissions_of(self, module_id: str) -> MockPermissionManager:
        """Return the permissions of a module that was loaded."""
        return self._managers[module_id]

    async def emit(self, topic: str, data: Any = None) -> int:
        """Emit an event as the host, wait for every handler, and let the module settle.

        Returns:
            How many handlers of modules it reached; the recorder in `events` does not count.
        """
        delivery = await self.host.events.emit(topic, data)
        await self.pilot.settle()
        return delivery.delivered - self.events.is_listening

    async def advance(self, seconds: float) -> None:
        """Let time pass on the fake clock, and let the module settle.

        Raises:
            ValueError: the environment was given no `FakeClock`.
        """
        if self.clock is None:
            raise ValueError("this environment runs on the machine's clock: give it clock=FakeClock()")
        self.clock.advance(seconds)
        await self.pilot.settle()

    def assert_expected(self) -> None:
        """Fail on requests and API calls that nobody gave an answer for.

        Raises:
            AssertionError: the message has the line that answers.
        """
        for manager in self._managers.values():
            manager.assert_expected()
        if isinstance(self.api, FakeApi):
            self.api.assert_expected()

    def assert_no_leaks(self) -> None:
        """Fail where a module left something behind, or registers the same over and over; see `ModuleHandle.leaks`.

        Raises:
            AssertionError: the message names each with its line.
        """
        self._note_leaks()
        if self._leaks:
            raise AssertionError("\n".join(map(str, self._leaks)))

    def _note_leaks(self) -> None:
        self._leaks.update(dict.fromkeys(leak for handle in self._handles for leak in handle.leaks()))

    def _package(self) -> ModulePackage | type[ModuleFramework]:
        if isinstance(self._target, (str, os.PathLike)):
            return ModulePackage.from_path(self._target)
        return self._target

    def _manager(self, grants: Iterable[str], *, module: str, **settings: Any) -> MockPermissionManager:
        manager = MockPermissionManager(grants, module=module, answers=self._prompts, **settings)
        self._managers[module] = manager
        return manager

    async def _close(self) -> None:
        self._note_leaks()  # what a live instance piles up is gone with it
        await self.host.aclose()
        if isinstance(self.database, FakeDatabase):
            await self.database.close()
