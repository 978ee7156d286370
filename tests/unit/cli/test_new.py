"""`plataforma new`: what it makes passes its own tests, is packed, and loads."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from plataforma_sdk import ModuleHost, ModulePackage
from plataforma_sdk.cli._app import app
from plataforma_sdk.cli._new import TemplateChoice
from plataforma_sdk.cli._scaffold import NewModule, make_files

PYTHON_TEMPLATES = ("python", "window")
ODD = """Olá "você" \\ {{id}} */ é"""


def run(*words, answers=None):
    return CliRunner().invoke(app, [*map(str, words)], input=answers)


def make(tmp_path, template, module_id="acme/minhas-vendas", *options):
    target = tmp_path / "module"
    result = run("new", module_id, "-t", template, "-d", target, *options)
    assert result.exit_code == 0, result.stderr
    return target


@pytest.mark.parametrize("template", PYTHON_TEMPLATES)
@pytest.mark.timeout(120)  # the first wasm test of a machine compiles the guest
def test_a_python_module_passes_its_tests_in_every_tier(tmp_path, template):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "plataforma_sdk.cli",
            "test",
            make(tmp_path, template, "acme/minhas-vendas", "--title", ODD),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed" in done.stdout


@pytest.mark.parametrize("template", PYTHON_TEMPLATES)
def test_what_was_packed_loads_in_a_host(tmp_path, template):
    target = make(tmp_path, template)
    assert run("pack", target).exit_code == 0
    package = ModulePackage.from_path(target / "dist" / "acme--minhas-vendas-0.1.0.zip")

    async def main():
        async with ModuleHost(engine="restricted") as host:
            module = await host.load(package, grants=package.manifest.permissions.declared)
            return (await module.render())["type"]

    assert asyncio.run(main()) == {"python": "metric", "window": "column"}[template]
    assert set(package.files) == {"module.toml", "README.md", "minhas_vendas.py"}


@pytest.mark.parametrize("template", ["javascript", "c"])
def test_without_the_tools_the_tests_skip_and_say_which_is_missing(tmp_path, template, monkeypatch):
    target = make(tmp_path, template, "vendas")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname"):
        (tools / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(tools))
    done = subprocess.run(
        [sys.executable, "-m", "plataforma_sdk.cli", "test", target], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "3 skipped" in done.stdout
    assert {"javascript": "componentize-qjs is missing", "c": "clang is missing"}[template] in done.stdout


@pytest.mark.parametrize("template", ["javascript", "c"])
def test_what_is_not_built_is_not_packed_and_the_error_says_what_to_do(tmp_path, template):
    result = run("pack", make(tmp_path, template, "vendas"))
    assert result.exit_code == 1
    assert "no vendas.wasm; the package has no .wasm file: build it first" in result.stderr


@pytest.mark.parametrize("template", TemplateChoice)
def test_every_placeholder_is_filled_in(template):
    module = NewModule(id="vendas", name="Vendas", description="Soma.", author="Ana", licence="MIT")
    whole = b"".join(make_files(template, module).values()).decode()
    assert re.findall(r"\{\{[a-z_]+\}\}", whole) == []
    assert "Vendas" in whole


@pytest.mark.parametrize(
    ("module_id", "stem", "class_name"),
    [
        ("vendas", "vendas", "VendasModule"),
        ("acme/minhas-vendas", "minhas_vendas", "MinhasVendasModule"),
        ("json", "module_json", "ModuleJsonModule"),
        ("class", "module_class", "ModuleClassModule"),
        ("3d", "module_3d", "Module3dModule"),
    ],
)
def test_the_main_file_can_be_imported_and_hides_nothing(module_id, stem, class_name):
    module = NewModule(id=module_id, name="x", description="", author="", licence="MIT")
    assert (module.stem, module.class_name) == (stem, class_name)


@pytest.mark.parametrize("module_id", ["Vendas", "minhas_vendas", "../x", "a/b/c", ""])
def test_what_is_no_id_is_refused_before_anything_is_written(tmp_path, monkeypatch, module_id):
    monkeypatch.chdir(tmp_path)
    result = run("new", module_id)
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "single hyphens" in result.stderr


def test_what_belongs_in_no_manifest_is_refused_before_anything_is_written(tmp_path):
    result = run("new", "vendas", "-d", tmp_path / "vendas", "--licence", "none (")
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "SPDX" in result.stderr


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    result = run("new", "vendas", "-d", tmp_path)
    assert (result.exit_code, [path.name for path in tmp_path.iterdir()]) == (1, ["notes.txt"])
    assert "--directory" in result.stderr


def test_without_a_name_and_without_a_terminal_it_says_what_to_write():
    result = run("new")
    assert result.exit_code == 2
    assert "plataforma new NAME" in result.stderr


def test_in_a_terminal_it_asks_for_name_and_template(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plataforma_sdk.cli._new.can_ask", lambda: True)
    result = run("new", answers="clientes\nwindow\n")
    assert result.exit_code == 0, result.stderr
    assert "window.create" in Path("clientes/module.toml").read_text(encoding="utf-8")


def test_with_yes_it_asks_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plataforma_sdk.cli._new.can_ask", lambda: True)
    assert run("new", "clientes", "--yes").exit_code == 0
    assert "venda.criada" in Path("clientes/module.toml").read_text(encoding="utf-8")


def test_the_next_steps_can_be_typed(tmp_path):
    result = CliRunner().invoke(app, ["new", "vendas", "--yes", "--directory", str(tmp_path / "two words")])
    assert f"  cd '{tmp_path}/two words'\n" in result.stdout
