"""The values that go in and out of a `PermissionManager`."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Final, Protocol, TypeAlias

import attrs

from plataforma_sdk.permissions._rules import Decider, Kind
from plataforma_sdk.permissions._text import clean_text, quote

__all__ = [
    "CHOICES",
    "Answer",
    "AuditRecord",
    "Explanation",
    "HeldScopes",
    "PermissionAnswer",
    "PermissionChange",
    "PermissionPrompt",
    "PermissionRequest",
    "PermissionRule",
    "Prompt",
]


@attrs.frozen(kw_only=True)
class PermissionRequest:
    """A module asks a person for a permission.

    Attributes:
        subject: the person or tenant who is asked.
        module: id of the module, or None for a manager that stands alone.
        permission: what it asks for, ``"api.vendas[GET]"``.
        reason: the module's own words, stripped of control, bidi and invisible characters, at most 200.
        source: the module's publisher key or the place it came from, or None.
        requested_at: seconds since the epoch.
        expires_at: when no answer becomes a no, in seconds since the epoch; None for never.
    """

    subject: str
    module: str | None
    permission: str
    reason: str = attrs.field(converter=clean_text)
    source: str | None
    requested_at: float
    expires_at: float | None = None

    @property
    def quoted_reason(self) -> str:
        """The reason as the module's own words, in quotation marks that it cannot close."""
        return f"The module says: {quote(self.reason)}" if self.reason else "The module gives no reason."


class Answer(StrEnum):
    """What a person may answer."""

    ALLOW_ONCE = "allow once"
    ALLOW_SESSION = "allow for the session"
    ALLOW_UNTIL = "allow until"
    ALLOW_FOREVER = "allow for ever"
    DENY_ONCE = "deny once"
    DENY_FOREVER = "deny for ever"


@attrs.frozen
class PermissionAnswer:
    """A person's answer to a `PermissionRequest`.

    Attributes:
        answer: what was answered.
        until: seconds since the epoch, for `Answer.ALLOW_UNTIL`.

    >>> PermissionAnswer.allow_until(1_800_000_000.0).is_allowed
    True
    """

    answer: Answer = attrs.field(converter=Answer)
    until: float | None = None

    ALLOW_ONCE: ClassVar[PermissionAnswer]
    ALLOW_SESSION: ClassVar[PermissionAnswer]
    ALLOW_FOREVER: ClassVar[PermissionAnswer]
    DENY_ONCE: ClassVar[PermissionAnswer]
    DENY_FOREVER: ClassVar[PermissionAnswer]

    def __attrs_post_init__(self) -> None:
        if (self.until is None) is (self.answer is Answer.ALLOW_UNTIL):
            raise ValueError("'until' belongs to 'allow until', and to nothing else")
        if self.until is not None and not math.isfinite(self.until):
            raise ValueError(f"'until' is a moment in seconds since the epoch, not {self.until}")

    @classmethod
    def allow_until(cls, moment: float) -> PermissionAnswer:
        """Allow until a moment, in seconds since the epoch."""
        return cls(Answer.ALLOW_UNTIL, moment)

    @property
    def is_allowed(self) -> bool:
        """Whether the module gets what it asked for."""
        return self.answer.startswith("allow")


PermissionAnswer.ALLOW_ONCE = PermissionAnswer(Answer.ALLOW_ONCE)
PermissionAnswer.ALLOW_SESSION = PermissionAnswer(Answer.ALLOW_SESSION)
PermissionAnswer.ALLOW_FOREVER = PermissionAnswer(Answer.ALLOW_FOREVER)
PermissionAnswer.DENY_ONCE = PermissionAnswer(Answer.DENY_ONCE)
PermissionAnswer.DENY_FOREVER = PermissionAnswer(Answer.DENY_FOREVER)

CHOICES: Final = MappingProxyType(
    {
        "once": PermissionAnswer.ALLOW_ONCE,
        "session": PermissionAnswer.ALLOW_SESSION,
        "always": PermissionAnswer.ALLOW_FOREVER,
        "no": PermissionAnswer.DENY_ONCE,
        "never": PermissionAnswer.DENY_FOREVER,
    }
)
"""What a dialog offers, by the words in which a person is asked."""


