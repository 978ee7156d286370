"""The structure of a zip, read strictly: what two readers could understand differently is refused.

The standard library's `zipfile` is lenient by design: it looks for the directory from the end, believes it alone,
and passes over what lies between entries. An archive that one program scans and another one runs must have one
reading. So the directory must lie at the very end, the entries must fill the rest without gap or overlap, each local
header must repeat what the directory says, and zip64, encryption, split archives and comments do not exist.

**Source:** PKWARE APPNOTE 6.3.10; D. Fifield, "A better zip bomb" (WOOT 2019); CVE-2013-4787; the parser differentials
of CVE-2025-54368 and of PyPI's restrictions on archives of August 2025.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from plataforma_sdk.errors import IntegrityError

__all__ = ["ZipEntry", "inflate", "read_entries"]

_END: Final = struct.Struct("<4s4H2LH")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_DESCRIPTOR: Final = struct.Struct("<3L")
_END_MAGIC, _CENTRAL_MAGIC, _LOCAL_MAGIC, _DESCRIPTOR_MAGIC = b"PK\5\6", b"PK\1\2", b"PK\3\4", b"PK\7\x08"

_STORED, _DEFLATED = 0, 8
_HAS_DESCRIPTOR, _IS_UTF8 = 0x0008, 0x0800
_KNOWN_FLAGS: Final = 0x0006 | _HAS_DESCRIPTOR | _IS_UTF8
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_REFUSED_EXTRAS: Final = {0x0001: "zip64", 0x7075: "a second name", 0x6375: "a comment", 0x9901: "encryption"}


@attrs.frozen(kw_only=True)
class ZipEntry:
    """One entry, as directory and local header agree on it.

    Attributes:
        name: as written, ``/`` at the end of a directory's.
        mode: Unix mode with its file type, 0 where the archive tells none.
        is_packed: deflated, otherwise stored.
        size: bytes of the content, as stated.
        crc: CRC-32 of the content, as stated.
        body: the bytes in the archive.
    """

    name: str
    mode: int
    is_packed: bool
    size: int
    crc: int
    body: memoryview

    @property
    def is_directory(self) -> bool:
        """Whether the entry is a directory."""
        return self.name.endswith("/")


@attrs.frozen
class _Record:
    """One record of the directory."""

    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    attributes: int
    offset: int
    raw_name: bytes
    name: str


def read_entries(data: bytes, max_entries: int) -> list[ZipEntry]:
    """Read the structure of a zip; no content is unpacked.

    Raises:
        IntegrityError: no zip, damaged, or open to more than one reading.
    """
    count, start = _read_end(data)
    if count > max_entries:
        raise IntegrityError(f"The archive holds {count:,} files; at most {max_entries:,} are read")
    try:
        records = list(_read_directory(data, start, count))
        return _read_bodies(data, records, start)
    except struct.error:
        raise IntegrityError("The archive is cut short inside a header") from None


def inflate(entry: ZipEntry, room: int) -> bytes:
    """Unpack one entry; never more than `room` bytes are made, whatever the archive states.

    Raises:
        IntegrityError: the content is larger than `room`, or not what the archive states about it.
    """
    if entry.size > room:
        raise IntegrityError(f"{entry.name!r} does not fit: it has {entry.size:,} bytes, and {room:,} are left to it")
    content = _unpack(entry) if entry.is_packed else bytes(entry.body)
    if len(content) != entry.size or zlib.crc32(content) != entry.crc:
        raise IntegrityError(f"{entry.name!r} is not what the archive states: other size or checksum")
    return content


def _unpack(entry: ZipEntry) -> bytes:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(entry.body, entry.size + 1)  # one more shows a stated size that is too small
    except zlib.error as error:
        raise IntegrityError(f"{entry.name!r} is damaged: {error}") from None
    if not unpacker.eof or unpacker.unused_data:
        raise IntegrityError(f"{entry.name!r} is not what the archive states: its packed content has another length")
    return content


def _read_end(data: bytes) -> tuple[int, int]:
    """Read the end record; return the number of entries and where the directory begins."""
    position = len(data) - _END.size
    if position < 0 or not data.startswith(_END_MAGIC, position):
        hidden = _END_MAGIC in data[-_END.size - _FULL_16 :]
        why = (
            "it carries a comment, or something stands after its end" if hidden else "it is cut short or no zip at all"
        )
        raise IntegrityError(f"The archive cannot be read: {why}")
    _, disk, first_disk, count_here, count, size, start, comment = _END.unpack_from(data, position)
    if _FULL_16 in (count, count_here) or _FULL_32 in (size, start):
        raise IntegrityError("The archive is zip64; write it without, it is far smaller than that")
    if disk or first_disk or count_here != count or comment or start + size != position:
        raise IntegrityError("The archive's directory is not where its end says, or it is one of several parts")
    return count, start


def _read_directory(data: bytes, start: int, count: int) -> Iterator[_Record]:
    position, end = start, len(data) - _END.size
    for _ in range(count):
        fields = _CENTRAL.unpack_from(data, position)
        magic, _, _, flags, method, _, _, crc, packed_size, size = fields[:10]
        name_size, extra_size, comment_size, disk, _, attributes, offset = fields[10:]
        position += _CENTRAL.size
        raw_name = data[position : position + name_size]
        extra = data[position + name_size : position + name_size + extra_size]
        position += name_size + extra_size + comment_size
        name = _decode_name(raw_name, flags)
        if magic != _CENTRAL_MAGIC or position > end:
            raise IntegrityError("The archive's directory is damaged")
        if comment_size or disk or _FULL_32 in (packed_size, size, offset):
            raise IntegrityError(f"{name!r} is zip64, part of a split archive, or carries a comment")
        _check_method(name, flags, method)
        _check_extra(name, extra)
        yield _Record(flags, method, crc, packed_size, size, attributes, offset, raw_name, name)
    if position != end:
        raise IntegrityError("The archive's directory holds more than its end says")


def _decode_name(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8" if flags & _IS_UTF8 else "ascii")
    except UnicodeDecodeError:
        raise IntegrityError(
            f"The archive names a file {ascii(raw)[:120]}, in an encoding that it does not tell; write names in UTF-8"
        ) from None


def _check_method(name: str, flags: int, method: int) -> None:
    if flags & ~_KNOWN_FLAGS or method not in (_STORED, _DEFLATED):
        raise IntegrityError(f"{name!r} is encrypted or compressed by other than deflate")


def _check_extra(name: str, extra: bytes) -> None:
    position = 0
    while position < len(extra):
        if position + 4 > len(extra):
            raise IntegrityError(f"{name!r} has a damaged extra field")
        kind, size = struct.unpack_from("<2H", extra, position)
        if kind in _REFUSED_EXTRAS:
            raise IntegrityError(f"{name!r} has an extra field with {_REFUSED_EXTRAS[kind]}; write the archive without")
        position += 4 + size
    if position != len(extra):
        raise IntegrityError(f"{name!r} has a damaged extra field")


def _read_bodies(data: bytes, records: Sequence[_Record], directory: int) -> list[ZipEntry]:
    """Match every record with its local header; together they must fill the archive up to its directory."""
    entries: dict[int, ZipEntry] = {}
    in_place = sorted(records, key=lambda record: record.offset)
    position = 0
    for place, record in enumerate(in_place):
        if record.offset != position:
            raise IntegrityError("The archive's entries overlap, or something stands before or between them")
        following = in_place[place + 1].offset if place + 1 < len(in_place) else directory
        entries[record.offset] = _read_body(data, record, following)
        position = following
    if position != directory:
        raise IntegrityError("Something stands before the archive's directory that is no entry")
    return [entries[record.offset] for record in records]


def _read_body(data: bytes, record: _Record, following: int) -> ZipEntry:
    start = _check_local(data, record)
    end = start + record.packed_size
    if record.flags & _HAS_DESCRIPTOR:
        _check_descriptor(data[end:following], record)
    elif end != following:
        raise IntegrityError(f"{record.name!r} overlaps what follows, or something stands after it")
    if record.method == _STORED and record.packed_size != record.size:
        raise IntegrityError(f"{record.name!r} states two sizes")
    return ZipEntry(
        name=record.name,
        mode=record.attributes >> 16,
        is_packed=record.method == _DEFLATED,
        size=record.size,
        crc=record.crc,
        body=memoryview(data)[start:end],
    )


def _check_local(data: bytes, record: _Record) -> int:
    """Compare the local header with the directory; return where the content begins."""
    magic, _, flags, method, _, _, crc, packed_size, size, name_size, extra_size = _LOCAL.unpack_from(
        data, record.offset
    )
    if magic != _LOCAL_MAGIC:
        raise IntegrityError(f"{record.name!r} has no local header")
    position = record.offset + _LOCAL.size
    raw_name = data[position : position + name_size]
    position += name_size + extra_size
    stated, known = (crc, packed_size, size), (record.crc, record.packed_size, record.size)
    is_deferred = bool(flags & _HAS_DESCRIPTOR) and stated == (0, 0, 0)
    if raw_name != record.raw_name:
        raise IntegrityError(f"{record.name!r} has another name in its local header: {ascii(raw_name)[:120]}")
    if (flags, method) != (record.flags, record.method) or not (stated == known or is_deferred):
        raise IntegrityError(f"{record.name!r} is described in two ways, by the directory and by its local header")
    _check_extra(record.name, data[position - extra_size : position])
    return int(position)


def _check_descriptor(descriptor: bytes, record: _Record) -> None:
    if len(descriptor) == _DESCRIPTOR.size + 4 and descriptor.startswith(_DESCRIPTOR_MAGIC):
        descriptor = descriptor[4:]
    known = (record.crc, record.packed_size, record.size)
    if len(descriptor) != _DESCRIPTOR.size or _DESCRIPTOR.unpack(descriptor) != known:
        raise IntegrityError(f"{record.name!r} overlaps what follows, or is described in two ways")
