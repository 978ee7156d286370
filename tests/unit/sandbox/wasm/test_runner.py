"""Which runner is used, and when it is built again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil

import pytest

from plataforma_sdk.errors import SandboxError, StaleRunnerError
from plataforma_sdk.sandbox.wasm import _build, _compiled
from plataforma_sdk.sandbox.wasm._runner import PACKAGE, locate_runner


class Said:
    """Notes what is announced; nothing may be, where it is given no list."""

    def __init__(self, texts):
        self.texts = texts

    def __call__(self, what, expected_s):
        assert expected_s > 0
        self.texts.append(what)
        return contextlib.nullcontext()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of what goes into the runner, a cache of its own, and a builder that writes a few bytes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    copy = tmp_path / "plataforma_sdk"
    for name in _build.baked_files(PACKAGE):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / name, copy / name)
    monkeypatch.setattr(_build, "_componentize", lambda _stage, _wit, built: built.write_bytes(b"runner"))
    monkeypatch.setattr(_build, "can_build", lambda: True)
    return copy


def test_the_authoring_layer_and_the_guest_are_baked_in_and_nothing_else(package):
    names = set(_build.baked_files(PACKAGE))
    assert {"__init__.py", "codec.py", "errors.py", "types.py", "module/_runtime.py", "ui/__init__.py"} <= names
    assert {"sandbox/wasm/guest/app.py", "sandbox/wasm/guest/wit/module.wit"} <= names
    rooms = {name.split("/")[0] for name in names if "/" in name}
    assert rooms == {"module", "permissions", "ui", "sandbox"}
    assert all(name.startswith("sandbox/wasm/guest/") for name in names if name.startswith("sandbox/"))


def test_what_is_staged_is_what_is_recorded(package, tmp_path):
    _build._stage(package, _build.baked_files(package), tmp_path / "stage")
    staged = {path.relative_to(tmp_path / "stage").as_posix() for path in (tmp_path / "stage").rglob("*.*")}
    ours = {f"plataforma_sdk/{name}" for name in _build.baked_files(package)}
    made = {"runner_app.py", "plataforma_sdk/sandbox/__init__.py", "plataforma_sdk/sandbox/wasm/__init__.py"}
    assert {name for name in staged if not name.startswith("attr")} == ours | made
    assert {"attr/__init__.py", "attrs/__init__.py"} <= staged


def test_a_runner_is_built_once_and_then_found(package):
    said = []
    first = locate_runner(package, progress=Said(said))
    again = locate_runner(package, progress=Said(said))
    assert (first == again, len(said), first.path.read_bytes()) == (True, 1, b"runner")
    assert first.sha256 == hashlib.sha256(b"runner").hexdigest()


def test_a_changed_file_builds_it_again(package):
    said = []
    before = locate_runner(package, progress=Said(said))
    (package / "codec.py").write_text("# changed\n")
    after = locate_runner(package, progress=Said(said))
    assert (len(said), before.path != after.path) == (2, True)
    assert before.files.keys() == after.files.keys()


def test_the_runner_of_a_wheel_is_used_as_it_is(package):
    _build.build_runner(package, package / "sandbox" / "wasm")
    runner = locate_runner(package, progress=Said(None))
    assert runner.path == package / "sandbox" / "wasm" / "_runner.wasm"


def test_a_stale_runner_that_cannot_be_built_names_the_file(package, monkeypatch):
    _build.build_runner(package, package / "sandbox" / "wasm")
    (package / "errors.py").write_text("# changed\n")
    monkeypatch.setattr(_build, "can_build", lambda: False)
    with pytest.raises(StaleRunnerError, match=r"errors\.py.*componentize-py"):
        locate_runner(package)


def test_no_runner_at_all_is_told(package, monkeypatch):
    monkeypatch.setattr(_build, "can_build", lambda: False)
    with pytest.raises(StaleRunnerError, match="no guest runner"):
        locate_runner(package)


def test_a_build_that_fails_is_told_and_leaves_nothing(package, monkeypatch):
    def fail(*_):
        raise RuntimeError("componentize-py could not")

    monkeypatch.setattr(_build, "_componentize", fail)
    with pytest.raises(StaleRunnerError, match="could not"):
        locate_runner(package, progress=Said([]))
    assert not list(package.parent.rglob("_runner.*"))


@pytest.mark.parametrize("text", ["", "{}", '{"sha256": "x", "size": 1, "files": {}}', "[]"])
def test_a_sidecar_that_is_none_counts_as_absent(package, monkeypatch, text):
    runner = locate_runner(package, progress=Said([]))
    (runner.path.parent / "_runner.json").write_text(text)
    said = []
    assert locate_runner(package, progress=Said(said)).path == runner.path
    assert len(said) == 1


def test_few_builds_are_kept(package, tmp_path):
    for number in range(6):
        (package / "codec.py").write_text(f"# {number}\n")
        locate_runner(package, progress=Said([]))
    assert len(list((tmp_path / "cache").rglob("_runner.wasm"))) == 3


def test_a_runner_that_is_not_the_one_built_is_not_compiled(package):
    runner = locate_runner(package, progress=Said([]))
    runner.path.write_bytes(b"runnex")
    with pytest.raises(StaleRunnerError, match="not the one that was built"):
        _compiled._verified(runner)


def test_the_sidecar_says_what_the_runner_is_made_of(package):
    runner = locate_runner(package, progress=Said([]))
    sidecar = json.loads((runner.path.parent / "_runner.json").read_text())
    assert set(sidecar) == {"sha256", "size", "recipe", "files", "attrs", "componentize-py"}


def test_another_process_is_refused_after_a_fork(monkeypatch):
    compiled = _compiled.compiled_runner()
    monkeypatch.setattr(_compiled.os, "getpid", lambda: compiled.pid + 1)
    with pytest.raises(SandboxError, match="forked"):
        compiled.check_process()


def component(*imports, kind=5):
    """A component with nothing but imports, each in a section of its own."""
    data = b"\0asm\x0d\0\x01\0"
    for name in imports:
        section = b"\x01\x00" + bytes([len(name)]) + name.encode() + bytes([kind, 0])
        data += b"\x0a" + bytes([len(section)]) + section
    return data


def test_the_imports_of_a_component_are_read():
    assert _build.component_imports(component("wasi:io/poll@0.2.9", "x:y/z")) == ["wasi:io/poll@0.2.9", "x:y/z"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\0asm\x01\0\0\0", id="a core module"),
        pytest.param(component("wasi:io/poll")[:-1], id="cut off"),
        pytest.param(component("f", kind=1), id="a bare function"),
    ],
)
def test_what_is_no_component_of_interfaces_is_refused(data):
    with pytest.raises(RuntimeError, match=r"(component|interface)"):
        _build.component_imports(data)


def test_a_runner_with_a_strange_import_is_refused(monkeypatch):
    monkeypatch.setattr(_build, "_SIZE_BYTES", (0, 1_000))
    _build.check_runner(component("plataforma:module/host@0.1.0", "wasi:io/poll@0.2.9"))
    with pytest.raises(RuntimeError, match="evil:net/raw"):
        _build.check_runner(component("plataforma:module/host@0.1.0", "evil:net/raw"))


@pytest.mark.parametrize("size", [1_000, 100_000_000])
def test_a_runner_of_the_wrong_size_is_refused(size):
    with pytest.raises(RuntimeError, match="weighs"):
        _build.check_runner(bytes(size))


def test_the_runner_in_use_passes_the_check():
    _build.check_runner(locate_runner().path.read_bytes())


def test_the_licences_of_what_is_baked_in_are_found():
    texts = {name: path.read_text(encoding="utf-8") for name, path in _build.licence_files().items()}
    assert "Hynek" in texts["attrs.txt"]
    assert "Apache License" in texts["componentize-py.txt"]
    ours = PACKAGE / "sandbox" / "wasm" / "licences"
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in (ours / "CPython.txt").read_text(encoding="utf-8")
    notice = (ours / "NOTICE.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in notice for name in ("CPython.txt", *texts))
