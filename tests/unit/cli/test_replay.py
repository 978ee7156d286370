"""`plataforma replay`: what it prints and how it exits."""

from __future__ import annotations

import asyncio
import json

import pytest
from typer.testing import CliRunner

from plataforma_sdk import ModuleHost
from plataforma_sdk.cli._app import app
from plataforma_sdk.errors import GuestError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.sandbox.wasm import Journal
from plataforma_sdk.sandbox.wasm._journal import END, INSTANCE, read_frames

pytestmark = pytest.mark.timeout(180)  # the first use of a machine builds and compiles the runner

SOURCE = """
from plataforma_sdk import ModuleFramework, ui

class Sums(ModuleFramework):
    async def on_load(self):
        self.total = 0

    def render(self):
        return ui.text(str(self.total))

    def add(self, n):
        self.total += n
        return self.total

    def fail(self):
        raise ValueError("\\x1b[31mred")
"""


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """The journal of a module that added twice and failed."""
    path = tmp_path_factory.mktemp("journals") / "sums.journal"

    async def main():
        async with ModuleHost() as host:
            handle = await host.load(ModulePackage.from_source(SOURCE, id="sums"), record=path)
            await handle.call("add", 2)
            await handle.call("add", 3)
            with pytest.raises(GuestError):
                await handle.call("fail")

    asyncio.run(main())
    return path


def invoke(*words):
    return CliRunner().invoke(app, ["replay", *map(str, words)])


def changed(journal, path, kind, old, new):
    """Write the journal to `path` with a text replaced in the frames of a kind."""
    writer = Journal(path)
    writer.open()
    for frame in read_frames(journal):
        body = frame.body.replace(old, new) if frame.kind == kind else frame.body
        writer.write(frame.kind, frame.instance, body)
    writer.close()
    return path


def test_an_identical_run_says_how_much_ran_and_shows_the_fault(journal):
    result = invoke(journal)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "fault in pump 4:"
    assert "Module 'sums' raised ValueError" in lines[1]
    assert "in fail" in lines[2]
    assert lines[-1].startswith("identical: 5 pumps, ")
    assert "units of fuel (sums 0.1.0, " in lines[-1]


def test_what_a_module_wrote_does_not_reach_the_terminal_as_control(journal):
    """CWE-150: the fault's text is the module's."""
    assert "\x1b" not in invoke(journal).stdout


def test_json_is_one_object_with_the_traceback(journal):
    data = json.loads(invoke(journal, "--json").stdout)
    assert (data["identical"], data["pumps"], data["difference"], data["torn"]) == (True, 5, None, False)
    assert data["faults"][0]["pump"] == 4
    assert "in fail" in "".join(data["faults"][0]["traceback"])


def test_until_runs_so_many_pumps(journal):
    assert "identical: 3 pumps" in invoke(journal, "--until", 3).stdout


def test_a_difference_exits_with_1_and_names_the_pump(journal, tmp_path):
    result = invoke(changed(journal, tmp_path / "j", END, b"r3 5", b"r3 6"))
    assert result.exit_code == 1
    assert "pump 3: the outbox differs: recorded 'r3 6'; now 'r3 5'" in result.stdout


def test_another_runner_exits_with_2_and_says_where_the_right_one_is(journal, tmp_path):
    sha256 = json.loads(next(frame.body for frame in read_frames(journal) if frame.kind == INSTANCE))["runner"]
    result = invoke(changed(journal, tmp_path / "j", INSTANCE, sha256.encode(), b"0" * 64))
    assert result.exit_code == 2
    assert "install plataforma-sdk" in result.stderr


def test_another_file_exits_with_2(tmp_path):
    (tmp_path / "j").write_text("no journal")
    result = invoke(tmp_path / "j")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no journal that this version reads" in result.stderr


def test_another_version_is_run_on_the_same_inbox(journal, tmp_path):
    directory = tmp_path / "sums"
    directory.mkdir()
    (directory / "module.toml").write_text('id = "sums"\nversion = "0.2.0"\nentry = "module"\n')
    (directory / "module.py").write_text(SOURCE.replace('raise ValueError("\\x1b[31mred")', "return None"))
    result = invoke(journal, "--with", directory)
    assert (result.exit_code, "fault" in result.stdout) == (0, False)
    assert "ran through: 5 pumps" in result.stdout
    assert "(sums 0.2.0, " in result.stdout
