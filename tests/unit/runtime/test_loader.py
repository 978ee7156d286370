"""What `host.load` takes, and what it refuses."""

from __future__ import annotations

import pytest

from plataforma_sdk import ui
from plataforma_sdk.errors import ModuleLoadError, ModuleStateError, PackageNotFoundError
from plataforma_sdk.module import ModuleFramework
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.runtime._loader import package_of_class, resolve


class VendasModule(ModuleFramework):
    version = "2.1.0"
    permissions = ("api.vendas[GET]",)

    async def on_load(self):
        self.ready = True

    def render(self):
        return ui.text("ok")

    def is_ready(self):
        return self.ready


class Plain(ModuleFramework):
    async def on_load(self): ...

    def render(self):
        return ui.text("plain")


def test_a_name_without_a_registry_says_what_to_do(run):
    with pytest.raises(PackageNotFoundError, match="registry"):
        run(resolve("vendas@^1", None))


def test_a_bare_name_is_never_a_path(run, tmp_path, monkeypatch, counter):
    """CWE-426: a directory of that name in the working directory must not be loaded by accident."""
    counter().write(tmp_path / "counter")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PackageNotFoundError, match="registry"):
        run(resolve("counter", None))


def test_a_path_with_a_separator_is_read(run, tmp_path, monkeypatch, counter):
    counter().write(tmp_path / "counter.zip")
    monkeypatch.chdir(tmp_path)
    assert run(resolve("./counter.zip", None)).id == "counter"


def test_a_path_that_is_not_there_is_named(run, tmp_path):
    with pytest.raises(PackageNotFoundError, match="nowhere"):
        run(resolve(tmp_path / "nowhere", None))


def test_a_registry_is_asked_for_a_name(run, counter):
    class Registry:
        async def fetch_package(self, module_id, version_range):
            return counter(id=module_id, version="1.2.3")

    assert run(resolve("counter@^1", Registry())).version == "1.2.3"


def test_something_else_is_refused(run):
    with pytest.raises(ModuleLoadError, match="int"):
        run(resolve(7, None))


def test_a_class_becomes_a_package_named_after_it():
    package = package_of_class(VendasModule)
    assert (package.id, package.version) == ("vendas-module", "2.1.0")
    assert package.manifest.permissions.declared == ("api.vendas[GET]",)


def test_a_class_loads_in_the_trusted_tier(run):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            return (await (await host.load(Plain)).render())["props"]["value"]

    assert run(main()) == "plain"


def test_a_class_needs_the_trusted_tier(run):
    async def main():
        async with ModuleHost(engine="restricted") as host:
            await host.load(Plain)

    with pytest.raises(ModuleLoadError, match="engine='trusted'"):
        run(main())


def test_a_second_load_of_one_id_is_refused(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            await host.load(counter())
            await host.load(counter())

    with pytest.raises(ModuleStateError, match="loaded already"):
        run(main())


def test_an_id_is_free_again_after_unload(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            await (await host.load(counter())).unload()
            return (await host.load(counter())).state

    assert run(main()) == "active"


def test_a_load_that_fails_leaves_the_id_free(run, counter):
    broken = counter("from plataforma_sdk import ModuleFramework\nraise ValueError('no')\n")

    async def main():
        async with ModuleHost(engine="trusted") as host:
            with pytest.raises(Exception, match="no"):
                await host.load(broken)
            assert not host.modules
            return (await host.load(counter())).state

    assert run(main()) == "active"
