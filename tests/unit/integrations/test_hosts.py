from __future__ import annotations

import asyncio
from typing import Any

import pytest

from plataforma_sdk import ModuleHost
from plataforma_sdk.api import MockTransport
from plataforma_sdk.integrations import BlockingHostPool, HostPool, HostPoolFullError
from plataforma_sdk.integrations._hosts import HostRecipe, require


def test_a_missing_framework_says_how_to_come_by_it() -> None:
    with pytest.raises(ModuleNotFoundError, match="pip install bottle"):
        require("no_such_framework", "bottle")


def test_two_requests_at_once_open_one_host(run: Any) -> None:
    opened: list[str] = []

    async def open_host(subject: str) -> ModuleHost:
        opened.append(subject)
        await asyncio.sleep(0)
        return await ModuleHost(engine="trusted", subject=subject).__aenter__()

    async def main() -> None:
        pool = HostPool(open_host)

        async def use() -> ModuleHost:
            async with pool.use("ana") as host:
                await asyncio.sleep(0)
                return host

        first, second = await asyncio.gather(use(), use())
        assert first is second
        await pool.aclose()

    run(main())
    assert opened == ["ana"]


def test_a_request_that_is_given_up_while_its_host_opens_leaves_the_next_to_open_it(run: Any) -> None:
    async def main() -> None:
        stuck = asyncio.Event()
        tries: list[str] = []

        async def open_host(subject: str) -> ModuleHost:
            tries.append(subject)
            if len(tries) == 1:
                await stuck.wait()
            return await ModuleHost(engine="trusted", subject=subject).__aenter__()

        pool = HostPool(open_host)

        async def use() -> str:
            async with pool.use("ana") as host:
                return host.subject

        first, second = asyncio.create_task(use()), asyncio.create_task(use())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "ana"
        assert len(pool) == 1
        await pool.aclose()

    run(main())


def test_the_least_recently_used_host_goes_first(run: Any) -> None:
    async def main() -> None:
        hosts: dict[str, ModuleHost] = {}

        async def open_host(subject: str) -> ModuleHost:
            hosts[subject] = await ModuleHost(engine="trusted", subject=subject).__aenter__()
            return hosts[subject]

        pool = HostPool(open_host, max_hosts=2)
        for subject in ("ana", "bia", "ana", "caio"):
            async with pool.use(subject):
                pass
        assert sorted(subject for subject, host in hosts.items() if host._loop is None) == ["bia"]
        await pool.aclose()
        assert all(host._loop is None for host in hosts.values())

    run(main())


def test_all_in_use_is_an_error_for_threads_too() -> None:
    recipe = HostRecipe((), lambda: MockTransport({}), None, {"engine": "trusted"})
    pool = BlockingHostPool(recipe.open_blocking, max_hosts=1)
    with pool.use("ana"), pytest.raises(HostPoolFullError, match="max_hosts"), pool.use("bia"):
        pass
    pool.close()
    assert len(pool) == 0


def test_a_pool_holds_at_least_one_host() -> None:
    with pytest.raises(ValueError, match="max_hosts"):
        BlockingHostPool(lambda _: None, max_hosts=0)  # type: ignore[arg-type,return-value]


def test_subjects_never_share_a_directory(tmp_path: Any) -> None:
    recipe = HostRecipe((), lambda: MockTransport({}), tmp_path, {})
    found = {recipe._arguments(subject)["state_dir"] for subject in ("ana", "../ana", "ANA", "a/b", "")}
    assert len(found) == 5
    assert {path.parent for path in found} == {tmp_path}


def test_the_subject_is_no_setting() -> None:
    with pytest.raises(TypeError, match="function of the request"):
        HostRecipe((), lambda: MockTransport({}), None, {"subject": "ana"})
