"""Compiled code on disk: only what a process of this user wrote for this text is ever loaded."""

from __future__ import annotations

import logging
import os
import shutil
import time

import pytest

from plataforma_sdk.sandbox.restricted import CodeStore, CompileCache, compile_source
from tests.unit.sandbox.restricted.cache_kit import FILE, OTHER, SOURCE, entries, finish, get, only_entry, put, start

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes, owners and links are POSIX's")
is_root = os.name == "posix" and os.geteuid() == 0


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "compiled"


@pytest.fixture
def store(directory):
    return CodeStore(directory)


def assert_refused(directory, path):
    """A fresh process's store does not load the entry, removes it, and the cache compiles the text instead."""
    assert get(CodeStore(directory)) is None
    assert not path.is_file()
    assert CompileCache(store=CodeStore(directory)).compile(SOURCE, FILE) == compile_source(SOURCE, FILE)
    assert get(CodeStore(directory)) == compile_source(SOURCE, FILE)


# --- entries --------------------------------------------------------------------------------------------------------


def test_what_was_put_is_found_by_another_store(directory, store):
    put(store)

    assert get(CodeStore(directory)) == compile_source(SOURCE, FILE)


def test_everything_is_for_its_owner_alone(directory, store):
    put(store)
    modes = {
        path.name: path.stat().st_mode & 0o777 for path in (directory, only_entry(directory), directory / ".secret")
    }

    assert set(modes.values()) == {0o700, 0o600}


def test_no_byte_of_an_entry_can_be_changed(directory, store):
    """One bit of each byte: of the digest, of the code's head, of its middle, of its end."""
    put(store)
    path = only_entry(directory)
    good = path.read_bytes()
    reader = CodeStore(directory)
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        assert get(reader) is None, position
        assert not path.exists(), position
        path.touch(0o600)
    path.write_bytes(good)

    assert get(reader) is not None
    assert len(good) > 200


def test_no_entry_can_be_cut_short_or_made_longer(directory, store):
    """Every length but its own, from nothing to one byte too many."""
    put(store)
    path = only_entry(directory)
    good = path.read_bytes()
    reader = CodeStore(directory)
    for data in [*(good[:length] for length in range(len(good))), good + b"\0"]:
        path.touch(0o600)
        path.write_bytes(data)
        assert get(reader) is None, len(data)
        assert not path.exists(), len(data)


@pytest.mark.parametrize("position", [0, 31, 32, 33, -1], ids=["digest", "its end", "code", "flags", "last"])
def test_a_damaged_entry_is_compiled_anew(directory, store, position):
    put(store)
    path = only_entry(directory)
    data = bytearray(path.read_bytes())
    data[position] ^= 0xFF
    path.write_bytes(data)

    assert_refused(directory, path)


def test_an_entry_under_the_name_of_another_is_refused(directory, store):
    """Each is true by itself; only the name is not."""
    put(store)
    path = only_entry(directory)
    put(store, OTHER)
    (other,) = set(entries(directory)) - {path}
    shutil.copy2(other, path)

    assert_refused(directory, path)


def test_an_entry_of_another_directory_is_refused(directory, store, tmp_path):
    """A copy from another machine, or from a backup whose secret is gone, was sealed with another secret."""
    put(store)
    elsewhere = CodeStore(tmp_path / "elsewhere")
    put(elsewhere)
    path = only_entry(directory)
    assert path.name == only_entry(tmp_path / "elsewhere").name
    shutil.copy2(only_entry(tmp_path / "elsewhere"), path)

    assert_refused(directory, path)


@pytest.mark.parametrize("kind", ["link", "fifo", "mode", "huge"])
def test_an_entry_that_is_no_file_of_ours_is_refused(directory, store, tmp_path, kind):
    """A link to an entry that is true, a pipe that would block, a file that others can write, one larger than all."""
    put(store)
    path = only_entry(directory)
    if kind == "link":
        path.symlink_to(path.rename(tmp_path / "true"))
    elif kind == "fifo":
        path.unlink()
        os.mkfifo(path, 0o600)
    elif kind == "mode":
        path.chmod(0o620)
    else:
        os.truncate(path, 1 << 40)

    assert_refused(directory, path)
    assert not path.is_symlink()


