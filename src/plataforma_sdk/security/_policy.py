"""What a registry, or an author, demands of a scan."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import attrs

from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._risk import RiskLevel

__all__ = ["GRADES", "ScanPolicy"]

GRADES: Final = "ABCDE"


def _grade(_: object, field: attrs.Attribute[str], value: str) -> None:
    if len(value) != 1 or value not in GRADES:
        raise ValueError(f"{field.name} is one of {', '.join(GRADES)}, not {value!r}")


def _frozen(mapping: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(mapping))


def _limit(default: float) -> Any:
    return attrs.field(default=default, validator=attrs.validators.gt(0))


@attrs.frozen(kw_only=True)
class ScanPolicy:
    """What a package must meet. The defaults refuse what is malicious or does not load, and remark on the rest.

    Attributes:
        fail_at: an issue of this risk, or a higher one, fails its scan.
        required: scans that must have run: one of these that did not fails the package. A scan that did not run and is
            not named here neither passes nor fails it, and is told.
        security: the worst grade that passes, ``"A"`` to ``"E"``.
        reliability: as `security`.
        maintainability: as `security`.
        licences: SPDX identifiers that are admitted; empty admits all.
        accepted: rule, or ``"rule:path"`` -> why it is accepted: such issues are told, and fail nothing.
        timeout_s: for each scan.
        max_load_ms: time of a trial load after which it counts as slow.
        max_load_fuel: WebAssembly instructions of it.
        max_load_memory_bytes: linear memory of it, about 32 MiB of interpreter included.

    >>> ScanPolicy(required={"dependency-audit"}, accepted={"known-drop": "the shop's own bot"}).fail_at
    <RiskLevel.HIGH: 'high'>
    """

    fail_at: RiskLevel = attrs.field(default=RiskLevel.HIGH, converter=RiskLevel)
    required: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset)
    security: str = attrs.field(default="C", validator=_grade)
    reliability: str = attrs.field(default="C", validator=_grade)
    maintainability: str = attrs.field(default="D", validator=_grade)
    licences: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset)
    accepted: Mapping[str, str] = attrs.field(factory=dict, converter=_frozen)
    timeout_s: float = _limit(60)
    max_load_ms: float = _limit(2_000)
    max_load_fuel: float = _limit(2_000_000_000)
    max_load_memory_bytes: float = _limit(96 * 2**20)

    def accepts(self, issue: Issue) -> bool:
        """Whether an issue is accepted, by its rule alone or for its file."""
        return issue.rule in self.accepted or f"{issue.rule}:{issue.path}" in self.accepted
