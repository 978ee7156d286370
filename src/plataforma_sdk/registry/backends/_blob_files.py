"""Blobs as files named by their digest: written aside, forced to the disk, renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path
from typing import Final

from plataforma_sdk.registry._verify import digest_of

__all__ = ["BlobFiles"]

_ABANDONED_S: Final = 3_600.0
_MADE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class BlobFiles:
    """A directory of blobs. A name appears only when all of its bytes are on the disk; may block, so off the loop.

    ``sha256/<two digits>/<hex digest>`` hold the blobs, ``incoming/`` what is being written.
    """

    def __init__(self, directory: Path) -> None:
        self._blobs = directory / "sha256"
        self._incoming = directory / "incoming"

    def prepare(self) -> None:
        """Make the directories, and remove what writers that were killed left behind an hour ago or longer."""
        for directory in (self._blobs.parent, self._blobs, self._incoming):
            directory.mkdir(mode=0o700, exist_ok=True)
        oldest = time.time() - _ABANDONED_S
        for path in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process sweeps too
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def aside(self) -> Path:
        """Return a name for a file that is being written with mode 0600; whoever writes it keeps or removes it."""
        return self._incoming / secrets.token_hex(16)

    def keep(self, digest: str, aside: Path) -> None:
        """Give a file its name, after its digest was checked and its bytes were forced to the disk."""
        path = self.path(digest)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        aside.replace(path)
        _sync_directory(path.parent)

    def path(self, digest: str) -> Path:
        """Return where a blob lies, or would."""
        name = digest.partition(":")[2]
        return self._blobs / name[:2] / name

    def put(self, digest: str, data: bytes) -> None:
        """Store a blob whose digest was checked; one that is there is kept if it is intact, and replaced if not."""
        path = self.path(digest)
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size == len(data) and digest_of(path.read_bytes()) == digest:
                return
        self._make_shard(path.parent)
        aside = self._incoming / secrets.token_hex(16)
        try:
            self._write(aside, data)
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        _sync_directory(path.parent)

    def read(self, digest: str, offset: int, size: int) -> bytes | None:
        """Return up to `size` bytes from `offset`, or None where there is no such blob."""
        try:
            with self.path(digest).open("rb") as file:
                file.seek(offset)
                return file.read(size)
        except FileNotFoundError:
            return None

    def _make_shard(self, shard: Path) -> None:
        with contextlib.suppress(FileExistsError):
            shard.mkdir(mode=0o700)
            _sync_directory(self._blobs)

    def _write(self, path: Path, data: bytes) -> None:
        with os.fdopen(os.open(path, _MADE, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    """Force a rename to the disk; Windows cannot open a directory, and orders its renames by itself."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
