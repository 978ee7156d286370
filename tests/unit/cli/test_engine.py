"""`plataforma engine`, with a cache of its own and without a build."""

from __future__ import annotations

import json
import threading

import pytest
from typer.testing import CliRunner

from plataforma_sdk.cli._app import app
from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox._private import locked
from plataforma_sdk.sandbox.wasm import _build, _maintenance


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "plataforma-sdk"


def run(*words):
    return CliRunner().invoke(app, ["engine", *words])


def test_info_of_a_cold_engine_says_what_makes_it_warm(cache):
    """It looks and makes nothing."""
    result = run("info")
    assert result.exit_code == 0
    assert "plataforma engine warm" in result.stdout
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_info_in_json_is_one_object(cache):
    data = json.loads(run("info", "--json").stdout)
    assert (data["is_warm"], data["problem"], data["cache"], data["artefact"]) == (False, None, str(cache), None)


def test_info_of_an_engine_without_fibers_says_that_it_is_slower(cache, monkeypatch):
    monkeypatch.setattr(_maintenance, "fibers_refusal", lambda: "unknown wasmtime")
    result = run("info")
    assert result.exit_code == 0
    assert "in threads, slower: unknown wasmtime" in result.stdout


def test_warm_without_a_way_to_build_says_what_to_install(cache, monkeypatch):
    monkeypatch.setattr(_build, "can_build", lambda: False)
    monkeypatch.setattr(_maintenance, "compiled_runner", lambda _: _maintenance.find_runner() or _refuse())
    result = run("warm")
    assert result.exit_code == 1
    assert "install componentize-py" in result.stderr


def _refuse():
    raise SandboxError("There is no guest runner in this installation: install componentize-py")


def test_clear_frees_the_machine_code_and_the_runners_and_keeps_the_lock(cache):
    for name in ("compiled/a.cwasm", "runner/0f/_runner.wasm", "compiled/.lock"):
        path = cache / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    for directory in (cache, cache / "compiled", cache / "runner"):
        directory.chmod(0o700)
    assert json.loads(run("clear", "--json").stdout) == {"freed_bytes": 15}
    assert {path.name for path in cache.rglob("*") if path.is_file()} == {".lock"}


@pytest.fixture
def foreign(cache):
    """The machine code of a module in another language, 1 kB, as `_foreign` keeps it."""
    directory = cache / "foreign" / "0f"
    directory.mkdir(parents=True)
    for made in (cache, cache / "foreign", directory):
        made.chmod(0o700)
    (directory / ".lock").touch()
    (directory / "code.cwasm").write_bytes(bytes(1_000))
    return directory


def test_info_counts_the_machine_code_of_other_languages(foreign):
    assert json.loads(run("info", "--json").stdout)["cache_bytes"] == 1_000


def test_clear_frees_the_machine_code_of_other_languages_and_keeps_its_lock(foreign):
    assert json.loads(run("clear", "--json").stdout) == {"freed_bytes": 1_000}
    assert [path.name for path in foreign.iterdir()] == [".lock"]


def test_clear_waits_for_a_binary_that_is_being_compiled(foreign):
    """Its lock is held: what the compiler writes next must not vanish under it."""
    clearing = threading.Thread(target=_maintenance.clear_caches, daemon=True)
    with locked(foreign):
        clearing.start()
        clearing.join(0.1)
        assert (clearing.is_alive(), (foreign / "code.cwasm").exists()) == (True, True)
    clearing.join()
    assert not (foreign / "code.cwasm").exists()


def test_a_cache_that_others_can_write_is_refused(cache):
    cache.mkdir(mode=0o700)
    cache.chmod(0o777)
    result = run("clear")
    assert result.exit_code == 1
    assert "0777" in result.stderr
