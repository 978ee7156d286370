"""How guests run, and what the engine does where they cannot run on fibers."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox.wasm import WasmEngine, _modes, _selftest

from .conftest import FakeBridge, FakePackage, make_context


@pytest.fixture
def afresh(monkeypatch, tmp_path):
    """No answer of the self-test is remembered, in this process or beside the compiled runners."""
    monkeypatch.setattr(_selftest, "private_directory", lambda *_: tmp_path)
    _selftest.fibers_refusal.cache_clear()
    _modes._warn.cache_clear()
    yield tmp_path
    _selftest.fibers_refusal.cache_clear()
    _modes._warn.cache_clear()


async def load_and_call(engine):
    source = (
        "from plataforma_sdk import ModuleFramework, ui\nclass P(ModuleFramework):\n    async def on_load(self):\n"
        "        pass\n    def render(self):\n        return ui.text('')\n    def one(self):\n        return 1\n"
    )
    probe = await engine.load(FakePackage({"probe.py": source}), make_context(FakeBridge()))
    try:
        return await probe.call("one")
    finally:
        await probe.close()


@pytest.mark.parametrize("version", [(3, 14), (3, 15), (4, 0)])
def test_a_python_that_may_abort_on_a_fiber_has_none(version):
    """Source: CPython gh-139653."""
    assert "gh-139653" in (_selftest.python_refusal(version, "CPython") or "")


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_the_supported_pythons_have_fibers(version):
    assert _selftest.python_refusal(version, "CPython") is None
    assert "PyPy" in (_selftest.python_refusal(version, "PyPy") or "")


def test_a_later_python_falls_back_to_threads_and_the_log_says_why_once(run, afresh, monkeypatch, caplog):
    monkeypatch.setattr(_selftest.sys, "version_info", (3, 14, 0, "final", 0))

    async def main():
        with caplog.at_level(logging.WARNING):
            engines = WasmEngine(), WasmEngine()
            assert [await load_and_call(engine) for engine in engines] == [1, 1]
        return [engine._launcher._mode for engine in engines]

    modes = run(main())
    warnings = [record.getMessage() for record in caplog.records if record.name == "plataforma_sdk.sandbox.wasm"]
    assert modes == ["threads", "threads"]
    assert len(warnings) == 1
    assert "CPython 3.14" in warnings[0]


def test_another_layout_of_the_library_falls_back_to_threads(run, afresh, monkeypatch, caplog):
    monkeypatch.setattr(_selftest._binding, "RESULT", 77)
    assert run(load_and_call(WasmEngine())) == 1
    assert "kind of a result" in caplog.text


def test_fibers_that_were_asked_for_are_refused_with_the_other_way(run, afresh, monkeypatch):
    monkeypatch.setattr(_selftest.sys, "version_info", (3, 14, 0, "final", 0))
    with pytest.raises(SandboxError, match=r"3\.14.*mode='threads'"):
        _selftest.require_fibers()


def test_a_combination_that_was_never_tried_is_tried_in_another_process_once(afresh, monkeypatch):
    monkeypatch.setattr(_selftest, "_TRIED", frozenset())
    assert _selftest.fibers_refusal() is None
    (kept,) = afresh.glob("*.selftest")
    assert json.loads(kept.read_text()) == {"refusal": None}
    kept.write_text(json.dumps({"refusal": "it is said to crash"}))
    _selftest.fibers_refusal.cache_clear()
    assert _selftest.fibers_refusal() == "it is said to crash"


def test_an_answer_that_cannot_be_read_is_asked_again(afresh, monkeypatch):
    monkeypatch.setattr(_selftest, "_TRIED", frozenset())
    assert _selftest.fibers_refusal() is None
    (kept,) = afresh.glob("*.selftest")
    for broken in ("", "[]", "{", '{"other": 1}'):
        kept.write_text(broken)
        _selftest.fibers_refusal.cache_clear()
        assert _selftest.fibers_refusal() is None


@pytest.mark.parametrize(
    ("trial", "word"),
    [
        ("import os; os.abort()", "-6"),
        ("raise SystemExit('it has no function x')", "it has no function x"),
        ("print('something else')", "ended with 0"),
        ("import time; time.sleep(60)", "did not run"),
    ],
    ids=["aborts", "fails", "says-something-else", "hangs"],
)
def test_a_self_test_that_crashes_takes_another_process_with_it(afresh, monkeypatch, trial, word):
    monkeypatch.setattr(_selftest, "_TRIED", frozenset())
    monkeypatch.setattr(_selftest, "_TRIAL", trial)
    monkeypatch.setattr(_selftest, "_TRIAL_S", 2.0)
    assert word in (_selftest.fibers_refusal() or "")


def test_a_change_of_the_binding_is_tried_again(afresh, monkeypatch):
    monkeypatch.setattr(_selftest, "_TRIED", frozenset())
    for digest in ("before", "after"):
        monkeypatch.setattr(_selftest, "_binding_digest", lambda digest=digest: digest)
        _selftest.fibers_refusal.cache_clear()
        _selftest.fibers_refusal()
    assert len(list(afresh.glob("*.selftest"))) == 2


@pytest.mark.skipif(
    (sys.platform, _selftest.platform.machine(), _selftest._here()[-1]) != ("linux", "x86_64", "50"),
    reason="the project's own checks run on Linux on x86_64 with the newest wasmtime; others are tried first",
)
def test_what_the_projects_own_checks_run_on_is_known_as_tried():
    assert _selftest._here() in _selftest._TRIED


@pytest.mark.parametrize(
    "settings",
    [{"mode": "processes"}, {"threads": -1}, {"mode": "threads", "threads": 0}],
    ids=["no-such-mode", "less-than-none", "threads-without-threads"],
)
def test_a_mode_that_is_none_is_refused(settings):
    with pytest.raises(ValueError, match="The"):
        WasmEngine(**settings)
