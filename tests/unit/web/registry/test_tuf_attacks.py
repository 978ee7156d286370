"""What python-tuf tells a client of a service that lies: an old, a frozen or a mixed state, and another root."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tuf")

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry.backends import MemoryBackend
from plataforma_sdk.web.registry._tuf_root import read_root
from tests.unit.registry._doubles import open_registry
from tests.unit.web.registry._tuf_case import ADDRESS, DAY_S, Case, Run, run_case


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a case with a service in a new directory, which has published one module."""
    return lambda case: run_case(tmp_path, case)


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
