"""Whether an advisory concerns a version, or a range of them.

**Source:** OSV schema 1.6, "evaluation algorithm"; PEP 440 for the versions of wheels, as far as releases go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from plataforma_sdk.manifest import Version, VersionRange

__all__ = ["affects", "fixed_versions", "known_versions"]

_PARTS: Final = re.compile(r"\d+|[a-z]+")
_BOUND: Final = re.compile(r"(?<![\w.])v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?")
_ORDER: Final = {"dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2, "rc": -1, "c": -1, "post": 1}
_Sortable = tuple[Any, ...]


def affects(record: Mapping[str, Any], ecosystem: str, package: str, version: str) -> bool:
    """Whether an advisory concerns a version of a package."""
    for affected in _of_package(record, ecosystem, package):
        if version in (affected.get("versions") or ()):
            return True
        if any(_in_range(ecosystem, version, item.get("events") or ()) for item in affected.get("ranges") or ()):
            return True
    return False


def fixed_versions(record: Mapping[str, Any], ecosystem: str, package: str) -> list[str]:
    """Return the versions that mend it."""
    return [
        str(event["fixed"])
        for affected in _of_package(record, ecosystem, package)
        for item in affected.get("ranges") or ()
        if item.get("type") != "GIT"
        for event in item.get("events") or ()
        if "fixed" in event
    ]


def known_versions(record: Mapping[str, Any], ecosystem: str, package: str, admitted: VersionRange) -> Iterator[str]:
    """Yield versions that an advisory concerns and a range admits, of those that either of them names.

    Those at the bounds of the range count as named, and those just above: ``~1.3.0`` has 1.3.0 and 1.3.1.
    """
    bounds = list(_bounds(str(admitted)))
    for affected in _of_package(record, ecosystem, package):
        named = [*bounds, *(str(version) for version in affected.get("versions") or ())]
        for item in affected.get("ranges") or ():
            for event in item.get("events") or ():
                named += [str(event[key]) for key in ("introduced", "last_affected") if key in event]
        for version in named:
            text = "0.0.0" if version == "0" else version
            if _admits(admitted, text) and affects(record, ecosystem, package, text):
                yield text


def _bounds(text: str) -> Iterator[str]:
    for found in _BOUND.finditer(text):
        major, minor, patch = (int(part or 0) for part in found.groups())
        yield f"{major}.{minor}.{patch}"
        yield f"{major}.{minor}.{patch + 1}"


def _admits(admitted: VersionRange, version: str) -> bool:
    try:
        return admitted.matches(version)
    except ValueError:
        return False


def _of_package(record: Mapping[str, Any], ecosystem: str, package: str) -> Iterator[Mapping[str, Any]]:
    from plataforma_sdk.security._advisories import normal_name

    wanted = ecosystem.lower(), normal_name(ecosystem.lower(), package)
    for affected in record.get("affected") or ():
        named = affected.get("package") or {}
        found = str(named.get("ecosystem", "")).partition(":")[0].lower()
        if (found, normal_name(found, str(named.get("name", "")))) == wanted:
            yield affected


def _in_range(ecosystem: str, version: str, events: Any) -> bool:
    """Walk the events in the order of their versions; after the last one at or before the version, is it affected?"""
    here = _key(ecosystem, version)
    kinds = ("introduced", "fixed", "last_affected")
    steps = [(_key(ecosystem, str(event[kind])), kind) for event in events for kind in kinds if kind in event]
    is_affected = False
    for at, kind in sorted(steps, key=lambda step: step[0]):
        if kind == "introduced" and here >= at:
            is_affected = True
        elif (kind == "fixed" and here >= at) or (kind == "last_affected" and here > at):
            is_affected = False
    return is_affected


def _key(ecosystem: str, version: str) -> _Sortable:
    if version == "0":
        return (0, ())
    if ecosystem.lower() != "pypi":
        try:
            return (1, Version.parse(version))
        except ValueError:
            return (1, Version.parse("0.0.0"))
    parts = _PARTS.findall(version.lower().partition("+")[0])
    numbers = [(0, int(part)) if part.isdigit() else (_ORDER.get(part, -1), 0) for part in parts]
    while numbers and numbers[-1] == (0, 0):
        numbers.pop()  # 1.0 is 1
    return (1, (*numbers, (0, -1)))
