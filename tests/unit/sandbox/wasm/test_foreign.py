"""Machine code of others: compiled apart, under limits, once, into a private place."""

from __future__ import annotations

import os
import stat

import pytest

from plataforma_sdk.errors import ModuleLoadError, SandboxError
from plataforma_sdk.sandbox._private import locked
from plataforma_sdk.sandbox.wasm import _foreign
from plataforma_sdk.sandbox.wasm._foreign import compile_foreign, find_compiled

from .foreign_kit import core


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "plataforma-sdk" / "foreign"


def test_it_is_compiled_once_and_mapped_after_that(cache):
    first = compile_foreign(core(), module="m")
    (artefact,) = cache.glob("*/*.cwasm")
    made = artefact.stat().st_ino
    assert compile_foreign(core(), module="m").artefact == first.artefact == artefact
    assert artefact.stat().st_ino == made
    assert sorted(path.name for path in artefact.parent.iterdir()) == [".lock", artefact.name]


def test_what_is_kept_is_private(cache):
    artefact = compile_foreign(core(), module="m").artefact
    assert stat.S_IMODE(artefact.stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) for path in (cache, artefact.parent)} == {0o700}


def test_a_directory_that_others_may_write_is_refused(cache):
    """CWE-732: a cached artefact is machine code; whoever writes there runs code in every host."""
    cache.mkdir(parents=True, mode=0o700)
    cache.parent.chmod(0o700)
    cache.chmod(0o777)
    with pytest.raises(SandboxError, match="not 0700"):
        compile_foreign(core(), module="m")


def test_a_damaged_artefact_is_compiled_anew(cache):
    artefact = compile_foreign(core(), module="m").artefact
    artefact.unlink()
    artefact.write_bytes(b"damaged")
    assert compile_foreign(core(), module="m").artefact == artefact
    assert artefact.stat().st_size > 100


def test_a_link_in_the_place_of_an_artefact_is_not_followed(cache):
    artefact = compile_foreign(core(), module="m").artefact
    elsewhere = artefact.rename(cache.parent / "elsewhere")
    artefact.symlink_to(elsewhere)
    compile_foreign(core(), module="m")
    assert not artefact.is_symlink()


def test_a_binary_that_is_not_valid_says_why(cache):
    with pytest.raises(ModuleLoadError, match=r"cannot be compiled.*type"):
        compile_foreign(bytes(core()).replace(b"\x7f\x7f\x7f\x7f\x01\x7e", b"\x7f\x7f\x7f\x7f\x01\x7c"), module="m")
    assert list(cache.glob("*/*.cwasm")) == []


def test_a_compilation_that_takes_too_long_is_ended(cache, monkeypatch):
    monkeypatch.setattr(_foreign, "COMPILE_S", 0.001)
    with pytest.raises(ModuleLoadError, match="took longer than"):
        compile_foreign(core(), module="m")
    assert list(cache.glob("*/*.cwasm")) == []


def test_a_compiler_that_dies_is_an_error_of_ours(cache, monkeypatch):
    """As where it meets its memory limit: whatever ends it is the module's fault, and the host's loop goes on."""
    monkeypatch.setattr(_foreign, "_BOOT", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(ModuleLoadError, match="the compiler ended with -9"):
        compile_foreign(core(), module="m")


def test_the_compiler_sees_nothing_of_the_environment(cache, monkeypatch):
    seen = cache.parent / "environment"
    monkeypatch.setenv("SECRET_TOKEN", "x")
    cache.mkdir(parents=True, mode=0o700)
    cache.parent.chmod(0o700)
    monkeypatch.setattr(_foreign, "_BOOT", f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ)))")
    with pytest.raises(ModuleLoadError):
        compile_foreign(core(), module="m")
    assert "SECRET_TOKEN" not in seen.read_text()


def test_a_slow_binary_keeps_no_other_waiting(cache):
    """CWE-667: the lock is of one binary, so that a hostile one blocks itself alone."""
    slow = compile_foreign(core(), module="slow").artefact
    slow.unlink()
    with locked(slow.parent):
        assert compile_foreign(core(outbox="r1 8"), module="quick").code is not None


def test_what_was_not_used_for_long_is_removed(cache, monkeypatch):
    monkeypatch.setattr(_foreign, "_KEPT_ARTEFACTS", 2)
    artefacts = [compile_foreign(core(outbox=f"r1 {number}"), module="m").artefact for number in range(3)]
    assert [artefact.exists() for artefact in artefacts] == [False, True, True]


def test_what_was_not_compiled_is_not_found(cache):
    assert find_compiled(core(), module="m") is None
    compile_foreign(core(), module="m")
    assert find_compiled(core(), module="m") is not None


def test_the_key_follows_what_machine_code_depends_on(monkeypatch):
    before = _foreign._key("module", "aa")
    assert before != _foreign._key("component", "aa")
    assert before != _foreign._key("module", "ab")
    monkeypatch.setattr(_foreign.compiler, "CONFIG_NAME", "another")
    assert before != _foreign._key("module", "aa")


def test_a_fork_refuses_to_go_on():
    compiled = compile_foreign(core(), module="m")
    if (child := os.fork()) == 0:
        try:
            compiled.check_process()
        except SandboxError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
