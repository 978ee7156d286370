"""What to do about a refusal: the next step, for errors and explanations."""

from __future__ import annotations

from plataforma_sdk.errors import PermissionDeniedError
from plataforma_sdk.permissions._grammar import Permission
from plataforma_sdk.permissions._policy import Verdict
from plataforma_sdk.permissions._values import Explanation

__all__ = ["denial", "explanation"]


def denial(
    permission: Permission, verdict: Verdict, *, module: str | None, obstacle: str | None
) -> PermissionDeniedError:
    """Build the error for a refusal; where undeclared it prints the line to add to ``module.toml``."""
    advice = None if verdict.reason == "undeclared" else _advice(permission, verdict, obstacle)
    return PermissionDeniedError(str(permission), module=module, reason=verdict.reason, advice=advice)


def explanation(permission: Permission, verdict: Verdict, *, obstacle: str | None) -> Explanation:
    """Describe a verdict for a person."""
    rules = dict.fromkeys(str(rule) for rule in verdict.rules)
    return Explanation(
        permission=str(permission),
        allowed=verdict.allowed,
        rule=" and ".join(rules) or None,
        kind=verdict.rules[0].kind if verdict.rules else None,
        reason=verdict.reason,
        advice="" if verdict.allowed else _advice(permission, verdict, obstacle),
    )


def _advice(permission: Permission, verdict: Verdict, obstacle: str | None) -> str:
    if verdict.reason == "undeclared":
        line = PermissionDeniedError(str(permission), reason="undeclared").line
        return f"add the line {line} to [permissions.required] or [permissions.optional] in module.toml"
    if verdict.reason == "denied":
        return f"it is denied by {str(verdict.rules[0])!r}; the host can take that back with permissions.lift()"
    if verdict.reason == "refused":
        return "it was denied for once; ask again"
    if obstacle is not None:
        return f"the host must grant it with permissions.grant({str(permission)!r}): nobody can be asked, {obstacle}"
    return f"grant {str(permission)!r} to the module, or let it ask with permissions.request()"
