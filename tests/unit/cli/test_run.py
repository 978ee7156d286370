"""`plataforma run`: one module from the command line."""

from __future__ import annotations

import asyncio
import json

import pytest
from typer.testing import CliRunner

from plataforma_sdk.cli._app import app
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry import ModuleRegistry
from plataforma_sdk.security import SecurityService

MANIFEST = """
id = "contador"
version = "1.0.0"
name = "Contador"
description = "Counts."
licence = "MIT"
authors = ["You"]
entry = "contador:Contador"

[permissions.required]
"window.create" = "Shows the count"
"events.subscribe[user.login]" = "Counts"
"api.internal" = "Asks"

[events]
consumed = ["user.login"]
"""
SOURCE = """
from plataforma_sdk import ModuleFramework, ui

class Contador(ModuleFramework):
    async def on_load(self):
        self.count = 0
        self.subscribe("user.login", self.on_login)
        self.create_window(title="Contador")

    def on_login(self, event):
        self.count += event.data["n"]

    def add(self, n):
        self.count += n
        return self.count

    async def ask(self):
        return await self.api_call("/hello")

    def render(self):
        return ui.text(f"count {self.count}")
"""
BASE = """
from plataforma_sdk import ModuleFramework, ui

class Base(ModuleFramework):
    async def on_load(self):
        pass

    def render(self):
        return ui.text("base")
"""
API = """
async def application(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b'{"hello": "world"}'})
"""


@pytest.fixture
def module(tmp_path):
    root = tmp_path / "contador"
    root.mkdir()
    (root / "module.toml").write_text(MANIFEST)
    (root / "contador.py").write_text(SOURCE)
    return root


def run_command(*arguments):
    return CliRunner().invoke(app, ["run", *map(str, arguments)])


@pytest.mark.parametrize("engine", ["trusted", "restricted", "wasm"])
def test_it_emits_calls_and_shows_the_window(module, engine):
    result = run_command(
        module, "--yes", "--engine", engine, "--emit", 'user.login {"n": 2}', "--call", "add [40]", "--json"
    )
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert report["emitted"] == [{"topic": "user.login", "delivered": 1, "errors": []}]
    assert report["calls"] == [{"method": "add", "result": 42}]
    assert report["windows"]["main"]["props"] == {"value": "count 42"}


def test_a_terminal_sees_the_window(module):
    result = run_command(module, "--yes", "--engine", "trusted")
    assert "count 0" in result.stdout


def test_an_archive_runs_too(module, tmp_path):
    archive = tmp_path / "contador.zip"
    ModulePackage.from_directory(module).write(archive)
    assert run_command(archive, "--yes", "--engine", "trusted").exit_code == 0


def test_what_it_depends_on_comes_from_the_usual_registry(module, tmp_path, monkeypatch):
    (module / "module.toml").write_text(f'{MANIFEST}[dependencies]\nbase = "^1"\n')
    monkeypatch.setenv("PLATAFORMA_REGISTRY", str(tmp_path / "registry"))
    monkeypatch.setenv("HOME", str(tmp_path))
    result = run_command(module, "--yes", "--engine", "trusted")
    assert (result.exit_code, "base" in result.stderr) == (1, True)

    async def publish():
        async with ModuleRegistry(tmp_path / "registry", security=SecurityService(trial=False, tools=False)) as there:
            await there.publish(ModulePackage.from_source(BASE, id="base", version="1.2.0"))

    asyncio.run(publish())
    result = run_command(module, "--yes", "--engine", "trusted")
    assert result.exit_code == 0, result.stderr


def test_without_a_terminal_nothing_is_granted(module):
    result = run_command(module, "--engine", "trusted")
    assert result.exit_code == 1
    assert "--grant" in result.stderr


def test_what_is_granted_by_name_is_enough(module):
    grants = [part for name in ("window.create", "events.subscribe", "api.internal") for part in ("--grant", name)]
    assert run_command(module, "--engine", "trusted", *grants).exit_code == 0


def test_an_application_answers_its_calls(module, tmp_path, monkeypatch):
    (tmp_path / "an_api_for_run.py").write_text(API)
    monkeypatch.chdir(tmp_path)
    api = ("--api", "an_api_for_run:application")
    result = run_command(module, "--yes", "--engine", "trusted", *api, "--call", "ask", "--json")
    assert json.loads(result.stdout)["calls"][0]["result"] == {"hello": "world"}


def test_a_call_that_fails_says_why(module):
    result = run_command(module, "--yes", "--engine", "trusted", "--call", "add")
    assert (result.exit_code, "TypeError" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--call", "add {"], "no JSON"),
        (["--call", "add 4"], "JSON list"),
        (["--api", "nothing"], "module:app"),
        (["--api", "no_such_module_here:app"], "no_such_module_here"),
        (["--stay", "--json"], "plataforma"),
    ],
)
def test_wrong_use_says_what_to_write(module, arguments, says):
    result = run_command(module, "--yes", *arguments)
    assert (result.exit_code, says in result.stderr) == (2, True)


def test_an_event_whose_handler_fails_fails_the_run(module):
    result = run_command(module, "--yes", "--engine", "trusted", "--emit", "user.login {}")
    assert result.exit_code == 1
    assert "user.login: handled 0 times\nuser.login: failed: " in result.stdout
    assert "KeyError" in result.stdout
    assert result.stderr.replace("granted ", "").split() == []


def test_ctrl_c_before_the_end_is_no_success(module, monkeypatch):
    def interrupted(job):
        job.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("plataforma_sdk.cli._run.asyncio.run", interrupted)
    assert run_command(module, "--yes", "--engine", "trusted").exit_code == 130


def test_ctrl_c_ends_a_module_that_stays(module, monkeypatch):
    async def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("plataforma_sdk.cli._run._stay", interrupted)
    assert run_command(module, "--yes", "--engine", "trusted", "--stay").exit_code == 0


@pytest.mark.parametrize("option", [("--engine", "warp"), ("--grant", "Bad Name")], ids=" ".join)
def test_an_option_that_names_nothing_is_wrong_use(module, option):
    assert run_command(module, *option).exit_code == 2
