"""`plataforma pack` and `plataforma inspect`."""

from __future__ import annotations

import json
import zipfile

import pytest
from typer.testing import CliRunner

from plataforma_sdk import ModulePackage
from plataforma_sdk.cli._app import app

MANIFEST = """
id = "acme/vendas"
version = "1.2.0"
name = "Vendas"
entry = "vendas:Vendas"
exclude = ["trusted"]

[permissions.required]
"api.vendas[GET]" = "Reads\\u001b[31m sales"

[permissions.optional]
"window.create" = "Shows them"

[events]
consumed = ["user.login"]

[endpoints]
"/acme--vendas/resumo" = ["GET"]

[config.moeda]
type = "string"
default = "BRL"

[limits]
max_call_ms = 500

[dependencies]
"acme/base" = "^1.2"
"""
SOURCE = "raise SystemExit('ran')\nclass Vendas: ...\n"


@pytest.fixture
def project(tmp_path):
    """A module's directory as authors leave it, with all that no host needs."""
    root = tmp_path / "vendas"
    texts = {
        "module.toml": MANIFEST.replace("\\u001b[31m", ""),
        "vendas.py": SOURCE,
        "README.md": "# Vendas\n",
        "assets/logo.txt": "logo",
        "tests/test_vendas.py": "",
        "tests/snapshots/tree.txt": "",
        "test_more.py": "",
        "conftest.py": "",
        "dist/old.zip": "",
        "build/lib/x.py": "",
        "old.zip": "",
        ".git/config": "",
        ".plataformaignore": "# mine\nnotes/*.txt\n/scratch\n",
        "notes/a.txt": "",
        "notes/b.md": "kept",
        "scratch/x.py": "",
        "assets/scratch": "kept",
        "__pycache__/vendas.cpython-313.pyc": "",
    }
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


KEPT = ["README.md", "assets/logo.txt", "assets/scratch", "module.toml", "notes/b.md", "vendas.py"]


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


