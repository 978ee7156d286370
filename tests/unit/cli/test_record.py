"""``plataforma record``: a run, and the least that a manifest must declare for it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from plataforma_sdk import Manifest
from plataforma_sdk.cli._app import app
from plataforma_sdk.cli._needs import Needs, needs_of, plan_declarations
from plataforma_sdk.cli._rewrite import declared_in, rewrite_permissions
from plataforma_sdk.security import PLACEHOLDER_REASON
from plataforma_sdk.testing import PermissionCheck

pytestmark = pytest.mark.timeout(120)  # the first use of a machine builds and compiles the runner

MANIFEST = """
# the shop
id = "shop"
version = "1.0.0"
entry = "shop" # one file

[permissions.required]
# what it shows
"window.*" = "Shows the shop"   # for the person
"system.clipboard" = "No longer"

[config.limit]
type = "integer"
default = 3
"""
SOURCE = """
from plataforma_sdk import ModuleFramework, ui

class Shop(ModuleFramework):
    async def on_load(self):
        self.rows = await self.api_call("/shop/rows")
        self.subscribe("user.login", self.greet)
        self.create_window(title="Shop")

    def render(self):
        return ui.column(
            ui.button("Save", on_press=self.save),
            ui.select_field("kind", [("a", "A"), ("b", "B")], label="Kind", on_change=self.choose),
        )

    async def greet(self, event):
        if await self.permissions.request("system.notifications", "to greet"):
            await self.notify("Shop", event.data["name"])

    async def save(self):
        await self.query("SELECT Name FROM Customer")

    def choose(self, *, value):
        if self.permissions.has("events.emit[module.shop.chosen]"):
            self.emit("chosen", value)
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module, the API and the database that it reads."""
    monkeypatch.chdir(tmp_path)
    Path("module.toml").write_text(MANIFEST)
    Path("shop.py").write_text(SOURCE)
    Path("api.json").write_text('{"GET /shop/rows": []}')
    with sqlite3.connect("data.sqlite") as connection:
        connection.execute("CREATE TABLE Customer (Name TEXT)")
    connection.close()
    return tmp_path


GREETED = ("--api", "api.json", "--data", "data.sqlite", "--event", 'user.login={"name": "Ana"}')


def record(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["record", *args])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("engine", ["trusted", "restricted", "wasm"])
def test_writes_the_least_and_leaves_the_rest_of_the_file(shop: Path, engine: str) -> None:
    code, stdout, _ = record("--engine", engine, *GREETED, "--write")
    assert code == 0, stdout
    assert Path("module.toml").read_text() == MANIFEST.replace(
        """"window.*" = "Shows the shop"   # for the person
"system.clipboard" = "No longer"
""",
        f""""window.create" = "Shows the shop"   # for the person
"api.shop[GET]" = "{PLACEHOLDER_REASON}"
"database.read[Customer]" = "{PLACEHOLDER_REASON}"
"events.emit[module.shop.chosen]" = "{PLACEHOLDER_REASON}"
"events.subscribe[user.login]" = "{PLACEHOLDER_REASON}"

