"""`isolation=` as hosts write it: where it applies, and what is refused."""

from __future__ import annotations

import pytest

from plataforma_sdk import ModuleHost, ModulePackage, ModuleSandbox, sync
from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox import ISOLATIONS, make_engine
from plataforma_sdk.sandbox.restricted import RestrictedEngine
from plataforma_sdk.sandbox.restricted.process import ProcessEngine
from plataforma_sdk.sandbox.trusted import TrustedEngine

SOURCE = """
from plataforma_sdk import ModuleFramework, ui

class Sums(ModuleFramework):
    async def on_load(self):
        self.total = 0

    def render(self):
        return ui.text(str(self.total))

    def add(self, number):
        self.total += number
        return self.total
"""
PACKAGE = ModulePackage.from_source(SOURCE, id="sums")


def test_there_are_two_isolations():
    assert ISOLATIONS == ("none", "process")


@pytest.mark.parametrize("isolation", [None, "none"])
def test_without_isolation_the_engine_is_the_tiers(isolation):
    assert type(make_engine("restricted", isolation=isolation)) is RestrictedEngine
    engine = TrustedEngine()
    assert make_engine(engine, isolation=isolation) is engine


def test_a_process_is_for_the_restricted_tier():
    assert type(make_engine("restricted", isolation="process")) is ProcessEngine


@pytest.mark.parametrize(
    "engine", ["trusted", "wasm", "nothing", TrustedEngine()], ids=["trusted", "wasm", "nothing", "an object"]
)
def test_other_engines_have_no_process(engine):
    with pytest.raises(SandboxError, match="isolation='process' is for engine='restricted'"):
        make_engine(engine, isolation="process")
    with pytest.raises(SandboxError, match="isolation='process'"):
        ModuleHost(engine=engine, isolation="process")


def test_an_unknown_isolation_names_those_that_exist():
    with pytest.raises(SandboxError, match="choose one of none, process"):
        ModuleHost(engine="restricted", isolation="container")
    with pytest.raises(SandboxError, match="choose one of none, process"):
        ModuleSandbox(PACKAGE, engine="restricted", isolation="container")


def engine_of(handle):
    return type(handle._live.engine)


@pytest.mark.parametrize(
    ("of_host", "of_load", "expected"),
    [
        pytest.param({}, {}, RestrictedEngine, id="neither"),
        pytest.param({"isolation": "process"}, {}, ProcessEngine, id="the host's"),
        pytest.param({"isolation": "process"}, {"engine": "restricted"}, ProcessEngine, id="the host's, tier named"),
        pytest.param({"isolation": "process"}, {"isolation": "none"}, RestrictedEngine, id="none for one"),
        pytest.param({}, {"isolation": "process"}, ProcessEngine, id="one alone"),
        pytest.param({"isolation": "process"}, {"engine": "trusted"}, TrustedEngine, id="another tier"),
    ],
)
def test_a_load_follows_the_host_unless_it_says_otherwise(run, of_host, of_load, expected):
    async def main():
        async with ModuleHost(engine="restricted", **of_host) as host:
            handle = await host.load(PACKAGE, **of_load)
            return engine_of(handle), handle.engine, await handle.call("add", 2)

    engine, name, result = run(main())
    assert (engine, name, result) == (expected, "trusted" if expected is TrustedEngine else "restricted", 2)


def test_a_sandbox_runs_in_a_process(run):
    async def main():
        async with ModuleSandbox(PACKAGE, engine="restricted", isolation="process") as sandbox:
            return type(sandbox.engine), await sandbox.call("add", 2), (await sandbox.render())["props"]["value"]

    assert run(main()) == (ProcessEngine, 2, "2")


def test_the_blocking_host_takes_it_too():
    with sync.ModuleHost(engine="restricted", isolation="process") as host:
        assert host.load(PACKAGE).call("add", 3) == 3
