"""The rules of the scans: what each looks for, why, where that is known from, and what to do about it.

`docs/reference/security-rules.md` is written from this table, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import attrs

from plataforma_sdk.security._risk import Dimension, RiskLevel
from plataforma_sdk.security._rules_malware import MALWARE
from plataforma_sdk.security._rules_misuse import MISUSE
from plataforma_sdk.security._rules_static import OTHERS, STATIC

__all__ = ["SCAN_RULES", "ScanRule"]


@attrs.frozen(kw_only=True)
class ScanRule:
    """One thing that a scan looks for.

    Attributes:
        name: as in a finding: ``"runs-what-it-fetched"``.
        scan: the scan that looks for it.
        dimension: what it harms.
        risk: how much; an issue may say another.
        what: what the source does where the rule fires.
        why: what that leads to.
        source: the incident, standard or paper that it is known from.
        remedy: what the author does about it.
    """

    name: str
    scan: str
    dimension: Dimension
    risk: RiskLevel
    what: str
    why: str
    source: str
    remedy: str


_RISKS: Final = {"c": RiskLevel.CRITICAL, "h": RiskLevel.HIGH, "m": RiskLevel.MEDIUM, "l": RiskLevel.LOW}
_DIMENSIONS: Final = {"s": Dimension.SECURITY, "r": Dimension.RELIABILITY, "m": Dimension.MAINTAINABILITY}


def _rules() -> Iterator[ScanRule]:
    tables = (("malware", (*MALWARE, *MISUSE)), ("static-analysis", STATIC))
    for scan, row in [*((scan, row) for scan, rows in tables for row in rows), *OTHERS]:
        name, code, what, why, source, remedy = row
        yield ScanRule(
            name=name,
            scan=scan,
            dimension=_DIMENSIONS[code[0]],
            risk=_RISKS[code[1]],
            what=what,
            why=why,
            source=source,
            remedy=remedy,
        )


SCAN_RULES: Final[Mapping[str, ScanRule]] = MappingProxyType({rule.name: rule for rule in _rules()})
"""Name -> rule, in the order of the reference."""
