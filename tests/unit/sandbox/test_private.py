"""Directories that code is loaded from."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox._private import chosen_directory, is_own, locked, private_directory, prune, write_aside

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


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch):
    """As in many containers."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    with pytest.raises(SandboxError, match="set XDG_CACHE_HOME"):
        private_directory("compiled")


def test_a_directory_that_the_host_chose_is_checked_as_well(tmp_path):
    """It is made, with what is above it, and refused where others may enter."""
    chosen = tmp_path / "state" / "compiled"
    assert chosen_directory(chosen) == chosen
    assert chosen.stat().st_mode & 0o777 == 0o700
    chosen.chmod(0o711)
    with pytest.raises(SandboxError, match=r"0711.*choose another directory"):
        chosen_directory(chosen)


def test_a_chosen_directory_is_named_from_the_root():
    with pytest.raises(SandboxError, match="not absolute"):
        chosen_directory(Path("compiled"))


@pytest.mark.parametrize(("mode", "expected"), [(0o600, True), (0o400, True), (0o640, False), (0o602, False)])
def test_a_file_is_ours_where_nobody_else_may_touch_it(tmp_path, mode, expected):
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    assert is_own(path.stat()) is expected


def test_no_directory_link_or_foreign_file_is_ours(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.touch(0o600)
    (tmp_path / "link").symlink_to(path)
    assert [is_own(path.lstat()) for path in (path, tmp_path, tmp_path / "link")] == [True, False, False]
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    assert is_own(path.lstat()) is False


def test_threads_write_one_file_at_once(tmp_path):
    """Each aside is one thread's own."""
    target, failures = tmp_path / "artefact", []

    def write(text):
        try:
            for _ in range(100):
                write_aside(target, text)
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(bytes([n]) * 1_000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, len(set(target.read_bytes()))) == ([], 1)
    assert [path.name for path in tmp_path.iterdir()] == ["artefact"]


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


def test_an_entry_that_another_process_removed_counts_as_the_oldest(tmp_path):
    kept = tmp_path / "kept.cwasm"
    kept.touch()
    gone = tmp_path / "gone.cwasm"
    gone.symlink_to(tmp_path / "nowhere")  # listed, and not there
    assert prune(tmp_path, "*.cwasm", 1) == [gone]
