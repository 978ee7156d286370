"""``plataforma check``: on a directory, an archive and a single file, in three formats."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from plataforma_sdk import ModulePackage
from plataforma_sdk.cli._app import app
from plataforma_sdk.security import PLACEHOLDER_REASON, RULES

MANIFEST = """
id = "shop"
version = "1.0.0"
entry = "shop"

[permissions.required]
"system.storage" = "Keeps the rows"
"""
CLEAN = """
from plataforma_sdk import ModuleFramework, ui

class Shop(ModuleFramework):
    async def on_load(self):
        self.rows = await self.storage.get("rows")

    def render(self):
        return ui.text("shop")
"""
FAULTY = CLEAN.replace("ui.text", "ui.txet").replace('self.storage.get("rows")', 'self.api_call("/shop/rows")')


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module without faults, and the directory above it as the current one."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "module.toml").write_text(MANIFEST)
    (folder / "shop.py").write_text(CLEAN)
    return folder


def check(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", *map(str, args)])
    return result.exit_code, result.stdout, result.stderr


def findings(*args: object) -> list[tuple[str, int | None, str]]:
    _, stdout, _ = check(*args, "--format", "json")
    return [(found["path"], found["line"], found["rule"]) for found in json.loads(stdout)["findings"]]


def test_a_clean_module_passes(shop: Path) -> None:
    assert check("shop", "--strict") == (0, "Nothing found.\n", "")


def test_findings_come_with_file_line_rule_level_and_advice(shop: Path) -> None:
    (shop / "shop.py").write_text(FAULTY)
    code, stdout, _ = check("shop")
    assert code == 1
    assert stdout.splitlines() == [
        "shop/module.toml:7: warning: 'system.storage' is declared and nothing needs it [dead-grant]",
        "    remove it: what a module cannot do, it cannot be misled to do",
        "shop/shop.py:6: error: 'api.shop[GET]' is needed here and not declared [undeclared-permission]",
        '    add the line "api.shop[GET]" = "why" to [permissions.required] or [permissions.optional] in module.toml',
        "shop/shop.py:9: error: there is no ui.txet [unknown-element]",
        "    did you mean ui.text?",
        "2 errors, 1 warning",
    ]


def test_an_archive_is_checked_as_its_directory(shop: Path) -> None:
    (shop / "shop.py").write_text(FAULTY)
    ModulePackage.from_directory(shop).write("shop.zip")
    assert findings("shop.zip") == [(path.removeprefix("shop/"), *rest) for path, *rest in findings("shop")]


def test_a_source_file_is_checked_as_part_of_its_module(shop: Path) -> None:
    (shop / "shop.py").write_text(FAULTY)
    assert findings("shop/shop.py") == [
        ("shop/shop.py", 6, "undeclared-permission"),
        ("shop/shop.py", 9, "unknown-element"),
    ]


def test_a_source_file_without_a_module_is_checked_by_itself(tmp_path: Path) -> None:
    lone = tmp_path / "lone.py"
    lone.write_text(CLEAN)
    assert findings(lone) == [(str(lone), 6, "undeclared-permission")]


def test_warnings_fail_where_the_check_is_strict(shop: Path) -> None:
    (shop / "shop.py").write_text(CLEAN.replace('await self.storage.get("rows")', "[]"))
    assert check("shop")[0] == 0
    assert check("shop", "--strict")[0] == 1


def test_a_refusal_that_is_caught_is_a_warning(shop: Path) -> None:
    guarded = """
        try:
            await self.clipboard.read()
        except PermissionDeniedError:
            pass
