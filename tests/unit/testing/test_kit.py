"""The test kit, without a test framework's help."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk import ModuleFramework, ModulePackage, ui
from plataforma_sdk.errors import ManifestError, PackageNotFoundError, PermissionDeniedError
from plataforma_sdk.sandbox import TIERS
from plataforma_sdk.testing import (
    FakeApi,
    FakeClock,
    FakeDatabase,
    MemoryRegistry,
    MockPermissionManager,
    ModuleTestEnvironment,
    NodeNotFoundError,
    UnexpectedCallError,
    explain_difference,
    snapshot_of,
)

SHOP = """
import asyncio
from plataforma_sdk import ModuleFramework, ui

class Shop(ModuleFramework):
    async def on_load(self):
        self.rows, self.chosen, self.note, self.country = [], None, "", ""
        self.create_window(title="Shop")

    def render(self):
        return ui.column(
            ui.heading("Shop"),
            ui.metric("Rows", len(self.rows)),
            ui.button("Load", on_press=self.load),
            ui.button("Save", on_press=ui.action(self.save, "now")),
            ui.text_field("note", label="Note", on_change=self.write),
            ui.select_field("country", [("br", "Brazil"), ("pt", "Portugal")], label="Country", on_change=self.choose),
            ui.form(
                ui.text_field("name", label="Name", required=True),
                ui.number_field("age", label="Age"),
                on_submit=self.add,
            ),
            ui.table(self.rows, row_key="name", on_select=self.pick) if self.rows else ui.text("empty", key="none"),
        )

    async def load(self):
        self.rows = await self.api_call("/shop/rows")

    async def save(self, when):
        await self.storage.set("rows", self.rows)
        self.emit("saved", {"when": when})

    def write(self, *, value):
        self.note = value

    def choose(self, *, value):
        self.country = value

    def add(self, *, value):
        self.rows.append(value)

    def pick(self, *, value):
        self.chosen = value

    def state(self):
        return [self.note, self.country, self.chosen]

    async def ask(self):
        return await self.permissions.request("system.clipboard", "to paste")

    async def read(self, sql):
        return await self.query(sql)
