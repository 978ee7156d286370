"""The task manager: what modules cost while somebody looks, and what a person does about it."""

from __future__ import annotations

import asyncio
import contextlib

import attrs
import pytest

from plataforma_sdk.errors import ModuleStateError, PlataformaError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.types import FakeClock
from plataforma_sdk.web.desktop import DesktopTasks
from tests.unit.runtime.test_restart import PATIENT, SPINS, began
from tests.unit.web.desktop.fakes import FakeSession

WATCH = {"type": "watch", "topic": "tasks", "on": True}


def package(module_id: str = "counter") -> ModulePackage:
    return ModulePackage.from_source(SPINS, id=module_id, version="1.0.0")


class Manager:
    """One host with a counter, the feature, and a page that watches."""

    def __init__(self, host: ModuleHost, clock: FakeClock) -> None:
        self.host = host
        self.clock = clock
        self.feature = DesktopTasks(host, clock=clock)
        self.page = FakeSession(subject="default")

    def beat(self, seconds: float = 1.0) -> None:
        """Let the next beat come."""
        self.clock.advance(seconds)
        self.feature._topic._timer.cancel()
        self.feature._topic._run()

    async def act(self, action: object, module: object = "counter", **more: object) -> object:
        return await self.feature.receive(self.page, {"type": "task", "module": module, "action": action, **more})

    def shown(self, module: str = "counter") -> dict[str, object]:
        return {each["id"]: each for each in self.page.of("tasks")[-1]["modules"]}[module]


@pytest.fixture
def with_manager(run):
    """Run a scenario with the counter loaded and a page that watches."""

    def begin(scenario, *, engine="trusted", **options):
        async def main():
            async with ModuleHost(engine=engine, **options) as host, contextlib.AsyncExitStack() as stack:
                manager = Manager(host, FakeClock())
                stack.push_async_callback(manager.feature.aclose)
                await host.load(package())
                await manager.feature.receive(manager.page, WATCH)
                return await scenario(manager)

        return run(main())

    return begin


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_a_module_is_shown_with_all_that_it_costs(with_manager):
    async def scenario(manager):
        return manager.page.sent[-1]

    message = with_manager(scenario)
    (module,) = message.pop("modules")
    assert message == {"type": "tasks", "at": 1_700_000_000.0}
    limits = attrs.asdict(ResourceLimits())
    assert module.pop("p95_ms") is None
    assert module == {
        "id": "counter",
        "name": "counter",
        "version": "1.0.0",
        "engine": "trusted",
        "state": "active",
        "cpu_ms_per_s": 0.0,
        "fuel": 0,
        "fuel_per_s": 0,
        "memory_bytes": 0,
        "memory_limit": 128 * 2**20,
        "calls": 0,
        "calls_per_s": 0.0,
        "running": 0,
        "denials": 0,
        "queue": 0,
        "restarts": 0,
        "failures": 0,
        "limits": limits,
        "limits_most": limits,
        "limits_pending": [],
        "history": {"cpu": [], "memory": [], "calls": []},
    }


def test_rates_are_those_between_two_beats(with_manager):
    async def scenario(manager):
        handle = manager.host.modules["counter"]
        for _ in range(6):
            await handle.call("add", 1)
        with contextlib.suppress(PlataformaError):
            await handle.call("fail")
        manager.beat(2.0)
        return manager.shown(), handle.usage.fuel

    shown, fuel = with_manager(scenario, engine="restricted")
    assert (shown["calls"], shown["calls_per_s"], shown["failures"]) == (7, 3.5, 1)
    assert shown["cpu_ms_per_s"] > 0.0
    assert shown["fuel"] == fuel > 0
    assert shown["history"]["calls"] == [3.5]
    assert shown["history"]["memory"] == [shown["memory_bytes"]]


