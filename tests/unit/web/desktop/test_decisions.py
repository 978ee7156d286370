"""The settings window: every decision visible, live, and a person's to take back."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from plataforma_sdk.errors import InvalidPermissionError, PlataformaError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.permissions import PermissionAnswer
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.types import FakeClock
from plataforma_sdk.web.desktop import DesktopDecisions
from tests.unit.runtime.conftest import COUNTER
from tests.unit.web.desktop.fakes import FakeSession, settle

MANIFEST = """
id = "counter"
version = "1.0.0"
name = "The counter"
entry = "counter:Counter"
[permissions.required]
"window.create" = "shows the count"
[permissions.optional]
"system.storage" = "keeps the count"
"database.read[Customer,Invoice]" = "counts them"
"""
PACKAGE = ModulePackage.from_files({"module.toml": MANIFEST.encode(), "counter.py": COUNTER.encode()})
WATCH = {"type": "watch", "topic": "permissions", "on": True}


class Settings:
    """One host with the counter, the feature, and a page that watches."""

    def __init__(self, host: ModuleHost) -> None:
        self.host = host
        self.feature = DesktopDecisions(host)
        self.page = FakeSession(subject="ana")

    async def change(self, action: object, permission: object, module: object = "counter") -> None:
        message = {"type": "permission", "module": module, "permission": permission, "action": action}
        await self.feature.receive(self.page, message)
        await settle()

    def modules(self) -> dict[str, dict[str, dict[str, object]]]:
        """Return what the page shows: module -> permission -> entry."""
        (message,) = self.page.of("permissions")
        return {each["id"]: {one["permission"]: one for one in each["entries"]} for each in message["modules"]}

    def entry(self, permission: str = "system.storage") -> dict[str, object]:
        return self.modules()["counter"][permission]

    def told(self, permission: str = "system.storage") -> tuple[object, ...]:
        entry = self.entry(permission)
        return tuple(entry[name] for name in ("state", "kind", "by"))


@pytest.fixture
def with_settings(run):
    """Run a scenario with the counter loaded and a page that watches."""

    def begin(scenario, **options):
        async def main():
            options.setdefault("grants", ["window.create"])
            async with (
                ModuleHost(engine="trusted", subject="ana", **options) as host,
                contextlib.AsyncExitStack() as stack,
            ):
                settings = Settings(host)
                stack.push_async_callback(settings.feature.aclose)
                await host.load(PACKAGE)
                await settings.feature.receive(settings.page, WATCH)
                return await scenario(settings)

        return run(main())

    return begin


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_every_declared_permission_is_shown_with_its_reason(with_settings):
    async def scenario(settings):
        return settings.page.of("permissions")

    (message,) = with_settings(scenario)
    undecided = {"kind": None, "until": None, "by": None, "declared": True, "required": False, "state": "undecided"}
    assert message == {
        "type": "permissions",
        "modules": [
            {
                "id": "counter",
                "name": "The counter",
                "loaded": True,
                "entries": [
                    {
                        "permission": "window.create",
                        "meaning": "Open windows",
                        "state": "granted",
                        "kind": "session",
                        "until": None,
                        "by": "host",
                        "declared": True,
                        "required": True,
                        "reason": "shows the count",
                    },
                    {
                        "permission": "system.storage",
                        "meaning": "Keep data of its own between runs",
                        "reason": "keeps the count",
                        **undecided,
                    },
                    {
                        "permission": "database.read[Customer,Invoice]",
                        "meaning": "Read Customer, Invoice in the application's database",
                        "reason": "counts them",
                        **undecided,
                    },
                ],
            }
        ],
    }


def test_each_page_reads_its_own_language(with_settings):
    async def scenario(settings):
        other = FakeSession("page-2", "ana", "pt-BR")
        await settings.feature.receive(other, WATCH)
        return other.sent

    (message,) = with_settings(scenario)
    assert message["modules"][0]["entries"][0]["meaning"] == "Abrir janelas"


def test_an_answer_to_a_dialog_is_shown_as_a_persons(with_settings):
    async def ask(_):
        return PermissionAnswer.ALLOW_ONCE

    async def scenario(settings):
        await settings.host.modules["counter"].permissions.request("system.storage")
        await settle()
        return settings.told()

    assert with_settings(scenario, prompt=ask) == ("granted", "once", "person")


def test_a_timed_grant_shows_its_end(with_settings):
    async def scenario(settings):
        settings.host.modules["counter"].permissions.grant("system.storage", until=2_000_000_000.0)
        await settle()
        return settings.told(), settings.entry()["until"]

    assert with_settings(scenario) == (("granted", "until", "host"), 2_000_000_000.0)


def test_a_grant_of_a_part_is_a_line_of_its_own(with_settings):
    async def scenario(settings):
        await settings.change("grant", "database.read[Customer]")
        return settings.told("database.read[Customer,Invoice]"), settings.told("database.read[Customer]")

    assert with_settings(scenario) == (("undecided", None, None), ("granted", "forever", "person"))


def test_a_whole_that_is_granted_is_one_line(with_settings):
    async def scenario(settings):
        await settings.change("grant", "database.read[Customer,Invoice]")
        return list(settings.modules()["counter"]), settings.told("database.read[Customer,Invoice]")

    names, told = with_settings(scenario)
    assert names == ["window.create", "system.storage", "database.read[Customer,Invoice]"]
    assert told == ("granted", "forever", "person")


def test_a_grant_of_the_host_for_all_modules_is_no_line(with_settings):
    async def scenario(settings):
        return list(settings.modules()["counter"]), settings.told("window.create")

    names, told = with_settings(scenario, grants=["window.*", "events.*"])
    assert (len(names), told) == (3, ("granted", "session", "host"))


# --- live ------------------------------------------------------------------------------------------------------------


def test_a_change_anywhere_is_seen_at_once(with_settings):
    async def scenario(settings):
        permissions = settings.host.modules["counter"].permissions
        seen = []
        for change in (permissions.grant, permissions.revoke, permissions.deny, permissions.lift):
            change("system.storage")
            await settle()
            seen.append(settings.told())
        return seen

    nothing = ("undecided", None, None)
    assert with_settings(scenario) == [
        ("granted", "session", "host"),
        nothing,
        ("denied", "forever", "host"),
        nothing,
    ]


def test_a_change_in_another_thread_is_seen(with_settings):
    async def scenario(settings):
        permissions = settings.host.modules["counter"].permissions
        thread = threading.Thread(target=permissions.grant, args=("system.storage",))
        thread.start()
        thread.join()
        await settle()
        return settings.told()

    assert with_settings(scenario) == ("granted", "session", "host")


def test_what_changes_without_a_word_is_seen_with_the_next_beat(with_settings):
    clock = FakeClock()

    async def scenario(settings):
        settings.host.modules["counter"].permissions.grant("system.storage", until=clock.now() + 10.0)
        await settle()
        before = settings.told()
        clock.advance(10.0)
        settings.feature._topic._run()
        return before[0], settings.told()[0]

    assert with_settings(scenario, clock=clock) == ("granted", "undecided")


def test_what_has_not_changed_is_not_sent_again(with_settings):
    async def scenario(settings):
        settings.page.sent.clear()
        settings.feature._topic._run()
        return settings.page.sent

    assert with_settings(scenario) == []


def test_a_page_that_ceases_to_watch_hears_no_more_and_nobody_listens(with_settings):
    async def scenario(settings):
        await settings.feature.receive(settings.page, {**WATCH, "on": False})
        settings.page.sent.clear()
        settings.host.modules["counter"].permissions.grant("system.storage")
        await settle()
        return settings.page.sent, settings.feature._followed, settings.feature._topic._timer

    assert with_settings(scenario) == ([], {}, None)


def test_a_page_that_is_gone_is_not_listened_for(with_settings):
    async def scenario(settings):
        settings.feature.left(settings.page)
        return settings.feature._followed, settings.feature._topic._timer

    assert with_settings(scenario) == ({}, None)


def test_another_topic_is_not_its_business(with_settings):
    async def scenario(settings):
        other = FakeSession("page-2", "ana")
        await settings.feature.receive(other, {**WATCH, "topic": "tasks"})
        return other.sent

    assert with_settings(scenario) == []


# --- changes ---------------------------------------------------------------------------------------------------------


def test_a_person_grants_takes_back_denies_and_lifts(with_settings):
    async def scenario(settings):
        seen = []
        for action in ("grant", "revoke", "deny", "lift"):
            await settings.change(action, "system.storage")
            seen.append(settings.told())
        return seen

    nothing = ("undecided", None, None)
    assert with_settings(scenario) == [
        ("granted", "forever", "person"),
        nothing,
        ("denied", "forever", "person"),
        nothing,
    ]


def test_what_was_decided_here_outlives_the_host(with_settings, tmp_path):
    async def decide(settings):
        await settings.change("grant", "system.storage")
        await settings.change("deny", "database.read[Customer]")

    async def look(settings):
        return settings.told(), settings.told("database.read[Customer]")

    with_settings(decide, state_dir=tmp_path)
    assert with_settings(look, state_dir=tmp_path) == (
        ("granted", "forever", "person"),
        ("denied", "forever", "person"),
    )


def test_the_next_check_of_the_module_sees_it(with_settings):
    async def scenario(settings):
        permissions = settings.host.modules["counter"].permissions
        await settings.change("revoke", "window.create")
        return permissions.has("window.create")

    assert with_settings(scenario) is False


@pytest.mark.parametrize("action", ["grant", "deny"])
def test_what_is_not_declared_is_not_decided_about(with_settings, action):
    async def scenario(settings):
        with pytest.raises(PlataformaError, match=r"does not declare 'system\.clipboard'"):
            await settings.change(action, "system.clipboard")

    with_settings(scenario)


@pytest.mark.parametrize("action", ["grant", "lift"])
def test_what_the_host_denies_is_not_the_persons_to_lift(with_settings, action):
    async def scenario(settings):
        settings.host.modules["counter"].permissions.deny("system.storage")
        with pytest.raises(PlataformaError, match=r"The application itself denies 'system\.storage'"):
            await settings.change(action, "system.storage")
        return settings.host.modules["counter"].permissions.denied

    assert with_settings(scenario) == ("system.storage",)


def test_a_denial_of_the_host_does_not_become_the_persons(with_settings):
    async def scenario(settings):
        settings.host.modules["counter"].permissions.deny("database.read[Customer]")
        await settings.change("deny", "database.read[Customer,Invoice]")
        await settings.change("lift", "database.read[Customer,Invoice]")
        return settings.host.modules["counter"].permissions.denied

    assert with_settings(scenario) == ("database.read[Customer]",)


@pytest.mark.parametrize(
    ("action", "permission", "module", "error"),
    [
        ("allow", "system.storage", "counter", "one of grant, deny, revoke, lift"),
        (["grant"], "system.storage", "counter", "needs the text 'action'"),
        ("grant", None, "counter", "needs the text 'permission'"),
        ("grant", "system.storage", {"id": 1}, "needs the text 'module'"),
        ("grant", "system.storage", "nobody", "is not loaded"),
        ("revoke", "system.storage", "nobody", "is not loaded"),
    ],
)
def test_what_makes_no_sense_is_refused(with_settings, action, permission, module, error):
    async def scenario(settings):
        with pytest.raises(PlataformaError, match=error):
            await settings.change(action, permission, module)

    with_settings(scenario)


def test_a_permission_outside_of_the_grammar_is_refused(with_settings):
    async def scenario(settings):
        with pytest.raises(InvalidPermissionError):
            await settings.change("deny", "no permission")

    with_settings(scenario)


@pytest.mark.parametrize(
    "message",
    [WATCH, {"type": "permission", "module": "counter", "permission": "system.storage", "action": "grant"}],
    ids=["watch", "change"],
)
def test_another_subject_neither_sees_nor_changes_anything(with_settings, message):
    async def scenario(settings):
        bia = FakeSession("page-2", "bia")
        with pytest.raises(PlataformaError, match="another person's"):
            await settings.feature.receive(bia, message)
        return bia.sent, settings.told()

    assert with_settings(scenario) == ([], ("undecided", None, None))


# --- modules that are not loaded -------------------------------------------------------------------------------------


def test_decisions_about_a_module_that_is_gone_are_shown_and_forgotten(with_settings):
    async def scenario(settings):
        await settings.change("grant", "system.storage")
        await settings.change("deny", "database.read[Customer]")
        await settings.host.unload("counter")
        settings.feature._refresh()
        shown = {name: settings.told(name) for name in settings.modules()["counter"]}
        await settings.change("revoke", "system.storage")
        await settings.change("lift", "database.read[Customer]")
        return shown, settings.modules(), settings.host.decisions.keys("ana")

    shown, afterwards, kept = with_settings(scenario)
    assert shown == {
        "database.read[Customer]": ("denied", "forever", "person"),
        "system.storage": ("granted", "forever", "person"),
    }
    assert (afterwards, kept) == ({}, ())


def test_what_is_not_kept_cannot_be_forgotten(with_settings):
    async def scenario(settings):
        await settings.change("grant", "system.storage")
        await settings.host.unload("counter")
        with pytest.raises(PlataformaError, match=r"Nothing is kept about 'system\.clipboard'"):
            await settings.change("revoke", "system.clipboard")
        with pytest.raises(PlataformaError, match="is not loaded"):
            await settings.change("grant", "system.storage")

    with_settings(scenario)


def test_a_feature_that_closes_listens_no_more(with_settings):
    async def scenario(settings):
        await settings.feature.aclose()
        settings.page.sent.clear()
        settings.host.modules["counter"].permissions.grant("system.storage")
        await asyncio.sleep(0)
        return settings.page.sent

    assert with_settings(scenario) == []
