"""TUF metadata, from a service that signs it to a client that holds the service to it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

pytest.importorskip("tuf")

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry import digest_of
from plataforma_sdk.registry.backends import HttpBackend, WebOptions
from plataforma_sdk.registry.trust import SigningKey, TrustPolicy
from plataforma_sdk.web.registry._state import ServiceState
from plataforma_sdk.web.registry._tuf_root import read_root, renew_root
from tests.conformance.registry._releases import MARIA, make_release
from tests.unit.web.registry._tuf_case import ADDRESS, DAY_S, Case, Run, run_case
from tests.unit.web.registry.conftest import Open


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a case with a service in a new directory, which has published one module."""
    return lambda case: run_case(tmp_path, case)


# --- a service that is honest ---


def test_an_index_is_held_to_the_metadata_and_a_verify_says_so(run: Any) -> None:
    async def case(setting: Case) -> None:
        package = ModulePackage.from_source("class Vendas: ...", id="acme/vendas", version="1.0.0", entry="Vendas")
        archive = package.to_bytes()
        release, _ = make_release("acme/vendas", content=archive)
        await setting.backend.publish(attrs.evolve(release, digest=package.digest), {digest_of(archive): archive})
        setting.init()
        async with setting.client() as registry:
            index = await registry.versions("acme/vendas")
            proof, *_ = (await registry.verify(index.releases[0])).checked
        assert proof.startswith("index listed by TUF timestamp 2 valid until ")
        assert proof.endswith(", root 1")

    run(case)


def test_metadata_is_asked_for_once_in_a_while_and_not_for_each_module(run: Any) -> None:
    async def case(setting: Case) -> None:
        await setting.publish("outra")
        setting.init()
        async with setting.client() as registry:
            for module_id in ("vendas", "outra", "vendas"):
                await registry.versions(module_id)
            assert setting.asked_for("timestamp.json") == 1
            assert (await registry.versions("nada")).revision == 0
        await setting.ask()
        assert setting.asked_for("1.root.json") == 1  # the second process knows it

    run(case)


def test_what_is_published_is_listed_at_once_also_past_the_service(run: Any) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        async with setting.client() as registry:
            await registry.versions("vendas")
            await setting.publish(version="1.1.0")
            assert (await registry.versions("vendas")).revision == 2
            await setting.backend.yank("vendas", "1.0.0", "old")
            assert (await registry.versions("vendas")).releases[0].yanked == "old"

    run(case)


def test_a_namespace_that_is_claimed_changes_the_indexes_of_all_its_modules(run: Any) -> None:
    async def case(setting: Case) -> None:
        await setting.publish("acme/vendas")
        setting.init()
        assert (await setting.ask(module_id="acme/vendas")).owner is None
        await setting.publish("acme/clientes", owner=MARIA)
        assert (await setting.ask(module_id="acme/vendas")).owner == MARIA

    run(case)


def test_a_publish_between_two_requests_is_no_fault(run: Any) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        rest = ["1.1.0"]

        async def publish(path: str) -> None:
            if "timestamp.json" in path and rest:
                await setting.publish(version=rest.pop())

        setting.network.before = publish
        assert (await setting.ask()).revision == 2
        assert setting.asked_for("/v1/modules/") == 2

    run(case)


def test_the_metadata_is_signed_anew_when_half_of_its_time_has_passed(run: Any) -> None:
    async def case(setting: Case) -> None:
        async def version(role: str, days: float) -> int:
            setting.clock.now += days * DAY_S
            await setting.service.backend.beside(setting.service.tuf.refresh)
            with setting.index() as index:
                found = index.execute("SELECT max(version) FROM tuf_metadata WHERE role = ?", (role,)).fetchone()
            return int(found[0])

        setting.init()
        assert [await version("timestamp", days) for days in (0, 0.4, 0.2, 0, 0.4)] == [2, 2, 3, 3, 3]
        assert [await version("snapshot", days) for days in (0, 3, 0)] == [2, 3, 3]
        assert [await version("bin-00", days) for days in (0, 180, 0)] == [1, 2, 2]
        setting.clock.now = time.time()
        await setting.ask()

    run(case)


