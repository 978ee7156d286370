"""What a resolution found: a release of each module, and the order to load them in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from plataforma_sdk.manifest import dependencies_first
from plataforma_sdk.registry._records import Release

__all__ = ["Resolution"]


def _frozen(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(sorted(mapping.items())))


@attrs.frozen(kw_only=True)
class Resolution:
    """Releases that fit together.

    Attributes:
        requirements: what was asked for: module id -> range.
        releases: module id -> the release chosen, dependencies among them.
        registry: the registry that they were found in.
        revisions: module id -> revision of the index that was seen, or of the lock.
    """

    requirements: Mapping[str, str] = attrs.field(converter=_frozen)
    releases: Mapping[str, Release] = attrs.field(converter=_frozen)
    registry: str
    revisions: Mapping[str, int] = attrs.field(converter=_frozen)

    @property
    def load_order(self) -> tuple[str, ...]:
        """Ids, dependencies before those that ask for them; in a cycle, where a module is met first decides."""
        return dependencies_first(self.requirements, lambda name: self.releases[name].dependencies)

    def asked_by(self, module_id: str) -> Mapping[str, str]:
        """Return who asks for a module: id -> range; the id is empty for whoever resolved."""
        ranges = {
            item.id: item.dependencies[module_id] for item in self.releases.values() if module_id in item.dependencies
        }
        mine = {"": self.requirements[module_id]} if module_id in self.requirements else {}
        return {**mine, **ranges}