[permissions.optional]
"system.notifications" = "{PLACEHOLDER_REASON}"
""",
    )


def test_a_second_run_changes_nothing_and_check_lists_the_open_reasons(shop: Path) -> None:
    record("--engine", "trusted", *GREETED, "--write")
    code, stdout, _ = record("--engine", "trusted", *GREETED)
    assert (code, stdout.splitlines()[-1]) == (0, "module.toml declares exactly that.")
    checked = CliRunner().invoke(app, ["check", "--format", "json"])
    rules = [finding["rule"] for finding in json.loads(checked.stdout)["findings"]]
    assert rules.count("placeholder-reason") == 5


def test_without_write_only_the_change_is_shown(shop: Path) -> None:
    code, stdout, _ = record("--engine", "trusted", *GREETED)
    assert code == 0
    assert '-"system.clipboard" = "No longer"' in stdout.splitlines()
    assert f'+"api.shop[GET]" = "{PLACEHOLDER_REASON}"' in stdout.splitlines()
    assert Path("module.toml").read_text() == MANIFEST


def test_what_fails_on_the_way_is_told_and_nothing_is_written(shop: Path) -> None:
    code, stdout, _ = record("--engine", "trusted", "--api", "api.json", "--data", "data.sqlite", "--write")
    assert code == 1
    assert "note: a handler failed" in stdout
    assert Path("module.toml").read_text() == MANIFEST


def test_what_is_denied_is_no_need(shop: Path) -> None:
    code, stdout, _ = record("--engine", "trusted", *GREETED, "--deny", "system.*", "--json")
    data = json.loads(stdout)
    assert code == 0
    assert data["asked"] == []
    assert "database.read[Customer]" in data["required"]


def test_an_external_address_is_refused_and_named(shop: Path) -> None:
    source = SOURCE.replace("/shop/rows", "https://api.example.com/rows").replace(
        "self.rows =", "try:\n            self.rows ="
    )
    source = source.replace(
        "\n        self.subscribe", "\n        except Exception:\n            pass\n        self.subscribe"
    )
    Path("shop.py").write_text(source)
    code, stdout, _ = record("--engine", "trusted", *GREETED, "--json")
    data = json.loads(stdout)
    assert data["refused"] == ["api.external[api.example.com]"]
    assert "api.external[api.example.com]" in data["required"]
    assert code == 0


def test_the_windows_are_left_alone_where_that_is_asked(shop: Path) -> None:
    _, stdout, _ = record("--engine", "trusted", *GREETED, "--no-walk", "--json")
    assert "database.read[Customer]" not in json.loads(stdout)["required"]
    _, stdout, _ = record("--engine", "trusted", *GREETED, "--no-walk", "--call", "save", "--json")
    assert "database.read[Customer]" in json.loads(stdout)["required"]


def test_the_database_that_is_given_is_not_changed(shop: Path) -> None:
    Path("shop.py").write_text(SOURCE.replace('self.query("SELECT Name FROM', 'self.execute("DELETE FROM'))
    with sqlite3.connect("data.sqlite") as connection:
        connection.execute("INSERT INTO Customer VALUES ('Ana')")
    connection.close()
    _, stdout, _ = record("--engine", "trusted", *GREETED, "--json")
    assert "database.write[Customer]" in json.loads(stdout)["required"]
    with sqlite3.connect("data.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM Customer").fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--api", "nowhere.json"), "nowhere.json cannot be read"),
        (("--api", "nowhere"), "no URL, no .json file"),
        (("--api", "nowhere_at_all:app"), "cannot be imported"),
        (("--event", "a={"), "the payload of --event a is no JSON"),
        (("--deny", "System"), "names are lower case"),
    ],
)
def test_wrong_use_says_what_to_write(shop: Path, args: tuple[str, ...], told: str) -> None:
    code, _, stderr = record(*args)
    assert code == 2
    assert told in stderr


def test_a_module_that_does_not_load_is_told(shop: Path) -> None:
    code, _, stderr = record("--engine", "trusted")
    assert code == 1
    assert "/shop/rows" in stderr


def test_a_window_that_offers_ever_more_ends_the_walk(shop: Path) -> None:
    offers = 'ui.button("Save", key=f"k{len(self.rows)}", on_press=self.more),'
    source = SOURCE.replace('ui.button("Save", on_press=self.save),', offers)
    Path("shop.py").write_text(source + "\n    def more(self):\n        self.rows.append(1)\n")
    code, stdout, _ = record("--engine", "trusted", *GREETED)
    assert code == 1
    assert "note: the walk stopped after 100 actions" in stdout


# --- the parts -------------------------------------------------------------------------------------------------------


def checks(*rows: tuple[str, str, bool]) -> list[PermissionCheck]:
    return [PermissionCheck(*row) for row in rows]


def test_to_look_is_no_need() -> None:
    assert needs_of(checks(("system.storage", "has", True))) == Needs(())


def test_a_scope_that_a_service_looked_up_is_the_need() -> None:
    rows = checks(
        ("database.read", "scopes", True), ("database.read[A]", "has", True), ("database.read[B]", "has", False)
    )
    assert needs_of(rows) == Needs(("database.read[A]",))


def test_a_service_that_looked_no_scope_up_needs_the_name() -> None:
    assert needs_of(checks(("database.read", "scopes", True))) == Needs(("database.read",))


def test_what_lies_within_another_need_is_none_of_its_own() -> None:
    rows = checks(("events.subscribe[data.*]", "require", True), ("events.subscribe[data.a]", "require", True))
    assert needs_of(rows).required == ("events.subscribe[data.*]",)


@pytest.mark.parametrize(
    ("declared", "needed", "kept"),
    [
        ("api.a[GET,POST]", ["api.a[GET]"], ("api.a[GET]",)),
        ("api.a[POST,GET]", ["api.a[GET]", "api.a[POST]"], ("api.a[POST,GET]",)),
        ("api.*", ["api.a[GET]", "api.a[POST]", "api.b[GET]"], ("api.a[GET,POST]", "api.b[GET]")),
        ("database.read", ["database.read"], ("database.read",)),
        ("database.read", ["database.read[A]"], ("database.read[A]",)),
        ("system.storage", [], ()),
    ],
)
def test_a_declaration_becomes_no_wider_than_the_need(declared: str, needed: list[str], kept: tuple[str, ...]) -> None:
    assert plan_declarations([declared], Needs(tuple(needed))).kept == {declared: kept}


@pytest.mark.parametrize(
    "permissions",
    [
        'permissions.required = ["api.a", "window.create"]\n',
        '[permissions]\nrequired = [{ name = "api.a", reason = "to read" }, "window.create"]\n',
        '[permissions]\nrequired = { "api.a" = "to read", "window.create" = "" }\n',
        '[permissions.required]\n"api.a" = "to read"\n\n# at the end\n',
        "",
    ],
    ids=["list", "list of tables", "inline", "table", "none"],
)
def test_every_way_to_write_permissions_is_rewritten(permissions: str) -> None:
    head = 'id = "a"\nversion = "1.0.0"\nentry = "a"\n'
    text = f'{head}{permissions}\n[config.x]\ntype = "string"\n'
    needs = Needs(("api.a[GET]", "window.create"), ("system.storage",))
    written = rewrite_permissions(text, plan_declarations(declared_in(text), needs))
    manifest = Manifest.parse(written)
    assert (set(manifest.permissions.required), set(manifest.permissions.optional)) == (
        {"api.a[GET]", "window.create"},
        {"system.storage"},
    )
    assert ("to read" in permissions) is (manifest.permissions.required["api.a[GET]"] == "to read")
    assert list(manifest.config) == ["x"]
