"""The assets of a package, hashed, and compressed where that saves something: for whoever serves them to browsers.

Compressed copies are an attachment, never part of the package: zlib's output differs between its versions, and the
archive's bytes follow from its content alone.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import importlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.package._archive import write_archive
from plataforma_sdk.registry._verify import digest_of

__all__ = ["compress_assets", "encoders"]

_MIN_BYTES: Final = 256
_WORTH: Final = 0.9
"""A copy that is not a tenth smaller costs its reader more than it saves."""
_SAMPLED_BYTES: Final = 16_384
"""A file that is larger is first tried in samples: pictures, fonts and archives are compressed already. They lie so
close that one of them meets whatever could make the file a tenth smaller."""
_SAMPLES: Final = 16
_SAMPLE_BYTES: Final = 256
_SOURCES: Final = (".py", ".whl", ".wasm", ".toml")

Encoder = Callable[[bytes], bytes]


@functools.cache
def encoders() -> Mapping[str, Encoder]:
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
    if len(data) < _MIN_BYTES or _is_dense(data):
        return
    for name, encode in ways.items():
        copy = encode(data)
        if len(copy) >= len(data) * _WORTH:
            return
        yield name, copy


def _is_dense(data: bytes) -> bool:
    """Tell by samples from all over a large file that nothing can be saved: trying the whole costs milliseconds."""
    if len(data) <= _SAMPLED_BYTES:
        return False
    step = (len(data) - _SAMPLE_BYTES) // (_SAMPLES - 1)
    samples = b"".join(data[start : start + _SAMPLE_BYTES] for start in range(0, step * _SAMPLES, step))
    return len(zlib.compress(samples, 1)) >= len(samples)


def _described(data: bytes) -> dict[str, Any]:
    return {"digest": digest_of(data), "size": len(data)}
