"""From load to unload: what runs, in which order, and what a failure leaves behind."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import GuestError, ModuleError, ModuleLoadError, ModuleStateError
from plataforma_sdk.sandbox import TIERS

from ._suite import MANIFEST, METERED, Case, case, each, make_package, module, open_host, write_package

COUNTER = module(
    """
    async def on_load(self):
        self.count = 0
        self.history = []

    def add(self, n):
        self.count += n
        self.history.append(n)
        return self.count
    """
)
TAKES_OVER = COUNTER + (
    "    async def on_reload(self, old_state):\n"
    "        self.count = old_state['count'] * 10\n"
    "        self.history = old_state['history']\n"
)


@case(COUNTER)
async def test_a_loaded_module_is_active_and_keeps_its_state(host, handle):
    assert (handle.state, handle.restarts, handle.was_replaced) == ("active", 0, False)
    assert [await handle.call("add", 2), await handle.call("add", 3)] == [2, 5]


@case(
    module(
        """
        def __init__(self, context):
            self.steps = ["init"]

        async def on_load(self):
            await asyncio.sleep(0)
            self.steps.append("load")

        def probe(self):
            return self.steps
        """
    )
)
async def test_init_runs_before_on_load_and_on_load_may_wait(host, handle):
    assert await handle.call("probe") == ["init", "load"]


@case(
    module(
        """
        async def on_load(self):
            self.customers = await self.api_call("/shop/customers")

        async def on_unload(self):
            self.emit("bye", len(self.customers))
        """
    ),
    permissions=("api.shop[GET]", "events.emit"),
)
async def test_on_unload_says_good_bye(host, handle):
    heard = []
    with host.events.subscribe("module.probe.bye", lambda event: heard.append(event.data)):
        await handle.unload()
    assert (heard, handle.state, dict(host.modules)) == ([2], "unloaded", {})


@case(module("async def on_unload(self):\n    raise ValueError('no')"))
async def test_a_fault_in_on_unload_is_reported_and_does_not_stop_the_unload(host, handle):
    reports = []
    with host.events.subscribe("plataforma.module.error", lambda event: reports.append(event.data["during"])):
        await handle.unload()
    assert (reports, handle.state) == (["on_unload"], "unloaded")


def test_on_unload_has_a_deadline_of_its_own(engine, run, monkeypatch):
    monkeypatch.setattr("plataforma_sdk.runtime._live.UNLOAD_DEADLINE_S", 0.05)

    async def main():
        source = module("async def on_unload(self):\n    await asyncio.Event().wait()")
        async with open_host(engine, source) as (_, handle):
            await handle.unload()
            return handle.state

    assert run(main()) == "unloaded"


@case(COUNTER)
async def test_a_call_after_unload_is_refused(host, handle):
    await handle.unload()
    await handle.unload()
    with pytest.raises(ModuleStateError, match="unloaded"):
        await handle.call("add", 1)


@case(COUNTER)
async def test_an_id_is_loaded_once_and_is_free_after_unload(host, handle):
    with pytest.raises(ModuleStateError, match="loaded already"):
        await host.load(make_package(COUNTER))
    await handle.unload()
    assert await (await host.load(make_package(COUNTER))).call("add", 1) == 1


@case(module("async def on_load(self):\n    raise ValueError('cannot start')"), is_loaded=False)
async def test_a_fault_in_on_load_fails_the_load_and_leaves_the_id_free(host, package):
    with pytest.raises(GuestError, match="cannot start") as caught:
        await host.load(package)
    assert caught.value.type_name == "ValueError"
    assert not host.modules
    assert (await host.load(make_package(COUNTER))).state == "active"


@case("import asyncio\nfrom plataforma_sdk import ModuleFramework, ui\n\nready = 1 // 0\n", is_loaded=False)
async def test_a_fault_of_top_level_code_is_the_guests(host, package):
    with pytest.raises(GuestError) as caught:
        await host.load(package)
    assert caught.value.type_name == "ZeroDivisionError"


@case("from plataforma_sdk import ModuleFramework, ui\n\ndef broken(:\n", is_loaded=False)
async def test_a_syntax_error_names_its_line(host, package):
    with pytest.raises(ModuleLoadError, match="line 3"):
        await host.load(package)


@case("from plataforma_sdk import ui\n\nclass NotAModule:\n    pass\n", is_loaded=False)
async def test_a_source_without_a_module_class_is_refused(host, package):
    with pytest.raises(ModuleLoadError, match="ModuleFramework"):
        await host.load(package)


@case(COUNTER + COUNTER.replace("Probe", "Second"), is_loaded=False)
async def test_two_module_classes_without_an_entry_are_refused(host, package):
    with pytest.raises(ModuleLoadError, match="Second"):
        await host.load(package)


NO_ON_LOAD = module("").replace("    async def on_load(self):\n        pass\n", "")


@case(NO_ON_LOAD, is_loaded=False)
async def test_a_class_without_on_load_is_refused(host, package):
    with pytest.raises((GuestError, ModuleError), match="on_load"):
        await host.load(package)


def excludes(tier):
    async def check(host, package):
        with pytest.raises(ModuleLoadError, match=f"excludes the tier {tier!r}"):
            await host.load(package)
        assert not host.modules

    return check


test_an_excluded_tier_is_refused = each(
    Case(
        name=f"excludes_{tier}",
        source=COUNTER,
        check=excludes(tier),
        manifest=f'{MANIFEST}exclude = ["{tier}"]\n',
        tiers=(tier,),
        is_loaded=False,
    )
    for tier in TIERS
)


@case(
    module(
        """
        async def on_load(self):
            SEEN.append(self.id)

        def probe(self):
            return SEEN
        """,
        head="SEEN = []",
    )
)
async def test_modules_of_one_source_share_nothing(host, handle):
    other = await host.load(make_package(handle.package.sources[handle.package.entry_file], id="other"))
    assert (await handle.call("probe"), await other.call("probe")) == (["probe"], ["other"])


# --- reload and upgrade ----------------------------------------------------------------------------------------------


@case(COUNTER)
async def test_a_reload_hands_public_state_to_on_reload(host, handle):
    await handle.call("add", 4)
    await handle.reload(make_package(TAKES_OVER))
    assert (await handle.call("add", 0), handle.state) == (40, "active")


@case(
    module(
        """
        async def on_load(self):
            self._secret = "kept"

        def __getstate__(self):
            return {"by_hand": self._secret}

        async def on_reload(self, old_state):
            self._secret = old_state["by_hand"] + " twice"

        def probe(self):
            return self._secret
        """
    )
)
async def test_getstate_chooses_what_is_handed_over(host, handle):
    await handle.reload()
    assert await handle.call("probe") == "kept twice"


@case(COUNTER)
async def test_a_reload_that_fails_leaves_the_old_one(host, handle):
    await handle.call("add", 4)
    broken = COUNTER.replace("self.count = 0", "raise RuntimeError('broken')")
    with pytest.raises(GuestError, match="broken"):
        await handle.reload(make_package(broken, version="2.0.0"))
    assert (handle.state, handle.version, await handle.call("add", 0)) == ("active", "1.0.0", 4)


UPGRADES = module(
    """
    def __init__(self, context):
        self.steps = []

    async def on_upgrade(self, from_version):
        self.steps.append("upgrade from " + from_version)

    async def on_load(self):
        self.steps.append("load")

    def probe(self):
        return [*self.steps, self.version]
    """
)


@case(UPGRADES)
async def test_an_upgrade_is_told_which_version_it_replaces(host, handle):
    assert await handle.call("probe") == ["load", "1.0.0"]
    await handle.reload(make_package(UPGRADES, version="1.1.0"))
    assert await handle.call("probe") == ["upgrade from 1.0.0", "load", "1.1.0"]


# --- who it is -------------------------------------------------------------------------------------------------------


@case(
    module(
        "def probe(self):\n    return [self.id, self.version, self.locale, self.config['currency'], self.config['top']]"
    ),
    manifest=MANIFEST
    + '[config.currency]\ntype = "string"\ndefault = "BRL"\n[config.top]\ntype = "integer"\ndefault = 3\n',
    settings={"locale": "pt-BR", "config": {"probe": {"top": 5}}},
)
async def test_a_module_knows_who_it_is_and_how_it_is_configured(host, handle):
    assert await handle.call("probe") == ["probe", "1.0.0", "pt-BR", "BRL", 5]


@case(
    module(
        """
        def probe(self):
            refused = []
            try:
                self.config["top"] = 9
            except Exception:
                refused.append("config")
            try:
                self.windows["main"] = None
            except Exception:
                refused.append("windows")
            try:
                self.id = "other"
            except Exception:
                refused.append("id")
            return [refused, self.id, dict(self.config)]
        """
    ),
    manifest=MANIFEST + '[config.top]\ntype = "integer"\ndefault = 3\n',
)
async def test_who_it_is_and_its_configuration_are_read_only(host, handle):
    assert await handle.call("probe") == [["config", "windows", "id"], "probe", {"top": 3}]


@case(
    module("def probe(self, key):\n    return self.t(key, name='Ana', n=3)"),
    files={"locales/pt.json": '{"hello": "Olá, {name}", "many": "{n} de {total}"}'},
    settings={"locale": "pt-BR"},
)
async def test_translations_fill_names_and_fall_back_to_the_key(host, handle):
    assert [await handle.call("probe", key) for key in ("hello", "many", "gone")] == [
        "Olá, Ana",
        "3 de {total}",
        "gone",
    ]


def test_an_entry_that_is_named_wins(engine, run, tmp_path):
    source = COUNTER + COUNTER[COUNTER.index("class Probe") :].replace("Probe", "Second")
    package = write_package(tmp_path / "two", {"module.toml": MANIFEST, "probe.py": source})

    async def main():
        async with open_host(engine, COUNTER) as (host, handle):
            await handle.unload()
            return await (await host.load(package)).call("add", 1)

    assert run(main()) == 1


@case(module("def probe(self):\n    return 1"), tiers=METERED)
async def test_a_handle_names_its_tier_and_meters_its_work(host, handle):
    await handle.call("probe")
    assert handle.engine in METERED
    assert handle.usage.fuel > 0
    assert handle.usage.memory_peak_bytes > 0