def test_old_metadata_goes_and_roots_stay(run: Any) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        for number in range(70):
            await setting.backend.yank("vendas", "1.0.0", f"reason {number}")
            await setting.service.backend.beside(setting.service.tuf.refresh)
        with setting.index() as index:
            kept = dict(index.execute("SELECT role, count(*) FROM tuf_metadata GROUP BY role").fetchall())
        assert (kept["root"], kept["snapshot"], kept["timestamp"]) == (1, 64, 64)
        await setting.ask()

    run(case)


def test_two_services_of_one_directory_sign_in_turns(run: Any) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        other = ServiceState(setting.options)
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(setting.publish("vendas", f"2.{number}.0"))
                for service in (setting.service, other):
                    group.create_task(service.backend.beside(service.tuf.refresh))
        await other.aclose()
        assert len((await setting.ask()).releases) == 21

    run(case)


def test_metadata_of_a_private_registry_needs_a_token(open_desk: Open) -> None:
    async def main() -> None:
        async with open_desk(is_private=True) as desk:
            assert (await desk.ask("GET", "/v1/tuf/timestamp.json")).status_code == 401
            desk.token = desk.new_token("read")
            assert (await desk.ask("GET", "/v1/tuf/timestamp.json")).status_code == 404

    asyncio.run(main())


@pytest.mark.parametrize("name", ["x", "snapshot.json", "0.root.json", "9.root.json", "1.bin-zz.json", "../online.key"])
def test_other_names_are_no_metadata(run: Any, name: str) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        backend = HttpBackend(ADDRESS, options=WebOptions(transport=setting.network, max_tries=1))
        assert await backend.tuf_file("timestamp.json") is not None
        assert await backend.tuf_file(name) is None

    run(case)


# --- what is not there ---


def test_a_service_that_cannot_be_reached_is_answered_for_by_what_was_seen(run: Any) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        async with setting.client(cache_dir=setting.states / "cache") as registry:
            await registry.versions("vendas")
        for part in ("/v1/", "/tuf/"):
            setting.network.instead = lambda path, part=part: (0, b"") if part in path else None
            assert (await setting.ask(cache_dir=setting.states / "cache")).revision == 1
            with pytest.raises(RegistryError, match="gave no whole answer"):
                await setting.ask()

    run(case)


@pytest.fixture
def without_tuf(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def leave_out() -> None:
        for name in ("tuf.ngclient", "tuf.api.metadata"):
            monkeypatch.setitem(sys.modules, name, None)

    return leave_out


def test_without_the_library_metadata_that_is_needed_is_asked_for(
    run: Any, without_tuf: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        await setting.ask("ana")
        without_tuf()
        for name, policy in (("rui", TrustPolicy.signed()), ("ana", TrustPolicy.any())):
            with pytest.raises(RegistryError, match=r'pip install "plataforma-sdk\[trust\]"'):
                await setting.ask(name, trust=policy)
        assert (await setting.ask("eva")).revision == 1
        assert "it cannot be read here" in caplog.text

    run(case)


def test_a_service_that_cannot_sign_does_not_start(run: Any, without_tuf: Any) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        key = setting.directory / "tuf" / "online.key"
        key.rename(key.with_name("elsewhere"))
        with pytest.raises(RegistryError, match="The online key that the TUF root names is not in"):
            await setting.service.open()
        without_tuf()
        with pytest.raises(RegistryError, match="needs the extra 'trust'"):
            await setting.service.open()

    run(case)


def test_a_root_that_is_about_to_expire_is_told(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def case(setting: Case) -> None:
        setting.init(lifetime_s=20.5 * DAY_S)
        await setting.service.open()
        assert "the TUF root expires in 20 days" in caplog.text

    run(case)


def test_metadata_is_made_once(run: Any) -> None:
    async def case(setting: Case) -> None:
        with setting.index() as index, pytest.raises(RegistryError, match="has no TUF metadata"):
            read_root(index, setting.directory)
        setting.init()
        with pytest.raises(RegistryError, match="has TUF metadata already"):
            setting.init()
        with setting.index() as index, pytest.raises(IntegrityError, match="is not the key of this root"):
            renew_root(index, setting.directory, SigningKey.new(), now=0, lifetime_s=1)

    run(case)
