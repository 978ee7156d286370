"""Reads and writes the archive: a zip whose bytes follow from its content alone, and nothing hostile.

Nothing is extracted to disk, and no size that an archive states about itself is believed.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping
from typing import Final

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.package._names import (
    MAX_FILES,
    MAX_TOTAL_BYTES,
    check_collisions,
    check_name,
    is_skipped,
    max_bytes,
)
from plataforma_sdk.package._zip import ZipEntry, inflate, read_entries

__all__ = ["MAX_ARCHIVE_BYTES", "read_archive", "write_archive"]

MAX_ARCHIVE_BYTES: Final = MAX_TOTAL_BYTES + 8 * 2**20
_MAX_RATIO: Final = 200
_RATIO_FREE_BYTES: Final = 2**20
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_KINDS: Final = {True: (0, stat.S_IFDIR), False: (0, stat.S_IFREG)}


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """Write files as a zip: sorted, stored, without times or owners, so that equal content gives equal bytes.

    Stored, not deflated: zlib's output differs between versions of zlib.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def read_archive(data: bytes) -> dict[str, bytes]:
    """Read a zip and refuse whatever a hostile one may hold; hidden files and caches are left out, as of a directory.

    Raises:
        IntegrityError: not a zip, traversal, links, duplicate or colliding names, encryption, a bomb, or bytes that
            belong to no entry.
    """
    if len(data) > MAX_ARCHIVE_BYTES:
        raise IntegrityError(f"The archive is larger than {MAX_ARCHIVE_BYTES:,} bytes")
    entries = read_entries(data, MAX_FILES)
    for entry in entries:
        _check_entry(entry)
    names = [entry.name.rstrip("/") for entry in entries]
    if len(set(names)) != len(names):
        raise IntegrityError("The archive holds one name twice; readers would not agree on which counts")
    check_collisions(entry.name for entry in entries if not entry.is_directory)
    return _read_all([entry for entry in entries if not entry.is_directory and not is_skipped(entry.name)])


def _check_entry(entry: ZipEntry) -> None:
    check_name(entry.name.removesuffix("/"))
    if stat.S_IFMT(entry.mode) not in _KINDS[entry.is_directory]:
        raise IntegrityError(f"{entry.name!r} is a link or a special file; put the file itself in its place")
    if entry.is_directory and entry.size:
        raise IntegrityError(f"{entry.name!r} is a directory with content")


def _read_all(entries: list[ZipEntry]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        _check_ratio(entry)
        content = inflate(entry, min(max_bytes(entry.name), MAX_TOTAL_BYTES - total))
        files[entry.name] = content
        total += len(content)
    return files


def _check_ratio(entry: ZipEntry) -> None:
    """Refuse a small archive of a large content; that the stated size is the real one, `inflate` sees to."""
    if _RATIO_FREE_BYTES < entry.size <= max_bytes(entry.name) and entry.size > _MAX_RATIO * len(entry.body):
        raise IntegrityError(
            f"{entry.name!r} is a compression bomb: {len(entry.body):,} bytes unfold to {entry.size:,}"
        )