def test_a_minute_is_kept(with_manager):
    async def scenario(manager):
        for _ in range(70):
            manager.beat()
        return {name: len(values) for name, values in manager.shown()["history"].items()}

    assert with_manager(scenario) == {"cpu": 60, "memory": 60, "calls": 60}


def test_a_module_that_is_loaded_anew_begins_anew(with_manager):
    async def scenario(manager):
        await manager.host.modules["counter"].call("add", 1)
        manager.beat()
        await manager.host.unload("counter")
        await manager.host.load(package())
        manager.beat()
        return manager.shown()["calls_per_s"], manager.shown()["history"]["calls"]

    assert with_manager(scenario) == (0.0, [])


def test_modules_come_and_go(with_manager):
    async def scenario(manager):
        await manager.host.load(package("other"))
        manager.beat()
        both = [each["id"] for each in manager.page.sent[-1]["modules"]]
        await manager.host.unload("counter")
        manager.beat()
        return both, [each["id"] for each in manager.page.sent[-1]["modules"]]

    assert with_manager(scenario) == (["counter", "other"], ["other"])


def test_an_old_message_that_still_waits_is_replaced(with_manager):
    async def scenario(manager):
        manager.beat()
        manager.beat()
        return len(manager.page.of("tasks"))

    assert with_manager(scenario) == 1


# --- only while somebody looks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["watch off", "left", "closed"])
def test_when_nobody_watches_nothing_is_read_or_kept(with_manager, how):
    async def scenario(manager):
        manager.beat()
        if how == "watch off":
            await manager.feature.receive(manager.page, {**WATCH, "on": False})
        elif how == "left":
            manager.feature.left(manager.page)
        else:
            await manager.feature.aclose()
        return manager.feature._topic._timer, manager.feature._meters._tracks

    assert with_manager(scenario) == (None, {})


def test_one_of_two_that_ceases_leaves_the_other(with_manager):
    async def scenario(manager):
        other = FakeSession("page-2", "default")
        await manager.feature.receive(other, WATCH)
        manager.feature.left(manager.page)
        manager.page.sent.clear()
        manager.beat()
        return len(other.of("tasks")), manager.page.sent

    assert with_manager(scenario) == (1, [])


def test_a_second_page_is_shown_the_minute_of_the_first_at_once(with_manager):
    async def scenario(manager):
        manager.beat()
        other = FakeSession("page-2", "default")
        await manager.feature.receive(other, WATCH)
        return other.of("tasks")[0]["modules"][0]["history"]["calls"]

    assert with_manager(scenario) == [0.0]


def test_another_topic_is_not_its_business(with_manager):
    async def scenario(manager):
        other = FakeSession("page-2", "default")
        await manager.feature.receive(other, {**WATCH, "topic": "permissions"})
        return other.sent

    assert with_manager(scenario) == []


# --- actions ---------------------------------------------------------------------------------------------------------


def test_restart_puts_a_fresh_instance_in_place(with_manager):
    async def scenario(manager):
        handle = manager.host.modules["counter"]
        await handle.call("add", 4)
        answer = await manager.act("restart")
        return answer, await handle.call("add", 0), manager.shown()["restarts"]

    assert with_manager(scenario) == ({"state": "active"}, 0, 1)


def test_unload_ends_a_module_and_shows_it_gone(with_manager):
    async def scenario(manager):
        answer = await manager.act("unload")
        return answer, manager.page.sent[-1]["modules"]

    assert with_manager(scenario) == ({"state": "unloaded"}, [])


def test_park_tells_whether_it_did(with_manager):
    async def scenario(manager):
        return await manager.act("park")

    assert with_manager(scenario) == {"parked": False}  # there is nothing to put away in the tier `trusted`


