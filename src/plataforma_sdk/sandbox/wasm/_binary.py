"""Reads the shape of a WebAssembly binary, by hand and bounded, before a compiler sees it.

Only what the caps need: which of the two kinds it is, and how much there is to compile; and what it imports, for people
to see. What stands inside a section is the compiler's to validate; a file that lies about its lengths is refused here.

Source: WebAssembly core specification, "Binary Format"; Component Model, ``Binary.md``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

import attrs

from plataforma_sdk.errors import ModuleLoadError

__all__ = ["MAX_FUNCTIONS", "MAX_FUNCTION_BYTES", "MAX_MEMORIES", "BinaryShape", "read_imports", "read_shape"]

MAX_FUNCTIONS: Final = 60_000
"""Of all core modules together; the interpreter that this library itself ships as a guest has about 13,000."""
MAX_FUNCTION_BYTES: Final = 2**20
"""Of one body: a compiler's time grows faster than the function."""

MAX_MEMORIES: Final = 4
"""They share the memory limit."""

_PREAMBLE_BYTES: Final = 8
_CORE: Final = b"\x00asm\x01\x00\x00\x00"
_COMPONENT: Final = b"\x00asm\x0d\x00\x01\x00"
_IMPORT, _MEMORY, _CODE = 2, 5, 10
_IMPORTED_FUNCTION, _IMPORTED_TABLE, _IMPORTED_MEMORY, _IMPORTED_GLOBAL, _IMPORTED_TAG = range(5)
_COMPONENT_IMPORT: Final = 10
_BY_INDEX: Final = frozenset({1, 4, 5})
"""Functions, components and interfaces, of which an index follows."""
_MAX_IMPORTS: Final = 10_000
_MAX_NAME_BYTES: Final = 1_000
_NESTED_MODULE, _NESTED_COMPONENT = 1, 4
_MAX_DEPTH: Final = 8
_MAX_SECTIONS: Final = 10_000
_LEB_BITS: Final = 35


@attrs.frozen(kw_only=True)
class BinaryShape:
    """What there is to compile.

    Attributes:
        is_component: a component; otherwise a core module.
        functions: how many functions have a body, in all nested modules.
        largest_function_bytes: the largest of them.
        memories: how many memories are defined, in all nested modules.
    """

    is_component: bool
    functions: int
    largest_function_bytes: int
    memories: int


def read_shape(data: bytes, *, module: str) -> BinaryShape:
    """Read the shape of a binary and hold it against the caps.

    Raises:
        ModuleLoadError: not WebAssembly, damaged, or more than is compiled for a module.
    """
    try:
        is_component = _is_component(data, 0, len(data))
        sections = list(_core_sections(data, 0, len(data), _MAX_DEPTH))
        bodies = (size for kind, start, end in sections if kind == _CODE for size in _code(data, start, end))
        sizes = list(itertools.islice(bodies, MAX_FUNCTIONS + 1))  # one more than may be is enough to refuse it
        memories = sum(_leb(data, start, end)[0] for kind, start, end in sections if kind == _MEMORY)
    except (_DamagedError, IndexError) as error:
        raise ModuleLoadError(
            f"Module {module!r}: its .wasm is damaged: {error}; build it anew", module=module
        ) from None
    shape = BinaryShape(
        is_component=is_component,
        functions=len(sizes),
        largest_function_bytes=max(sizes, default=0),
        memories=memories,
    )
    for used, limit, what in (
        (shape.functions, MAX_FUNCTIONS, "functions"),
        (shape.largest_function_bytes, MAX_FUNCTION_BYTES, "bytes in one function"),
        (shape.memories, MAX_MEMORIES, "memories"),
    ):
        if used > limit:
            raise ModuleLoadError(
                f"Module {module!r}: its .wasm has {used:,} {what}, and at most {limit:,} are compiled: "
                "build it for size (-Os), and without what it does not use (--gc-sections)",
                module=module,
            )
    return shape


