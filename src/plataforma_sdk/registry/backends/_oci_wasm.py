"""The world of a component, for the config of its OCI artifact: the names that it imports and exports.

Only the outermost sections are read, and only for what other tools show of an artifact; what may run is decided by
the scan and by the engine. A binary that lies or is of a newer format has no world here.

**Source:** Component Model, ``Binary.md``, sections 10 (imports) and 11 (exports).
"""

from __future__ import annotations

from typing import Final

__all__ = ["component_world"]

_PREAMBLE: Final = b"\0asm\x0d\0\x01\0"
_IMPORTS, _EXPORTS = 10, 11
_CORE_SORT, _CORE_TYPE, _TYPE = 0x00, 0x11, 0x03
_PLAIN: Final = frozenset({0x01, 0x04, 0x05})  # a function, a component, an instance: an index follows
_MAX_LEB_BYTES: Final = 5


class _UnknownError(Exception):
    """A byte that this reader does not know."""


def component_world(data: bytes) -> tuple[list[str], list[str]] | None:
    """Return the imports and exports of a component, or None where there are none to be read."""
    if not data.startswith(_PREAMBLE):
        return None
    names: dict[int, list[str]] = {_IMPORTS: [], _EXPORTS: []}
    reader = _Reader(data, len(_PREAMBLE))
    try:
        while reader.place < len(data):
            section, size = reader.byte(), reader.number()
            end = reader.place + size
            if section in names:
                names[section] += [reader.entry(is_export=section == _EXPORTS) for _ in range(reader.number())]
            reader.place = end
    except (_UnknownError, IndexError, UnicodeDecodeError):
        return None
    return names[_IMPORTS], names[_EXPORTS]


class _Reader:
    """A place in a binary."""

    def __init__(self, data: bytes, place: int) -> None:
        self.place = place
        self._data = data

    def byte(self) -> int:
        self.place += 1
        return self._data[self.place - 1]

    def number(self) -> int:
        """Read a LEB128."""
        value = 0
        for position in range(_MAX_LEB_BYTES):
            byte = self.byte()
            value |= (byte & 0x7F) << 7 * position
            if byte < 0x80:  # noqa: PLR2004 - the last one has no high bit
                return value
        raise _UnknownError

    def entry(self, *, is_export: bool) -> str:
        """Read an import, or an export: its name, and what is of no use here behind it."""
        if self.byte() > 1:
            raise _UnknownError
        size = self.number()
        self.place += size
        name = self._data[self.place - size : self.place].decode()
        if is_export:
            if self.byte() == _CORE_SORT:
                self.byte()
            self.number()
            if self.byte() == 0:  # no type is ascribed
                return name
        self._skip_type()
        return name

    def _skip_type(self) -> None:
        kind = self.byte()
        if kind == _CORE_SORT and self.byte() != _CORE_TYPE:
            raise _UnknownError
        if kind == _TYPE and self.byte() == 1:  # a resource of its own
            return
        if kind not in (_CORE_SORT, _TYPE, *_PLAIN):
            raise _UnknownError
        self.number()
