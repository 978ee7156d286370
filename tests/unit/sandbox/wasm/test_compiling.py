"""Compiling ahead of time, where several processes want it at once, or one is killed half-way."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from plataforma_sdk.sandbox.wasm import _compiled
from plataforma_sdk.sandbox.wasm._runner import Runner

COMPILE = """
import contextlib, pathlib, sys, time
from wasmtime import Engine
from plataforma_sdk.sandbox.wasm import _compiled
from plataforma_sdk.sandbox.wasm._runner import Runner

@contextlib.contextmanager
def progress(what, expected_s):
    with open("said", "a") as file:
        file.write("x")
    yield

def write_aside(path, data):
    if sys.argv[2:] == ["halt"]:
        path.with_name(f".{path.name}.half").write_bytes(data[:10])  # what a process that is killed here leaves
        pathlib.Path("halfway").touch()
        time.sleep(60)
    original(path, data)

original, _compiled.write_aside = _compiled.write_aside, write_aside
runner = Runner(path=pathlib.Path("tiny.wasm"), sha256=sys.argv[1], files={})
_compiled._load(Engine(_compiled._config(_compiled.FIBERS)), runner, pathlib.Path("cache/tiny.cwasm"), progress)
print("mapped")
"""
DEADLINE_S = 20


@pytest.fixture
def compile_(tmp_path):
    """Start a process that compiles a tiny component into a cache of its own."""
    from wasmtime import wat2wasm

    (tmp_path / "cache").mkdir(mode=0o700)
    (tmp_path / "tiny.wasm").write_bytes(wat2wasm("(component)"))
    digest = hashlib.sha256((tmp_path / "tiny.wasm").read_bytes()).hexdigest()
    script = tmp_path / "compile.py"
    script.write_text(textwrap.dedent(COMPILE))
    started = []

    def start(*words):
        path = os.pathsep.join(path for path in sys.path if path)
        process = subprocess.Popen(
            [sys.executable, str(script), digest, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_until(condition):
    ends = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_processes_that_start_at_once_compile_once(compile_, tmp_path):
    processes = [compile_() for _ in range(3)]
    assert [process.communicate(timeout=DEADLINE_S)[0] for process in processes] == ["mapped\n"] * 3
    assert (tmp_path / "said").read_text() == "x"
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [".lock", "tiny.cwasm"]


def test_a_process_killed_half_way_leaves_nothing_that_is_loaded(compile_, tmp_path):
    first = compile_("halt")
    wait_until((tmp_path / "halfway").exists)
    second = compile_()
    time.sleep(0.2)
    assert not (tmp_path / "cache" / "tiny.cwasm").exists()  # once the first is gone, the second makes it at once
    first.send_signal(signal.SIGKILL)
    first.wait(DEADLINE_S)
    assert second.communicate(timeout=DEADLINE_S)[0] == "mapped\n"
    assert (tmp_path / "said").read_text() == "xx"
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [".lock", "tiny.cwasm"]


def test_a_damaged_artefact_is_compiled_anew(compile_, tmp_path):
    compile_().communicate(timeout=DEADLINE_S)
    (tmp_path / "cache" / "tiny.cwasm").write_bytes(b"damaged")
    assert compile_().communicate(timeout=DEADLINE_S)[0] == "mapped\n"
    assert (tmp_path / "said").read_text() == "xx"


def test_the_key_tells_runners_apart(tmp_path):
    keys = {_compiled._key(Runner(path=tmp_path, sha256=digest, files={}), _compiled.FIBERS) for digest in ("a", "b")}
    assert len(keys) == 2
