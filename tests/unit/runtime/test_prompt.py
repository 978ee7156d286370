"""Whom a host asks, and what it knows of a module while somebody is asked about it."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import ModuleStateError, PermissionDeniedError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.testing import MockPermissionManager
from tests.unit.runtime.conftest import COUNTER

ASKS = (
    COUNTER
    + """
    async def ask(self):
        return await self.permissions.request("system.storage", "keeps the count")
"""
)
MANIFEST = """
id = "counter"
version = "1.2.0"
name = "The counter"
entry = "counter:Counter"
[permissions.{kind}]
"system.storage" = "keeps the count"
"""


class Person:
    """Says the same to everything."""

    def __init__(self, *, answer: bool) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def ask(self, request):
        self.asked.append(request.permission)
        return self.answer


def package(kind: str) -> ModulePackage:
    manifest = MANIFEST.format(kind=kind)
    return ModulePackage.from_files({"module.toml": manifest.encode(), "counter.py": ASKS.encode()})


@pytest.mark.parametrize("manager", [None, MockPermissionManager], ids=["real", "of the test kit"])
def test_a_module_that_is_loaded_asks_the_new_prompt(run, manager):
    first, second = Person(answer=False), Person(answer=True)

    async def main():
        async with ModuleHost(engine="trusted", prompt=first, permission_manager=manager) as host:
            handle = await host.load(package("optional"))
            answers = [await handle.call("ask")]
            host.prompt = second
            return [*answers, await handle.call("ask")], host.prompt

    assert run(main()) == ([False, True], second)


def test_a_load_asks_the_prompt_that_was_set(run):
    person = Person(answer=True)

    async def main():
        async with ModuleHost(engine="trusted") as host:
            with pytest.raises(PermissionDeniedError):
                await host.load(package("required"))
            host.prompt = person
            return (await host.load(package("required"))).state

    assert run(main()) == "active"
    assert person.asked == ["system.storage"]


def test_without_a_prompt_nobody_is_asked_any_more(run):
    person = Person(answer=True)

    async def main():
        async with ModuleHost(engine="trusted", prompt=person) as host:
            handle = await host.load(package("optional"))
            host.prompt = None
            return await handle.call("ask"), handle.permissions.explain("system.storage").advice

    held, advice = run(main())
    assert (held, person.asked) == (False, [])
    assert "there is no prompt" in advice


def test_a_manifest_is_known_while_somebody_is_asked(run):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            found = []

            async def ask(request):
                found.append(host.manifest_of(request.module))
                return True

            host.prompt = ask
            await host.load(package("required"))
            await host.unload("counter")
            return found, host.manifest_of("counter")

    (asked_about,), afterwards = run(main())
    assert (asked_about.name, asked_about.version) == ("The counter", "1.2.0")
    assert afterwards is None


def test_decisions_are_those_of_the_hosts_store(run):
    async def main():
        async with ModuleHost(engine="trusted", subject="ana") as host:
            handle = await host.load(package("optional"))
            handle.permissions.grant("system.storage", forever=True)
            (key,) = host.decisions.keys("ana")
            return key.module, [decision.permission for decision in host.decisions.decisions(key)]

    assert run(main()) == ("counter", ["system.storage"])


def test_there_are_no_decisions_before_the_host_is_entered():
    with pytest.raises(ModuleStateError, match="not entered"):
        _ = ModuleHost().decisions
