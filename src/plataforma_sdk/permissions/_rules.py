"""Rules, grants or denials, one scope each, and a set of them that answers without a scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Literal, TypeAlias

import attrs

from plataforma_sdk.permissions._grammar import (
    EXTERNAL,
    MAX_BYTES,
    MAX_SCOPES,
    Permission,
    parse_permission,
    parse_permissions,
)
from plataforma_sdk.permissions._patterns import PatternIndex, is_pattern, meet

__all__ = [
    "Decider",
    "Kind",
    "Rule",
    "RuleSet",
    "gather",
    "is_swallowed",
    "is_touched",
    "is_within",
    "meet_rules",
    "split_rules",
]

Decider: TypeAlias = Literal["host", "person"]
"""Who granted or denied: the host's code, or a person who was asked."""


class Kind(StrEnum):
    """How long a grant or a denial lasts."""

    ONCE = "once"
    """Used up by the next `require`."""
    SESSION = "session"
    """As long as the manager lives."""
    UNTIL = "until"
    """Until a moment; gone at the first check after it."""
    FOREVER = "forever"
    """Until it is taken back; the host stores it."""
    REVOKED = "revoked"
    """A revocation: it hides what was granted before it, and nothing that is granted later."""


@attrs.frozen
class Rule:
    """One grant, denial or revocation of a name, whole or in one scope.

    Attributes:
        name: the name, perhaps with wildcards.
        scope: one scope, or None for everything.
        kind: how long it lasts.
        serial: place in the order of events; a revocation hides the grants with a smaller one.
        until: seconds since the epoch, for `Kind.UNTIL`.
        by: who made it.
    """

    name: str
    scope: str | None
    kind: Kind
    serial: int = 0
    until: float | None = None
    by: Decider = "host"

    def __str__(self) -> str:
        return self.name if self.scope is None else f"{self.name}[{self.scope}]"


@attrs.define(eq=False)
class _Entry:
    """All rules of one name."""

    name: str
    whole: Rule | None = None
    scoped: PatternIndex[Rule] | None = None

    @property
    def is_empty(self) -> bool:
        return self.whole is None and not (self.scoped and self.scoped.entries)

    def rules(self) -> list[Rule]:
        found = [] if self.whole is None else [self.whole]
        return found if self.scoped is None else [*found, *self.scoped.entries.values()]


class RuleSet:
    """Rules by name and scope; the newest of the same name and scope stays.

    Every lookup of a name without wildcards costs O(shapes of wildcards in use), whatever the number of rules.
    """

    __slots__ = ("_names",)

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._names: PatternIndex[_Entry] = PatternIndex()
        for rule in rules:
            self.add(rule)

    def __bool__(self) -> bool:
        return bool(self._names.entries)

    def __iter__(self) -> Iterator[Rule]:
        for entry in self._names.entries.values():
            yield from entry.rules()

    def add(self, rule: Rule) -> None:
        """Add a rule, in place of one of the same name and scope."""
        entry = self._names.entries.get(rule.name)
        if entry is None:
            entry = _Entry(rule.name)
            self._names.add(rule.name, entry)
        if rule.scope is None:
            entry.whole = rule
            return
        if entry.scoped is None:
            entry.scoped = PatternIndex()
        entry.scoped.add(rule.scope, rule)

    def discard(self, name: str, scope: str | None) -> bool:
        """Remove the rule of exactly this name and scope; tell whether there was one."""
        entry = self._names.entries.get(name)
        if entry is None:
            return False
        if scope is None:
            found, entry.whole = entry.whole is not None, None
        else:
            found = entry.scoped is not None and scope in entry.scoped.entries
            if found and entry.scoped is not None:
                entry.scoped.remove(scope)
        if entry.is_empty:
            self._names.remove(name)
        return found

    def granting(self, name: str, scope: str | None, *, after: int = -1) -> Rule | None:
        """Return a rule, newer than `after`, that grants all of `name` in `scope`, or None.

        A rule of one scope never grants the whole (`scope` None). No wildcard grants ``api.external``: a host opens
        the way out of the platform by name.
        """
        return _first_covering(self._granting(name), scope, after)

    def swallowing(self, name: str, scope: str | None) -> Rule | None:
        """Return a rule that forbids all of `name` in `scope`, or None."""
        return _first_covering(self._names.covering(name), scope, -1)

    def touching(self, name: str, scope: str | None) -> Iterator[Rule]:
        """Yield the rules that forbid any part of `name` in `scope`: wildcards forbid ``api.external`` too.

        To ask for the whole is to ask for every scope, so a rule of one scope touches it.
        """
        for entry in self._names.overlapping(name):
            if is_pattern(name) and _is_external(meet(entry.name, name)):
                continue  # a need with wildcards does not ask for it
            if entry.whole is not None:
                yield entry.whole
            if entry.scoped is not None:
                yield from entry.scoped.entries.values() if scope is None else entry.scoped.overlapping(scope)

    def inside(self, name: str, scope: str | None) -> list[Rule]:
        """List the rules that lie wholly in `name` in `scope`."""
        rules: list[Rule] = []
        for entry in self._names.inside(name):
            if scope is None:
                rules += entry.rules()
            elif entry.scoped is not None:
                rules += entry.scoped.inside(scope)
        return rules

    def meeting(self, name: str) -> Iterator[Rule]:
        """Yield the rules, in any scope, whose names share something with `name`."""
        for entry in self._names.overlapping(name):
            yield from entry.rules()

    def mentioned(self, name: str) -> Iterator[str]:
        """Yield the scopes that any rule, grant or denial, mentions for `name`."""
        for entry in self._names.covering(name):
            if entry.scoped is not None:
                yield from entry.scoped.entries

    def _granting(self, name: str) -> Iterator[_Entry]:
        if name != EXTERNAL:
            return self._names.covering(name)
        entry = self._names.entries.get(name)
        return iter(() if entry is None else (entry,))