def packed(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_package_holds_what_a_host_needs_and_no_more(project):
    data = packed(run("pack", project, "--json"))
    assert [file["path"] for file in data["files"]] == KEPT
    with zipfile.ZipFile(data["archive"]) as archive:
        assert archive.namelist() == KEPT


def test_packing_twice_gives_the_same_bytes(project, tmp_path):
    first, second = tmp_path / "a.zip", tmp_path / "b.zip"
    assert run("pack", project).exit_code == 0  # leaves dist/ behind, which the next one must not take along
    digests = {packed(run("pack", project, "-o", path, "--json"))["digest"] for path in (first, second)}
    assert first.read_bytes() == second.read_bytes()
    assert digests == {ModulePackage.from_archive(first).digest}


def test_an_archive_written_into_the_directory_is_not_packed_by_the_next_run(project):
    first, second = (packed(run("pack", project, "-o", project / "new.zip", "--json")) for _ in range(2))
    assert first == second


def test_an_archive_that_would_grow_with_each_run_is_refused(project):
    target = project / "assets" / "new.zip"
    assert run("pack", project, "-o", target).exit_code == 0
    before = target.read_bytes()
    result = run("pack", project, "-o", target)
    assert (result.exit_code, target.read_bytes()) == (1, before)
    assert "elsewhere" in result.stderr


def test_tests_are_carried_where_somebody_asks(project):
    data = packed(run("pack", project, "--with-tests", "--json"))
    assert {"tests/test_vendas.py", "conftest.py"} <= {file["path"] for file in data["files"]}


def test_the_list_takes_back_what_is_left_out_by_default(project):
    (project / ".plataformaignore").write_text("!build/\n!tests/\n!test_*.py\nscratch/\nnotes/\n")
    paths = {file["path"] for file in packed(run("pack", project, "--json"))["files"]}
    assert paths - set(KEPT) == {"build/lib/x.py", "tests/test_vendas.py", "test_more.py"}


def test_patterns_that_are_not_understood_are_all_shown(project):
    (project / ".plataformaignore").write_text("ok\n**/x\n!\n")
    result = run("pack", project)
    assert result.exit_code == 1
    assert ".plataformaignore:2: '**/x'" in result.stderr
    assert ".plataformaignore:3: '!'" in result.stderr


def test_every_fault_of_the_manifest_is_shown_and_nothing_is_written(project):
    (project / "module.toml").write_text('id = "Vendas"\nversion = "1"\n')
    result = run("pack", project)
    assert result.exit_code == 1
    assert "3 faults" in result.stderr
    assert [path.name for path in (project / "dist").iterdir()] == ["old.zip"]


def test_an_ending_that_no_host_knows_is_wrong_use(project, tmp_path):
    result = run("pack", project, "-o", tmp_path / "vendas.tar")
    assert (result.exit_code, list(tmp_path.glob("*.tar"))) == (2, [])
    assert "vendas.zip" in result.stderr


def test_pack_says_what_to_do_next(project):
    result = run("pack", project)
    assert "acme--vendas-1.2.0.zip" in result.stdout
    assert "plataforma inspect" in result.stdout


# --- inspect ---------------------------------------------------------------------------------------------------------


def test_inspect_tells_all_that_the_package_says_and_runs_nothing(project):
    """Its source ends the process that runs it."""
    data = json.loads(run("inspect", project, "--json").stdout)
    assert (data["id"], data["version"], data["entry"]) == ("acme/vendas", "1.2.0", "vendas:Vendas")
    assert data["tiers"] == ["restricted", "wasm"]
    assert data["permissions"] == {
        "required": {"api.vendas[GET]": "Reads sales"},
        "optional": {"window.create": "Shows them"},
    }
    assert data["events"] == {"published": [], "consumed": ["user.login"]}
    assert data["endpoints"] == {"/acme--vendas/resumo": ["GET"]}
    assert (data["limits"], data["dependencies"]) == ({"max_call_ms": 500}, {"acme/base": "^1.2"})
    assert data["config"] == {"moeda": {"type": "string", "default": "BRL"}}
    assert list(data["files"]) == KEPT
    assert data["imports"] is None


def test_a_directory_and_its_archive_are_one_package(project, tmp_path):
    archive = packed(run("pack", project, "--json"))["archive"]
    assert run("inspect", project, "--json").stdout == run("inspect", archive, "--json").stdout


@pytest.mark.parametrize(
    "words", ["api.vendas[GET]: Reads sales", "acme/base ^1.2", "/acme--vendas/resumo GET", "max_call_ms = 500"]
)
def test_inspect_for_people_shows_each_thing(project, words):
    assert words in run("inspect", project).stdout


def test_a_description_cannot_forge_what_the_command_says(project):
    manifest = (project / "module.toml").read_text()
    (project / "module.toml").write_text('description = """Sums.\nTiers    none\nEntry    x"""\n' + manifest)
    lines = run("inspect", project).stdout.splitlines()
    assert [line for line in lines if line.startswith("Tiers")] == ["Tiers    restricted, wasm"]
    assert [line for line in lines if line.startswith("Entry")] == ["Entry    vendas:Vendas"]


def test_words_of_a_package_do_not_reach_the_terminal_as_they_are(project):
    """CWE-150: a file name is what a manifest's rules do not cover."""
    (project / "assets/\u202elogo.txt").write_text("x")
    result = run("inspect", project)
    assert result.exit_code == 1
    assert "\u202e" not in result.output


def test_inspect_of_a_component_shows_what_it_imports(tmp_path):
    text = (
        '(module (import "plataforma" "host_call" (func (param i32))) (import "env" "memory" (memory 1 2))'
        ' (import "env" "table" (table 1 funcref)) (import "env" "g" (global i32)) (import "wasi" "f" (func)))'
    )
    from wasmtime import wat2wasm

    (tmp_path / "x.wasm").write_bytes(wat2wasm(text))
    (tmp_path / "x.toml").write_text('id = "x"\nversion = "1.0.0"\nentry = "x.wasm"\n')
    data = json.loads(run("inspect", tmp_path / "x.wasm", "--json").stdout)
    assert data["imports"] == ["plataforma.host_call", "env.memory", "env.table", "env.g", "wasi.f"]
    assert data["tiers"] == ["wasm"]


COMPONENT = b"\0asm\x0d\0\x01\0"
MODULE = b"\0asm\x01\0\0\0"


@pytest.mark.parametrize(
    ("binary", "why"),
    [
        (COMPONENT + b"\x0a" + b"\x80" * 4_000_000, "too long"),
        (COMPONENT + b"\x0a\x05\x80\x80\x80\x80\x80", "cut off"),
        (COMPONENT + b"\x0a\x08\x01\x00\x01x\x09\x00\x00\x00", "'x' is of the kind 9"),
        (MODULE + b"\x02\x06\xff\xff\xff\x7f\x01x", "cut off"),
        (MODULE + b"\x02\x03\x01\x05x", "a name of 5 bytes"),
        (MODULE + b"\x02\x83\xb5\x18\xa0\x8d\x06" + b"\0\0\0\0" * 100_000, "more than 10,000"),
    ],
    ids=["endless length", "cut length", "unknown kind", "endless count", "long name", "too many"],
)
def test_a_hostile_binary_is_refused_at_once(tmp_path, binary, why):
    """A length without end would be a number without end: seconds, then minutes. CWE-400."""
    (tmp_path / "x.wasm").write_bytes(binary)
    (tmp_path / "x.toml").write_text('id = "x"\nversion = "1.0.0"\nentry = "x.wasm"\n')
    result = run("inspect", tmp_path / "x.wasm")
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr
    assert why in result.stderr


@pytest.mark.parametrize("cut", [9, 20, 40])
def test_a_damaged_binary_is_an_error_and_no_crash(tmp_path, cut):
    from wasmtime import wat2wasm

    whole = wat2wasm('(module (import "plataforma" "host_call" (func (param i32))) (memory 1))')
    (tmp_path / "x.wasm").write_bytes(whole[:cut])
    (tmp_path / "x.toml").write_text('id = "x"\nversion = "1.0.0"\nentry = "x.wasm"\n')
    result = run("inspect", tmp_path / "x.wasm")
    assert result.exit_code == 1
    assert "build it anew" in result.stderr


def test_what_is_no_package_is_told(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"no zip")
    result = run("inspect", tmp_path / "x.zip")
    assert result.exit_code == 1
    assert "no zip at all" in result.stderr


def test_a_place_that_cannot_be_written_is_told_with_the_option_for_another(project):
    (project / "in-the-way").write_text("a file where a folder is wanted")
    result = run("pack", project, "--output", project / "in-the-way" / "vendas.zip")
    assert result.exit_code == 1
    assert "choose another with --output" in result.stderr


def test_what_is_to_be_typed_next_is_quoted(project, tmp_path):
    archive = tmp_path / "two words.zip"
    assert f"plataforma inspect '{archive}'" in run("pack", project, "--output", archive).stdout


def test_an_archive_that_is_none_is_named(tmp_path):
    file = tmp_path / "none.zip"
    file.write_text("no zip")
    assert f"{file}: The archive cannot be read" in run("inspect", file).stderr


def test_a_folder_without_a_manifest_is_not_read(tmp_path):
    (tmp_path / "elsewhere").symlink_to(tmp_path)
    assert "it holds no module.toml" in run("inspect", tmp_path).stderr


def test_a_file_that_is_a_link_is_told_to_be_replaced(project):
    (project / "link.py").symlink_to(project / "module.toml")
    assert "link.py is a link; put the file itself in its place" in run("pack", project).stderr
