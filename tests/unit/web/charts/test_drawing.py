"""Workers that lie, stall or die: the host loses one chart, and has another worker."""

from __future__ import annotations

import asyncio
import os

import pytest

from plataforma_sdk.errors import ChartError
from plataforma_sdk.web.charts import _drawing
from plataforma_sdk.web.charts._drawing import Drawers

from .chart_kit import lying

HONEST = "send(b'R')\nwhile True: send(b'S' + read())"
SLOW_ONCE = (
    "send(b'R')\nwhile True:\n    asked = read()\n    time.sleep(30 if asked == b'slow' else 0)\n    send(b'S' + asked)"
)


def pids(drawers):
    return [worker.pid for worker, _ in drawers._idle]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_draws_one_after_the_other_and_ends_with_the_host(run):
    async def main():
        drawers = Drawers(pool=lying(HONEST))
        drawn = [await drawers.draw(b"one"), await drawers.draw(b"two")]
        (pid,) = pids(drawers)
        await drawers.aclose()
        return drawn, is_alive(pid)

    assert run(main()) == ([b"one", b"two"], False)


def test_what_takes_too_long_is_killed_and_the_next_is_drawn(run):
    async def main():
        drawers = Drawers(deadline_s=5, pool=lying(SLOW_ONCE))
        await drawers.draw(b"warm")
        (pid,) = pids(drawers)
        drawers._deadline_s = 0.05
        with pytest.raises(ChartError, match=r"longer than 0\.05 s and its worker was ended; draw fewer points"):
            await drawers.draw(b"slow")
        assert not is_alive(pid)
        drawers._deadline_s = 5
        assert await drawers.draw(b"quick") == b"quick"
        await drawers.aclose()

    run(main())


@pytest.mark.parametrize(
    "code",
    [
        "send(b'R'); read(); os._exit(3)",
        "send(b'R'); read(); send(b'', size=0)",
        "send(b'R'); read(); send(b'S', size=4_000_000_000)",
        "send(b'R'); read(); wire.sendall(b'\\x10\\x00'); os._exit(0)",
    ],
    ids=["dies", "answers nothing", "promises four gigabytes", "stops half-way"],
)
def test_a_worker_that_breaks_the_wire_is_ended(run, code):
    async def main():
        drawers = Drawers(deadline_s=10, pool=lying(code))
        try:
            with pytest.raises(ChartError, match="worker ended while it drew"):
                await drawers.draw(b"chart")
            return pids(drawers)
        finally:
            await drawers.aclose()

    assert run(main()) == []


def test_a_worker_that_never_starts_is_said(run):
    async def main():
        drawers = Drawers(pool=lying("os._exit(1)"))
        with pytest.raises(ChartError, match=r"did not start; is plataforma-sdk\[charts\] whole"):
            await drawers.draw(b"chart")
        await drawers.aclose()

    run(main())


def test_a_fault_of_the_drawing_keeps_the_worker(run):
    async def main():
        drawers = Drawers(pool=lying("send(b'R')\nwhile True: read(); send(b'Eno such mark')"))
        for _ in range(2):
            with pytest.raises(ChartError, match="could not be drawn: no such mark"):
                await drawers.draw(b"chart")
        kept = len(pids(drawers))
        await drawers.aclose()
        return kept

    assert run(main()) == 1


def test_a_caller_who_goes_away_ends_the_worker_and_its_turn(run):
    async def main():
        drawers = Drawers(deadline_s=30, pool=lying(SLOW_ONCE))
        await drawers.draw(b"warm")
        (pid,) = pids(drawers)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await drawers.draw(b"slow")
        assert not is_alive(pid)
        assert await drawers.draw(b"quick") == b"quick"
        await drawers.aclose()

    run(main())


def test_a_worker_that_died_while_it_was_idle_is_replaced(run):
    async def main():
        drawers = Drawers(pool=lying(HONEST))
        await drawers.draw(b"one")
        worker, _ = drawers._idle[0]
        worker.kill()
        worker.process.wait(5)
        assert await drawers.draw(b"two") == b"two"
        assert pids(drawers) != [worker.pid]
        await drawers.aclose()

    run(main())


def test_a_worker_is_retired(run, monkeypatch):
    """A JavaScript engine that never ends grows."""
    monkeypatch.setattr(_drawing, "_MAX_DRAWINGS", 2)

    async def main():
        drawers = Drawers(pool=lying(HONEST))
        await drawers.draw(b"one")
        (first,) = pids(drawers)
        await drawers.draw(b"two")
        assert (pids(drawers), is_alive(first)) == ([], False)
        await drawers.aclose()

    run(main())


def test_the_queue_has_an_end(run, monkeypatch):
    monkeypatch.setattr(_drawing, "MAX_WAITING", 2)

    async def main():
        drawers = Drawers(deadline_s=30, pool=lying(SLOW_ONCE))
        assert not drawers.is_full
        waiting = [asyncio.ensure_future(drawers.draw(b"slow")) for _ in range(2)]
        await asyncio.sleep(0)
        full = drawers.is_full
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await drawers.aclose()
        return full, drawers.is_full

    assert run(main()) == (True, False)


def test_a_renderer_that_is_closed_draws_nothing(run):
    async def main():
        drawers = Drawers(pool=lying(HONEST))
        await drawers.aclose()
        await drawers.aclose()
        with pytest.raises(ChartError, match="closed"):
            await drawers.draw(b"chart")

    run(main())
