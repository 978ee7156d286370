"""TUF metadata, from a service that signs it to a client that python-tuf tells an old or a mixed state to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx2
import pytest

pytest.importorskip("tuf")

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry import ModuleIndex, digest_of
from plataforma_sdk.registry.backends import DirectoryBackend, HttpBackend, MemoryBackend, WebOptions
from plataforma_sdk.registry.trust import KeyStore, SigningKey, TrustPolicy
from plataforma_sdk.web.registry import ServiceOptions
from plataforma_sdk.web.registry._app import make_app
from plataforma_sdk.web.registry._state import ServiceState
from plataforma_sdk.web.registry._tuf_root import init_tuf, open_index, read_root, renew_root
from tests.conformance.registry._releases import MARIA, make_release
from tests.unit.registry._doubles import open_registry
from tests.unit.web.registry.conftest import Open

DAY_S = 86_400.0
ADDRESS = "http://127.0.0.1:8433"


@attrs.define
class Clock:
    """What time it is at the service."""

    now: float = attrs.field(factory=time.time)

    def __call__(self) -> float:
        return self.now


class Network(httpx2.AsyncBaseTransport):
    """Between client and service: counts, and answers what it is told to instead."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport
        self.asked: list[str] = []
        self.seen: dict[str, tuple[int, bytes]] = {}
        self.instead: Callable[[str], tuple[int, bytes] | None] = lambda _: None
        self.before: Callable[[str], Awaitable[None]] | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        self.asked.append(path)
        if self.before is not None:
            await self.before(path)
        answer = self.instead(path)
        if answer is None:
            response = await self._transport.handle_async_request(request)
            await response.aread()
            answer = self.seen[path] = response.status_code, response.content
        status, body = answer
        if status == 0:
            raise httpx2.ConnectError("cut")
        etag = f'"{digest_of(body)}"'
        return httpx2.Response(status, content=body, headers={"etag": etag})


class Case:
    """A service with a registry, and clients of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "registry"
        self.states = directory
        self.clock = Clock()
        self.backend = DirectoryBackend(self.directory)  # publishes past the service: what it signs, it finds itself
        self.service = ServiceState(ServiceOptions(directory=self.directory, max_requests_per_s=0), now=self.clock)
        self.network = Network(httpx2.ASGITransport(make_app(self.service)))

    async def publish(self, *args: Any, owner: str | None = None, **fields: Any) -> ModuleIndex:
        release, blobs = make_release(*args, **fields)
        return await self.backend.publish(release, blobs, owner=owner)

    def init(self, **settings: Any) -> bytes:
        """Make the metadata, signed at the service's time."""
        with self.index() as index:
            return init_tuf(index, self.directory, **{"now": self.clock.now, "lifetime_s": 365 * DAY_S, **settings})

    @contextlib.contextmanager
    def index(self) -> Iterator[Any]:
        with contextlib.closing(open_index(self.directory, is_new=True)) as connection:
            yield connection

    def renew(self, key: str = "root", **settings: Any) -> bytes:
        with self.index() as index:
            signer = KeyStore(self.directory / "tuf").load(key)
            return renew_root(index, self.directory, signer, now=self.clock.now, lifetime_s=365 * DAY_S, **settings)

    @contextlib.asynccontextmanager
    async def client(self, name: str = "ana", **settings: Any) -> Any:
        """Open a registry as another process would: by name its state, and nothing of the indexes that it saw."""
        options = WebOptions(transport=self.network, first_wait_s=0, max_tries=1)
        cache = self.states / f"cache-{len(self.network.asked)}"
        defaults = {"trust": TrustPolicy.any(), "state_dir": self.states / name, "cache_dir": cache}
        async with open_registry(HttpBackend(ADDRESS, options=options), **{**defaults, **settings}) as registry:
            yield registry

    async def ask(self, name: str = "ana", module_id: str = "vendas", **settings: Any) -> ModuleIndex:
        async with self.client(name, **settings) as registry:
            return await registry.versions(module_id)

    def replay(self, *parts: str) -> None:
        """Answer from now on what was answered before, where a path has one of these parts."""
        kept = dict(self.network.seen)
        self.network.instead = lambda path: kept.get(path) if any(part in path for part in parts) else None

    def asked_for(self, part: str) -> int:
        return sum(part in path for path in self.network.asked)


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Callable[[Case], Awaitable[None]]], None]:
    """Run a case with a service in a new directory, which has published one module."""

    def runner(case: Callable[[Case], Awaitable[None]]) -> None:
        async def main() -> None:
            setting = Case(tmp_path)
            try:
                await setting.publish()
                await case(setting)
            finally:
                await setting.service.aclose()
                await setting.backend.aclose()

        asyncio.run(main())

    return runner


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
        other = ServiceState(ServiceOptions(directory=setting.directory))
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


