"""What a run needed of its permissions, and the least that a manifest must declare for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from plataforma_sdk.errors import InvalidPermissionError
from plataforma_sdk.permissions import Permission, check_declarable, is_within, parse_permission
from plataforma_sdk.testing import PermissionCheck

__all__ = ["DeclarationPlan", "Needs", "needs_of", "plan_declarations"]


@attrs.frozen
class Needs:
    """Permissions that a run needed, one scope each, sorted.

    Attributes:
        required: what was needed at once.
        asked: what the module requested, and so goes without where it is refused.
        refused: those of both that the run did not hold: what came after them has not been seen.
    """

    required: tuple[str, ...]
    asked: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All of them, sorted."""
        return tuple(sorted({*self.required, *self.asked}))


def needs_of(checks: Iterable[PermissionCheck], *, denied: Iterable[str] = ()) -> Needs:
    """Read the needs off the checks of a run.

    To look whether something is held (``has``) is no need; what is then done with it is. A service that checks scope
    by scope says so by ``scopes`` and then a ``has`` for each.

    Args:
        checks: every question, as a `MockPermissionManager` keeps them.
        denied: permissions that the person would not have; they are no needs.
    """
    kept = [check for check in checks if not is_within([check.permission], denied)]
    by_scope = {check.permission for check in kept if check.action == "scopes"}
    scoped = {
        check.permission
        for check in kept
        if check.action == "has" and check.allowed and _name(check.permission) in by_scope
    }
    required = {check.permission for check in kept if check.action == "require"} | scoped
    required |= by_scope - {_name(permission) for permission in scoped}
    asked = {check.permission for check in kept if check.action == "request"}
    held = {check.permission for check in kept if check.allowed}
    return Needs(
        required=_least(_split(required - asked)),
        asked=_least(_split(asked)),
        refused=_least(_split((required | asked) - held)),
    )


@attrs.frozen
class DeclarationPlan:
    """How the declarations of a manifest change.

    Attributes:
        kept: permission as it stands there -> what stands there afterwards: itself, narrower ones, or nothing.
        required: what is added as required.
        optional: what is added as optional.
    """

    kept: dict[str, tuple[str, ...]]
    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.required or self.optional) and all(new == (old,) for old, new in self.kept.items())


def plan_declarations(declared: Sequence[str], needs: Needs) -> DeclarationPlan:
    """Find the least change after which the declarations are what was needed.

    Args:
        declared: what the manifest declares, as it is written there.
        needs: what was needed.
    """
    left = list(needs.all)
    kept: dict[str, tuple[str, ...]] = {}
    for text in declared:
        covered = [need for need in left if is_within([need], [text])]
        left = [need for need in left if need not in covered]
        is_exact = set(_split([text])) == set(covered)
        kept[text] = (text,) if is_exact else grouped(covered)
    added = set(left)
    return DeclarationPlan(
        kept, grouped(sorted(added & set(needs.required))), grouped(sorted(added - set(needs.required)))
    )


def grouped(parts: Sequence[str]) -> tuple[str, ...]:
    """Put the scopes of one name into one pair of brackets, as far as they fit."""
    by_name: dict[str, list[str]] = {}
    for part in parts:
        by_name.setdefault(_name(part), []).append(part)
    return tuple(text for name, some in by_name.items() for text in _joined(name, some))


def _joined(name: str, parts: list[str]) -> list[str]:
    scopes = [scope for part in parts for scope in parse_permission(part).scopes or ()]
    if len(parts) == 1 or len(scopes) < len(parts):
        return parts
    try:
        return [str(check_declarable(str(Permission(name, tuple(sorted(scopes))))))]
    except InvalidPermissionError:  # more than a permission may hold
        return parts


def _name(permission: str) -> str:
    return permission.partition("[")[0]


def _split(permissions: Iterable[str]) -> list[str]:
    parsed = map(parse_permission, permissions)
    return [one.name if part is None else f"{one.name}[{part}]" for one in parsed for part in one.parts]


def _least(parts: list[str]) -> tuple[str, ...]:
    """Leave out what lies within another."""
    unique = sorted(set(parts))
    return tuple(part for part in unique if not any(is_within([part], [other]) for other in unique if other != part))
