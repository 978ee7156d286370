"""``plataforma explain``: what a permission means, and where a module uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from plataforma_sdk import PERMISSIONS
from plataforma_sdk.cli._app import app
from plataforma_sdk.cli._explain import GRANTED_BY
from plataforma_sdk.cli._meanings import meaning_of
from plataforma_sdk.module import OPERATIONS
from plataforma_sdk.permissions import is_within

VENDAS = Path(__file__).parents[3] / "examples" / "vendas"


def explain(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["explain", *map(str, args)])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("name", list(PERMISSIONS))
def test_every_name_of_the_platform_is_explained(name: str) -> None:
    meaning = meaning_of(name)
    assert meaning.permission == name
    assert meaning.allows
    assert meaning.calls
    assert meaning.line == f'"{name}" = "why the module needs it"'


ARGUMENTS = {
    "events.emit": ["saved", None],
    "events.subscribe": [0, "user.login"],
    "events.request": ["module.other.sum", None, 1],
    "windows.create": [{"modal": True}],
    "windows.update": ["main", {"modal": True}],
    "api.call": ["/vendas/clientes", {}],
}


@pytest.mark.parametrize("method", OPERATIONS)
def test_whatever_a_host_function_needs_is_explained(method: str) -> None:
    operation = OPERATIONS[method]
    args = ARGUMENTS.get(method, [None] * operation.arity)
    names = [name for need in operation.needs("shop", args) for name in need.alternatives]
    assert [meaning_of(name).permission for name in names] == names


@pytest.mark.parametrize(
    "permission", ["api.vendas[GET]", "api.external[a.example]", "api.external", "system.storage", "window.*", "api.*"]
)
def test_the_wildcards_are_those_that_grant_it(permission: str) -> None:
    wildcards = meaning_of(permission).wildcards
    assert all(is_within([permission], [wildcard]) for wildcard in wildcards)
    assert bool(wildcards) is is_within([permission], ["*"])


def test_explains_in_plain_words_with_the_line_to_write() -> None:
    code, stdout, _ = explain("api.vendas[GET]")
    assert code == 0
    assert stdout.splitlines() == [
        "permission  api.vendas[GET]",
        "allows      to call the application's own API at paths that begin with /vendas/",
        "scopes      methods: GET, POST, ...",
        'needed by   await self.api_call("/vendas/...")',
        f"granted by  {GRANTED_BY}",
        "wildcards   api.*, *",
        'declare it  "api.vendas[GET]" = "why the module needs it"',
        "            under [permissions.required] or [permissions.optional] in module.toml",
    ]


def in_vendas(permission: str) -> dict[str, object]:
    code, stdout, _ = explain(permission, "--module", VENDAS, "--json")
    assert code == 0
    found: dict[str, object] = json.loads(stdout)["module"]
    return found


def lines_with(text: str) -> list[str]:
    lines = (VENDAS / "vendas.py").read_text(encoding="utf-8").splitlines()
    return [f"vendas.py:{number}" for number, line in enumerate(lines, 1) if text in line]


@pytest.mark.parametrize(
    ("permission", "text"),
    [
        ("api.vendas[GET]", "self.api_call("),
        ("events.subscribe[user.login]", 'self.subscribe("user.login"'),
        ("events.subscribe", "self.subscribe("),
        ("system.clipboard", "self.clipboard."),
        ("window.*", "self.create_window("),
    ],
)
def test_uses_are_found_by_file_and_line(permission: str, text: str) -> None:
    assert in_vendas(permission)["uses"] == lines_with(text)


@pytest.mark.parametrize(
    ("permission", "is_declared"),
    [
        ("api.vendas[GET]", True),
        ("api.vendas", False),
        ("events.subscribe[user.login]", True),
        ("system.clipboard", False),
    ],
)
def test_says_whether_it_is_declared(permission: str, is_declared: bool) -> None:
    assert in_vendas(permission)["is_declared"] is is_declared


def test_a_declaration_of_a_part_is_told_to_be_no_more() -> None:
    _, stdout, _ = explain("events.subscribe", "--module", VENDAS)
    assert "declares    events.subscribe[data.vendas.updated,user.login], which is not all of it" in stdout.splitlines()
    _, stdout, _ = explain("database.read", "--module", VENDAS)
    assert "declares    nothing of it" in stdout.splitlines()
    assert "uses        nowhere that its source says so literally" in stdout.splitlines()


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("system.storge", "system.storage"),
        ("Database.Read[Customer]", "database.read[Customer]"),
        ("windows.create", "window.create"),
        ("events.subscibe[user.login]", "events.subscribe[user.login]"),
        ("api.vendas.clientes[GET]", "api.vendas[GET]"),
        ("api.external.example", "api.external"),
        ("Api.Vendas", "api.vendas"),
    ],
)
def test_a_wrong_name_gets_the_nearest_one(wrong: str, meant: str) -> None:
    code, stdout, stderr = explain(wrong)
    assert (code, stdout) == (2, "")
    assert stderr.rstrip().endswith(f"did you mean {meant!r}?")


def test_half_a_name_gets_all_that_begin_so() -> None:
    code, _, stderr = explain("window")
    assert code == 2
    assert stderr.rstrip().endswith("; there are window.create, window.modal")


@pytest.mark.parametrize("nothing", ["xyzzy", "*", "a b", "", "\x1b[2J"])
def test_a_name_like_no_other_gets_the_list(nothing: str) -> None:
    code, _, stderr = explain(nothing)
    assert code == 2
    assert "system.storage" in stderr
    assert "\x1b" not in stderr


def test_a_module_that_is_none_is_wrong_use(tmp_path: Path) -> None:
    code, _, stderr = explain("system.storage", "--module", tmp_path)
    assert code == 2
    assert "it holds no module.toml" in stderr
