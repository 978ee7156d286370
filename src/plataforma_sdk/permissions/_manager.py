"""`PermissionManager`: what one module may do, and the only way to change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import attrs

from plataforma_sdk.errors import InvalidPermissionError, PermissionDeniedError
from plataforma_sdk.permissions._advice import denial, explanation
from plataforma_sdk.permissions._announcer import Announcer
from plataforma_sdk.permissions._dialog import Dialog, Outcome
from plataforma_sdk.permissions._grammar import Permission, parse_permission, parse_permissions
from plataforma_sdk.permissions._holdings import Holdings, spend
from plataforma_sdk.permissions._patterns import covers, is_pattern
from plataforma_sdk.permissions._policy import Verdict
from plataforma_sdk.permissions._rules import Decider, Kind, Rule, gather
from plataforma_sdk.permissions._values import (
    Answer,
    AuditRecord,
    Explanation,
    HeldScopes,
    PermissionChange,
    PermissionRequest,
    PermissionRule,
    Prompt,
)
from plataforma_sdk.types import Clock, Subscription, SystemClock

__all__ = ["PermissionManager"]

MAX_RECORDED: Final = 1_024
"""Needs collected while recording."""

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

    >>> permissions = PermissionManager(["api.*", "database.read[Customer]"], module="vendas")
    >>> permissions.has("api.vendas[GET]"), permissions.has("database.read")
    (True, False)
    >>> permissions.revoke("api.vendas")
    True
    >>> permissions.has("api.vendas[GET]")
    False
    """

    __slots__ = {
        "_dialog": "",
        "_holdings": "",
        "_memo": "",
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
        self.module, self.subject, self.source = module, subject, source
        self.is_recording = record
        self._recorded: set[Rule] = set()
        self._dialog = Dialog(prompt, prompt_timeout_s, settled=self._settled, settle=self._settle)
        restriction = None if declared is None else parse_permissions(declared)
        announcer = Announcer(subject, module, clock or SystemClock(), audit)
        self._bind(Holdings(announcer, None if record else restriction))
        policy = self._holdings.policy
        for permission in parse_permissions(grants):
            policy.grant(permission, Kind.SESSION)
        for permission in parse_permissions(denies):
            policy.deny(permission, Kind.FOREVER)

    def _bind(self, holdings: Holdings) -> None:
        self._holdings = holdings
        self._memo = holdings.memo
        self.has = self._memo.__getitem__

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
            return  # `get` never judges: a warm check costs one lookup, and nothing one-time is memoised
        names = [parse_permission(text) for text in (name, *alternatives)]
        with self._holdings.lock:
            verdicts = [self._holdings.policy.judge(permission) for permission in names]
            chosen = next((place for place, verdict in enumerate(verdicts) if verdict.allowed), None)
            for verdict in verdicts if chosen is None else (verdicts[chosen],):
                spend(verdict)
        self._note(names[chosen or 0])
        if chosen is None:
            raise self._denial(names[0], verdicts[0])

    def has_any(self, name: str) -> bool:
        """Tell whether the permission is held in any scope; a one-time grant is not used up.

        Costs O(scopes mentioned for the name) at worst; for topics and wildcards, O(grants).
        """
        permission = parse_permission(name)
        if permission.scopes is not None:
            return self.has(name)
        with self._holdings.lock:
            if is_pattern(name) or name.startswith("events."):
                return any(covers(rule.name, name) for rule in self._holdings.policy.effective())
            return self._holdings.policy.holds_any(name)

    def scopes(self, name: str) -> HeldScopes:
        """Return which scopes of a name are held at this moment; not for topics and wildcards.

        Raises:
            InvalidPermissionError: the name has scopes or wildcards, or its scopes are topics.
        """
        with self._holdings.lock:
            return self._holdings.policy.scopes(_scopable(name))[0]

    def require_any(self, name: str) -> HeldScopes:
        """Pass where any scope is held, and return which; one-time grants among them are used up.

        For a service that learns only on the way which scopes a call touches.

        Raises:
            PermissionDeniedError: no scope is held.
            InvalidPermissionError: as `scopes`.
        """
        permission = Permission(_scopable(name))
        self._note(permission)
        with self._holdings.lock:
            held, verdict = self._holdings.policy.scopes(permission.name)
            spend(verdict)
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
        refusal = verdict.reason if verdict.reason != "not granted" else self._obstacle(permission)
        if refusal is None:
            made = self._make_request
            return await self._dialog.ask(permission, lambda: made(permission, reason)) and self._memo[name]
        self._holdings.announcer.write("request", str(permission), "denied", refusal)
        return False

    def explain(self, name: str) -> Explanation:
        """Say whether a permission is held, by which grant or denial, and what to do about it."""
        permission = parse_permission(name)
        with self._holdings.lock:
            return explanation(permission, self._holdings.policy.judge(permission), obstacle=self._obstacle(permission))

    @property
    def granted(self) -> tuple[str, ...]:
        """What is effectively granted, sorted: within what is declared, less what is wholly denied or revoked.

        A denial or revocation inside a wildcard leaves the wildcard listed. O(grants).
        """
        with self._holdings.lock:
            return gather(self._holdings.policy.effective())

    @property
    def denied(self) -> tuple[str, ...]:
        """What is denied, sorted."""
        with self._holdings.lock:
            return gather(self._holdings.policy.denies)

    @property
    def rules(self) -> tuple[PermissionRule, ...]:
        """Every grant and denial as it was made, one scope each, whether the manifest declares it or not. O(rules)."""
        with self._holdings.lock:
            return tuple(self._holdings.policy.made())

    @property
    def recorded(self) -> tuple[str, ...]:
        """What was required or requested while recording, sorted: the least that the manifest must declare."""
        return gather(self._recorded)

    @property
    def prompt(self) -> Prompt | None:
        """Whom to ask, from the next question on: one that stands open stays with whom it was put to."""
        return self._dialog.prompt

    @prompt.setter
    def prompt(self, prompt: Prompt | None) -> None:
        self._dialog.prompt = prompt

    @property
    def is_silenced(self) -> bool:
        """Whether three refused prompts have silenced the module."""
        return self._dialog.is_silenced

    # --- changing ----------------------------------------------------------------------------------------------------

    def grant(
        self, name: str, *, once: bool = False, until: float | None = None, forever: bool = False, by: Decider = "host"
    ) -> None:
        """Grant a permission, for the session unless said otherwise; a denial of the very same one is lifted.

        Args:
            name: the permission, perhaps with wildcards.
            once: until the next `require` that it decides.
            until: until a moment, in seconds since the epoch.
            forever: until it is taken back; a decision store keeps it.
            by: who decided, for `rules`.

        Raises:
            InvalidPermissionError: the name is none.
            ValueError: more than one of `once`, `until` and `forever`.
        """
        if once + (until is not None) + forever > 1:
            raise ValueError("a grant is for once, until a moment, or for ever: give one of them")
        kind = Kind.ONCE if once else Kind.FOREVER if forever else Kind.SESSION
        kind = kind if until is None else Kind.UNTIL
        self._holdings.grant(parse_permission(name), kind, until, by=by, is_lifting=True)

    def revoke(self, name: str) -> bool:
        """Take a permission back, out of wider grants too; tell whether any of it was granted.

        The next check sees it. What is granted later is held again.
        """
        return self._holdings.revoke(parse_permission(name))

    def deny(self, name: str, *, once: bool = False, by: Decider = "host") -> None:
        """Deny a permission for ever, or for the next `require` or `request` alone; no wider grant overrides it."""
        self._holdings.deny(parse_permission(name), Kind.ONCE if once else Kind.FOREVER, by=by)

    def redeclare(self, declared: Iterable[str]) -> None:
        """Take over what another version of the module declares: the next check sees it, grants and denials stay."""
        names = tuple(declared)
        if not self.is_recording:
            self._holdings.redeclare(parse_permissions(names))

    def lift(self, name: str) -> bool:
        """Take back the denials inside a permission; tell whether there were any. Nothing is granted by that."""
        return self._holdings.lift(parse_permission(name))

    def unsilence(self) -> None:
        """Let a silenced module ask again."""
        self._dialog.refusals = 0

    def attenuate(self, names: Iterable[str]) -> PermissionManager:
        """Return a manager that holds at most `names`, and never more than this one does at that moment.

        A request through it asks this one's person, for what lies within `names`.
        """
        child = PermissionManager(
            module=self.module, subject=self.subject, source=self.source, record=self.is_recording
        )
        child._dialog, child._recorded = self._dialog, self._recorded
        child._bind(Holdings(attrs.evolve(self._holdings.announcer, listeners={}), None, self._holdings))
        for permission in parse_permissions(names):
            child._holdings.policy.grant(permission, Kind.SESSION)
        return child

    def on_change(self, callback: Callable[[PermissionChange], None]) -> Subscription:
        """Call back after every grant, denial, revocation and lift, here or at a manager this one was attenuated from.

        Called in the thread of the change. The end of a timed grant is no change: check when it matters.
        """
        return self._holdings.announcer.listen(callback)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _judge_request(self, permission: Permission) -> Verdict:
        with self._holdings.lock:
            verdict = self._holdings.policy.judge(permission)
            if not verdict.allowed:
                spend(verdict)
            return verdict

    def _settled(self, permission: Permission) -> bool | None:
        """Answer a question whose turn has come, where the answer is known by now."""
        verdict = self._judge_request(permission)
        return None if verdict.reason == "not granted" else verdict.allowed

    def _settle(self, permission: Permission, outcome: Outcome) -> bool:
        """Take in a person's answer, which never lifts what the host has denied meanwhile."""
        answer = outcome.answer
        is_open = self._holdings.judge(permission).reason not in ("denied", "undeclared")
        result = "allowed" if answer.is_allowed and is_open else "denied"
        detail = outcome.detail or (str(answer.answer) if is_open else "denied by the host meanwhile")
        self._holdings.announcer.write("prompt", str(permission), result, detail)
        if answer.is_allowed and is_open:
            self._holdings.grant(permission, _KINDS[answer.answer], answer.until, by="person")
        elif answer.answer is Answer.DENY_FOREVER:
            self._holdings.deny(permission, Kind.FOREVER, by="person")
        return self._memo[str(permission)]

    def _denial(self, permission: Permission, verdict: Verdict, action: str = "check") -> PermissionDeniedError:
        self._holdings.announcer.write(action, str(permission), "denied", verdict.reason)
        return denial(permission, verdict, module=self.module, obstacle=self._obstacle(permission))

    def _obstacle(self, permission: Permission) -> str | None:
        """Say why nobody can be asked for a permission, or None."""
        if not self._holdings.is_reachable(permission):
            return "it is beyond what this manager was attenuated to"
        return None if self._dialog.is_open(permission) else self._dialog.obstacle()

    def _make_request(self, permission: Permission, reason: str) -> PermissionRequest:
        now, timeout_s = self._holdings.announcer.clock.now(), self._dialog.timeout_s
        return PermissionRequest(
            subject=self.subject,
            module=self.module,
            permission=str(permission),
            reason=reason,
            source=self.source,
            requested_at=now,
            expires_at=None if timeout_s is None else now + timeout_s,
        )

    def _note(self, permission: Permission) -> None:
        if self.is_recording and len(self._recorded) < MAX_RECORDED:
            self._recorded |= {Rule(permission.name, scope, Kind.SESSION) for scope in permission.parts}


def _scopable(text: str) -> str:
    permission = parse_permission(text)
    if permission.scopes is not None or is_pattern(permission.name) or permission.name.startswith("events."):
        raise InvalidPermissionError(
            text, "scopes are listed for a name without brackets and wildcards, not for topics"
        )
    return permission.name
