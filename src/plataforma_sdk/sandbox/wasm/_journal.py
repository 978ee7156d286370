"""The journal: what went into a module's guests and what came out, in a file that outlives a killed process.

A file is a line ``plataforma journal 1`` and then frames: length of the body, CRC-32, kind, number of the instance, the
body. Frames are only ever appended, each by one write to the kernel, so that a process that is killed leaves whole
frames and at most one torn one, which readers leave out and writers cut off.

============  ===================================================================================================
INSTANCE      JSON: module, version, package digest, runner sha256, wasmtime, limits, seed; a new guest begins
PACKAGE       the package's archive, once for each instance
BEGIN         an export, its budget of fuel and its texts: ``load(bundle, config)`` or ``pump(inbox)``
END           what came of it: the text, the fuel used, the slices run, and what the host gave it meanwhile
CLOSED        the host has ended the instance
FULL          `max_bytes` is reached: nothing was written after this
============  ===================================================================================================

What the host gave: the answers of immediate calls in their order, with the checksum of what was asked, clock readings
and random bytes. A journal therefore holds whatever the module saw, secrets and personal data included; it is made
with mode 0600 and is to be kept like the data itself.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, IntegrityError, SandboxError

__all__ = [
    "BEGIN",
    "CLOSED",
    "END",
    "FULL",
    "INSTANCE",
    "MAGIC",
    "PACKAGE",
    "Frame",
    "Journal",
    "facts_of",
    "read_frames",
    "reading_frames",
]

INSTANCE: Final = 1
PACKAGE: Final = 2
BEGIN: Final = 3
END: Final = 4
CLOSED: Final = 5
FULL: Final = 6

MAGIC: Final = b"plataforma journal 1\n"
DEFAULT_MAX_BYTES: Final = 256 * 2**20
_HEAD: Final = struct.Struct("<IIBH")
_KEY: Final = struct.Struct("<BH")
_MAX_BODY: Final = 2**30
_MAX_INSTANCES: Final = 2**16
_LOG: Final = logging.getLogger("plataforma_sdk.sandbox.wasm")


@attrs.frozen
class Frame:
    """One record of a journal.

    Attributes:
        kind: one of the constants above.
        instance: number of the guest, from 0, in the order in which they were made.
        body: see the module's docstring.
        end: where the frame ends in the file.
    """

    kind: int
    instance: int
    body: bytes = attrs.field(repr=False)
    end: int


class Journal:
    """Writes the journal of one module: ``await host.load("vendas", record=Journal("vendas.journal"))``.

    A file that is there already is continued, after its torn end, if any, is cut off. One process at a time writes it.
    Where the disk is full or `max_bytes` is reached, recording stops with a warning in the log, and the module goes on;
    what was written until then can be replayed.

    Args:
        path: the file; made with mode 0600, since it holds whatever the module sees.
        max_bytes: size at which recording stops, 256 MiB by default.
        sync: wait for the disk whenever an instance ends, by a fault or in order, so that its journal outlives a power
            cut from then on. The host's loop stands still meanwhile, some milliseconds on most disks.

    Attributes:
        path: as given.
        size_bytes: how large the file is.
        is_recording: whether what happens now is written.

    >>> Journal("vendas.journal").is_recording
    False
    """

    def __init__(self, path: str | os.PathLike[str], *, max_bytes: int = DEFAULT_MAX_BYTES, sync: bool = False) -> None:
        if max_bytes <= 0:
            raise ValueError(f"max_bytes is a number of bytes, not {max_bytes!r}")
        self.path = Path(path)
        self.size_bytes = 0
        self.is_recording = False
        self._max_bytes = max_bytes
        self._is_synced = sync
        self._file = -1
        self._instances = 0

    def open(self) -> None:
        """Open the file, or go on with one that is there.

        Raises:
            IntegrityError: the file is something else.
            SandboxError: it cannot be written, another process writes it, or it is open already.
        """
        if self._file >= 0:
            raise SandboxError(f"The journal {self.path} is in use: give each module one of its own")
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        try:
            self._file = os.open(self.path, flags, 0o600)
            self._continue()
        except OSError as error:
            self.close()
            raise SandboxError(f"The journal {self.path} cannot be written: {error.strerror}") from None
        except BaseException:
            self.close()
            raise

    def _continue(self) -> None:
        _lock(self._file, self.path)
        size = os.fstat(self._file).st_size
        if size == 0:
            os.write(self._file, MAGIC)
            self.size_bytes, self.is_recording = len(MAGIC), True
            return
        end, is_full = len(MAGIC), False
        for frame in read_frames(self.path):
            end, is_full = frame.end, frame.kind == FULL
            self._instances = max(self._instances, frame.instance + 1)
        if end < size:
            os.ftruncate(self._file, end)
        self.size_bytes, self.is_recording = end, not is_full

    def new_instance(self) -> int:
        """Return the number of a guest that begins."""
        self._instances += 1
        return (self._instances - 1) % _MAX_INSTANCES

    def write(self, kind: int, instance: int, body: bytes) -> None:
        """Append a frame, in one write; 2 µs for a small one. Never raises: a full disk must not end a module."""
        if not self.is_recording:
            return
        checksum = zlib.crc32(body, zlib.crc32(_KEY.pack(kind, instance)))
        data = _HEAD.pack(len(body), checksum, kind, instance) + body
        if self.size_bytes + len(data) > self._max_bytes and kind != FULL:
            self.write(FULL, 0, b"")
            self._stop(f"it has reached max_bytes={self._max_bytes}")
            return
        try:
            written = os.write(self._file, data)
        except OSError as error:
            self._stop(error.strerror or "it cannot be written")
            return
        self.size_bytes += written
        if written < len(data):
            self._stop("the disk is full")
        elif kind == CLOSED and self._is_synced:
            self._sync()

    def _sync(self) -> None:
        try:
            os.fsync(self._file)
        except OSError as error:  # a disk that lost data says so once: what follows could not be trusted
            self._stop(f"the disk does not keep it: {error.strerror}")

    def _stop(self, why: str) -> None:
        if not self.is_recording:
            return
        self.is_recording = False
        _LOG.warning("The journal %s ends here: %s", self.path, why)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        file, self._file = self._file, -1
        self.is_recording = False
        if file >= 0:
            os.close(file)


def read_frames(source: str | os.PathLike[str] | bytes) -> Iterator[Frame]:
    """Read a journal, a file or its bytes, up to its last whole frame.

    Raises:
        IntegrityError: it is no journal, or one of another version.
    """
    with io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as file:
        start = file.read(len(MAGIC))
        if start != MAGIC:
            name = "This" if isinstance(source, bytes) else os.fspath(source)
            raise IntegrityError(f"{name} is no journal that this version reads; it begins {start[:24]!r}")
        end = len(MAGIC)
        while True:
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                return
            size, checksum, kind, instance = _HEAD.unpack(head)
            body = file.read(size) if size <= _MAX_BODY else b""
            if len(body) < size or zlib.crc32(body, zlib.crc32(_KEY.pack(kind, instance))) != checksum:
                return
            end += _HEAD.size + size
            yield Frame(kind, instance, body, end)


@contextlib.contextmanager
def reading_frames() -> Iterator[None]:
    """Turn what a frame raises that is not of its form, though its checksum may hold, into `IntegrityError`."""
    try:
        yield
    except (struct.error, ValueError, KeyError, IndexError, TypeError) as error:
        raise IntegrityError(f"The journal holds a frame that is not of its form: {error}"[:300]) from None


def facts_of(frame: Frame) -> dict[str, Any]:
    """Decode an INSTANCE frame.

    Raises:
        IntegrityError: it holds something else.
    """
    with contextlib.suppress(CodecError):
        facts = codec.decode(frame.body)
        if isinstance(facts, dict):
            return facts
    raise IntegrityError("The journal describes an instance in a form that this version does not read")


def _lock(file: int, path: Path) -> None:
    """Keep other processes from writing the same journal; the lock goes with the process, also a killed one."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SandboxError(f"The journal {path} is being written by another process, or another module") from None