# --- one that is not ---


def test_an_old_index_is_refused_by_who_has_never_seen_another(run: Any) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        await setting.ask("ana")
        await setting.publish(version="1.1.0")
        setting.replay("/v1/modules/")
        for name in ("ana", "rui"):
            with pytest.raises(IntegrityError, match="another index of vendas than its TUF metadata lists"):
                await setting.ask(name)

    run(case)


def test_an_index_that_is_held_back_is_missed(run: Any) -> None:
    async def case(setting: Case) -> None:
        await setting.ask("rui", "nova")
        setting.replay("/v1/modules/")
        setting.init()
        await setting.publish("nova")
        with pytest.raises(IntegrityError, match="another index of nova"):
            await setting.ask("ana", "nova")

    run(case)


def test_an_old_state_that_is_whole_is_refused_by_who_saw_a_newer_one(run: Any) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        await setting.ask("rui")
        old = setting.network.seen.copy()
        await setting.publish(version="1.1.0")
        await setting.ask("ana")
        setting.network.instead = old.get
        assert (await setting.ask("eva")).revision == 1  # nobody can know better at first, until it expires
        with pytest.raises(IntegrityError, match="the TUF metadata goes back"):
            await setting.ask("ana")

    run(case)


def test_a_frozen_state_expires(run: Any) -> None:
    async def case(setting: Case) -> None:
        setting.clock.now -= 2 * DAY_S
        setting.init()
        for name in ("ana", "rui"):  # as if what was answered two days ago were answered for ever
            with pytest.raises(IntegrityError, match=r"has expired .*an old state that somebody holds on to"):
                await setting.ask(name)

    run(case)


def test_a_root_that_nobody_renewed_expires(run: Any) -> None:
    async def case(setting: Case) -> None:
        setting.init(lifetime_s=-1)
        with pytest.raises(IntegrityError, match="has expired"):
            await setting.ask()

    run(case)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "bin"])
def test_metadata_of_an_older_state_beside_a_newer_one_is_refused(run: Any, role: str) -> None:
    """Mix and match: each file is signed well, and they do not belong together."""

    async def case(setting: Case) -> None:
        setting.init()
        await setting.ask("rui")
        old = dict(setting.network.seen)
        await setting.publish(version="1.1.0")
        if role == "targets":
            setting.clock.now += 200 * DAY_S
            await setting.ask("eva")
            setting.clock.now = time.time()

        def older(path: str) -> tuple[int, bytes] | None:
            if f"{role}" not in path or "/tuf/" not in path:
                return None
            name = path.rpartition("/")[2].partition(".")[2] if role != "timestamp" else "timestamp.json"
            return next((answer for known, answer in old.items() if known.endswith(name)), None)

        setting.network.instead = older
        with pytest.raises(IntegrityError, match=r"TUF metadata"):
            await setting.ask("ana")

    run(case)


@pytest.mark.parametrize("role", ["1.root", "timestamp", "snapshot", "targets", "bin"])
def test_metadata_that_was_changed_is_refused(run: Any, role: str) -> None:
    async def case(setting: Case) -> None:
        root = setting.states / "root.json"
        root.write_bytes(setting.init())
        await setting.ask("rui")

        def changed(path: str) -> tuple[int, bytes] | None:
            if role not in path:
                return None
            data = json.loads(setting.network.seen[path][1])
            data["signed"]["x"] = "y"
            return 200, json.dumps(data).encode()

        setting.network.instead = changed
        with pytest.raises(IntegrityError, match="the TUF metadata does not verify"):
            await setting.ask("ana")

    run(case)


