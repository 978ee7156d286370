"""What decides: the declared set, grants, denials and revocations of one module, without prompts or memo."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import chain
from typing import Final

import attrs

from plataforma_sdk.permissions._grammar import Permission
from plataforma_sdk.permissions._rules import Decider, Kind, Rule, RuleSet, meet_rules, split_rules
from plataforma_sdk.permissions._values import HeldScopes, PermissionRule
from plataforma_sdk.types import Clock

__all__ = ["Policy", "Verdict"]

_NOBODYS_SCOPE: Final = "\0"
"""A scope that the grammar refuses, so that no rule mentions it: it is held only where the whole is."""


@attrs.frozen
class Verdict:
    """The answer to one need.

    Attributes:
        allowed: whether all of it is held.
        reason: as in `Explanation`.
        rules: what decided.
        spends: one-time rules that this use takes up, each with the set that holds it.
        is_stable: whether it stays true until the next change, so that it may be memoised.
    """

    allowed: bool
    reason: str
    rules: tuple[Rule, ...] = ()
    spends: tuple[tuple[RuleSet, Rule], ...] = ()
    is_stable: bool = True

    def __and__(self, other: Verdict) -> Verdict:
        """Join two verdicts on parts of one need; a refusal wins, the first one first."""
        if not (self.allowed and other.allowed):
            return other if self.allowed else self
        stable = self.is_stable and other.is_stable
        return Verdict(True, "granted", self.rules + other.rules, self.spends + other.spends, stable)


_UNDECLARED: Final = Verdict(False, "undeclared")
_NOT_GRANTED: Final = Verdict(False, "not granted")


class Policy:
    """Effective = declared, and granted, and not denied; the same below a parent, and within what the parent holds.

    Attributes:
        declared: what the manifest asks for, or None for no restriction.
        grants: grants that stay until they are taken back.
        timed: grants with an end.
        once: one-time grants.
        denies: denials that stay.
        once_denies: one-time denials.
        revocations: what hides older, wider grants.
        parent: the policy that this one can never exceed.
    """

    __slots__ = (
        "_clock",
        "_next_end",
        "_serial",
        "declared",
        "denies",
        "grants",
        "once",
        "once_denies",
        "parent",
        "revocations",
        "timed",
    )

    def __init__(self, declared: Iterable[Permission] | None, clock: Clock, parent: Policy | None = None) -> None:
        self._clock = clock
        self._serial = 0
        self._next_end = math.inf
        self.declared = None if declared is None else RuleSet(split_rules(declared, Kind.SESSION))
        self.grants, self.timed, self.once = RuleSet(), RuleSet(), RuleSet()
        self.denies, self.once_denies, self.revocations = RuleSet(), RuleSet(), RuleSet()
        self.parent = parent

    # --- changing ----------------------------------------------------------------------------------------------------

    def grant(self, permission: Permission, kind: Kind, until: float | None = None, by: Decider = "host") -> None:
        """Add a grant; denials stay as they are."""
        target = {Kind.ONCE: self.once, Kind.UNTIL: self.timed}.get(kind, self.grants)
        self._serial += 1
        if until is not None:
            self._next_end = min(self._next_end, until)
        for rule in split_rules([permission], kind, self._serial, until, by):
            target.add(rule)

    def deny(self, permission: Permission, kind: Kind, by: Decider = "host") -> None:
        """Add a denial, which no grant overrides."""
        target = self.once_denies if kind is Kind.ONCE else self.denies
        for rule in split_rules([permission], kind, by=by):
            target.add(rule)

    def redeclare(self, declared: Iterable[Permission]) -> None:
        """Put another restriction in place of the first; grants and denials stay."""
        self.declared = RuleSet(split_rules(declared, Kind.SESSION))

    def lift(self, permission: Permission, *, exactly: bool = False) -> bool:
        """Take back denials that lie in `permission`, or only those of the very same name and scope."""
        found = False
        for scope in permission.parts:
            for denies in (self.denies, self.once_denies):
                if exactly:
                    found |= denies.discard(permission.name, scope)
                else:
                    found |= _discard_all(denies, denies.inside(permission.name, scope))
        return found

    def revoke(self, permission: Permission) -> bool:
        """Take back grants that lie in `permission`, and hide it from wider ones; tell whether anything changed."""
        found = False
        for scope in permission.parts:
            for grants in (self.grants, self.timed, self.once):
                found |= _discard_all(grants, grants.inside(permission.name, scope))
                if next(grants.touching(permission.name, scope), None) is not None:
                    self._serial += 1
                    self.revocations.add(Rule(permission.name, scope, Kind.REVOKED, self._serial))
                    found = True
        return found

    # --- deciding ----------------------------------------------------------------------------------------------------

    def judge(self, permission: Permission) -> Verdict:
        """Decide on a need: every part of it must be held."""
        first, *others = permission.parts
        verdict = self.judge_part(permission.name, first)
        for scope in others:
            verdict &= self.judge_part(permission.name, scope)
        return verdict

    def is_reachable(self, permission: Permission) -> bool:
        """Tell whether everything below the root lets a need through."""
        if self.parent is None:
            return True
        parts = (self._judge_own(permission.name, scope) for scope in permission.parts)
        return all(part.allowed for part in parts) and self.parent.is_reachable(permission)

    def judge_part(self, name: str, scope: str | None) -> Verdict:
        """Decide on one scope of a name, or on the whole."""
        verdict = self._judge_own(name, scope)
        if self.parent is None or not verdict.allowed:
            return verdict
        return verdict & self.parent.judge_part(name, scope)

    def _judge_own(self, name: str, scope: str | None) -> Verdict:
        if self.declared is not None and self.declared.granting(name, scope) is None:
            return _UNDECLARED
        rule = next(self.denies.touching(name, scope), None) if self.denies else None
        if rule is not None:
            return Verdict(False, "denied", (rule,))
        rule = next(self.once_denies.touching(name, scope), None) if self.once_denies else None
        if rule is not None:
            return Verdict(False, "refused", (rule,), ((self.once_denies, rule),), is_stable=False)
        revoked = -1
        if self.revocations:
            revoked = max((rule.serial for rule in self.revocations.touching(name, scope)), default=-1)
        return self._find(name, scope, revoked)

    def _find(self, name: str, scope: str | None, after: int) -> Verdict:
        """Look for a grant, the ones that stay first, so that a one-time grant is not spent without need."""
        rule = self.grants.granting(name, scope, after=after)
        if rule is not None:
            return Verdict(True, "granted", (rule,))
        self.expire()
        rule = self.timed.granting(name, scope, after=after)
        if rule is not None:
            return Verdict(True, "granted", (rule,), is_stable=False)
        rule = self.once.granting(name, scope, after=after)
        if rule is not None:
            return Verdict(True, "granted", (rule,), ((self.once, rule),), is_stable=False)
        return _NOT_GRANTED

    def expire(self) -> None:
        """Forget the grants whose time is over; for good, even where the clock is set back."""
        if not self.timed or self._clock.now() < self._next_end:
            return
        now = self._clock.now()
        _discard_all(self.timed, [rule for rule in self.timed if rule.until is not None and rule.until <= now])
        self._next_end = min((rule.until for rule in self.timed if rule.until is not None), default=math.inf)

    # --- listing -----------------------------------------------------------------------------------------------------

    def scopes(self, name: str) -> tuple[HeldScopes, Verdict]:
        """Tell which scopes of a name without wildcards are held now, and what using them all would spend.

        Not for topics, which are patterns. The verdict is a refusal where no scope is held.
        """
        verdicts = {scope: self.judge_part(name, scope) for scope in self._mentioned(name)}
        others = self.judge_part(name, _NOBODYS_SCOPE)
        held = HeldScopes({scope: verdict.allowed for scope, verdict in verdicts.items()}, others.allowed)
        allowed = [verdict for verdict in (others, *verdicts.values()) if verdict.allowed]
        return held, reduce(Verdict.__and__, allowed) if allowed else self.judge_part(name, None)

    def holds_any(self, name: str) -> bool:
        """Tell whether `scopes` would hold any, without listing them."""
        scopes = chain((_NOBODYS_SCOPE,), self._mentioned(name))
        return any(self.judge_part(name, scope).allowed for scope in scopes)

    def effective(self) -> list[Rule]:
        """List what is granted, declared and held by the parent, less what a denial takes wholly.

        What a revocation takes wholly is gone already.
        """
        self.expire()
        rules = list(chain(self.grants, self.timed, self.once))
        if self.declared is not None:
            rules = _meet_all(rules, self.declared)
        if self.parent is not None:
            rules = _meet_all(rules, RuleSet(self.parent.effective()))
        return [rule for rule in rules if self.denies.swallowing(rule.name, rule.scope) is None]

    def made(self) -> Iterator[PermissionRule]:
        """Yield every grant and denial as it was made."""
        self.expire()
        for is_allowed, sets in (
            (True, (self.grants, self.timed, self.once)),
            (False, (self.denies, self.once_denies)),
        ):
            for rule in chain.from_iterable(sets):
                yield PermissionRule(
                    permission=str(rule), is_allowed=is_allowed, kind=rule.kind, until=rule.until, by=rule.by
                )

    def sets(self) -> Iterator[RuleSet]:
        """Yield every set of rules that may decide, those of the parents included."""
        yield from (self.grants, self.timed, self.once, self.denies, self.once_denies, self.revocations)
        if self.declared is not None:
            yield self.declared
        if self.parent is not None:
            yield from self.parent.sets()

    def _mentioned(self, name: str) -> Iterator[str]:
        return chain.from_iterable(rules.mentioned(name) for rules in self.sets())


def _discard_all(rules: RuleSet, gone: list[Rule]) -> bool:
    for rule in gone:
        rules.discard(rule.name, rule.scope)
    return bool(gone)


def _meet_all(rules: list[Rule], others: RuleSet) -> list[Rule]:
    """Intersect pair by pair; a literal one asks the index instead."""
    met: list[Rule] = []
    for rule in rules:
        for other in others.meeting(rule.name):
            both = meet_rules(rule, other)
            if both is not None:
                met.append(both)
    return met
