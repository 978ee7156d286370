"""Blobs as files named by their digest: written aside, forced to the disk, renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from plataforma_sdk.registry._verify import digest_of

__all__ = ["BlobFiles"]

_ABANDONED_S: Final = 3_600.0
_MADE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class BlobFiles:
    """A directory of blobs. A name appears only when all of its bytes are on the disk; may block, so off the loop.

    ``sha256/<hex digest>`` are the blobs, ``incoming/`` holds what is being written.
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
        return self._blobs / digest.partition(":")[2]

    def put(self, blobs: Mapping[str, bytes]) -> None:
        """Store blobs whose digests were checked; one that is there is kept if it is intact, and replaced if not.

        All are written before the first is forced to the disk: a journalling file system then forces them together,
        and that is most of what a publish costs. None has its name before all are on the disk.
        """
        missing = {digest: data for digest, data in blobs.items() if not self._is_intact(digest, data)}
        asides = {digest: self.aside() for digest in missing}
        try:
            with contextlib.ExitStack() as files:
                written = [files.enter_context(_written(asides[digest], data)) for digest, data in missing.items()]
                for file in written:
                    os.fsync(file.fileno())
            for digest, aside in asides.items():
                aside.replace(self.path(digest))
        except BaseException:
            for aside in asides.values():
                aside.unlink(missing_ok=True)
            raise
        if missing:
            _sync_directory(self._blobs)

    def missing(self, digests: Iterable[str]) -> set[str]:
        """Return those that are not there; whether they are intact is not looked at."""
        return {digest for digest in digests if not self.path(digest).exists()}

    def older_than(self, moment: float) -> dict[str, int]:
        """Return the blobs that were written before a moment, digest -> bytes."""
        found: dict[str, int] = {}
        for path in self._blobs.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process sweeps too
                status = path.stat()
                if status.st_mtime < moment:
                    found[f"sha256:{path.name}"] = status.st_size
        return found

    def remove(self, digest: str, *, unless_after: float) -> bool:
        """Remove a blob that was not written anew since a moment; return whether it was removed."""
        path = self.path(digest)
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < unless_after:
                path.unlink()
                return True
        return False

    def _is_intact(self, digest: str, data: bytes) -> bool:
        try:
            path = self.path(digest)
            return path.stat().st_size == len(data) and digest_of(path.read_bytes()) == digest
        except FileNotFoundError:
            return False

    def read(self, digest: str, offset: int, size: int) -> bytes | None:
        """Return up to `size` bytes from `offset`, or None where there is no such blob."""
        try:
            with self.path(digest).open("rb") as file:
                file.seek(offset)
                return file.read(size)
        except FileNotFoundError:
            return None


def _written(path: Path, data: bytes) -> BinaryIO:
    """Write a new file, and leave it open for whoever forces it to the disk."""
    file = os.fdopen(os.open(path, _MADE, 0o600), "wb")
    try:
        file.write(data)
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


def _sync_directory(path: Path) -> None:
    """Force a rename to the disk; Windows cannot open a directory, and orders its renames by itself."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
