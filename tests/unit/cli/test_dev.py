"""`plataforma dev`: what is saved runs, and what is broken leaves running what ran."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from plataforma_sdk.cli._app import app
from plataforma_sdk.cli._dev_session import DevSession
from plataforma_sdk.cli._dev_view import JsonView, LineView, LiveView
from plataforma_sdk.cli._hosting import HostOptions
from plataforma_sdk.cli._watch import Poller

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
"""
SOURCE = """
from plataforma_sdk import ModuleFramework, ui

class Contador(ModuleFramework):
    async def on_load(self):
        self.count = 1
        self.create_window(title="Contador")

    def render(self):
        return ui.text(f"one {self.count}")
"""


class Studio:
    """A module's directory with somebody who edits it."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.root = root
        self.asked: list[str] = []
        self.answers: dict[str, bool] = {}
        self.shown: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self.write(MANIFEST, "module.toml")
        self.write(SOURCE)
        options = {"engine": "trusted", "grants": ("window.create",), **options}
        self.session = DevSession(root, HostOptions(**options), self.show, self.ask, waker=Poller(0.002))

    def write(self, text: str, name: str = "contador.py") -> None:
        (self.root / name).write_text(text)

    def show(self, what: str, /, **fields: Any) -> None:
        self.shown.put_nowait((what, fields))

    async def ask(self, request: Any) -> bool:
        self.asked.append(request.permission)
        return self.answers.get(request.permission, False)

    async def next(self, *wanted: str) -> tuple[str, dict[str, Any]]:
        while True:
            what, fields = await self.shown.get()
            if what in wanted:
                return what, fields


@pytest.fixture
def studio(tmp_path, run):
    """Run a scene beside the session: ``studio(scene)``."""

    def play(scene, **options):
        async def main():
            studio = Studio(tmp_path, **options)
            session = asyncio.create_task(studio.session.run())
            try:
                return await scene(studio)
            finally:
                session.cancel()
                await asyncio.wait([session])

        return run(main())

    return play


@pytest.mark.parametrize("engine", ["trusted", "restricted", "wasm"])
def test_a_save_reloads_and_shows_the_new_window(studio, engine):
    async def scene(studio):
        await studio.next("loaded")
        studio.write(SOURCE.replace("one", "two"))
        _, tree = await studio.next("tree")
        _, reloaded = await studio.next("reloaded")
        return tree["tree"]["props"]["value"], reloaded["engine"], reloaded["files"]

    assert studio(scene, engine=engine) == ("two 1", engine, ["contador.py"])


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        pytest.param("contador.py", SOURCE + "x(", "contador.py, line 11", id="syntax"),
        pytest.param("contador.py", SOURCE.replace("= 1", "= 1 // 0"), 'File "contador.py", line 6', id="on_load"),
        pytest.param("contador.py", SOURCE.replace('f"one', '1 // 0, f"one'), 'File "contador.py", line 10', id="view"),
        pytest.param("module.toml", MANIFEST.replace("1.0.0", "x"), "module.toml:3: version", id="manifest"),
        pytest.param("module.toml", MANIFEST.replace('"contador"', '"other"', 1), "start it again", id="another id"),
    ],
)
def test_what_is_broken_says_where_and_leaves_the_old_one_running(studio, name, text, says):
    async def scene(studio):
        await studio.next("loaded")
        studio.write(text, name)
        _, failed = await studio.next("failed")
        studio.write(MANIFEST, "module.toml")
        studio.write(SOURCE.replace("one", "mended"))
        _, reloaded = await studio.next("reloaded")
        return failed, reloaded["version"]

    failed, version = studio(scene)
    assert says in failed["error"]
    assert (failed["runs"], version) == ("1.0.0", "1.0.0")


def test_a_module_that_does_not_load_at_first_is_loaded_once_it_is_mended(studio):
    async def scene(studio):
        studio.write(SOURCE + "x(")
        _, failed = await studio.next("failed")
        studio.write(SOURCE)
        await studio.next("reloaded")
        return failed["runs"]

    assert studio(scene) is None


WIDER = MANIFEST + '"system.storage" = "Keeps it"\n'


def test_wider_permissions_are_asked_for_again(studio):
    async def scene(studio):
        await studio.next("loaded")
        studio.answers["system.storage"] = True
        studio.write(WIDER, "module.toml")
        await studio.next("reloaded")
        return studio.asked

    assert studio(scene) == ["system.storage"]


def test_wider_permissions_that_are_refused_leave_the_old_one_running(studio):
    async def scene(studio):
        await studio.next("loaded")
        studio.write(WIDER, "module.toml")
        _, failed = await studio.next("failed")
        return failed["runs"], "--grant 'system.storage'" in failed["error"]

    assert studio(scene) == ("1.0.0", True)


def test_events_denials_logs_and_leaks_are_shown(studio):
    noisy = SOURCE.replace(
        "self.count = 1",
        """self.count = 1
        print("hello")
        self.emit("saved", 7)
        for _ in range(9):
            self.every(60, self.render)
        try:
            await self.clipboard.read()
        except Exception:
            pass""",
    )

    async def scene(studio):
        await studio.next("loaded")
        studio.write(MANIFEST + '"events.emit" = "Tells"\n', "module.toml")
        studio.write(noisy)
        seen = {}
        while "reloaded" not in seen:
            what, fields = await studio.shown.get()
            seen[what] = fields
        return seen

    seen = studio(scene, grants=("window.create", "events.emit"))
    assert seen["event"] == {"topic": "module.contador.saved", "data": 7}
    assert seen["denied"]["permission"] == "system.clipboard"
    assert "hello" in seen["log"]["message"]
    assert "9 times the same timer 'every 60 s', at contador.py:10" in seen["leak"]["error"]


SCRIPT = (
    ("loaded", {"module": "m", "version": "1.0.0", "engine": "wasm", "files": [], "since_seen_ms": 3.0}),
    ("tree", {"window": "main", "tree": {"type": "text", "key": "0", "props": {"value": "hi"}, "children": []}}),
    ("event", {"topic": "a.b", "data": {"n": 1}}),
    ("denied", {"permission": "a.b", "why": "undeclared"}),
    ("failed", {"files": ["m.py"], "error": "broken\nthere", "runs": None}),
    ("usage", {"cpu_ms": 1.0, "fuel": 5, "memory_bytes": 0, "host_calls": 2}),
)


def shown_by(view: Any, out: io.StringIO) -> str:
    with view:
        for what, fields in SCRIPT:
            view.show(what, **fields)
        with view.paused():
            view.show("log", level="info", message="[red]not markup[/]")
    return out.getvalue()


@pytest.mark.parametrize("kind", [LineView, LiveView])
def test_a_terminal_shows_all_of_it(kind):
    out = io.StringIO()
    text = shown_by(kind(Console(file=out, width=100, force_terminal=kind is LiveView, color_system=None)), out)
    for part in ("m 1.0.0 in wasm: 3.0 ms", "hi", "a.b {'n': 1}", "a.b (undeclared)", "nothing runs yet", "[red]not"):
        assert part in text


def test_json_is_one_object_a_line():
    out = io.StringIO()
    lines = [json.loads(line) for line in shown_by(JsonView(out), out).splitlines()]
    assert [line["what"] for line in lines] == [*(what for what, _ in SCRIPT), "log"]


def test_a_directory_without_a_manifest_is_wrong_use(tmp_path):
    result = CliRunner().invoke(app, ["dev", str(tmp_path)])
    assert result.exit_code == 2
    assert "module.toml" in result.stderr


def test_an_engine_that_is_not_there_is_wrong_use(tmp_path):
    (tmp_path / "module.toml").write_text(MANIFEST)
    result = CliRunner().invoke(app, ["dev", str(tmp_path), "--engine", "warp"])
    assert (result.exit_code, "'warp' is not one of 'trusted', 'restricted', 'wasm'" in result.stderr) == (2, True)
