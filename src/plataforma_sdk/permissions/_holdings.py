"""The state behind a `PermissionManager`: a policy, its memo, and those who want to hear of changes."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from weakref import WeakSet

from plataforma_sdk.permissions._announcer import Announcer
from plataforma_sdk.permissions._grammar import Permission, parse_permission
from plataforma_sdk.permissions._memo import Memo
from plataforma_sdk.permissions._policy import Policy, Verdict
from plataforma_sdk.permissions._rules import Decider, Kind
from plataforma_sdk.permissions._values import PermissionChange

__all__ = ["Holdings", "spend"]


class Holdings:
    """Decides and changes under one lock, shared with everything attenuated from it; announces outside of the lock.

    Attributes:
        announcer: audit and listeners.
        lock: guards `policy` and `memo`.
        memo: stable answers.
        policy: what decides.
        children: the holdings attenuated from these.
    """

    __slots__ = ("__weakref__", "announcer", "children", "lock", "memo", "policy")

    def __init__(
        self, announcer: Announcer, declared: Iterable[Permission] | None, parent: Holdings | None = None
    ) -> None:
        self.announcer = announcer
        self.lock: AbstractContextManager[bool | None] = threading.RLock() if parent is None else parent.lock
        self.memo = Memo(self.answer)
        self.policy: Policy = Policy(declared, announcer.clock, None if parent is None else parent.policy)
        self.children: WeakSet[Holdings] = WeakSet()
        if parent is not None:
            parent.children.add(self)

    def answer(self, name: str) -> bool:
        """Judge what the memo does not know.

        Judged and kept under one lock, so that an answer found before a revocation is never kept after it.
        """
        permission = parse_permission(name)
        with self.lock:
            verdict = self.policy.judge(permission)
            if verdict.is_stable:
                self.memo.keep(name, verdict.allowed)
            return verdict.allowed

    def judge(self, permission: Permission) -> Verdict:
        """Decide on a need, and spend nothing."""
        with self.lock:
            return self.policy.judge(permission)

    def is_reachable(self, permission: Permission) -> bool:
        """Tell whether a grant at the root would arrive here, or attenuation keeps it out."""
        with self.lock:
            return self.policy.is_reachable(permission)

    def grant(
        self,
        permission: Permission,
        kind: Kind,
        until: float | None = None,
        *,
        by: Decider = "host",
        is_lifting: bool = False,
    ) -> None:
        """Grant; with `is_lifting` a denial of the very same permission goes."""
        if until is not None and not math.isfinite(until):
            raise ValueError(f"'until' is a moment in seconds since the epoch, not {until}")
        with self.lock:
            if is_lifting:
                self.policy.lift(permission, exactly=True)
            self.policy.grant(permission, kind, until, by)
            self.forget_answers()
        self._announce("grant", permission, "allowed", kind, until)

    def deny(self, permission: Permission, kind: Kind, *, by: Decider = "host") -> None:
        """Deny."""
        with self.lock:
            self.policy.deny(permission, kind, by)
            self.forget_answers()
        self._announce("deny", permission, "denied", kind)

    def redeclare(self, declared: Iterable[Permission]) -> None:
        """Put another restriction in place of the first."""
        with self.lock:
            self.policy.redeclare(declared)
            self.forget_answers()

    def revoke(self, permission: Permission) -> bool:
        """Take grants back; tell whether there were any."""
        return self._take_back("revoke", permission, "denied", self.policy.revoke)

    def lift(self, permission: Permission) -> bool:
        """Take denials back; tell whether there were any."""
        return self._take_back("lift", permission, "lifted", self.policy.lift)

    def forget_answers(self) -> None:
        """Empty the memo, here and below."""
        self.memo.clear()
        for child in list(self.children):
            child.forget_answers()

    def tell(self, change: PermissionChange) -> None:
        """Call the listeners, here and below."""
        self.announcer.tell(change)
        for child in list(self.children):
            child.tell(change)

    def _take_back(self, action: str, permission: Permission, outcome: str, take: Callable[[Permission], bool]) -> bool:
        with self.lock:
            found = take(permission)
            self.forget_answers()
        if found:
            self._announce(action, permission, outcome)
        return found

    def _announce(
        self, action: str, permission: Permission, outcome: str, kind: Kind | None = None, until: float | None = None
    ) -> None:
        text = str(permission)
        self.announcer.write(action, text, outcome, kind or "")
        self.tell(PermissionChange(action=action, permission=text, kind=kind, until=until))


def spend(verdict: Verdict) -> None:
    """Use up the one-time rules of a verdict; call it under the lock under which the verdict was found."""
    for rules, rule in verdict.spends:
        rules.discard(rule.name, rule.scope)