# --- versions -------------------------------------------------------------------------------------------------------


def test_code_of_another_version_is_not_found(directory):
    """Another policy, another Python: not refused, not seen, and not overwritten."""
    put(CodeStore(directory, version=lambda: b"old"))

    assert get(CodeStore(directory, version=lambda: b"new")) is None
    assert get(CodeStore(directory, version=lambda: b"old")) is not None


# --- the secret -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["short", "empty", "long", "readable", "link", "gone"])
def test_a_secret_that_is_not_one_is_replaced(directory, store, tmp_path, kind):
    """And what was sealed with it is compiled anew."""
    put(store)
    secret = directory / ".secret"
    before = secret.read_bytes()
    if kind == "readable":
        secret.chmod(0o644)
    elif kind == "gone":
        secret.unlink()
    elif kind == "link":
        secret.symlink_to(secret.rename(tmp_path / "known"))
    else:
        secret.write_bytes({"short": before[:31], "empty": b"", "long": before + b"x"}[kind])

    assert_refused(directory, only_entry(directory))
    after = secret.read_bytes()
    assert (len(after), after == before, secret.is_symlink()) == (32, False, False)
    assert secret.stat().st_mode & 0o777 == 0o600


# --- bounds ---------------------------------------------------------------------------------------------------------


def aged(directory, store, count):
    """Put entries that were loaded one second after the other, long ago."""
    paths = []
    for n in range(count):
        before = set(entries(directory))
        put(store, f"x = {n}")
        (path,) = set(entries(directory)) - before
        os.utime(path, (1_000 + n, 1_000 + n))
        paths.append(path)
    return paths


def test_the_entry_loaded_longest_ago_goes_first(directory):
    store = CodeStore(directory, max_entries=3)
    first, second, third = aged(directory, store, 3)
    assert get(CodeStore(directory), "x = 0") is not None
    put(store, "x = 3")

    assert set(entries(directory)) >= {first, third}
    assert second not in entries(directory)


def test_bytes_are_bounded(directory):
    """Entries of a hundred bytes in two thousand."""
    store = CodeStore(directory, max_bytes=2_000)
    paths = aged(directory, store, 40)
    left = entries(directory)

    assert 0 < sum(path.stat().st_size for path in left) <= 2_000
    assert set(left) <= set(paths[-20:])


def test_no_entry_takes_more_than_its_share(directory):
    """One huge text does not push out all others."""
    store = CodeStore(directory, max_bytes=10_000)
    put(store)
    put(store, f"x = {'long' * 1_000!r}")

    assert only_entry(directory).is_file()
    assert get(store) is not None


def test_many_writes_stay_within_the_bounds(directory):
    """The directory is not listed at each write, and yet never holds more than the bound."""
    store = CodeStore(directory, max_entries=16)
    for n in range(100):
        put(store, f"x = {n}")
        assert len(entries(directory)) <= 16
    assert len(entries(directory)) >= 14


def test_what_a_killed_process_left_is_removed(directory, store):
    """Half-written files go after an hour; those of a process at work, the secret and strangers stay."""
    put(store)
    names = (".aa.code.1-2", ".bb.code.1-2", "notes.txt")
    for name in names:
        (directory / name).write_bytes(b"half")
    for name in (".aa.code.1-2", ".secret", "notes.txt"):
        os.utime(directory / name, (1_000, 1_000))
    put(CodeStore(directory), OTHER)

    assert [(directory / name).exists() for name in names] == [False, True, True]
    assert get(CodeStore(directory)) is not None


# --- a disk that fails ----------------------------------------------------------------------------------------------


