"""The platform's names."""

from __future__ import annotations

import pytest

from plataforma_sdk.permissions import PERMISSIONS, PermissionManager, parse_permission


def test_the_eleven_names_of_the_specification():
    assert {member.name: member.value for member in PERMISSIONS} == {
        "DATABASE_READ": "database.read",
        "DATABASE_WRITE": "database.write",
        "API_EXTERNAL": "api.external",
        "API_INTERNAL": "api.internal",
        "WINDOW_CREATE": "window.create",
        "WINDOW_MODAL": "window.modal",
        "NOTIFICATIONS": "system.notifications",
        "STORAGE": "system.storage",
        "CLIPBOARD": "system.clipboard",
        "EVENTS_EMIT": "events.emit",
        "EVENTS_SUBSCRIBE": "events.subscribe",
    }


@pytest.mark.parametrize("member", PERMISSIONS)
def test_a_member_works_wherever_its_text_does(member):
    permissions = PermissionManager([member])
    assert {str(member): 1}[member] == 1
    assert permissions.has(member)
    assert permissions.has(str(member))
    assert permissions.granted == (str(member),)
    assert permissions.revoke(member)
    assert not permissions.has(str(member))


def test_a_member_takes_a_scope_by_formatting():
    assert str(parse_permission(f"{PERMISSIONS.DATABASE_READ}[Customer]")) == "database.read[Customer]"


def test_a_member_leaves_plain_text_behind():
    permissions = PermissionManager()
    permissions.has(PERMISSIONS.STORAGE)
    assert {type(name) for name in permissions._memo} == {str}
    assert type(parse_permission(PERMISSIONS.STORAGE).name) is str
