"""resolvelib over the graphs that our resolver is measured and tested on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import resolvelib

from plataforma_sdk.manifest import Version, VersionRange

Graph = Mapping[str, Mapping[str, Mapping[str, str]]]
parse_version = lru_cache(None)(Version.parse)
parse_range = lru_cache(None)(VersionRange.parse)


class Provider(resolvelib.AbstractProvider):  # type: ignore[misc,type-arg,unused-ignore]
    """Requirements are ``(id, range)``, candidates ``(id, version)``; the newest first, as ours."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._newest = {
            module_id: sorted(versions, key=parse_version, reverse=True) for module_id, versions in graph.items()
        }

    def identify(self, requirement_or_candidate: tuple[str, str]) -> str:
        return requirement_or_candidate[0]

    def get_preference(self, identifier: str, *_args: Any, **_options: Any) -> str:
        return identifier

    def find_matches(self, identifier: str, requirements: Any, incompatibilities: Any) -> Iterator[tuple[str, str]]:
        ranges = [parse_range(text) for _, text in requirements[identifier]]
        excluded = {version for _, version in incompatibilities[identifier]}
        return iter(
            [
                (identifier, version)
                for version in self._newest.get(identifier, ())
                if version not in excluded and all(item.matches(parse_version(version)) for item in ranges)
            ]
        )

    def is_satisfied_by(self, requirement: tuple[str, str], candidate: tuple[str, str]) -> bool:
        return parse_range(requirement[1]).matches(parse_version(candidate[1]))

    def get_dependencies(self, candidate: tuple[str, str]) -> list[tuple[str, str]]:
        return list(self._graph[candidate[0]][candidate[1]].items())


def resolve_with_resolvelib(graph: Graph, requirements: Mapping[str, str]) -> dict[str, str]:
    """Return module id -> version."""
    resolver: Any = resolvelib.Resolver(Provider(graph), resolvelib.BaseReporter())
    found = resolver.resolve(list(requirements.items()), max_rounds=100_000)
    return {module_id: version for module_id, (_, version) in found.mapping.items()}
