"""A permission manager that remembers: what was checked, by which grant it passed, and what nobody expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from plataforma_sdk.permissions import (
    Answer,
    HeldScopes,
    PermissionAnswer,
    PermissionManager,
    PermissionRequest,
    Prompt,
    is_within,
    parse_permission,
)

__all__ = ["MockPermissionManager", "PermissionCheck"]

PromptAnswer = PermissionAnswer | bool


@attrs.frozen
class PermissionCheck:
    """One question that a permission manager was asked.

    Attributes:
        permission: what was asked for, ``"api.vendas[GET]"``.
        action: ``"has"``, ``"require"``, ``"request"`` or ``"scopes"``.
        allowed: the answer.
    """

    permission: str
    action: str
    allowed: bool


class MockPermissionManager(PermissionManager):
    """A `PermissionManager` that decides as the real one and keeps account of it.

    A request whose answer was not given beforehand, by `answer_prompt`, is refused and noted in
    `unexpected_requests`; `assert_expected` fails on it.

    Args:
        grants: permissions granted.
        answers: permission -> the answer to a prompt for it: True, False or a `PermissionAnswer`.
        settings: further arguments of `PermissionManager`.

    Attributes:
        checks: every question, oldest first.
        requests: every request that reached the person.
        unexpected_requests: those that no answer was given for.
        granted_at_load: what was granted at first, within what is declared, one scope each.

    >>> permissions = MockPermissionManager(["api.*", "system.storage"])
    >>> permissions.require("api.vendas[GET]")
    >>> permissions.unused_grants
    ('system.storage',)
    >>> permissions.assert_required("api.vendas[GET]")
    """

    __slots__ = {
        "_answers": "",
        "_asked": "",
        "_used": "",
        "checks": "Every question, oldest first.",
        "granted_at_load": "What was granted at first, one scope each.",
        "requests": "Every request that reached the person.",
        "unexpected_requests": "Requests that no answer was given for.",
    }

    def __init__(
        self, grants: Iterable[str] = (), *, answers: Mapping[str, PromptAnswer] | None = None, **settings: Any
    ) -> None:
        self.checks: list[PermissionCheck] = []
        self.requests: list[PermissionRequest] = []
        self.unexpected_requests: list[PermissionRequest] = []
        self._answers: dict[str, PromptAnswer] = dict(answers or {})
        self._used: set[str] = set()
        self._asked: Prompt | None = settings.pop("prompt", None)
        super().__init__(grants, prompt=self._ask, **settings)
        self.granted_at_load = tuple(_parts(self.granted))

    def _bind(self, holdings: Any) -> None:
        super()._bind(holdings)
        decide = self.has

        def has(name: str) -> bool:
            held = decide(name)
            self._note_check(name, "has", held)
            return held

        self.has = has

    @property
    def prompt(self) -> Prompt | None:
        """Whom to ask where no answer was given beforehand."""
        return self._asked

    @prompt.setter
    def prompt(self, prompt: Prompt | None) -> None:
        self._asked = prompt

    # --- what is told beforehand -------------------------------------------------------------------------------------

    def answer_prompt(self, permission: str, answer: PromptAnswer = True) -> None:
        """Say how the person will answer a request for a permission, or for what lies within a pattern."""
        parse_permission(permission)
        self._answers[permission] = answer

    async def _ask(self, request: PermissionRequest) -> PromptAnswer:
        self.requests.append(request)
        for permission, answer in reversed(self._answers.items()):
            if is_within([request.permission], [permission]):
                return answer
        if self._asked is not None:
            ask: Any = getattr(self._asked, "ask", self._asked)
            answered: PromptAnswer = await ask(request)
            return answered
        self.unexpected_requests.append(request)
        return PermissionAnswer(Answer.DENY_ONCE)

    # --- what is asked -----------------------------------------------------------------------------------------------

    def require(self, name: str, *alternatives: str) -> None:
        """As the real one; noted with the alternative that passed."""
        passed = next((text for text in (name, *alternatives) if self.explain(text).allowed), None)
        if passed is not None:
            self._use(passed)
        self.checks.append(PermissionCheck(passed or name, "require", passed is not None))
        super().require(name, *alternatives)

    def has_any(self, name: str) -> bool:
        """As the real one."""
        held = super().has_any(name)
        if held:
            self._used |= self._covering(name)
        self.checks.append(PermissionCheck(name, "scopes", held))
        return held

    def require_any(self, name: str) -> HeldScopes:
        """As the real one; the scopes that are then looked up count as used."""
        held = super().require_any(name)
        self.checks.append(PermissionCheck(name, "scopes", allowed=True))
        return _NotedScopes(held, lambda scope: self._note_check(f"{name}[{scope}]", "has", allowed=True))

    async def request(self, name: str, reason: str = "") -> bool:
        """As the real one. To hold a permission that is asked for is no use of it."""
        allowed = await super().request(name, reason)
        self.checks.append(PermissionCheck(name, "request", allowed))
        return allowed

    def _note_check(self, name: str, action: str, allowed: bool) -> None:
        self.checks.append(PermissionCheck(name, action, allowed))
        if allowed:
            self._use(name)

    def _use(self, name: str) -> None:
        rule = self.explain(name).rule
        if rule is None:
            return
        self._used.update(rule.split(" and "))
        if "*" in rule:  # held is what is declared of it
            self._used.update(grant for grant in _parts(self.granted) if is_within([name], [grant]))

    def _covering(self, name: str) -> set[str]:
        return {grant for grant in _parts(self.granted) if is_within([name], [grant.partition("[")[0]])}

    # --- what came of it ---------------------------------------------------------------------------------------------

    @property
    def used_grants(self) -> tuple[str, ...]:
        """The grants by which something passed, one scope each, sorted."""
        return tuple(sorted(self._used))

    @property
    def unused_grants(self) -> tuple[str, ...]:
        """The grants by which nothing passed so far, one scope each, sorted: what a module could do without."""
        return tuple(sorted(set(_parts(self.granted)) - self._used))

    def assert_required(self, permission: str) -> None:
        """Fail unless the permission, or something within it, was asked for and held.

        Raises:
            AssertionError: the message lists what was.
        """
        needed = [check for check in self.checks if check.allowed and check.action != "request"]
        if not any(is_within([check.permission], [permission]) for check in needed):
            told = ", ".join(sorted({check.permission for check in needed})) or "nothing"
            raise AssertionError(f"{permission!r} was never needed; needed were: {told}")

    def assert_not_required(self, permission: str) -> None:
        """Fail if the permission, or something within it, was needed, held or not.

        Raises:
            AssertionError: the message says what asked for it.
        """
        needed = [check for check in self.checks if check.action != "request"]
        found = [check for check in needed if is_within([check.permission], [permission])]
        if found:
            raise AssertionError(f"{permission!r} was needed: {found[0].action} of {found[0].permission!r}")

    def assert_expected(self) -> None:
        """Fail on requests that no answer was given for.

        Raises:
            AssertionError: the message has the line that answers.
        """
        for request in self.unexpected_requests:
            raise AssertionError(
                f"module {request.module!r} asked for {request.permission!r}, and no answer was given: "
                f"answer_prompt({request.permission!r}), or prompts={{{request.permission!r}: True}}"
            )


class _NotedScopes(HeldScopes):
    """Scopes that tell which of them were looked up and held."""

    def __init__(self, held: HeldScopes, note: Any) -> None:
        super().__init__(held._mentioned, held._others)  # noqa: SLF001 - a wrapper of the same class
        object.__setattr__(self, "_note", note)

    def __contains__(self, scope: object) -> bool:
        held = super().__contains__(scope)
        if held:
            self._note(scope)  # type: ignore[attr-defined]
        return held


def _parts(permissions: Iterable[str]) -> list[str]:
    return [
        permission.name if scope is None else f"{permission.name}[{scope}]"
        for permission in map(parse_permission, permissions)
        for scope in permission.parts
    ]