def _is_external(name: str | None) -> bool:
    return name is not None and (name == EXTERNAL or name.startswith(f"{EXTERNAL}."))


def _first_covering(entries: Iterable[_Entry], scope: str | None, after: int) -> Rule | None:
    for entry in entries:
        whole = entry.whole
        if whole is not None and whole.serial > after:
            return whole
        if scope is not None and entry.scoped is not None:
            for rule in entry.scoped.covering(scope):
                if rule.serial > after:
                    return rule
    return None


def meet_rules(first: Rule, second: Rule) -> Rule | None:
    """Return what both grant, with the kind of the first, or None."""
    name = meet(first.name, second.name)
    if name is None or (name == EXTERNAL and first.name != second.name):
        return None
    if first.scope is None or second.scope is None:
        scope = first.scope or second.scope
    else:
        scope = meet(first.scope, second.scope)
        if scope is None:
            return None
    return attrs.evolve(first, name=name, scope=scope)


def split_rules(
    permissions: Iterable[Permission],
    kind: Kind,
    serial: int = 0,
    until: float | None = None,
    by: Decider = "host",
) -> Iterator[Rule]:
    """Yield one rule for each scope of each permission."""
    for permission in permissions:
        for scope in permission.parts:
            yield Rule(permission.name, scope, kind, serial, until, by)


def is_within(narrower: Iterable[str], wider: Iterable[str]) -> bool:
    """Tell whether all that `narrower` asks for lies in what `wider` asks for, by the rules of granting.

    Raises:
        InvalidPermissionError: the grammar does not admit one of the names.
    """
    rules = RuleSet(split_rules(parse_permissions(wider), Kind.SESSION))
    parts = split_rules(parse_permissions(narrower), Kind.SESSION)
    return all(rules.granting(part.name, part.scope) is not None for part in parts)


def is_touched(need: str, *, by: str) -> bool:
    """Tell whether a denial or revocation stands in the way of a need: whether it forbids any part of it.

    Raises:
        InvalidPermissionError: the grammar does not admit one of the names.
    """
    rules, permission = _one(by), parse_permission(need)
    return any(next(rules.touching(permission.name, scope), None) is not None for scope in permission.parts)


def is_swallowed(need: str, *, by: str) -> bool:
    """Tell whether a denial or revocation forbids all of a need.

    Raises:
        InvalidPermissionError: the grammar does not admit one of the names.
    """
    rules, permission = _one(by), parse_permission(need)
    return all(rules.swallowing(permission.name, scope) is not None for scope in permission.parts)


def _one(text: str) -> RuleSet:
    return RuleSet(split_rules([parse_permission(text)], Kind.REVOKED))


def gather(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Write rules as permissions, the scopes of a name together, sorted.

    What the grammar would not read back, an intersection that no valid name fits into, is left out.
    """
    names: dict[str, set[str] | None] = {}
    for rule in rules:
        scopes = names.setdefault(rule.name, set())
        if rule.scope is None:
            names[rule.name] = None
        elif scopes is not None:
            scopes.add(rule.scope)
    texts: list[str] = []
    for name, scopes in names.items():
        texts += [name] if scopes is None else _write_scoped(name, sorted(scopes))
    return tuple(sorted(text for text in texts if len(text) <= MAX_BYTES and not text.startswith(f"{EXTERNAL}.")))


def _write_scoped(name: str, scopes: list[str]) -> list[str]:
    """Write as few texts as the limits of the grammar allow."""
    groups: list[tuple[str, ...]] = []
    for scope in scopes:
        longer = (*groups[-1], scope) if groups else (scope,)
        if groups and len(longer) <= MAX_SCOPES and len(str(Permission(name, longer))) <= MAX_BYTES:
            groups[-1] = longer
        else:
            groups.append((scope,))
    return [str(Permission(name, group)) for group in groups]