"""
    (shop / "shop.py").write_text(CLEAN.replace("\n    def render", guarded + "\n    def render"))
    code, stdout, _ = check("shop")
    assert code == 0
    assert "warning: 'system.clipboard' is needed here and not declared, and its refusal is caught" in stdout


def test_every_fault_of_a_manifest_is_a_finding(shop: Path) -> None:
    (shop / "module.toml").write_text(MANIFEST.replace("1.0.0", "one").replace("system.storage", "system storage"))
    assert findings("shop") == [("shop/module.toml", 3, "manifest"), ("shop/module.toml", 7, "manifest")]


@pytest.mark.parametrize(
    "permissions",
    [
        f'[permissions.required]\n"system.storage" = "{PLACEHOLDER_REASON}"',
        f'permissions.required."system.storage" = "{PLACEHOLDER_REASON}"',
    ],
    ids=["table", "dotted"],
)
def test_a_reason_that_record_left_open_is_a_finding(shop: Path, permissions: str) -> None:
    head = MANIFEST.partition("\n[")[0]
    (shop / "module.toml").write_text(f"{head}\n{permissions}\n")
    ((path, line, rule),) = findings("shop")
    assert (path, rule) == ("shop/module.toml", "placeholder-reason")
    assert line in (6, 7)


def test_source_that_is_no_python_is_a_finding_with_its_line(shop: Path) -> None:
    (shop / "shop.py").write_text(CLEAN + "def :\n")
    assert ("shop/shop.py", 10, "syntax") in findings("shop")


@pytest.mark.parametrize("target", ["empty", "missing"])
def test_a_path_without_a_module_is_wrong_use(shop: Path, target: str) -> None:
    Path("empty").mkdir()
    code, stdout, stderr = check(target)
    assert (code, stdout) == (2, "")
    assert target in stderr


def test_what_a_module_says_cannot_steer_a_terminal(shop: Path) -> None:
    (shop / "module.toml").write_text(MANIFEST.replace('"shop"\nversion', '"\\u001b[2Jshop"\nversion'))
    code, stdout, _ = check("shop")
    assert code == 1
    assert "\x1b" not in stdout


def sarif(*args: object) -> dict[str, object]:
    log: dict[str, object] = json.loads(check(*args, "--format", "sarif")[1])
    return log


def test_sarif_has_what_github_and_the_schema_require(shop: Path) -> None:
    """The required properties of SARIF 2.1.0, and those without which GitHub's code scanning drops a result."""
    (shop / "shop.py").write_text(FAULTY)
    log = sarif("shop")
    assert log["version"] == "2.1.0"
    assert urlsplit(log["$schema"]).path.endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "plataforma check"
    assert [rule["id"] for rule in driver["rules"]] == list(RULES)
    assert all(
        rule[part]["text"] for rule in driver["rules"] for part in ("shortDescription", "fullDescription", "help")
    )
    assert len(run["results"]) == 3
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note", "none")
        assert result["message"]["text"]
        assert all(type(value) is str for value in result["partialFingerprints"].values())
        ((place,),) = [[location["physicalLocation"]] for location in result["locations"]]
        assert Path(place["artifactLocation"]["uri"]).is_file()
        assert place["region"]["startLine"] >= 1


def test_fingerprints_survive_lines_above(shop: Path) -> None:
    def prints() -> list[object]:
        return [result["partialFingerprints"] for result in sarif("shop")["runs"][0]["results"]]

    (shop / "shop.py").write_text(FAULTY)
    before = prints()
    (shop / "shop.py").write_text("# one more line\n" + FAULTY)
    assert prints() == before
    assert len({json.dumps(each) for each in before}) == 3


def test_sarif_of_a_clean_module_has_no_results(shop: Path) -> None:
    assert sarif("shop")["runs"][0]["results"] == []


def test_sarif_names_files_from_here_or_by_their_whole_address(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop / "shop.py").write_text(FAULTY)

    def places() -> set[tuple[str, bool]]:
        results = sarif(target)["runs"][0]["results"]
        found = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in results]
        return {(place["uri"], "uriBaseId" in place) for place in found}

    target = "shop"
    assert places() == {("shop/module.toml", True), ("shop/shop.py", True)}
    target = str(shop)
    assert places() == {((shop / name).as_uri(), False) for name in ("module.toml", "shop.py")}
    target = "."
    monkeypatch.chdir(shop)
    assert places() == {("module.toml", True), ("shop.py", True)}


def test_of_a_component_nothing_is_called_dead(tmp_path: Path) -> None:
    (tmp_path / "module.toml").write_text(MANIFEST.replace('entry = "shop"', 'entry = "shop.wasm"'))
    (tmp_path / "shop.wasm").write_bytes(b"\x00asm\x0d\x00\x01\x00")
    assert findings(tmp_path) == []


def test_a_file_that_no_package_holds_is_not_called_clean(shop: Path) -> None:
    (shop / "tests").mkdir()
    (shop / "tests" / "test_shop.py").write_text("(")
    code, stdout, stderr = check("shop/tests/test_shop.py")
    assert (code, stdout) == (2, "")
    assert "is no part of the module" in stderr