def read_imports(data: bytes, *, module: str) -> tuple[str, ...]:
    """Return what a binary imports, in its own order: interfaces of a component, ``room.name`` of a core module.

    Raises:
        ModuleLoadError: not WebAssembly, or damaged.
    """
    try:
        wanted, names = (
            (_COMPONENT_IMPORT, _component_imports) if _is_component(data, 0, len(data)) else (_IMPORT, _core_imports)
        )
        sections = _sections(data, _PREAMBLE_BYTES, len(data))
        found = (name for kind, start, end in sections if kind == wanted for name in names(data, start, end))
        imports = tuple(itertools.islice(found, _MAX_IMPORTS + 1))
        if len(imports) > _MAX_IMPORTS:
            raise _DamagedError(f"there are more than {_MAX_IMPORTS:,}")
    except (_DamagedError, IndexError, UnicodeDecodeError) as error:
        raise ModuleLoadError(
            f"Module {module!r}: the imports of its .wasm cannot be read: {error}; build it anew", module=module
        ) from None
    return imports


class _DamagedError(Exception):
    """The bytes do not hang together."""


def _is_component(data: bytes, start: int, end: int) -> bool:
    preamble = data[start : min(end, start + _PREAMBLE_BYTES)]
    if preamble not in (_CORE, _COMPONENT):
        raise _DamagedError(f"it begins with {preamble.hex(' ')}, which is no module and no component")
    return preamble == _COMPONENT


def _core_sections(data: bytes, start: int, end: int, depth: int) -> Iterator[tuple[int, int, int]]:
    """Yield the sections of all core modules, at whatever depth."""
    if depth == 0:
        raise _DamagedError(f"components nest deeper than {_MAX_DEPTH}")
    is_component = _is_component(data, start, end)
    for kind, first, last in _sections(data, start + _PREAMBLE_BYTES, end):
        if is_component and kind in (_NESTED_MODULE, _NESTED_COMPONENT):
            yield from _core_sections(data, first, last, depth - 1)
        elif not is_component:
            yield kind, first, last


def _sections(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield ``(id, start, end)`` of each section."""
    count = 0
    while position < end:
        count += 1
        kind = data[position]
        size, first = _leb(data, position + 1, end)
        if first + size > end or count > _MAX_SECTIONS:
            raise _DamagedError(f"section {count} is longer than what holds it, or one too many")
        position = first + size
        yield kind, first, position


def _code(data: bytes, position: int, end: int) -> Iterator[int]:
    count, position = _leb(data, position, end)
    for number in range(count):
        size, position = _leb(data, position, end)
        position += size
        if position > end:
            raise _DamagedError(f"body {number} of {count} is longer than the code section")
        yield size


def _core_imports(data: bytes, position: int, end: int) -> Iterator[str]:
    count, position = _leb(data, position, end)
    for _ in range(count):
        room, position = _name(data, position, end)
        name, position = _name(data, position, end)
        yield f"{room}.{name}"
        position = _skip_type(data, position, end)


def _component_imports(data: bytes, position: int, end: int) -> Iterator[str]:
    count, position = _leb(data, position, end)
    for _ in range(count):
        name, position = _name(data, position + 1, end)  # before it, one byte tells how the name is written
        yield name
        kind = data[position]
        if kind not in _BY_INDEX:
            raise _DamagedError(f"{name!r} is of the kind {kind}, which no host provides")
        _, position = _leb(data, position + 1, end)


def _name(data: bytes, position: int, end: int) -> tuple[str, int]:
    size, first = _leb(data, position, end)
    if first + size > end or size > _MAX_NAME_BYTES:
        raise _DamagedError(f"a name of {size:,} bytes")
    return data[first : first + size].decode(), first + size


def _skip_type(data: bytes, position: int, end: int) -> int:
    """Return where the type of an import ends."""
    kind = data[position]
    if kind == _IMPORTED_GLOBAL:
        return position + 3
    if kind not in (_IMPORTED_FUNCTION, _IMPORTED_TABLE, _IMPORTED_MEMORY, _IMPORTED_TAG):
        raise _DamagedError(f"an import has the unknown kind {kind}")
    position += 2 if kind in (_IMPORTED_TABLE, _IMPORTED_TAG) else 1
    flags_or_index, position = _leb(data, position, end)
    if kind not in (_IMPORTED_TABLE, _IMPORTED_MEMORY):
        return position
    _, position = _leb(data, position, end)
    return _leb(data, position, end)[1] if flags_or_index & 1 else position


def _leb(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Read an unsigned number of up to 32 bits; return it and where it ends."""
    value = shift = 0
    while True:
        if position >= end or shift >= _LEB_BITS:
            raise _DamagedError("a length is cut off or too long")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
        shift += 7
