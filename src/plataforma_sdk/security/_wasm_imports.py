"""What a ``.wasm`` imports, and which functions of the host it names, read off its bytes.

**Source:** WebAssembly core specification, "Binary Format"; Component Model, ``Binary.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.permissions import is_within, parse_permission
from plataforma_sdk.security._issue import Issue

__all__ = ["wasm_issues"]

_CORE: Final = b"\x00asm\x01\x00\x00\x00"
_IMPORTS: Final = {b"\x00asm\x01\x00\x00\x00": 2, b"\x00asm\x0d\x00\x01\x00": 10}
_PROVIDED: Final = (
    *("plataforma:module/", "wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/"),
    *("plataforma", "wasi_snapshot_preview1"),
)
_PERMISSIONS: Final = {
    b"clipboard.read": "system.clipboard",
    b"clipboard.write": "system.clipboard",
    b"storage.get": "system.storage",
    b"storage.set": "system.storage",
    b"database.query": "database.read",
    b"database.execute": "database.write",
    b"system.notify": "system.notifications",
    b"windows.create": "window.create",
}
_LONG: Final = 0x80


def wasm_issues(package: ModulePackage) -> Iterator[Issue]:
    """Find imports that no host provides, and functions of the host whose permission is not declared."""
    if not package.is_component:
        return
    path = package.entry_file
    data = package.files[path]
    try:
        names = list(_imports(data))
    except (IndexError, UnicodeDecodeError):
        yield Issue.of("unreadable", path, None, "its section of imports is damaged")
        return
    for name in dict.fromkeys(names):
        if not _is_provided(name, is_core=data.startswith(_CORE)):
            yield Issue.of("wasm-import", path, None, f"it imports {name[:80]!r}, which no host provides")
    yield from _undeclared(package, path, data)


def _is_provided(name: str, *, is_core: bool) -> bool:
    return name in _PROVIDED if is_core else name.startswith(_PROVIDED[:6])


def _undeclared(package: ModulePackage, path: str, data: bytes) -> Iterator[Issue]:
    names = [parse_permission(permission).name for permission in package.manifest.permissions.declared]
    for method, permission in _PERMISSIONS.items():
        if method in data and not is_within([permission], names):
            message = f"it names {method.decode()!r}, and {permission!r} is not declared"
            yield Issue.of("wasm-undeclared", path, None, message)


def _imports(data: bytes) -> Iterator[str]:
    wanted = _IMPORTS.get(data[:8])
    at = 8
    while at < len(data):
        kind = data[at]
        size, at = _number(data, at + 1)
        if kind == wanted:
            yield from _names(data[at : at + size], is_core=data.startswith(_CORE))
        at += size


def _names(section: bytes, *, is_core: bool) -> Iterator[str]:
    count, at = _number(section, 0)
    for _ in range(count):
        at += not is_core  # a component's name begins with its kind
        size, at = _number(section, at)
        yield section[at : at + size].decode()
        at += size
        at = _after_core(section, at) if is_core else _number(section, at + 1)[1]


def _after_core(section: bytes, at: int) -> int:
    """Step over the field's name and its type."""
    size, at = _number(section, at)
    at += size
    kind, at = section[at], at + 1
    if kind in (1, 2):  # a table begins with the type of its elements
        at += kind == 1
        flags, at = _number(section, at)
        _, at = _number(section, at)
        return _number(section, at)[1] if flags & 1 else at
    if kind == 3:  # noqa: PLR2004 - a global
        return at + 2
    return _number(section, at)[1]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Read an unsigned LEB128 number; return it and where it ends."""
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & ~_LONG) << shift
        at += 1
        if byte < _LONG or shift > 64:  # noqa: PLR2004 - no number is that long
            return number, at
        shift += 7
