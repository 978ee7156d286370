"""Reads and writes the archive: a zip whose bytes follow from its content alone, and nothing hostile.

Nothing is extracted to disk, and no size that an archive states about itself is believed.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Mapping
from typing import Final

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.package._names import check_collisions, check_name

__all__ = ["MAX_FILES", "MAX_FILE_BYTES", "MAX_TOTAL_BYTES", "read_archive", "write_archive"]

MAX_FILES: Final = 2_000
MAX_FILE_BYTES: Final = 16 * 2**20
MAX_TOTAL_BYTES: Final = 64 * 2**20
_MAX_ARCHIVE_BYTES: Final = MAX_TOTAL_BYTES + 8 * 2**20
_MAX_RATIO: Final = 200
_RATIO_FREE_BYTES: Final = 2**20
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_ENCRYPTED: Final = 0x1 | 0x40
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


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
    """Read a zip and refuse whatever a hostile one may hold.

    Raises:
        IntegrityError: not a zip, traversal, links, duplicate or colliding names, encryption, a bomb, or bytes that
            belong to no entry.
    """
    if len(data) > _MAX_ARCHIVE_BYTES:
        raise IntegrityError(f"The archive is larger than {_MAX_ARCHIVE_BYTES:,} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = _checked_entries(archive, data)
            return _read_all(archive, entries)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeError, RuntimeError) as error:
        raise IntegrityError(f"The archive is damaged or no zip: {error}") from None


def _checked_entries(archive: zipfile.ZipFile, data: bytes) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise IntegrityError(f"The archive holds {len(entries):,} files; at most {MAX_FILES:,} are read")
    if archive.comment:
        raise IntegrityError("The archive carries a comment; write it without one")
    for entry in entries:
        _check_entry(entry)
    names = [entry.filename.rstrip("/") for entry in entries if not entry.is_dir()]
    if len(set(names)) != len(names):
        raise IntegrityError("The archive holds one name twice; readers would not agree on which counts")
    check_collisions(names)
    _check_layout(archive, entries, data)
    return [entry for entry in entries if not entry.is_dir()]


def _check_entry(entry: zipfile.ZipInfo) -> None:
    check_name(entry.filename.rstrip("/") if entry.is_dir() else entry.filename)
    if entry.orig_filename != entry.filename:
        raise IntegrityError(f"The archive holds {ascii(entry.orig_filename)[:120]}, a name with a NUL or backslash")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise IntegrityError(f"{entry.filename!r} is a link or a special file; put the file itself in its place")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise IntegrityError(f"{entry.filename!r} is encrypted or compressed by other than deflate")
    if entry.is_dir() and entry.file_size:
        raise IntegrityError(f"{entry.filename!r} is a directory with content")


def _check_layout(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], data: bytes) -> None:
    """Refuse overlapping entries and bytes before the first: bombs that reuse one body, and files of two formats.

    Source: D. Fifield, "A better zip bomb", WOOT 2019; CVE-2019-9674.
    """
    end = 0
    for entry in sorted(entries, key=lambda item: item.header_offset):
        if entry.header_offset != end if end == 0 else entry.header_offset < end:
            raise IntegrityError("The archive's entries overlap, or something stands before them")
        header = data[entry.header_offset : entry.header_offset + 30]
        if len(header) < 30 or header[:4] != b"PK\x03\x04":  # noqa: PLR2004 - APPNOTE 4.3.7
            raise IntegrityError(f"{entry.filename!r} has no local header")
        name_bytes = int.from_bytes(header[26:28], "little")
        extra_bytes = int.from_bytes(header[28:30], "little")
        local_name = data[entry.header_offset + 30 : entry.header_offset + 30 + name_bytes]
        if local_name != entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437", "replace"):
            raise IntegrityError(f"{entry.filename!r} has another name in its local header")
        end = entry.header_offset + 30 + name_bytes + extra_bytes + entry.compress_size
    if end > archive.start_dir:
        raise IntegrityError("The archive's entries overlap its directory")


def _read_all(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        room = min(MAX_FILE_BYTES, MAX_TOTAL_BYTES - total)
        content = _read_one(archive, entry, room)
        files[entry.filename] = content
        total += len(content)
    return files


def _read_one(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> bytes:
    with archive.open(entry) as stream:
        content = stream.read(room + 1)
    if len(content) > room:
        raise IntegrityError(
            f"{entry.filename!r} does not fit: a file has at most {MAX_FILE_BYTES:,} bytes, all {MAX_TOTAL_BYTES:,}"
        )
    if len(content) > _RATIO_FREE_BYTES and len(content) > _MAX_RATIO * max(1, entry.compress_size):
        raise IntegrityError(f"{entry.filename!r} is a compression bomb: {entry.compress_size:,} bytes unfold")
    return content