@pytest.mark.parametrize("answer", [(200, b""), (200, b"[]"), (200, b"\xff"), (200, b'{"signed": {"_type": 1}}')])
def test_what_is_no_metadata_is_refused(run: Any, answer: tuple[int, bytes]) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        setting.network.instead = lambda path: answer if "timestamp" in path else None
        with pytest.raises(IntegrityError, match="the TUF metadata does not verify"):
            await setting.ask()

    run(case)


@pytest.mark.parametrize("part", ["/tuf/", "timestamp.json", "snapshot.json", "bin-"])
def test_metadata_that_was_there_must_stay(run: Any, part: str) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        await setting.ask()
        await setting.publish(version="1.1.0")
        setting.network.instead = lambda path: (404, b"{}") if part in path else None
        with pytest.raises(IntegrityError, match="does not show all of it"):
            await setting.ask()

    run(case)


# --- the root ---


def test_a_root_that_is_given_must_be_the_registrys(run: Any, tmp_path: Path) -> None:
    async def case(setting: Case) -> None:
        right, wrong = tmp_path / "right.json", tmp_path / "wrong.json"
        right.write_bytes(setting.init())
        other = Case(tmp_path / "other")
        wrong.write_bytes(other.init())
        await other.service.aclose()
        await other.backend.aclose()
        assert (await setting.ask(tuf_root=right)).revision == 1
        assert setting.asked_for("1.root.json") == 0
        with pytest.raises(IntegrityError, match="the TUF metadata does not verify"):
            await setting.ask("rui", tuf_root=wrong)

    run(case)


def test_a_root_that_is_given_needs_metadata(run: Any, tmp_path: Path) -> None:
    async def case(setting: Case) -> None:
        other = Case(tmp_path / "other")
        root = tmp_path / "root.json"
        root.write_bytes(other.init())
        await other.service.aclose()
        await other.backend.aclose()
        with pytest.raises(IntegrityError, match="does not show all of it"):
            await setting.ask(tuf_root=root)
        with pytest.raises(RegistryError, match="cannot be read"):
            await setting.ask(tuf_root=tmp_path / "none.json")
        (tmp_path / "other.json").write_bytes(b"{}")
        with pytest.raises(RegistryError, match="The TUF root that was given is none"):
            await setting.ask("rui", tuf_root=tmp_path / "other.json")
        async with open_registry(MemoryBackend(ADDRESS), tuf_root=root) as registry:
            registry.backend.is_local = False
            with pytest.raises(IntegrityError, match="can have no TUF metadata"):
                await registry.versions("vendas")

    run(case)


def test_clients_follow_roots_and_keys_that_are_renewed(run: Any) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        await setting.ask("ana")
        setting.renew(new_online_key=True)
        (setting.directory / "tuf" / "online.key").unlink()  # what was stolen is worth nothing
        setting.renew(new_root_key=True)
        await setting.publish(version="1.1.0")
        assert (await setting.ask("ana")).revision == 2
        assert (await setting.ask("rui")).revision == 2
        setting.renew("root-3")
        with pytest.raises(IntegrityError, match="is not the key of this root"):
            setting.renew("root")
        assert (await setting.ask("ana")).revision == 2
        with setting.index() as index:
            assert json.loads(read_root(index, setting.directory))["signed"]["version"] == 4

    run(case)


def test_a_first_root_is_told_and_an_own_registry_is_asked_for_none(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        with caplog.at_level(logging.WARNING, "plataforma_sdk.registry.trust"):
            await setting.ask()
            await setting.ask()
        assert caplog.text.count("compared with nothing, and held to from now on") == 1

    run(case)


def test_a_registry_without_metadata_is_used_as_before(run: Any) -> None:
    async def case(setting: Case) -> None:
        async with setting.client() as registry:
            for _ in range(3):
                assert (await registry.versions("vendas")).revision == 1
        assert setting.asked_for("/tuf/") == 1

    run(case)


def test_without_a_state_directory_it_is_forgotten(run: Any, tmp_path: Path) -> None:
    async def case(setting: Case) -> None:
        setting.init()
        await setting.ask(state_dir=None)
        await setting.ask(state_dir=None)
        assert setting.asked_for("1.root.json") == 2

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
