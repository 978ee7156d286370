from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from plataforma_sdk import ModuleHost, sync
from plataforma_sdk.api import MockTransport
from plataforma_sdk.errors import ModuleStateError
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


class FakeHost:
    """A host that takes its time to close, or fails to."""

    def __init__(self, subject: str, events: list[str]) -> None:
        self.subject = subject
        self.events = events
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.fault: Exception | None = None

    async def aclose(self) -> None:
        await self.may_close.wait()
        self.events.append(f"closed {self.subject}")
        if self.fault is not None:
            raise self.fault


class Fakes:
    """A pool of such hosts, and what became of them."""

    def __init__(self, max_hosts: int = 100) -> None:
        self.events: list[str] = []
        self.hosts: dict[str, FakeHost] = {}
        self.pool = HostPool(self.open, max_hosts=max_hosts)

    async def open(self, subject: str) -> Any:
        self.events.append(f"opened {subject}")
        self.hosts[subject] = FakeHost(subject, self.events)
        return self.hosts[subject]

    async def touch(self, subject: str) -> None:
        async with self.pool.use(subject):
            pass


def test_a_host_in_use_when_its_pool_closes_closes_when_it_is_given_back(run: Any) -> None:
    async def main() -> None:
        fakes = Fakes()
        async with fakes.pool.use("ana"):
            await fakes.touch("bia")
            await fakes.pool.aclose()
            assert fakes.events == ["opened ana", "opened bia", "closed bia"]
            await fakes.touch("ana")  # nobody opens a second one beside it
        assert fakes.events[3:] == ["closed ana"]
        assert len(fakes.pool) == 0

    run(main())


def test_one_that_does_not_close_well_hinders_nobody(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        fakes = Fakes(max_hosts=2)
        await fakes.touch("ana")
        await fakes.touch("bia")
        for host in fakes.hosts.values():
            host.fault = OSError("the disk is full")
        await fakes.touch("caio")  # in the place of ana
        await fakes.pool.aclose()
        assert sorted(fakes.events[3:]) == ["closed bia", "closed caio", "opened caio"]

    run(main())
    assert caplog.text.count("did not close well") == 2


def test_who_gives_up_waiting_for_room_leaves_no_host_half_closed(run: Any) -> None:
    async def main() -> None:
        fakes = Fakes(max_hosts=1)
        await fakes.touch("ana")
        fakes.hosts["ana"].may_close.clear()
        bia = asyncio.create_task(fakes.touch("bia"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        bia.cancel()
        await asyncio.wait([bia])
        again = asyncio.create_task(fakes.touch("ana"))  # waits for the old one to be gone
        await asyncio.sleep(0)
        fakes.hosts["ana"].may_close.set()
        await again
        assert fakes.events == ["opened ana", "closed ana", "opened ana"]
        await fakes.pool.aclose()

    run(main())


def test_all_hosts_close_at_once(run: Any) -> None:
    async def main() -> None:
        fakes = Fakes()
        await fakes.touch("ana")
        await fakes.touch("bia")
        fakes.hosts["ana"].may_close.clear()
        closing = asyncio.create_task(fakes.pool.aclose())
        while "closed bia" not in fakes.events:
            await asyncio.sleep(0)
        assert not closing.done()
        fakes.hosts["ana"].may_close.set()
        await closing

    run(main())


def test_hosts_close_in_their_own_loop_as_it_ends_and_the_next_begins_anew() -> None:
    loops: list[tuple[asyncio.AbstractEventLoop, ...]] = []

    async def open_host(subject: str) -> ModuleHost:
        host = await ModuleHost(engine="trusted", subject=subject).__aenter__()
        opened_in, aclose = asyncio.get_running_loop(), host.aclose

        async def noting() -> None:
            loops.append((opened_in, asyncio.get_running_loop()))
            await aclose()

        host.aclose = noting  # type: ignore[method-assign]
        return host

    pool = HostPool(open_host)

    async def use() -> None:
        async with pool.use("ana"):
            assert len(pool) == 1

    asyncio.run(use())
    asyncio.run(use())
    assert len(loops) == 2
    assert all(opened is closed for opened, closed in loops)


def test_a_pool_serves_no_two_loops_at_once(run: Any) -> None:
    pool = Fakes().pool

    async def use() -> None:
        async with pool.use("ana"):
            pass

    async def main() -> None:
        await use()
        with pytest.raises(ModuleStateError, match="a pool for each loop"):
            await asyncio.to_thread(asyncio.run, use())
        await pool.aclose()

    run(main())


def test_a_loop_that_ends_without_notice_is_told(caplog: pytest.LogCaptureFixture) -> None:
    fakes = Fakes()
    for _ in range(2):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(fakes.touch("ana"))
        loop.close()
    assert "1 hosts were not closed" in caplog.text


def test_a_host_for_threads_that_is_in_use_closes_when_it_is_given_back() -> None:
    recipe = HostRecipe((), lambda: MockTransport({}), None, {"engine": "trusted"})
    pool = BlockingHostPool(recipe.open_blocking)
    with pool.use("ana") as ana, pool.use("bia") as bia:
        pool.close()
        assert ana.stats().subject == "ana"
    for host in (ana, bia):
        with pytest.raises(ModuleStateError):
            host.stats()


def test_threads_that_collide_never_hold_two_hosts_of_one_user() -> None:
    alive: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock = threading.Lock()

    class Host:
        def __init__(self, subject: str) -> None:
            self.subject = subject
            with lock:
                alive[subject] += 1
                most[subject] = max(most[subject], alive[subject])

        def close(self) -> None:
            with lock:
                alive[self.subject] -= 1

        @property
        def host(self) -> Any:
            raise ModuleStateError("not entered")

    pool = BlockingHostPool(Host, max_hosts=2)  # type: ignore[arg-type]

    def work(seed: int) -> None:
        for turn in range(200):
            with contextlib.suppress(HostPoolFullError), pool.use("abc"[(seed + turn) % 3]):
                if turn % 50 == 49:
                    pool.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    pool.close()
    assert set(most.values()) == {1}
    assert set(alive.values()) == {0}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_blocking_host_refuses_after_a_fork_where_its_thread_is_not() -> None:
    with sync.ModuleHost(engine="trusted") as host:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            signal.alarm(10)  # where it waits for a thread that is not there
            try:
                with contextlib.suppress(ModuleStateError):
                    host.stats()
                    os.write(writer, b"answered ")
                host.close()
                os.write(writer, b"closed")
            finally:
                os._exit(0)
        os.close(writer)
        said = os.read(reader, 100)
        os.close(reader)
        os.waitpid(child, 0)
        assert said == b"closed"
        assert host.stats().subject == "default"