"""

DECLARED = ("api.shop[GET]", "window.create", "system.storage", "events.emit")


def shop(**settings):
    return ModulePackage.from_source(
        SHOP, id="shop", permissions=DECLARED, optional=("system.clipboard", "database.read[Customer]"), **settings
    )


def run(body, target=None, **settings):
    async def whole():
        async with ModuleTestEnvironment(target or shop(), **settings) as environment:
            return await body(environment)

    return asyncio.run(whole())


@pytest.mark.parametrize("tier", TIERS)
def test_a_pilot_does_what_a_person_does(tier):
    """In every tier alike."""

    async def body(environment):
        pilot = environment.pilot
        assert pilot.find("metric").props["value"] == 0
        await pilot.press("Load")
        assert pilot.find("metric", "Rows").props["value"] == 1
        await pilot.fill("Note", "hello")
        await pilot.select("country", "Portugal")
        await pilot.select_row("Ana")
        await pilot.fill("name", "Rui")
        await pilot.submit(age=7)
        assert await pilot.call("state") == ["hello", "pt", "Ana"]
        assert pilot.find("table").props["rows"] == [{"name": "Ana", "age": 3}, {"name": "Rui", "age": 7}]
        await pilot.press("Save")
        assert environment.events.of("module.shop.saved") == [{"when": "now"}]
        assert list(pilot.windows) == ["main"]
        assert pilot.usage.host_calls > 0

    run(body, tier=tier, api={"/shop/rows": [{"name": "Ana", "age": 3}]})


@pytest.mark.parametrize(
    ("look", "problem"),
    [
        (lambda pilot: pilot.find("button"), "2 elements have type 'button': .*'Load'.*'Save'"),
        (lambda pilot: pilot.find("metric", "Sum"), "no element has type 'metric', text 'Sum'; there are .*'Rows'"),
        (lambda pilot: pilot.find("chart"), "no element has type 'chart'; there are"),
        (lambda pilot: pilot.find("button", window="other"), "has no window 'other'; it has main"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(look, problem):
    async def body(environment):
        with pytest.raises(NodeNotFoundError, match=problem):
            look(environment.pilot)

    run(body)


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (lambda pilot: pilot.press("Delete"), "no 'Delete' has on_press; these have: .*'Load'"),
        (lambda pilot: pilot.fill("nota", "x"), "no field is named or labelled 'nota'; there are 'note'"),
    ],
)
def test_what_cannot_be_done_is_told_with_what_can(act, problem):
    async def body(environment):
        with pytest.raises(NodeNotFoundError, match=problem):
            await act(environment.pilot)

    run(body)


def test_a_call_that_nobody_expected_fails_where_the_block_ends():
    async def body(environment):
        with pytest.raises(Exception, match="404"):
            await environment.pilot.call("load")

    with pytest.raises(UnexpectedCallError, match=r"GET /shop/rows.*api="):
        run(body)


def test_a_call_that_nobody_expected_while_it_loads_is_told_and_not_only_what_came_of_it():
    """The module fails of the refusal; the author wants the line that answers the call."""
    source = SHOP.replace("self.create_window", "await self.load(); self.create_window", 1)
    package = ModulePackage.from_source(source, id="shop", permissions=DECLARED)
    with pytest.raises(UnexpectedCallError, match=r"GET /shop/rows.*api="):
        run(None, package)


def test_to_be_granted_a_permission_is_no_use_of_it():
    permissions = MockPermissionManager(["system.storage"], answers={"system.clipboard": True})
    assert asyncio.run(permissions.request("system.clipboard", "to copy"))
    assert permissions.unused_grants == ("system.clipboard", "system.storage")
    assert permissions.has("system.clipboard")
    assert permissions.unused_grants == ("system.storage",)


def test_a_request_that_nobody_expected_is_refused_and_fails_where_the_block_ends():
    async def body(environment):
        assert await environment.pilot.call("ask") is False

    with pytest.raises(AssertionError, match=r"prompts=\{'system.clipboard': True\}"):
        run(body, grants=["window.create", *DECLARED])


@pytest.mark.parametrize("answer", [True, False])
def test_a_request_is_answered_as_was_said(answer):
    async def body(environment):
        return await environment.pilot.call("ask")

    assert run(body, grants=DECLARED, prompts={"system.*": answer}) is answer


def test_what_is_not_granted_is_refused():
    async def body(environment):
        environment.permissions.revoke("system.storage")
        with pytest.raises(PermissionDeniedError):
            await environment.pilot.call("save", "now")

    run(body)


def test_a_database_of_the_tests_own():
    async def body(environment):
        rows = await environment.pilot.call("read", "SELECT Name FROM Customer")
        with pytest.raises(PermissionDeniedError):
            await environment.pilot.call("read", "SELECT Word FROM Secret")
        assert "database.read[Customer]" in environment.permissions.used_grants
        return rows

    database = FakeDatabase({"Customer": [{"Name": "Ana"}], "Secret": [{"Word": "x"}]})
    assert run(body, database=database) == [{"Name": "Ana"}]
    assert database.statements[0][0] == "SELECT Name FROM Customer"


class Timed(ModuleFramework):
    permissions = ("window.create",)

    async def on_load(self):
        self.create_window(title="Timed")
        self.count = 0

    def render(self):
        return ui.text(str(self.count))


def test_a_class_is_tested_where_it_stands():
    async def body(environment):
        assert environment.pilot.find("text").text == "0"
        await environment.advance(5)
        assert environment.clock.monotonic() == 5

    run(body, target=Timed, clock=FakeClock())


def test_config_that_a_class_does_not_know_is_refused_as_a_host_refuses_it():
    with pytest.raises(ManifestError, match="a: unknown key"):
        run(None, target=Timed, config={"a": 1})


def test_an_unused_grant_is_named():
    async def body(environment):
        await environment.pilot.press("Load")
        permissions = environment.permissions
        assert permissions.used_grants == ("api.shop[GET]", "window.create")
        assert set(permissions.unused_grants) == {
            "database.read[Customer]",
            "events.emit",
            "system.clipboard",
            "system.storage",
        }
        permissions.assert_required("api.shop")
        permissions.assert_not_required("system.storage")
        with pytest.raises(AssertionError, match=r"never needed; needed were: .*window.create"):
            permissions.assert_required("system.storage")
        with pytest.raises(AssertionError, match=r"was needed: require of 'api.shop\[GET\]'"):
            permissions.assert_not_required("api.*")

    run(body, api={"/shop/rows": []})


def test_a_mock_decides_as_the_real_one():
    permissions = MockPermissionManager(["api.vendas[GET,POST]", "system.*"])
    assert permissions.has("api.vendas[GET]")
    assert not permissions.has("api.vendas")
    with pytest.raises(PermissionDeniedError):
        permissions.require("events.emit")
    assert permissions.unused_grants == ("api.vendas[POST]", "system.*")
    assert [(check.permission, check.allowed) for check in permissions.checks] == [
        ("api.vendas[GET]", True),
        ("api.vendas", False),
        ("events.emit", False),
    ]


def test_a_registry_in_memory_resolves_ranges():
    registry = MemoryRegistry(*(ModulePackage.from_source("", id="a", version=text) for text in ("1.0.0", "1.2.0")))

    async def fetch(wanted):
        return (await registry.fetch_package("a", wanted)).version

    assert asyncio.run(fetch("^1")) == "1.2.0"
    with pytest.raises(PackageNotFoundError, match=r"has 1\.0\.0, 1\.2\.0"):
        asyncio.run(fetch("^2"))


def test_events_are_waited_for():
    async def body(environment):
        await environment.pilot.press("Save")
        assert (await environment.events.wait_for("module.shop.saved")).source == "shop"
        with pytest.raises(AssertionError, match=r"emitted were: .*module\.shop\.saved"):
            await environment.events.wait_for("module.shop.gone", timeout_s=0.01)

    run(body)


def test_an_api_remembers_and_answers_anew():
    async def body(environment):
        await environment.pilot.press("Load")
        environment.api.answer("GET /shop/rows", [])
        await environment.pilot.press("Load")
        return environment.api.paths

    assert run(body, api=FakeApi({"/shop/rows": [{"name": "a"}]})) == ["GET /shop/rows"] * 2


TREE = ui.to_data(ui.column(ui.metric("Sum", 7), ui.button("Go", on_press=ui.action("go", 1))))


def test_two_trees_are_compared_element_by_element():
    other = ui.to_data(ui.column(ui.metric("Sum", 8), ui.text("x"), ui.text("y")))
    assert explain_difference(TREE, TREE) == []
    assert explain_difference(TREE, other) == [
        "0.0 ui.metric: value is 7, expected 8",
        "0.1 ui.button: expected ui.text",
        "0 ui.column: lacks <ui.text 0.2 'y'>",
    ]


def test_a_snapshot_is_the_same_in_every_order():
    shuffled = {"children": TREE["children"], "props": TREE["props"], "key": "0", "type": "column"}
    assert snapshot_of(shuffled) == snapshot_of(TREE)
    assert "button 0.1 label='Go' on_press=go(1)" in snapshot_of(TREE)


STAYS = """
import asyncio
from plataforma_sdk import ModuleFramework, ui

