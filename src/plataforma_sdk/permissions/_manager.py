"""`PermissionManager`: what one module may do, and the only way to change it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from typing import Final
from weakref import WeakSet

from plataforma_sdk.errors import InvalidPermissionError, PermissionDeniedError
from plataforma_sdk.permissions._advice import denial, explanation
from plataforma_sdk.permissions._announcer import Announcer
from plataforma_sdk.permissions._dialog import Dialog, Outcome
from plataforma_sdk.permissions._grammar import Permission, parse_permission, parse_permissions
from plataforma_sdk.permissions._memo import Memo
from plataforma_sdk.permissions._patterns import covers, is_pattern
from plataforma_sdk.permissions._policy import Policy, Verdict
from plataforma_sdk.permissions._rules import Kind, Rule, gather
from plataforma_sdk.permissions._text import clean_text
from plataforma_sdk.permissions._values import (
    Answer,
    AuditRecord,
    Explanation,
    HeldScopes,
    PermissionChange,
    PermissionRequest,
    Prompt,
)
from plataforma_sdk.types import Clock, Subscription, SystemClock

__all__ = ["PermissionManager"]

MAX_RECORDED: Final = 1_024

_KINDS: Final = {
    Answer.ALLOW_ONCE: Kind.ONCE,
    Answer.ALLOW_SESSION: Kind.SESSION,
    Answer.ALLOW_UNTIL: Kind.UNTIL,
    Answer.ALLOW_FOREVER: Kind.FOREVER,
}


class PermissionManager:
    """What one module may do. For hosts: modules hold a `ModulePermissions`, which cannot grant.

    *Held* means declared, and granted, and not denied (`declared` None declares everything). A name with scopes needs
    each of them; without, it needs all there are, so that a grant of one scope does not suffice and a denial of one
    scope stands in its way. A denial beats every grant but a later `grant` of the very same permission.

    Every method may be called from any thread, save `request`, which belongs to a loop.

    >>> permissions = PermissionManager(["api.*", "database.read[Customer]"], module="vendas")
    >>> permissions.has("api.vendas[GET]"), permissions.has("database.read")
    (True, False)
    >>> permissions.revoke("api.vendas")
    True
    >>> permissions.has("api.vendas[GET]")
    False
    """

    __slots__ = {
        "__weakref__": "",
        "_announcer": "",
        "_children": "",
        "_clock": "",
        "_dialog": "",
        "_lock": "",
        "_memo": "",
        "_parent": "",
        "_policy": "",
        "_recorded": "",
        "has": """Tell whether a permission is held now: ``has(name) -> bool``.

        Sees every change, and the end of a timed grant, at the next call; never uses a one-time grant up. The bound
        `__getitem__` of a memo, so a repeated check costs two plain dict lookups, however many grants there are.

        Raises:
            InvalidPermissionError: the grammar does not admit the name.
        """,
        "is_recording": "Whether undeclared permissions may be granted, and needs are collected in `recorded`.",
        "module": "Id of the module, or None.",
        "source": "The module's publisher key or the place it came from, or None.",
        "subject": "The person or tenant who decides.",
    }

    has: Callable[[str], bool]

    def __init__(
        self,
        grants: Iterable[str] = (),
        *,
        module: str | None = None,
        declared: Iterable[str] | None = None,
        denies: Iterable[str] = (),
        prompt: Prompt | None = None,
        prompt_timeout_s: float | None = 60.0,
        clock: Clock | None = None,
        subject: str = "default",
        source: str | None = None,
        audit: Callable[[AuditRecord], None] | None = None,
        record: bool = False,
    ) -> None:
        """Start with grants for the session.

        Args:
            grants: permissions granted by the host, perhaps with wildcards.
            module: id of the module.
            declared: what its manifest asks for, the most it can hold; None for no restriction.
            denies: permissions denied by the host.
            prompt: whom to ask; None refuses every request that is not held.
            prompt_timeout_s: seconds until no answer is a no; None waits for ever.
            clock: tells when timed grants end.
            subject: the person or tenant who decides.
            source: the module's publisher key or the place it came from.
            audit: receives a record of each denial, prompt and change; must not block.
            record: hold the module to nothing it declared, and collect in `recorded` what it needed.
        """
        self.module, self.subject, self.source = module, subject, source
        self.is_recording = record
        self._clock = clock or SystemClock()
        self._announcer = Announcer(subject, module, self._clock, audit)
        self._parent: PermissionManager | None = None
        self._children: WeakSet[PermissionManager] = WeakSet()
        self._recorded: set[Rule] = set()
        self._lock = threading.RLock()
        self._memo = Memo(self._answer)
        self.has = self._memo.__getitem__
        self._dialog = Dialog(prompt, prompt_timeout_s, settled=self._settled, settle=self._settle)
        restriction = None if declared is None else parse_permissions(declared)
        self._policy = Policy(None if record else restriction, self._clock)
        for permission in parse_permissions(grants):
            self._policy.grant(permission, Kind.SESSION)
        for permission in parse_permissions(denies):
            self._policy.deny(permission, Kind.FOREVER)

    def __repr__(self) -> str:
        return f"<PermissionManager of {self.module!r}, {len(self.granted)} granted>"

    # --- asking ------------------------------------------------------------------------------------------------------

    def require(self, name: str, *alternatives: str) -> None:
        """Pass where the permission, or one of the alternatives, is held; a one-time grant is used up.

        Raises:
            PermissionDeniedError: none is held; the error is about the first.
            InvalidPermissionError: the grammar does not admit a name.
        """
        if self._memo.get(name) and not self.is_recording:
            return
        names = [parse_permission(text) for text in (name, *alternatives)]
        with self._lock:
            verdicts = []
            for permission in names:
                verdict = self._policy.judge(permission)
                if verdict.allowed:
                    _spend(verdict)
                    self._note(permission)
                    return
                verdicts.append(verdict)
            for verdict in verdicts:
                _spend(verdict)
        self._note(names[0])
        raise self._denial(names[0], verdicts[0])

    def has_any(self, name: str) -> bool:
        """Tell whether the permission is held in any scope; a one-time grant is not used up.

        Costs O(scopes mentioned for the name) at worst; for topics and wildcards, O(grants).
        """
        permission = parse_permission(name)
        if permission.scopes is not None:
            return self.has(name)
        with self._lock:
            if is_pattern(name) or name.startswith("events."):
                return any(covers(rule.name, name) for rule in self._policy.effective())
            return self._policy.holds_any(name)

    def scopes(self, name: str) -> HeldScopes:
        """Return which scopes of a name are held at this moment; not for topics and wildcards.

        Raises:
            InvalidPermissionError: the name has scopes or wildcards, or its scopes are topics.
        """
        with self._lock:
            return self._policy.scopes(_scopable(name))[0]

    def require_any(self, name: str) -> HeldScopes:
        """Pass where any scope is held, and return which; one-time grants among them are used up.

        For a service that learns only on the way which scopes a call touches.

        Raises:
            PermissionDeniedError: no scope is held.
            InvalidPermissionError: as `scopes`.
        """
        permission = Permission(_scopable(name))
        self._note(permission)
        with self._lock:
            held, verdict = self._policy.scopes(permission.name)
            _spend(verdict)
        if not held:
            raise self._denial(permission, verdict)
        return held

    async def request(self, name: str, reason: str = "") -> bool:
        """Ask the person for a permission, unless it is held already; no answer is a no.

        Concurrent requests for one permission share a prompt. After three refusals the module is silenced.

        Args:
            name: the permission.
            reason: why, in the module's own words; it is stripped, cut to 200 characters and shown as a quotation.

        Raises:
            PermissionDeniedError: the permission is not declared, so that nobody is asked.
            InvalidPermissionError: the grammar does not admit the name.
        """
        permission = parse_permission(name)
        self._note(permission)
        verdict = self._judge_request(permission)
        if verdict.allowed:
            return True
        if verdict.reason == "undeclared":
            raise self._denial(permission, verdict, "request")
        detail = verdict.reason if verdict.reason != "not granted" else self._obstacle(permission)
        if detail is not None and not (verdict.reason == "not granted" and self._dialog.is_open(permission)):
            self._announcer.write("request", str(permission), "denied", detail)
            return False
        if self._parent is not None:
            return await self._parent.request(name, reason) and self.has(name)
        return await self._dialog.ask(permission, lambda: self._make_request(permission, reason))

    def explain(self, name: str) -> Explanation:
        """Say whether a permission is held, by which grant or denial, and what to do about it."""
        permission = parse_permission(name)
        with self._lock:
            return explanation(permission, self._policy.judge(permission), obstacle=self._obstacle(permission))

    @property
    def granted(self) -> tuple[str, ...]:
        """What is effectively granted, sorted: within what is declared, less what is wholly denied or revoked.

        A denial or revocation inside a wildcard leaves the wildcard listed. O(grants).
        """
        with self._lock:
            return gather(self._policy.effective())

    @property
    def denied(self) -> tuple[str, ...]:
        """What is denied, sorted."""
        with self._lock:
            return gather(self._policy.denies)

    @property
    def recorded(self) -> tuple[str, ...]:
        """What was required or requested while recording, sorted: the least that the manifest must declare."""
        return gather(self._recorded)

    @property
    def is_silenced(self) -> bool:
        """Whether three refused prompts have silenced the module."""
        return self._dialog.is_silenced

    # --- changing ----------------------------------------------------------------------------------------------------

    def grant(self, name: str, *, once: bool = False, until: float | None = None, forever: bool = False) -> None:
        """Grant a permission, for the session unless said otherwise; a denial of the very same one is lifted.

        Args:
            name: the permission, perhaps with wildcards.
            once: until the next `require` that it decides.
            until: until a moment, in seconds since the epoch.
            forever: until it is taken back; a decision store keeps it.
        """
        if once + (until is not None) + forever > 1:
            raise ValueError("a grant is for once, until a moment, or for ever: give one of them")
        kind = Kind.ONCE if once else Kind.FOREVER if forever else Kind.SESSION
        with self._lock:
            self._policy.lift(parse_permission(name), exactly=True)
            self._grant(parse_permission(name), kind if until is None else Kind.UNTIL, until)

    def revoke(self, name: str) -> bool:
        """Take a permission back, out of wider grants too; tell whether anything was held.

        The next check sees it. Whatever is granted later is held again.
        """
        permission = parse_permission(name)
        with self._lock:
            found = self._policy.revoke(permission)
            self._forget_answers()
        self._tell("revoke", permission, "denied")
        return found

    def deny(self, name: str, *, once: bool = False) -> None:
        """Deny a permission for ever, or for the next `require` or `request` alone; no wider grant overrides it."""
        with self._lock:
            self._deny(parse_permission(name), Kind.ONCE if once else Kind.FOREVER)

    def lift(self, name: str) -> bool:
        """Take back the denials inside a permission; tell whether there were any. Nothing is granted by that."""
        permission = parse_permission(name)
        with self._lock:
            found = self._policy.lift(permission)
            self._forget_answers()
        if found:
            self._tell("lift", permission, "lifted")
        return found

    def unsilence(self) -> None:
        """Let a silenced module ask again."""
        self._dialog.refusals = 0

    def attenuate(self, names: Iterable[str]) -> PermissionManager:
        """Return a manager that holds at most `names`, and never more than this one does at that moment.

        A request through it asks this one's person, for what lies within `names`.
        """
        child = PermissionManager(
            names, module=self.module, clock=self._clock, subject=self.subject, source=self.source,
            audit=self._announcer.audit,
        )  # fmt: skip
        with self._lock:
            child._lock, child._parent, child._policy.parent = self._lock, self, self._policy
            self._children.add(child)
        return child

    def on_change(self, callback: Callable[[PermissionChange], None]) -> Subscription:
        """Call back after every grant, denial, revocation and lift, here or at a manager this one was attenuated from.

        Called in the thread of the change. The end of a timed grant is no change: check when it matters.
        """
        return self._announcer.listen(callback)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _answer(self, name: str) -> bool:
        """Judge what the memo does not know.

        Judged and kept under one lock: an answer found before a revocation is never kept after it.
        """
        permission = parse_permission(name)
        with self._lock:
            verdict = self._policy.judge(permission)
            if verdict.is_stable:
                self._memo.keep(name, verdict.allowed)
            return verdict.allowed

    def _judge_request(self, permission: Permission) -> Verdict:
        with self._lock:
            verdict = self._policy.judge(permission)
            if not verdict.allowed:
                _spend(verdict)
            return verdict

    def _settled(self, permission: Permission) -> bool | None:
        """Answer a question whose turn has come, where the answer is known by now."""
        verdict = self._judge_request(permission)
        return None if verdict.reason == "not granted" else verdict.allowed

    def _settle(self, permission: Permission, outcome: Outcome) -> bool:
        """Take in a person's answer, which never overrides what the host has denied meanwhile."""
        answer = outcome.answer
        with self._lock:
            is_open = self._policy.judge(permission).reason not in ("denied", "undeclared")
            allowed = answer.is_allowed and is_open
            detail = outcome.detail or (str(answer.answer) if is_open else "denied by the host meanwhile")
            self._announcer.write("prompt", str(permission), "allowed" if allowed else "denied", detail)
            if allowed:
                self._grant(permission, _KINDS[answer.answer], answer.until)
            elif answer.answer is Answer.DENY_FOREVER:
                self._deny(permission, Kind.FOREVER)
        return self.has(str(permission))

    def _grant(self, permission: Permission, kind: Kind, until: float | None) -> None:
        if until is not None and not math.isfinite(until):
            raise ValueError(f"'until' is a moment in seconds since the epoch, not {until}")
        self._policy.grant(permission, kind, until)
        self._forget_answers()
        self._tell("grant", permission, "allowed", kind, until)

    def _deny(self, permission: Permission, kind: Kind) -> None:
        self._policy.deny(permission, kind)
        self._forget_answers()
        self._tell("deny", permission, "denied", kind)

    def _forget_answers(self) -> None:
        self._memo.clear()
        for child in list(self._children):
            child._forget_answers()

    def _tell(
        self, action: str, permission: Permission, outcome: str, kind: Kind | None = None, until: float | None = None
    ) -> None:
        self._announcer.write(action, str(permission), outcome, kind or "")
        self._tell_listeners(PermissionChange(action=action, permission=str(permission), kind=kind, until=until))

    def _tell_listeners(self, change: PermissionChange) -> None:
        self._announcer.tell(change)
        for child in list(self._children):
            child._tell_listeners(change)

    def _denial(self, permission: Permission, verdict: Verdict, action: str = "check") -> PermissionDeniedError:
        self._announcer.write(action, str(permission), "denied", verdict.reason)
        return denial(permission, verdict, module=self.module, obstacle=self._obstacle(permission))

    def _obstacle(self, permission: Permission) -> str | None:
        """Say why nobody can be asked for a permission, or None."""
        if self._parent is None:
            return self._dialog.obstacle()
        if not self._policy.judge_itself(permission).allowed:
            return "it is beyond what this manager was attenuated to"
        return self._parent._obstacle(permission)

    def _make_request(self, permission: Permission, reason: str) -> PermissionRequest:
        return PermissionRequest(
            subject=self.subject,
            module=self.module,
            permission=str(permission),
            reason=clean_text(reason),
            source=self.source,
            requested_at=self._clock.now(),
        )

    def _note(self, permission: Permission) -> None:
        if self._parent is not None:
            self._parent._note(permission)
        elif self.is_recording and len(self._recorded) < MAX_RECORDED:
            self._recorded |= {Rule(permission.name, scope, Kind.SESSION) for scope in permission.parts}


def _spend(verdict: Verdict) -> None:
    for rules, rule in verdict.spends:
        rules.discard(rule.name, rule.scope)


def _scopable(text: str) -> str:
    permission = parse_permission(text)
    if permission.scopes is not None or is_pattern(permission.name) or permission.name.startswith("events."):
        raise InvalidPermissionError(
            text, "scopes are listed for a name without brackets and wildcards, not for topics"
        )
    return permission.name
