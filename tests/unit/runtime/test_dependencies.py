"""What a module depends on is loaded before it, shared, and ends with the last module that needs it."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import (
    GuestError,
    ModuleLoadError,
    ModuleStateError,
    PackageNotFoundError,
    PermissionDeniedError,
    ResolutionError,
)
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry import ModuleRegistry
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.security import SecurityService
from plataforma_sdk.testing import MemoryRegistry

SOURCE = """
from plataforma_sdk import ModuleFramework, ui

class Module(ModuleFramework):
    async def on_load(self):
        {on_load}

    def render(self):
        return ui.text(self.id)
"""
WAITS = "import asyncio\n        await asyncio.sleep(0.01)"


def make(name, version="1.0.0", *, on_load="pass", more="", **needs):
    """Make a module; ``base="^1"`` is a dependency."""
    lines = "".join(f'{other} = "{versions}"\n' for other, versions in needs.items())
    toml = f'id = "{name}"\nversion = "{version}"\nentry = "m:Module"\n{more}\n[dependencies]\n{lines}'
    return ModulePackage.from_files({"module.toml": toml.encode(), "m.py": SOURCE.format(on_load=on_load).encode()})


@pytest.fixture
def hosting(run):
    """Run a case in a host whose registry holds the packages."""

    def use(case, *packages, **settings):
        async def main():
            registry = MemoryRegistry(*packages)
            async with ModuleHost(**{"engine": "trusted", "registry": registry, **settings}) as host:
                await case(host)

        run(main())

    return use


def loaded(host):
    return [f"{handle.id} {handle.version}" for handle in host.modules.values()]


def test_what_is_needed_is_loaded_first(hosting):
    async def case(host):
        await host.load("vendas")
        assert loaded(host) == ["base 1.1.0", "clientes 1.0.0", "vendas 1.0.0"]

    hosting(
        case,
        make("vendas", clientes="^1", base="*"),
        make("clientes", base="^1"),
        make("base"),
        make("base", "1.1.0"),
        make("other"),
    )


def test_a_registry_chooses_versions_that_fit_all(run, tmp_path):
    quick = SecurityService(trial=False, tools=False)

    async def main():
        async with ModuleRegistry("memory:", security=quick, cache_dir=tmp_path) as registry:
            for package in (make("base"), make("base", "2.0.0"), make("a", base=">=1"), make("b", base="^1")):
                await registry.publish(package)
            await registry.publish(make("vendas", a="*", b="*"))
            async with ModuleHost(engine="trusted", registry=registry) as host:
                await host.load("vendas@^1")
                assert loaded(host) == ["base 1.0.0", "a 1.0.0", "b 1.0.0", "vendas 1.0.0"]

    run(main())


@pytest.mark.parametrize("target", [pytest.param("package"), pytest.param("directory"), pytest.param("name")])
def test_it_does_not_matter_where_the_module_comes_from(hosting, tmp_path, target):
    package = make("vendas", base="^1")
    for name, content in package.files.items():
        (tmp_path / name).write_bytes(content)

    async def case(host):
        await host.load({"package": package, "directory": tmp_path, "name": "vendas"}[target])
        assert loaded(host) == ["base 1.0.0", "vendas 1.0.0"]

    hosting(case, make("base"), package)


def test_modules_that_need_each_other_are_loaded(hosting):
    async def case(host):
        await host.load("a")
        assert loaded(host) == ["b 1.0.0", "a 1.0.0"]
        await host.unload("a")
        assert loaded(host) == []

    hosting(case, make("a", b="*"), make("b", a="^1"))


def test_a_chain_longer_than_the_stack_is_loaded_in_order(hosting):
    chain = [make(f"m{number}", **{f"m{number + 1}": "*"}) for number in range(1_200)]

    async def case(host):
        with pytest.raises(GuestError):  # the last one: nothing was loaded before it
            await host.load("m0")
        assert loaded(host) == []

    hosting(case, *chain, make("m1200", on_load="raise ValueError"))


# --- sharing -------------------------------------------------------------------------------------------------------


def test_a_dependency_that_is_loaded_is_shared(hosting):
    async def case(host):
        base = await host.load("base@1.0.0")
        await host.load("vendas")
        assert host.modules["base"] is base
        assert loaded(host) == ["base 1.0.0", "vendas 1.0.0"]

    hosting(case, make("vendas", base="^1"), make("base"), make("base", "1.5.0"))


def test_two_that_load_at_once_share_what_both_need(hosting):
    async def case(host):
        await asyncio.gather(host.load("a"), host.load("b"))
        assert sorted(loaded(host)) == ["a 1.0.0", "b 1.0.0", "base 1.0.0"]

    hosting(case, make("a", base="*"), make("b", base="*"), make("base", on_load=WAITS))


def test_a_load_waits_for_a_dependency_that_the_host_is_loading(hosting):
    async def case(host):
        await asyncio.gather(host.load("base"), host.load("vendas"))
        await host.unload("vendas")
        assert loaded(host) == ["base 1.0.0"]  # the host's own

    hosting(case, make("vendas", base="*"), make("base", on_load=WAITS))


def test_another_version_than_it_needs_is_a_conflict(hosting):
    async def case(host):
        await host.load("base@1.0.0")
        with pytest.raises(
            ResolutionError, match=r"'vendas' 1\.0\.0 depends on 'base' \^2, and 1\.0\.0 is loaded"
        ) as it:
            await host.load("vendas")
        assert it.value.requirements == (("vendas 1.0.0", "base", "^2"),)
        assert loaded(host) == ["base 1.0.0"]

    hosting(case, make("vendas", clientes="*", base="^2"), make("clientes"), make("base"), make("base", "2.0.0"))


def test_a_simple_source_whose_newest_versions_do_not_fit_is_a_conflict(hosting):
    async def case(host):
        with pytest.raises(ResolutionError, match=r"2\.0\.0 was found for others"):
            await host.load("vendas")
        assert loaded(host) == []

    hosting(case, make("vendas", a="*", base="*"), make("a", base="^1"), make("base"), make("base", "2.0.0"))


def test_a_version_that_those_loaded_do_not_take_is_a_conflict(hosting):
    async def case(host):
        await host.load("vendas")
        await host.unload("base")  # a host may end what it likes
        with pytest.raises(ResolutionError, match=r"'vendas' .* depends on 'base' \^1, and 2\.0\.0 was to be loaded"):
            await host.load("base@2.0.0")
        await host.load("base@^1")

    hosting(case, make("vendas", base="^1"), make("base"), make("base", "2.0.0"))


# --- what goes wrong -----------------------------------------------------------------------------------------------


def test_without_a_registry_it_says_what_to_load_first(hosting):
    async def case(host):
        with pytest.raises(PackageNotFoundError, match=r"'base' \^1, which is not loaded.*load 'base' first"):
            await host.load(make("vendas", base="^1"))
        await host.load(make("base"))
        await host.load(make("vendas", base="^1"))

    hosting(case, registry=None)


def test_a_dependency_that_fails_leaves_nothing_and_says_for_whom_it_was(hosting):
    async def case(host):
        with pytest.raises(GuestError) as caught:
            await host.load("vendas")
        assert "because 'vendas' depends on it" in caught.value.__notes__[0]
        assert loaded(host) == []

    hosting(case, make("vendas", a="*", b="*"), make("a"), make("b", on_load="raise ValueError('broken')"))


def test_a_module_that_fails_takes_what_was_loaded_for_it_along(hosting):
    async def case(host):
        await host.load("kept")
        with pytest.raises(GuestError):
            await host.load("vendas")
        assert loaded(host) == ["kept 1.0.0"]

    broken = make("vendas", base="*", kept="*", on_load="raise ValueError('broken')")
    hosting(case, broken, make("base"), make("kept"))


def test_grants_and_limits_of_a_load_are_not_handed_on(hosting):
    more = '[permissions.required]\n"system.notifications" = "tells"'

    async def case(host):
        with pytest.raises(PermissionDeniedError, match=r"Module 'base'"):
            await host.load("vendas", grants=["system.notifications"])
        await host.load("base", grants=["system.notifications"])
        await host.load("vendas", grants=["system.notifications"])

    hosting(case, make("vendas", base="*", more=more), make("base", more=more))


def test_a_dependency_runs_in_the_tier_of_the_module_that_needs_it(hosting):
    async def case(host):
        await host.load("vendas", engine="restricted")
        assert [handle.engine for handle in host.modules.values()] == ["restricted", "restricted"]
        with pytest.raises(ModuleLoadError, match="excludes the tier 'restricted'"):
            await host.load("strict", engine="restricted")

    more = 'exclude = ["restricted"]'
    hosting(case, make("vendas", base="*"), make("base"), make("strict", picky="*"), make("picky", more=more))


# --- the end -------------------------------------------------------------------------------------------------------


def test_a_dependency_ends_with_the_last_that_needs_it(hosting):
    async def case(host):
        await host.load("a")
        await host.load("b")
        await host.unload("a")
        assert loaded(host) == ["base 1.0.0", "b 1.0.0"]
        await host.modules["b"].unload()
        assert loaded(host) == []

    hosting(case, make("a", base="*"), make("b", base="*"), make("base"))


def test_what_the_host_loaded_itself_stays(hosting):
    async def case(host):
        await host.load("base")
        await host.load("vendas")
        await host.unload("vendas")
        assert loaded(host) == ["base 1.0.0"]

    hosting(case, make("vendas", base="*"), make("base"))


def test_loading_a_dependency_again_names_those_it_was_loaded_for(hosting):
    async def case(host):
        await host.load("vendas")
        with pytest.raises(ModuleStateError, match=r"loaded already for 'vendas', use host\.modules\['base'\]"):
            await host.load("base")

    hosting(case, make("vendas", base="*"), make("base"))


def test_a_host_that_closes_ends_those_that_need_others_first(run):
    ended = []

    async def main():
        registry = MemoryRegistry(make("vendas", a="*"), make("a", base="*"), make("base"))
        async with ModuleHost(engine="trusted", registry=registry) as host:
            host.events.subscribe("plataforma.module.unloaded", lambda event: ended.append(event.data["module"]))
            await host.load("vendas")

    run(main())
    assert ended == ["vendas", "a", "base"]


def test_one_that_is_just_being_swept_away_is_loaded_again_for_whoever_needs_it_now(hosting):
    async def case(host):
        await host.load("a")
        async with asyncio.TaskGroup() as group:
            group.create_task(host.unload("a"))
            while "a" in host.modules:
                await asyncio.sleep(0)
            await host.load("b")  # while the base says goodbye
        assert loaded(host) == ["base 1.0.0", "b 1.0.0"]
        assert host.modules["base"].state == "active"

    leaves_slowly = make("base", on_load=f"pass\n    async def on_unload(self):\n        {WAITS}")
    hosting(case, make("a", base="*"), make("b", base="*"), leaves_slowly)


# --- reload --------------------------------------------------------------------------------------------------------


def test_a_reload_loads_what_the_new_version_needs_and_ends_what_it_does_not(hosting):
    async def case(host):
        vendas = await host.load(make("vendas", a="*"))
        await vendas.reload(make("vendas", "1.1.0", b="*"))
        assert sorted(loaded(host)) == ["b 1.0.0", "vendas 1.1.0"]

    hosting(case, make("a"), make("b"))


def test_a_reload_that_fails_leaves_the_old_ones(hosting):
    async def case(host):
        vendas = await host.load(make("vendas", a="*"))
        with pytest.raises(GuestError):
            await vendas.reload(make("vendas", "1.1.0", b="*", on_load="raise ValueError('broken')"))
        assert loaded(host) == ["a 1.0.0", "vendas 1.0.0"]
        with pytest.raises(PackageNotFoundError):
            await vendas.reload(make("vendas", "1.2.0", absent="*"))
        assert loaded(host) == ["a 1.0.0", "vendas 1.0.0"]

    hosting(case, make("a"), make("b"))


def test_a_reload_to_a_version_that_others_do_not_take_is_refused(hosting):
    async def case(host):
        base = await host.load(make("base"))
        await host.load("vendas")
        with pytest.raises(ResolutionError, match=r"'vendas' 1\.0\.0 depends on 'base' \^1, and 2\.0\.0"):
            await base.reload(make("base", "2.0.0"))
        assert loaded(host) == ["base 1.0.0", "vendas 1.0.0"]

    hosting(case, make("vendas", base="^1"))
