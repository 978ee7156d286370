"""What the audit hears: denials, prompts and changes."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import PermissionDeniedError
from plataforma_sdk.permissions import AuditRecord, PermissionAnswer, PermissionManager
from plataforma_sdk.types import FakeClock


def heard(records: list[AuditRecord]) -> list[tuple[str, str, str, str]]:
    return [(record.action, record.permission, record.outcome, record.detail) for record in records]


def test_a_record_says_who_what_and_when():
    records: list[AuditRecord] = []
    PermissionManager(audit=records.append, module="vendas", subject="ana", clock=FakeClock(100.0)).grant("api.*")
    assert records == [
        AuditRecord(
            at=100.0,
            subject="ana",
            module="vendas",
            action="grant",
            permission="api.*",
            outcome="allowed",
            detail="session",
        )
    ]


def test_refused_checks_are_heard_and_questions_are_not():
    records: list[AuditRecord] = []
    permissions = PermissionManager(["api.*"], declared=["api.*"], denies=["api.b"], audit=records.append)
    permissions.has("database.read")
    permissions.require("api.a")
    for name in ("api.b", "database.read"):
        with pytest.raises(PermissionDeniedError):
            permissions.require(name)
    assert heard(records) == [
        ("check", "api.b", "denied", "denied"),
        ("check", "database.read", "denied", "undeclared"),
    ]


def test_changes_are_heard():
    records: list[AuditRecord] = []
    permissions = PermissionManager(audit=records.append)
    permissions.grant("api.a", once=True)
    permissions.revoke("api.a")
    permissions.deny("api.a")
    permissions.lift("api.a")
    assert heard(records) == [
        ("grant", "api.a", "allowed", "once"),
        ("revoke", "api.a", "denied", ""),
        ("deny", "api.a", "denied", "forever"),
        ("lift", "api.a", "lifted", ""),
    ]


def test_what_changes_nothing_is_not_heard():
    records: list[AuditRecord] = []
    permissions = PermissionManager(audit=records.append)
    permissions.revoke("api.a")
    permissions.lift("api.a")
    assert records == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (True, [("prompt", "api.a", "allowed", "allow for the session"), ("grant", "api.a", "allowed", "session")]),
        (False, [("prompt", "api.a", "denied", "deny once")]),
        (
            PermissionAnswer.DENY_FOREVER,
            [("prompt", "api.a", "denied", "deny for ever"), ("deny", "api.a", "denied", "forever")],
        ),
        (None, [("prompt", "api.a", "denied", "the prompt failed: TypeError")]),
    ],
)
def test_prompts_are_heard(answer, expected):
    records: list[AuditRecord] = []

    async def prompt(request):
        return answer

    asyncio.run(PermissionManager(prompt=prompt, audit=records.append).request("api.a"))
    assert heard(records) == expected


def test_a_prompt_that_timed_out_is_heard():
    records: list[AuditRecord] = []

    async def prompt(request):
        await asyncio.Event().wait()

    asyncio.run(PermissionManager(prompt=prompt, prompt_timeout_s=0.001, audit=records.append).request("api.a"))
    assert heard(records) == [("prompt", "api.a", "denied", "timed out")]


def test_requests_refused_without_a_prompt_are_heard():
    records: list[AuditRecord] = []
    asyncio.run(PermissionManager(audit=records.append).request("api.a"))
    asyncio.run(PermissionManager(audit=records.append, denies=["api.a"]).request("api.a"))
    with pytest.raises(PermissionDeniedError):
        asyncio.run(PermissionManager(audit=records.append, declared=[]).request("api.a"))
    assert heard(records) == [
        ("request", "api.a", "denied", "there is no prompt"),
        ("request", "api.a", "denied", "denied"),
        ("request", "api.a", "denied", "undeclared"),
    ]


def test_an_audit_that_fails_neither_grants_nor_refuses(caplog):
    def full(record):
        raise OSError("no space left")

    permissions = PermissionManager(audit=full)
    permissions.grant("api.a")
    assert permissions.has("api.a")
    with pytest.raises(PermissionDeniedError):
        permissions.require("api.b")
    assert "no space left" in caplog.text
