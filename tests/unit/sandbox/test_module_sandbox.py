"""`ModuleSandbox`: one module without a host."""

from __future__ import annotations

import asyncio
import logging

import pytest

from plataforma_sdk.errors import HostCallError, ModuleStateError, PermissionDeniedError, SandboxError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.sandbox import ModuleSandbox, ResourceLimits, make_engine
from plataforma_sdk.sandbox.trusted import TrustedEngine

SOURCE = """
import asyncio
from plataforma_sdk import ModuleFramework, ui

class Sums(ModuleFramework):
    async def on_load(self):
        self.total = 0
        self.log("info", "ready", n=1)
    def render(self):
        return ui.text(str(self.total))
    def add(self, n):
        self.total += n
        return self.total
    def may(self, name):
        return self.permissions.has(name)
    def say(self):
        self.emit("saved", self.total)
    async def keep(self):
        await self.storage.set("k", 1)
"""


def sandbox_of(*, permissions=(), declared=(), **settings):
    package = ModulePackage.from_source(SOURCE, id="sums", permissions=declared)
    return ModuleSandbox(package, engine="trusted", permissions=permissions, **settings)


def within(run, steps, **settings):
    async def main():
        async with sandbox_of(**settings) as sandbox:
            return await steps(sandbox)

    return run(main())


def test_a_module_runs_without_a_host(run):
    async def steps(sandbox):
        return [await sandbox.call("add", 2), (await sandbox.render())["type"], sandbox.state, sandbox.restarts]

    assert within(run, steps) == [2, "text", "active", 0]


def test_it_holds_what_is_granted_and_declared(run):
    async def steps(sandbox):
        return [await sandbox.call("may", name) for name in ("events.emit", "system.storage", "window.create")]

    found = within(run, steps, permissions=["events.emit", "system.storage"], declared=["events.emit", "window.create"])
    assert found == [True, False, False]


def test_there_are_no_services_but_those_given(run):
    emitted = []

    async def steps(sandbox):
        await sandbox.call("say")
        with pytest.raises(HostCallError, match="UnknownMethod"):
            await sandbox.call("keep")

    within(
        run,
        steps,
        permissions=["events.emit", "system.storage"],
        declared=["events.emit", "system.storage"],
        services={"events.emit": lambda topic, data: emitted.append((topic, data))},
    )
    assert emitted == [("saved", 0)]


def test_a_service_does_not_replace_the_permission(run):
    async def steps(sandbox):
        await sandbox.call("say")

    with pytest.raises(PermissionDeniedError):
        within(run, steps, services={"events.emit": lambda topic, data: None})


def test_it_logs_under_the_modules_name(run, caplog):
    async def steps(sandbox):
        pass

    with caplog.at_level(logging.INFO, logger="plataforma_sdk.module"):
        within(run, steps)
    assert [(record.getMessage(), record.fields) for record in caplog.records] == [("sums: ready", {"n": 1})]


def test_usage_shows_what_was_used_and_what_may_be(run):
    async def steps(sandbox):
        await sandbox.call("may", "events.emit")
        return sandbox.usage.host_calls, sandbox.usage.limits.max_call_ms

    assert within(run, steps, limits=ResourceLimits(max_call_ms=700)) == (2, 700)


def test_leaving_ends_the_module(run):
    async def main():
        async with sandbox_of() as sandbox:
            pass
        await sandbox.aclose()
        with pytest.raises(ModuleStateError):
            await sandbox.call("add", 1)
        return sandbox.state, len(asyncio.all_tasks())

    assert run(main()) == ("unloaded", 1)


def test_engines_are_made_by_name():
    assert type(make_engine("trusted")) is TrustedEngine
    engine = TrustedEngine()
    assert make_engine(engine) is engine
    with pytest.raises(SandboxError, match="trusted, restricted, wasm"):
        make_engine("docker")
