"""Directories that code is loaded from."""

from __future__ import annotations

import os

import pytest

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox.wasm._private import locked, private_directory, prune, write_aside

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and owners are POSIX's")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_a_directory_is_made_for_its_owner_alone(cache):
    directory = private_directory("compiled", "inner")
    assert directory == cache / "plataforma-sdk" / "compiled" / "inner"
    assert [path.stat().st_mode & 0o777 for path in (directory, *directory.parents[:2])] == [0o700] * 3


def test_a_directory_that_others_may_enter_is_refused(cache):
    private_directory("compiled").chmod(0o755)
    with pytest.raises(SandboxError, match="0755"):
        private_directory("compiled")


def test_a_link_is_refused(cache):
    private_directory()
    elsewhere = cache / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (cache / "plataforma-sdk" / "compiled").symlink_to(elsewhere)
    with pytest.raises(SandboxError, match="link"):
        private_directory("compiled")


def test_a_directory_of_another_user_is_refused(cache, monkeypatch):
    private_directory("compiled")
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    with pytest.raises(SandboxError, match="another user"):
        private_directory("compiled")


def test_a_shared_base_is_refused(cache):
    cache.chmod(0o1777)
    with pytest.raises(SandboxError, match="everybody"):
        private_directory("compiled")


def test_a_relative_base_is_not_obeyed(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert private_directory("x") == tmp_path / ".cache" / "plataforma-sdk" / "x"


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "artefact"
    write_aside(target, b"first")
    with pytest.raises(TypeError):
        write_aside(target, "not bytes")
    assert [path.name for path in tmp_path.iterdir()] == ["artefact"]
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"first", 0o600)


def test_the_entries_used_last_are_kept(tmp_path):
    for age, name in enumerate(["new", "middle", "old"]):
        path = tmp_path / f"{name}.cwasm"
        path.touch()
        os.utime(path, (1_000 - age, 1_000 - age))
    assert [path.stem for path in prune(tmp_path, "*.cwasm", 2)] == ["old"]


def test_the_lock_is_free_again_after_its_block(tmp_path):
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    with locked(tmp_path):
        assert (tmp_path / ".lock").exists()