class PermissionPrompt(Protocol):
    """Whoever puts a question to a person. A plain async function with the same signature serves as well."""

    async def ask(self, request: PermissionRequest) -> PermissionAnswer | bool:
        """Answer a request; True allows for the session, False denies once, and so do an exception and no answer.

        Called on the manager's loop and cancelled when its time is over. `request.reason` is the module's own word:
        show it as a quotation, never as the platform's.
        """


Prompt: TypeAlias = PermissionPrompt | Callable[[PermissionRequest], Awaitable[PermissionAnswer | bool]]
"""Asks a person: an object with an async ``ask``, or an async function. True is for the session, False for once."""


@attrs.frozen(kw_only=True)
class PermissionChange:
    """What a change listener receives.

    Attributes:
        action: ``"grant"``, ``"revoke"``, ``"deny"`` or ``"lift"``.
        permission: the permission concerned, perhaps a pattern.
        kind: how long a grant or denial lasts; None for ``"revoke"`` and ``"lift"``.
        until: seconds since the epoch, for `Kind.UNTIL`.
    """

    action: str
    permission: str
    kind: Kind | None = None
    until: float | None = None


@attrs.frozen(kw_only=True)
class PermissionRule:
    """One grant or denial that a manager holds, one scope of it.

    Attributes:
        permission: what is granted or denied, perhaps with wildcards.
        is_allowed: granted, or denied.
        kind: how long it lasts.
        until: seconds since the epoch, for `Kind.UNTIL`.
        by: ``"host"``, or ``"person"`` where somebody was asked.
    """

    permission: str
    is_allowed: bool
    kind: Kind
    until: float | None = None
    by: Decider = "host"


@attrs.frozen(kw_only=True)
class AuditRecord:
    """One line of the audit.

    Attributes:
        at: seconds since the epoch.
        subject: the person or tenant.
        module: id of the module, or None.
        action: ``"check"`` (a `require` that was refused), ``"request"`` (a request refused without a prompt),
            ``"prompt"``, ``"grant"``, ``"revoke"``, ``"deny"`` or ``"lift"``.
        permission: the permission concerned.
        outcome: ``"allowed"``, ``"denied"`` or ``"lifted"``.
        detail: the reason or the kind: ``"undeclared"``, ``"timed out"``, ``"forever"``.
    """

    at: float
    subject: str
    module: str | None
    action: str
    permission: str
    outcome: str
    detail: str = ""


@attrs.frozen(kw_only=True)
class Explanation:
    """Why a permission is held or not; ``str()`` of it is a sentence.

    Attributes:
        permission: the permission asked about.
        allowed: whether `has` says yes.
        rule: the grant or denial that decided, several joined by " and "; None where there is none.
        kind: how long it lasts, or None.
        reason: ``"granted"``, ``"undeclared"``, ``"not granted"``, ``"denied"`` or ``"refused"`` (once).
        advice: the next step; empty where the permission is held.
    """

    permission: str
    allowed: bool
    rule: str | None = None
    kind: Kind | None = None
    reason: str
    advice: str = ""

    def __str__(self) -> str:
        """Write one sentence."""
        verb = "allowed" if self.allowed else "refused"
        by = f" by {self.rule!r} ({self.kind})" if self.rule else ""
        why = self.reason if self.rule or not self.allowed else ""
        return f"{self.permission!r} is {verb}{': ' if why else ''}{why}{by}{'; ' if self.advice else ''}{self.advice}"


@attrs.frozen
class HeldScopes:
    """Which scopes of a name are held, at one moment; tells for any text, valid scope or not.

    For a service that checks scope by scope, such as the database's authorizer: ``"Customer" in scopes``.

    >>> "Customer" in HeldScopes({"Customer": True}, False)
    True
    """

    _mentioned: Mapping[str, bool]
    _others: bool

    def __contains__(self, scope: object) -> bool:
        """Tell whether one scope is held; what no rule mentions is held where the whole is."""
        return self._mentioned.get(scope, self._others) if isinstance(scope, str) else False

    def __bool__(self) -> bool:
        """Tell whether any scope is held."""
        return self._others or any(self._mentioned.values())

    @property
    def is_whole(self) -> bool:
        """Whether every scope is held."""
        return self._others and all(self._mentioned.values())

    @property
    def listed(self) -> tuple[str, ...]:
        """The scopes held by name, sorted."""
        return tuple(sorted(scope for scope, held in self._mentioned.items() if held))
