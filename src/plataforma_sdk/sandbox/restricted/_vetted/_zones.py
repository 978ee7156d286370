"""`zoneinfo`: the time zones of the host's database, by key.

A zone is CPython's own object: it is immutable, its methods are C and look up one of some hundred changes of the clock,
so it costs no more than a fixed offset does. A module reads what stands in the database and nothing beside it: a key is
answered where it is one of `zoneinfo.available_timezones`, never by looking for a file of that name.

Source: PEP 615; CVE-2007-4559 and its kind, paths that leave the folder which they are joined to.
"""

from __future__ import annotations

import functools
import posixpath
import zoneinfo
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, namespace, seal_type

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["make_zoneinfo"]

_MAX_KEY: Final = 64
_ZONE_UNITS: Final = 20
"""Reading a zone takes 25 µs, once in the host's life; the charge is the same each time, so that runs agree."""

_NAMES_UNITS: Final = 100


@functools.cache
def _names() -> frozenset[str]:
    """Walk the host's database once: 20 ms for 600 zones; there is none on Windows without the package `tzdata`."""
    return frozenset(zoneinfo.available_timezones())


@functools.lru_cache(1024)
def _zone(key: str) -> zoneinfo.ZoneInfo:
    """Keep every zone that was asked for: all of them are 600, and belong to no module."""
    return zoneinfo.ZoneInfo(key)


def _checked(key: Any) -> str:
    """Refuse what is no key, in the words of CPython where it refuses too."""
    if type(key) is not str:
        raise TypeError(f"the key of a time zone is a str, not {type(key).__name__}")
    shown = key[:_MAX_KEY]
    if key.startswith("/"):
        raise ValueError(f"ZoneInfo keys may not be absolute paths, got: {shown}")
    if len(key) <= _MAX_KEY and posixpath.normpath(key) != key:
        raise ValueError(f"ZoneInfo keys must be normalized relative paths, got: {shown}")
    if len(key) > _MAX_KEY or key not in _names():
        raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {shown}")
    return key


def make_zoneinfo(sandbox: Sandbox) -> Any:
    """`ZoneInfo(key)`, its error and the names; `TZPATH`, `reset_tzpath`, `from_file` and the cache are the host's."""
    meter = sandbox.meter
    names = _names()  # here, where a module is loaded, and not in the middle of a step

    def make(key: Any) -> zoneinfo.ZoneInfo:
        meter.charge(_ZONE_UNITS)
        return _zone(_checked(key))

    def available_timezones() -> set[str]:
        meter.charge(_NAMES_UNITS)
        meter.alloc(len(names) * 64)
        return set(names)

    return namespace(
        "zoneinfo",
        {
            "ZoneInfo": seal_type(zoneinfo.ZoneInfo, make),
            "ZoneInfoNotFoundError": seal_type(zoneinfo.ZoneInfoNotFoundError, _not_found),
            "available_timezones": SealedFunction(available_timezones, "available_timezones"),
        },
    )


def _not_found(text: Any = "") -> zoneinfo.ZoneInfoNotFoundError:
    if type(text) is not str:
        raise TypeError("ZoneInfoNotFoundError() takes a text in the restricted tier")
    return zoneinfo.ZoneInfoNotFoundError(text)
