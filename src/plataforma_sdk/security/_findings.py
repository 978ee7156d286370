"""What an analysis finds, and the rules by which it does."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import attrs

__all__ = ["PLACEHOLDER_REASON", "RULES", "Finding", "Severity"]

PLACEHOLDER_REASON: Final = "TODO: say why"
"""What ``plataforma record`` writes beside a permission that it has found."""


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """The module does not load, or what it does there is refused."""
    WARNING = "warning"
    """It works, and asks for more than it needs, or says something that is not so."""


RULES: Final[Mapping[str, str]] = {
    "manifest": "module.toml has a fault",
    "syntax": "a source file is no Python",
    "policy": "the restricted tier, which the manifest does not exclude, refuses the source",
    "undeclared-permission": "the source needs a permission that module.toml does not declare",
    "dead-grant": "module.toml declares a permission that nothing in the source needs",
    "placeholder-reason": "module.toml does not say yet why a permission is needed",
    "unknown-element": "the source builds an element that does not exist",
    "foreign-topic": "the source emits under another module's name",
    "unconsumed-topic": "the source subscribes to a topic that module.toml does not name as consumed",
    "unknown-endpoint": "the source registers an endpoint that module.toml does not name",
}
"""Rule -> what it means when it fires."""


@attrs.frozen(kw_only=True)
class Finding:
    """One thing that an analysis has found.

    Attributes:
        rule: a key of `RULES`.
        severity: how much it matters.
        path: file inside the package.
        line: from 1, or None where it concerns the whole file.
        message: what is found.
        advice: the next step.
    """

    rule: str
    severity: Severity = Severity.ERROR
    path: str
    line: int | None = None
    message: str
    advice: str = ""

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.severity}: {self.message} [{self.rule}]" + (f"; {self.advice}" if self.advice else "")

    def to_data(self) -> dict[str, Any]:
        """Return plain data."""
        return attrs.asdict(self)
