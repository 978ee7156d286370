"""The plainest resolver: the newest release that lies in every range that is asked for, without a search.

Right where modules agree; where narrowing one choice would call for another one anew, it says so and gives up.
"""

from __future__ import annotations

from collections.abc import Mapping

from plataforma_sdk import __version__
from plataforma_sdk.errors import PackageNotFoundError, ResolutionError
from plataforma_sdk.manifest import VersionRange
from plataforma_sdk.registry._parts import Versions
from plataforma_sdk.registry._records import ModuleIndex, Release

__all__ = ["resolve_newest"]


async def resolve_newest(requirements: Mapping[str, str], versions: Versions) -> Mapping[str, Release]:
    """Choose a release for each module that is asked for, and for their dependencies.

    Raises:
        PackageNotFoundError: a module was never published.
        ResolutionError: no release lies in all ranges that are asked for.
    """
    indexes: dict[str, ModuleIndex] = {}
    chosen: dict[str, Release] = {}
    pending = True
    while pending:
        asked = _asked(requirements, chosen)
        before = dict(chosen)
        chosen = {}
        for module_id, asking in asked.items():
            if module_id not in indexes:
                indexes[module_id] = await versions(module_id)
            chosen[module_id] = _choose(indexes[module_id], asking, before.get(module_id))
        pending = chosen != before
    return chosen


def _asked(requirements: Mapping[str, str], chosen: Mapping[str, Release]) -> dict[str, dict[str, str]]:
    """Return module id -> who asks -> range."""
    asked = {module_id: {"you": text} for module_id, text in requirements.items()}
    for release in chosen.values():
        for module_id, text in release.dependencies.items():
            asked.setdefault(module_id, {})[f"{release.id} {release.version}"] = text
    return asked


def _choose(index: ModuleIndex, asking: Mapping[str, str], before: Release | None) -> Release:
    who = ", ".join(f"{name} asks for {text}" for name, text in asking.items())
    if not index.releases:
        raise PackageNotFoundError(f"{index.id} was never published here ({who}): publish it first, or see its id")
    ranges = [VersionRange.parse(text) for text in asking.values()]
    fitting = [release for release in index.releases if all(item.matches(release.version) for item in ranges)]
    usable = [release for release in fitting if release.yanked is None and _fits_sdk(release)]
    if before is not None:  # a choice only ever moves down, so that this ends
        usable = [release for release in usable if release in index.releases[: index.releases.index(before) + 1]]
    if usable:
        return usable[-1]
    have = ", ".join(f"{item.version}{' (yanked)' if item.yanked is not None else ''}" for item in index.releases)
    kind = PackageNotFoundError if len(asking) == 1 else ResolutionError
    raise kind(f"No version of {index.id} fits: {who}; there are {have}. Widen a range, or publish what fits")


def _fits_sdk(release: Release) -> bool:
    return VersionRange.parse(release.sdk).matches(__version__)
