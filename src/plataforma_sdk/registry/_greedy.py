"""The fast path: take the newest, narrow it where another module asks for less, and verify the answer.

Right in nearly every real graph, and linear there. It never says that there is no answer: where a narrowed choice
leaves nothing, it gives up, and `_solver` decides.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Mapping
from typing import Final, TypeAlias

from plataforma_sdk.registry._candidates import Candidates, range_of, version_of
from plataforma_sdk.registry._records import Release

__all__ = ["ROOT", "Answer", "Step", "is_valid", "resolve_greedily"]

ROOT: Final = ""
"""Who asks for what the caller asks for: no module has this id."""

Answer: TypeAlias = dict[str, Release]
"""Module id -> the release chosen."""

Step: TypeAlias = Generator[set[str], Mapping[str, Candidates], "Answer | None"]
"""A resolution without I/O: yields the ids that it must know next, is sent all that are known, returns the answer."""

_MAX_CHANGES: Final = 16
"""How often one module may be chosen again, before a search does it better."""


def resolve_greedily(requirements: Mapping[str, str]) -> Step:
    """Choose releases; None where this simple way finds none."""
    asked: dict[str, dict[str, str]] = {module_id: {ROOT: text} for module_id, text in requirements.items()}
    chosen: Answer = {}
    changes: dict[str, int] = {}
    open_ids = set(requirements)
    while open_ids:
        known = yield open_ids
        following: set[str] = set()
        for module_id in sorted(open_ids):
            ranges = asked[module_id]
            if not ranges:  # whoever asked for it was replaced by a version that does not
                following |= _ask(asked, module_id, chosen.pop(module_id, None), None)
                continue
            release = next(known[module_id].fitting(set(ranges.values())), None)
            changes[module_id] = changes.get(module_id, 0) + 1
            if release is None or changes[module_id] > _MAX_CHANGES:
                return None
            before = chosen.get(module_id)
            if release is not before:
                chosen[module_id] = release
                following |= _ask(asked, module_id, before, release)
        open_ids = following
    answer = _reachable(requirements, chosen)
    return answer if is_valid(requirements, answer) else None


def _ask(asked: dict[str, dict[str, str]], by: str, before: Release | None, now: Release | None) -> set[str]:
    """Put the requirements of a module's new choice in the place of its last one's; return whose have changed."""
    old = before.dependencies if before else {}
    new = now.dependencies if now else {}
    changed = {module_id for module_id in old.keys() | new.keys() if old.get(module_id) != new.get(module_id)}
    for module_id in changed:
        ranges = asked.setdefault(module_id, {})
        ranges.pop(by, None)
        if module_id in new:
            ranges[by] = new[module_id]
    return changed


def _reachable(requirements: Mapping[str, str], chosen: Answer) -> Answer:
    """Leave out what only replaced choices, or modules of a cycle that nobody asks for any more, had asked for."""
    found: Answer = {}
    waiting = list(requirements)
    while waiting:
        module_id = waiting.pop()
        if module_id not in found and module_id in chosen:
            found[module_id] = chosen[module_id]
            waiting.extend(chosen[module_id].dependencies)
    return found


def is_valid(requirements: Mapping[str, str], answer: Answer) -> bool:
    """Tell whether every range that is asked for is met, by the caller's and by each release of the answer."""
    every = [requirements, *(release.dependencies for release in answer.values())]
    for module_id, text in itertools.chain.from_iterable(ranges.items() for ranges in every):
        release = answer.get(module_id)
        if release is None or not range_of(text).matches(version_of(release.version)):
            return False
    return True
