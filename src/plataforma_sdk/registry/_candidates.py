"""Which releases of a module may be chosen at all, newest first, and why the others may not."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import attrs

from plataforma_sdk.manifest import Version, VersionRange
from plataforma_sdk.permissions import clean_text
from plataforma_sdk.registry._records import ModuleIndex, Release
from plataforma_sdk.types import is_module_id

__all__ = ["Candidates", "Conditions", "problem_of", "range_of", "version_of"]

_MAX_REMEMBERED: Final = 16_384

version_of = functools.lru_cache(_MAX_REMEMBERED)(Version.parse)
"""`Version.parse` of a text that was parsed before, at the price of a look-up."""

range_of = functools.lru_cache(_MAX_REMEMBERED)(VersionRange.parse)
"""`VersionRange.parse`, likewise."""

_matches_sdk = functools.lru_cache(_MAX_REMEMBERED)(lambda text, version: VersionRange.parse(text).matches(version))


@attrs.frozen(kw_only=True)
class Conditions:
    """What every release must meet, whoever asks for it.

    Attributes:
        sdk: version of this library that will run it.
        tier: the tier that it will run in, or None where that is not known yet.
        locked: module id -> the version and digest that a lock names: preferred, and chosen even if yanked.
    """

    sdk: Version
    tier: str | None = None
    locked: Mapping[str, tuple[str, str]] = MappingProxyType({})


class Candidates:
    """The releases of one module, in the order of preference: the locked one, then the newest first.

    The order is made here: a registry that lists its versions in another gains nothing by it.
    """

    def __init__(self, index: ModuleIndex, conditions: Conditions) -> None:
        self.id = index.id
        self._conditions = conditions
        self._locked = conditions.locked.get(index.id)
        self._problems: dict[str, str | None] = {}
        newest_first = sorted(index.releases, key=_place, reverse=True)
        if self._locked is not None:
            newest_first.sort(key=self._is_locked, reverse=True)
        self.all: tuple[Release, ...] = tuple(newest_first)

    def _is_locked(self, release: Release) -> bool:
        return self._locked == (release.version, release.digest)

    def fitting(self, ranges: Iterable[str]) -> Iterator[Release]:
        """Yield what lies in all of the ranges and may be chosen."""
        wanted = [range_of(text) for text in ranges]
        for release in self.all:
            version = version_of(release.version)
            for item in wanted:  # a plain loop: this is where a large resolution spends its time
                if not item.matches(version):
                    break
            else:
                if self.problem(release) is None:
                    yield release

    def problem(self, release: Release) -> str | None:
        """Say why a release may not be chosen, whatever its version: ``"is yanked: ..."``; None where it may."""
        try:
            return self._problems[release.version]
        except KeyError:
            found = self._problems[release.version] = self._find_problem(release)
            return found

    def _find_problem(self, release: Release) -> str | None:
        if release.yanked is not None and not self._is_locked(release):
            return f"is yanked: {clean_text(release.yanked) or 'no reason given'}"
        return problem_of(release, sdk=self._conditions.sdk, tier=self._conditions.tier)


def _place(release: Release) -> tuple[object, ...]:
    version = version_of(release.version)
    return version.precedence, version.build


def problem_of(release: Release, *, sdk: Version, tier: str | None) -> str | None:
    """Say why a release cannot run here, or cannot be read; None where it can."""
    if tier in release.excluded_tiers:
        return f"excludes the tier {tier!r}"
    try:
        if not _matches_sdk(release.sdk, sdk):
            return f"needs plataforma-sdk {release.sdk}, and this is {sdk}"
        for module_id, text in release.dependencies.items():
            range_of(text)
            if not is_module_id(module_id):
                return f"depends on {module_id[:80]!r}, which is no module id"
    except ValueError as error:
        return f"cannot be read: {error}"
    return None
