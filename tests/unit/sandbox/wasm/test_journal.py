"""The file of a journal: what is written survives, what is torn is cut off, and it never stands in a module's way."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest

from plataforma_sdk.errors import IntegrityError, SandboxError
from plataforma_sdk.sandbox.wasm import Journal
from plataforma_sdk.sandbox.wasm._journal import BEGIN, CLOSED, END, FULL, INSTANCE, MAGIC, read_frames

FRAMES = [(INSTANCE, 0, b"{}"), (BEGIN, 0, b"inbox"), (END, 0, b"outbox"), (BEGIN, 3, b"x" * 5_000)]


def write(path, frames=FRAMES, **settings):
    journal = Journal(path, **settings)
    journal.open()
    for frame in frames:
        journal.write(*frame)
    journal.close()
    return journal


def read(path):
    return [(frame.kind, frame.instance, frame.body) for frame in read_frames(path)]


def test_what_is_written_is_read(tmp_path):
    write(tmp_path / "j")
    assert read(tmp_path / "j") == FRAMES


def test_a_journal_is_for_its_owner_alone(tmp_path):
    """CWE-732: it holds whatever the module saw."""
    write(tmp_path / "j")
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o600


def test_a_torn_end_is_left_out_wherever_it_was_torn(tmp_path):
    """A process that is killed leaves whole frames and at most one torn one."""
    path = tmp_path / "j"
    write(path)
    whole = path.read_bytes()
    ends = [frame.end for frame in read_frames(path)]
    for size in range(len(MAGIC), 200):
        path.write_bytes(whole[:size])
        assert len(read(path)) == sum(end <= size for end in ends)


def test_a_damaged_frame_ends_the_reading(tmp_path):
    path = tmp_path / "j"
    write(path)
    data = bytearray(path.read_bytes())
    data[data.index(b"inbox")] ^= 1
    path.write_bytes(data)
    assert read(path) == FRAMES[:1]


def test_a_frame_of_another_kind_than_was_written_is_damaged(tmp_path):
    """The checksum covers the head too."""
    path = tmp_path / "j"
    write(path, FRAMES[:1])
    data = bytearray(path.read_bytes())
    data[len(MAGIC) + 8] = END
    path.write_bytes(data)
    assert read(path) == []


def test_a_journal_is_continued_after_its_torn_end_is_cut_off(tmp_path):
    path = tmp_path / "j"
    write(path)
    path.write_bytes(path.read_bytes()[:-7])
    journal = Journal(path)
    journal.open()
    assert journal.new_instance() == 1
    journal.write(END, 1, b"more")
    journal.close()
    assert read(path) == [*FRAMES[:3], (END, 1, b"more")]


@pytest.mark.parametrize("content", [b"#!/bin/sh\n", b"plataforma journal 2\n" + b"x" * 50], ids=["other", "newer"])
def test_another_file_is_neither_read_nor_written(tmp_path, content):
    path = tmp_path / "j"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="no journal that this version reads"):
        read(path)
    with pytest.raises(IntegrityError, match="no journal that this version reads"):
        Journal(path).open()
    assert path.read_bytes() == content


def test_two_writers_are_refused(tmp_path):
    first = Journal(tmp_path / "j")
    first.open()
    with pytest.raises(SandboxError, match="being written by another"):
        Journal(tmp_path / "j").open()
    with pytest.raises(SandboxError, match="in use"):
        first.open()
    first.close()
    Journal(tmp_path / "j").open()


def test_a_place_that_cannot_be_written_is_an_error_at_once(tmp_path):
    with pytest.raises(SandboxError, match="cannot be written: No such file or directory"):
        Journal(tmp_path / "missing" / "j").open()


def test_it_stops_at_its_size_with_a_warning_and_says_so_in_the_file(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        journal = write(tmp_path / "j", max_bytes=200)
    assert "max_bytes=200" in caplog.text
    assert read(tmp_path / "j") == [*FRAMES[:3], (FULL, 0, b"")]
    assert journal.is_recording is False
    assert (tmp_path / "j").stat().st_size <= 200 + 64


def test_a_full_journal_is_not_continued(tmp_path, caplog):
    """A gap in it could not be replayed."""
    write(tmp_path / "j", max_bytes=200)
    write(tmp_path / "j")
    assert read(tmp_path / "j") == [*FRAMES[:3], (FULL, 0, b"")]


def test_a_disk_that_fails_ends_the_journal_and_not_the_module(tmp_path, caplog):
    journal = Journal(tmp_path / "j")
    journal.open()
    os.close(journal._file)
    with caplog.at_level(logging.WARNING):
        journal.write(BEGIN, 0, b"inbox")
        journal.write(BEGIN, 0, b"inbox")
    assert caplog.text.count("ends here: Bad file descriptor") == 1
    assert read(tmp_path / "j") == []
    journal._file = -1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said_when_the_journal_is_opened():
    with pytest.raises(SandboxError, match="cannot be written: No space left on device"):
        Journal("/dev/full").open()


@pytest.mark.parametrize(("settings", "syncs"), [({}, 0), ({"sync": True}, 2)], ids=["by default", "sync"])
def test_it_waits_for_the_disk_when_an_instance_ends_where_that_is_asked(tmp_path, monkeypatch, settings, syncs):
    """Not at each frame: a module makes thousands a second."""
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    write(tmp_path / "j", [*FRAMES, (CLOSED, 0, b""), *FRAMES, (CLOSED, 3, b"")], **settings)
    assert len(synced) == syncs


def test_a_disk_that_loses_what_was_written_ends_the_journal(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(os, "fsync", lambda _: os.write(-1, b""))
    write(tmp_path / "j", [(CLOSED, 0, b""), *FRAMES], sync=True)
    assert read(tmp_path / "j") == [(CLOSED, 0, b"")]
    assert "the disk does not keep it" in caplog.text
