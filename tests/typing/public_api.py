"""The public interface as a user's type checker sees it: checked by mypy --strict, never run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

from plataforma_sdk import (
    PERMISSIONS,
    Event,
    EventBus,
    Manifest,
    ModuleContext,
    ModuleFramework,
    ModuleHandle,
    ModuleHost,
    ModulePackage,
    ModuleSandbox,
    PermissionDeniedError,
    PermissionManager,
    PermissionRequest,
    PlataformaError,
    ResourceLimits,
    ResourceUsage,
    Subscription,
    __version__,
    errors,
    ui,
)
from plataforma_sdk.runtime import Snapshot
from plataforma_sdk.sandbox.wasm import Journal, ReplayReport, replay


class Counter(ModuleFramework):
    """A module with every kind of handler."""

    async def on_load(self) -> None:
        self.count = 0
        assert_type(self.subscribe("user.*", self.on_event), Subscription)
        assert_type(await self.query("SELECT 1"), list[dict[str, Any]])
        assert_type(self.permissions.has(PERMISSIONS.STORAGE), bool)
        self.register_endpoint("/counter", self.answer)
        self.create_window(title="Counter", view=self.render)

    async def on_event(self, event: Event) -> None:
        self.count += len(event.topic)

    async def answer(self, _request: object) -> int:
        return self.count

    def press(self, step: int) -> None:
        self.count += step

    def render(self) -> ui.Element:
        return ui.column(
            ui.metric("Count", self.count, format="number"),
            ui.button("Add", on_press=ui.action(self.press, 1)),
            None,
            [ui.text(name) for name in ("one", "two")],
        )


async def ask(request: PermissionRequest) -> bool:
    return request.permission == "system.storage"


async def use_a_host() -> None:
    limits = ResourceLimits(max_call_ms=500)
    async with ModuleHost(engine="restricted", prompt=ask, limits=limits, grants=[PERMISSIONS.STORAGE]) as host:
        assert_type(host, ModuleHost)
        assert_type(host.events, EventBus)
        handle = await host.load("./counter", engine="wasm", grants=["window.create"])
        assert_type(handle, ModuleHandle)
        assert_type(handle.usage, ResourceUsage)
        assert_type(handle.permissions, PermissionManager)
        assert_type(await handle.render(), dict[str, Any])
        delivery = await host.events.emit("user.login", {"name": "Ana"})
        assert_type(delivery.delivered, int)
        await host.load(Counter, engine="trusted")
        assert_type(await host.load("./reviewed", isolation="process"), ModuleHandle)


async def go_on(host: ModuleHost) -> None:
    recorded = await host.load("./counter", record=Journal("counter.journal", max_bytes=2**20), seed=7)
    assert_type(recorded.restored_by, str | None)
    snapshot = await recorded.snapshot(kind="state")
    assert_type(snapshot, Snapshot)
    assert_type(await host.restore(snapshot, grants=[PERMISSIONS.STORAGE]), ModuleHandle)
    assert_type(await host.restore("counter.journal", record="counter.journal"), ModuleHandle)
    assert_type(replay("counter.journal", until=3), ReplayReport)


async def use_a_sandbox(package: ModulePackage) -> None:
    assert_type(package.manifest, Manifest)
    assert_type(package.files, Mapping[str, bytes])
    async with ModuleSandbox(package, engine="restricted", isolation="process") as sandbox:
        assert_type(sandbox, ModuleSandbox)
        assert_type(sandbox.usage, ResourceUsage)


def try_alone() -> None:
    context = ModuleContext.fake(permissions=["system.storage"])
    assert_type(Counter(context), Counter)
    assert_type(context.bridge.events, list[tuple[str, Any]])


def handle_errors() -> str | None:
    try:
        raise errors.TransportError(__version__)
    except PermissionDeniedError as error:
        assert_type(error.permission, str)
        return error.line
    except PlataformaError as error:
        return error.module
