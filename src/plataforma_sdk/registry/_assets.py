"""The assets of a package, hashed, and compressed where that saves something: for whoever serves them to browsers.

Compressed copies are an attachment, never part of the package: zlib's output differs between its versions, and the
archive's bytes follow from its content alone.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.package._archive import write_archive
from plataforma_sdk.registry._verify import digest_of

__all__ = ["compress_assets", "encoders"]

_MIN_BYTES: Final = 256
_WORTH: Final = 0.9
"""A copy that is not a tenth smaller costs its reader more than it saves."""
_SOURCES: Final = (".py", ".whl", ".wasm", ".toml")

Encoder = Callable[[bytes], bytes]


def encoders() -> dict[str, Encoder]:
    """Return what can compress here, by its name in ``Content-Encoding``: gzip, then brotli where it is installed."""
    found: dict[str, Encoder] = {"gzip": lambda data: gzip.compress(data, 9, mtime=0)}
    with contextlib.suppress(ImportError):
        compress = importlib.import_module("brotli").compress
        found["br"] = lambda data: bytes(compress(data))
    return found


def compress_assets(package: ModulePackage) -> tuple[dict[str, Any], bytes | None]:
    """Hash and compress the assets of a package.

    Returns:
        path -> ``{"digest", "size", "encodings": {name: {"digest", "size"}}}``; and an archive of the compressed
        copies, ``gzip/<path>``, or None where none is worth its place.
    """
    table: dict[str, Any] = {}
    copies: dict[str, bytes] = {}
    ways = encoders()
    for path, data in _assets(package):
        smaller = dict(_copies(data, ways))
        copies.update({f"{name}/{path}": copy for name, copy in smaller.items()})
        table[path] = {**_described(data), "encodings": {name: _described(copy) for name, copy in smaller.items()}}
    return table, write_archive(copies) if copies else None


def _assets(package: ModulePackage) -> Iterator[tuple[str, bytes]]:
    for path, data in sorted(package.files.items()):
        if not path.endswith(_SOURCES):
            yield path, data


def _copies(data: bytes, ways: Mapping[str, Encoder]) -> Iterator[tuple[str, bytes]]:
    """Compress in every way, the quickest first: where that one saves nothing, slow ones are not tried."""
    if len(data) < _MIN_BYTES:
        return
    for name, encode in ways.items():
        copy = encode(data)
        if len(copy) >= len(data) * _WORTH:
            return
        yield name, copy


def _described(data: bytes) -> dict[str, Any]:
    return {"digest": digest_of(data), "size": len(data)}