@pytest.mark.parametrize("action", ["restart", "unload"])
def test_a_module_that_computes_without_end_is_stopped_while_others_answer(with_manager, action):
    async def scenario(manager):
        handle = manager.host.modules["counter"]
        other = await manager.host.load(package("other"))
        computing = asyncio.create_task(handle.call("compute"))
        await began(handle)
        manager.beat()
        busy = manager.shown()
        answers = [await other.call("add", 1) for _ in range(3)]
        await manager.act(action)
        with pytest.raises(ModuleStateError):
            await computing
        return busy["cpu_ms_per_s"] > 0, busy["running"], answers, handle.state

    expected = "active" if action == "restart" else "unloaded"
    assert with_manager(scenario, engine="wasm", limits=PATIENT) == (True, 1, [1, 2, 3], expected)


def test_what_awaits_without_end_is_stopped_in_the_hosts_own_interpreter_too(with_manager):
    async def scenario(manager):
        handle = manager.host.modules["counter"]
        spinning = asyncio.create_task(handle.call("spin"))
        await began(handle)
        await manager.act("restart")
        with pytest.raises(ModuleStateError):
            await spinning
        return await handle.call("add", 1)

    assert with_manager(scenario, engine="restricted", limits=PATIENT) == 1


def test_limits_are_lowered_and_taken_back(with_manager):
    async def scenario(manager):
        seen = []
        for limits in ({"max_output_bytes": 100, "max_call_ms": 500}, {"max_call_ms": None}):
            answer = await manager.act("limits", limits=limits)
            seen.append(
                (answer["limits"]["max_output_bytes"], answer["limits"]["max_call_ms"], answer["limits_pending"])
            )
        return seen, manager.shown()["limits"]["max_output_bytes"]

    assert with_manager(scenario) == ([(100, 500, ["max_call_ms"]), (100, 10_000, [])], 100)


def test_a_person_never_raises_a_limit_beyond_what_the_host_gives(with_manager):
    async def scenario(manager):
        answer = await manager.act("limits", limits={"max_call_ms": 60_000})
        return answer["limits"]["max_call_ms"], answer["limits_most"]["max_call_ms"]

    assert with_manager(scenario) == (10_000, 10_000)


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (None, "a name and a whole number each"),
        ({}, "a name and a whole number each"),
        ([1], "a name and a whole number each"),
        ({"max_calls": 1}, "no limit 'max_calls'; there are max_memory_bytes, max_fuel"),
        ({"max_call_ms": "1"}, "above 0, not '1'"),
        ({"max_call_ms": True}, "above 0, not True"),
        ({"max_call_ms": 1.5}, r"above 0, not 1\.5"),
        ({"max_fuel": 10**18}, "max_fuel is the engine's own"),
    ],
    ids=str,
)
def test_limits_that_are_none_are_refused(with_manager, limits, error):
    async def scenario(manager):
        with pytest.raises(PlataformaError, match=error):
            await manager.act("limits", limits=limits)
        return manager.host.modules["counter"].limits

    assert with_manager(scenario) == ResourceLimits()


@pytest.mark.parametrize(
    ("action", "module", "error"),
    [
        ("kill", "counter", "one of park, restart, unload, limits"),
        (None, "counter", "needs the text 'action'"),
        ("restart", "nobody", "'nobody' is not loaded"),
        ("restart", ["counter"], "needs the text 'module'"),
    ],
)
def test_what_makes_no_sense_is_refused(with_manager, action, module, error):
    async def scenario(manager):
        with pytest.raises(PlataformaError, match=error):
            await manager.act(action, module)

    with_manager(scenario)


@pytest.mark.parametrize(
    "message", [WATCH, {"type": "task", "module": "counter", "action": "unload"}], ids=["watch", "act"]
)
def test_another_subject_neither_sees_nor_ends_anything(with_manager, message):
    async def scenario(manager):
        bia = FakeSession("page-2", "bia")
        with pytest.raises(PlataformaError, match="another person's"):
            await manager.feature.receive(bia, message)
        return bia.sent, manager.host.modules["counter"].state

    assert with_manager(scenario) == ([], "active")