class Stays(ModuleFramework):
    async def on_load(self):
        self.cancels = 0
        asyncio.create_task(self.stay())
        await asyncio.sleep(0)

    async def stay(self):
        while self.cancels < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancels += 1

    def render(self):
        return ui.text("")
"""
LISTENS = """
from plataforma_sdk import ModuleFramework, ui

class Listens(ModuleFramework):
    async def on_load(self):
        pass

    def render(self):
        return ui.text("")

    def listen(self):
        self.subscribe("module.m.saved", print)
"""


def test_a_task_that_stays_behind_fails_the_test(run):
    async def main():
        async with ModuleTestEnvironment(ModulePackage.from_source(STAYS, id="m")):
            pass

    with pytest.raises(AssertionError, match=r"Module 'm' 0\.1\.0 left a task behind: 'Stays.stay', at module\.py:14"):
        run(main())


@pytest.mark.parametrize("tier", TIERS)
def test_what_a_module_piles_up_fails_the_test(run, tier):
    needs = ["events.subscribe"]

    async def main():
        async with ModuleTestEnvironment(
            ModulePackage.from_source(LISTENS, id="m", permissions=needs), tier=tier
        ) as environment:
            for _ in range(9):
                await environment.handle.call("listen")

    with pytest.raises(AssertionError, match=r"holds 9 times the same subscription 'module\.m\.saved'"):
        run(main())


def test_emit_waits_for_the_module_and_counts_its_handlers_alone() -> None:
    class Hearer(ModuleFramework):
        permissions = ("events.subscribe",)

        async def on_load(self) -> None:
            self.heard = []
            self.subscribe("user.*", self.hear)

        async def hear(self, event) -> None:
            await asyncio.sleep(0)
            self.heard.append(event.data)

        def render(self) -> ui.Element:
            return ui.text("")

        def told(self):
            return self.heard

    async def main() -> None:
        async with ModuleTestEnvironment(Hearer) as environment:
            assert await environment.emit("user.login", 1) == 1
            assert await environment.emit("other", 2) == 0
            environment.events.close()
            assert await environment.emit("user.logout", 3) == 1
            assert await environment.handle.call("told") == [1, 3]
            assert environment.events.topics[-2:] == ["user.login", "other"]

    asyncio.run(main())
