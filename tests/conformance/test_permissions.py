"""The eleven permissions: refused with the line to add, refused while not granted, and open once granted."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import InvalidPermissionError, PermissionDeniedError
from plataforma_sdk.permissions import PERMISSIONS, PermissionAnswer

from ._suite import MANIFEST, Case, case, each, module

USES = {
    "database.read": ("await self.query('SELECT name FROM Customer WHERE id = 1')", [{"name": "Ana"}]),
    "database.write": ("await self.execute('UPDATE Customer SET name = ? WHERE id = 1', ['Eva'])", 1),
    "api.external[api.example.invalid]": ("await self.api_call('https://api.example.invalid/v1')", "nobody answers"),
    "api.internal": ("(await self.api_call('/shop/customers'))[0]['name']", "Ana"),
    "window.create": ("self.create_window(title='One').id", "main"),
    "window.modal": ("self.create_window(title='Two', modal=True).id", "main"),
    "system.notifications": ("await self.notify('Hello', 'world')", None),
    "system.storage": ("[await self.storage.set('k', 1), await self.storage.get('k')]", [None, 1]),
    "system.clipboard": ("[await self.clipboard.write('text'), await self.clipboard.read()]", [None, "text"]),
    "events.emit": ("self.emit('saved', {'id': 7})", None),
    "events.subscribe": ("self.subscribe('data.saved', self.render).is_active", True),
}
"""Permission -> what needs it, and what that gives where it is granted."""

ALSO_NEEDED = {
    "window.modal": ("window.create",),
    "database.write": ("database.read",),
}
ASKED_FOR = {
    "api.internal": "api.shop[GET]",
    "database.read": "database.read",
    "database.write": "database.write",
    "events.emit": "events.emit[module.probe.saved]",
    "events.subscribe": "events.subscribe[data.saved]",
}
"""What the refusal names, where it is narrower than the permission itself."""

WHILE_DECLARED = {"api.internal": "api.internal[GET]"}
"""What it names where the wider of two alternatives is the declared one."""


def asked_for(permission: str) -> str:
    return ASKED_FOR.get(permission, permission)


def use(permission: str) -> str:
    """Write a module that uses what a permission guards, and tells how it was refused."""
    return module(
        f"""
        async def use(self):
            return {USES[permission][0]}

        async def probe(self):
            try:
                return await self.use()
            except PermissionDeniedError as error:
                return [error.module, error.permission, error.reason, error.line, error.line is not None
                        and error.line in str(error)]
            except TransportError:
                return "nobody answers"
        """,
        head="from plataforma_sdk import TransportError",
    )


def refusal(permission: str, reason: str):
    """Check that the module is refused, sees why, and that a refusal it lets through is told to the host."""
    asked = asked_for(permission)
    line = f'"{asked}" = "why the module needs it"' if reason == "undeclared" else None

    async def check(host, handle):
        assert await handle.call("probe") == ["probe", asked, reason, line, line is not None]
        with pytest.raises(PermissionDeniedError) as caught:
            await handle.call("use")
        assert (caught.value.permission, caught.value.reason, caught.value.line) == (asked, reason, line)
        assert (handle.state, handle.restarts) == ("active", 0)

    return check


def opening(permission: str):
    """Check that the use is refused before the grant and served after it, without a reload."""

    async def check(host, handle):
        asked = WHILE_DECLARED.get(permission) or asked_for(permission)
        assert (await handle.call("probe"))[1:4] == [asked, "not granted", None]
        handle.permissions.grant(permission)
        assert await handle.call("probe") == USES[permission][1]
        handle.permissions.revoke(permission)
        assert (await handle.call("probe"))[2] != "undeclared"

    return check


def optional(*names: str) -> str:
    """Write a manifest whose permissions are optional, so that the load does not ask for them."""
    listing = "".join(f'"{name}" = "for the test"\n' for name in names)
    return f'{MANIFEST}[permissions.optional]\n{listing}[events]\nconsumed = ["*"]\n'


test_an_undeclared_permission_is_refused_with_the_line_to_add = each(
    Case(
        name=f"undeclared_{permission}",
        source=use(permission),
        check=refusal(permission, "undeclared"),
        permissions=ALSO_NEEDED.get(permission, ()),
        grants=("*", "api.external"),  # a grant of everything does not stand in for a declaration
        has_database=True,
    )
    for permission in USES
)

test_a_declared_permission_is_refused_until_it_is_granted = each(
    Case(
        name=f"granted_later_{permission}",
        source=use(permission),
        check=opening(permission),
        manifest=optional(permission, *ALSO_NEEDED.get(permission, ())),
        grants=ALSO_NEEDED.get(permission, ()),
        has_database=True,
    )
    for permission in USES
)


def test_the_table_holds_the_eleven_permissions():
    assert {name.partition("[")[0] for name in USES} == set(PERMISSIONS)


# --- scopes ----------------------------------------------------------------------------------------------------------

SCOPED = {
    "api_method": ("api.shop[GET]", "await self.api_call('/shop/echo', method='POST')", "api.shop[POST]"),
    "api_segment": ("api.shop[GET]", "await self.api_call('/secrets/customers')", "api.secrets[GET]"),
    "api_host": ("api.external[a.example]", "await self.api_call('https://b.example/')", "api.external[b.example]"),
    "emit_topic": ("events.emit[module.probe.a]", "self.emit('b')", "events.emit[module.probe.b]"),
    "subscribe_topic": (
        "events.subscribe[data.a]",
        "self.subscribe('data.b', self.render)",
        "events.subscribe[data.b]",
    ),
    "subscribe_pattern": (
        "events.subscribe[data.a]",
        "self.subscribe('data.*', self.render)",
        "events.subscribe[data.*]",
    ),
}


def refuses(permission: str):
    async def check(host, handle):
        with pytest.raises(PermissionDeniedError) as caught:
            await handle.call("probe")
        assert (caught.value.permission, caught.value.module) == (permission, "probe")

    return check


test_a_scope_ends_where_it_says = each(
    Case(
        name=f"scope_{name}",
        source=module(f"async def probe(self):\n    return {text}"),
        check=refuses(wanted),
        permissions=(held,),
    )
    for name, (held, text, wanted) in SCOPED.items()
)


@case(
    module("async def probe(self, table):\n    return len(await self.query('SELECT * FROM ' + table))"),
    permissions=("database.read[Customer,Invoice]",),
    has_database=True,
)
async def test_a_table_outside_the_scope_is_refused(host, handle):
    assert [await handle.call("probe", table) for table in ("Customer", "Invoice")] == [2, 3]
    with pytest.raises(PermissionDeniedError, match=r"database\.read\[Secret\]"):
        await handle.call("probe", "Secret")


@case(
    module("async def probe(self):\n    await self.api_call('https://api.example.invalid/')"),
    permissions=("api.external[api.example.invalid]",),
    grants=("*", "api.*"),
    is_loaded=False,
)
async def test_no_wildcard_grants_the_way_out(host, package):
    with pytest.raises(PermissionDeniedError, match=r"api\.external"):
        await host.load(package)


# --- has, require, request -------------------------------------------------------------------------------------------

ASKS = module(
    """
    def probe(self, name):
        return self.permissions.has(name)

    def require(self, name):
        self.permissions.require(name)

    async def ask(self, name):
        return await self.permissions.request(name, "to keep your \\u202edrafts")

    def kinds(self):
        return [hasattr(self.permissions, name) for name in ("has", "require", "request", "grant", "revoke")]
    """
)


@case(ASKS, manifest=optional("system.storage"))
async def test_has_and_require_see_a_grant_and_a_revocation_at_once(host, handle):
    assert await handle.call("probe", "system.storage") is False
    with pytest.raises(PermissionDeniedError, match=r"system\.storage"):
        await handle.call("require", "system.storage")
    handle.permissions.grant("system.storage")
    assert await handle.call("probe", "system.storage") is True
    assert await handle.call("require", "system.storage") is None
    handle.permissions.revoke("system.storage")
    assert await handle.call("probe", "system.storage") is False


@case(ASKS)
async def test_a_module_asks_and_never_grants(host, handle):
    assert await handle.call("kinds") == [True, True, True, False, False]


@case(ASKS)
async def test_a_name_outside_the_grammar_is_refused(host, handle):
    for name in ("", "Nope", "api*", "a..b", "système.storage"):
        with pytest.raises(InvalidPermissionError):
            await handle.call("require", name)


class Person:
    """Answers as told, and remembers what was asked."""

    def __init__(self, answer=True, delay_s=0.0):
        self.answer = answer
        self.delay_s = delay_s
        self.asked = []

    async def __call__(self, request):
        self.asked.append(request)
        await asyncio.sleep(self.delay_s)
        return self.answer


WILLING, UNWILLING, SLOW = Person(), Person(PermissionAnswer.DENY_ONCE), Person(delay_s=0.4)


@case(ASKS, manifest=optional("system.storage"), settings={"prompt": WILLING})
async def test_a_person_grants_what_is_asked_for(host, handle):
    WILLING.asked.clear()
    assert await handle.call("ask", "system.storage") is True
    assert await handle.call("probe", "system.storage") is True
    asked = WILLING.asked[0]
    assert (asked.module, asked.permission, asked.reason) == ("probe", "system.storage", "to keep your drafts")


@case(ASKS, manifest=optional("system.storage"), settings={"prompt": WILLING})
async def test_the_undeclared_is_refused_without_a_prompt(host, handle):
    WILLING.asked.clear()
    with pytest.raises(PermissionDeniedError) as caught:
        await handle.call("ask", "system.clipboard")
    assert caught.value.reason == "undeclared"
    assert (WILLING.asked, await handle.call("probe", "system.clipboard")) == ([], False)


@case(ASKS, manifest=optional("system.storage"), settings={"prompt": UNWILLING})
async def test_three_refusals_silence_a_module(host, handle):
    UNWILLING.asked.clear()
    assert [await handle.call("ask", "system.storage") for _ in range(5)] == [False] * 5
    assert len(UNWILLING.asked) == 3


@case(ASKS, manifest=optional("system.storage"))
async def test_without_anybody_to_ask_the_answer_is_no(host, handle):
    assert await handle.call("ask", "system.storage") is False


@case(ASKS, permissions=("system.storage",), grants=(), is_loaded=False)
async def test_a_required_permission_without_anybody_to_ask_stops_the_load(host, package):
    with pytest.raises(PermissionDeniedError, match=r"system\.storage"):
        await host.load(package)
    assert not host.modules


@case(ASKS, permissions=("system.storage",), grants=(), settings={"prompt": WILLING}, is_loaded=False)
async def test_a_required_permission_is_asked_for_once_at_load(host, package):
    WILLING.asked.clear()
    handle = await host.load(package)
    assert await handle.call("probe", "system.storage") is True
    assert [request.permission for request in WILLING.asked] == ["system.storage"]


@case(ASKS, manifest=optional("system.storage") + "[limits]\nmax_call_ms = 200\n", settings={"prompt": SLOW})
async def test_waiting_for_a_person_does_not_count_against_the_call(host, handle):
    assert await handle.call("ask", "system.storage") is True


@case(ASKS, manifest=optional("system.storage"), grants=("system.storage",))
async def test_a_denial_wins_over_a_grant(host, handle):
    handle.permissions.deny("system.storage")
    assert await handle.call("probe", "system.storage") is False


@case(use("system.storage"), manifest=optional("system.storage"), grants=())
async def test_a_grant_for_once_is_used_up(host, handle):
    handle.permissions.grant("system.storage", once=True)
    assert (await handle.call("probe"))[1:3] == ["system.storage", "not granted"]  # the second of its two uses