def spoil(kind, directory, tmp_path, monkeypatch):
    """Make a directory that must not be used."""
    if kind == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        directory.symlink_to(tmp_path / "elsewhere")
    elif kind == "owner":
        directory.mkdir(mode=0o700)
        monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    elif kind == "mode":
        directory.mkdir(mode=0o700)
        directory.chmod(0o750)
    elif kind == "shared":
        tmp_path.chmod(0o1777)
    elif kind == "file":
        directory.write_bytes(b"")
    elif kind == "parent":
        tmp_path.rmdir()
        tmp_path.write_bytes(b"")


@pytest.mark.parametrize("kind", ["link", "owner", "mode", "shared", "file", "parent"])
def test_a_directory_that_is_not_ours_alone_is_not_used(directory, tmp_path, monkeypatch, caplog, kind):
    """A link, another user's, open to others, in a shared place, no directory at all: one warning, and memory."""
    spoil(kind, directory, tmp_path, monkeypatch)
    cache = CompileCache(store=CodeStore(directory))
    with caplog.at_level(logging.WARNING):
        codes = [cache.compile(SOURCE, FILE), cache.compile(OTHER, FILE), cache.compile(SOURCE, FILE)]

    assert codes[0] is codes[2]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "in memory only" in caplog.text
    assert not directory.is_dir() or list(directory.iterdir()) == []


def test_a_user_without_a_home_has_no_disk(monkeypatch, caplog):
    """As in many containers."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    with caplog.at_level(logging.WARNING):
        CompileCache(store=CodeStore()).compile(SOURCE, FILE)

    assert "There is no cache directory" in caplog.text


def test_a_directory_that_is_written_by_others_only_is_still_read(directory, caplog):
    """Entries that cannot be replaced: one warning, and no more writing."""
    put(CodeStore(directory))
    path = only_entry(directory)
    path.unlink()
    path.mkdir()
    store = CodeStore(directory)
    with caplog.at_level(logging.WARNING):
        put(store)
        put(store)
        put(store, OTHER)
    path.rmdir()
    put(CodeStore(directory))

    assert caplog.text.count("no longer written") == 1
    assert get(store) is not None
    assert {entry.name for entry in directory.iterdir()} == {path.name, ".secret", ".lock"}


@pytest.mark.skipif(is_root, reason="root writes everywhere")
def test_a_read_only_directory_is_read(directory, caplog):
    """A cache that is part of an image serves, and is not written."""
    put(CodeStore(directory))
    directory.chmod(0o500)
    store = CodeStore(directory)
    with caplog.at_level(logging.WARNING):
        put(store, OTHER)
    directory.chmod(0o700)

    assert "no longer written" in caplog.text
    assert get(store) is not None


FULL_DISK = f"""
import logging, resource, sys
from pathlib import Path
from plataforma_sdk.sandbox.restricted import CodeStore, CompileCache
logging.basicConfig(format="%(levelname)s", stream=sys.stdout)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
cache = CompileCache(store=CodeStore(Path(sys.argv[1])))
for n in range(3):
    names = {{}}
    exec(cache.compile(f"result = {{n}}", {FILE!r}), names)
    print(names["result"])
"""


@pytest.mark.parametrize("room", [0, 40], ids=["no secret", "no entry"])
def test_a_full_disk_is_told_once(directory, room):
    """The kernel refuses the write; the module runs."""
    printed = finish(start(FULL_DISK, directory, room)).split()

    assert sorted(printed) == ["0", "1", "2", "WARNING"]
    assert [path.name for path in directory.iterdir() if path.name not in (".lock", ".secret")] == []


def test_reading_is_noted_for_eviction(directory, store):
    """A load makes an entry young again."""
    put(store)
    os.utime(only_entry(directory), (1_000, 1_000))
    get(CodeStore(directory))

    assert time.time() - only_entry(directory).stat().st_mtime < 60
