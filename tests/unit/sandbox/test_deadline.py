"""The deadline of a call, and how a person's time is left out of it."""

from __future__ import annotations

import asyncio
import time

import pytest

from plataforma_sdk.sandbox import CallDeadline, waiting_for_a_person


def test_a_block_in_time_is_left_alone(run):
    async def main():
        async with CallDeadline(5_000) as deadline:
            await asyncio.sleep(0)
        return deadline.has_passed

    assert run(main()) is False


def test_a_block_that_waits_too_long_is_ended(run):
    async def main():
        deadline = CallDeadline(20)
        with pytest.raises(TimeoutError):
            async with deadline:
                await asyncio.Event().wait()
        return deadline.has_passed, deadline.elapsed_ms >= 20

    assert run(main()) == (True, True)


def test_synchronous_code_can_ask_whether_its_time_has_passed(run):
    """The event loop cannot end a block that does not wait; and a person's time does not count here either."""

    async def main():
        async with CallDeadline(20) as deadline:
            before = deadline.is_due
            with waiting_for_a_person():
                time.sleep(0.03)
                meanwhile = deadline.is_due
            after = deadline.is_due
            time.sleep(0.03)
            seen = [before, meanwhile, after, deadline.is_due]
        return [*seen, deadline.is_due]  # what a call left behind has no deadline any more

    assert run(main()) == [False, False, False, True, False]


def test_another_timeout_is_not_taken_for_this_one(run):
    async def main():
        deadline = CallDeadline(5_000)
        with pytest.raises(TimeoutError):
            async with deadline:
                raise TimeoutError
        return deadline.has_passed

    assert run(main()) is False


def test_a_persons_time_does_not_count(run):
    async def main():
        async with CallDeadline(60) as deadline:
            with waiting_for_a_person():
                await asyncio.sleep(0.15)
            return deadline.elapsed_ms < 60

    assert run(main()) is True


def test_what_was_left_is_left_after_a_person_answered(run):
    async def ask_and_wait(deadline):
        async with deadline:
            with waiting_for_a_person():
                await asyncio.sleep(0.1)
            await asyncio.Event().wait()

    async def main():
        deadline = CallDeadline(60)
        with pytest.raises(TimeoutError):
            await ask_and_wait(deadline)
        return deadline.has_passed

    assert run(main()) is True


def test_a_person_in_a_task_of_the_call_pauses_the_call(run):
    async def ask():
        with waiting_for_a_person():
            await asyncio.sleep(0.15)
        return "answered"

    async def main():
        async with CallDeadline(60):
            return await asyncio.create_task(ask())

    assert run(main()) == "answered"


def test_two_questions_at_once_pause_once(run):
    async def ask(seconds):
        with waiting_for_a_person():
            await asyncio.sleep(seconds)

    async def main():
        async with CallDeadline(60) as deadline:
            await asyncio.gather(ask(0.1), ask(0.2))
            return deadline.elapsed_ms < 60

    assert run(main()) is True


def test_without_a_call_there_is_nothing_to_pause(run):
    async def main():
        with waiting_for_a_person():
            return "fine"

    assert run(main()) == "fine"


def test_a_fault_while_a_person_is_asked_passes_on(run):
    async def main():
        async with CallDeadline(1_000):
            with waiting_for_a_person():
                raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        run(main())


def test_an_inner_call_ends_with_its_outer(run):
    async def main():
        outer, inner = CallDeadline(20), CallDeadline(5_000)
        with pytest.raises(TimeoutError):
            async with outer, inner:
                await asyncio.Event().wait()
        return outer.has_passed, inner.has_passed

    assert run(main()) == (True, False)


def test_a_task_that_outlives_its_call_may_still_ask(run):
    async def ask():
        await asyncio.sleep(0.02)
        with waiting_for_a_person():
            await asyncio.sleep(0)
        return "answered"

    async def main():
        async with CallDeadline(1_000):
            task = asyncio.create_task(ask())
        return await task

    assert run(main()) == "answered"


def test_a_question_that_outlives_its_call_is_left_alone(run):
    async def ask(answered):
        with waiting_for_a_person():
            await answered.wait()
        return "answered"

    async def main():
        answered = asyncio.Event()
        async with CallDeadline(1_000):
            task = asyncio.create_task(ask(answered))
            await asyncio.sleep(0)
        answered.set()
        return await task

    assert run(main()) == "answered"


def test_a_question_of_an_inner_call_suspends_the_outer_one(run):
    async def main():
        async with CallDeadline(60):
            async with CallDeadline(5_000):
                with waiting_for_a_person():
                    await asyncio.sleep(0.15)
            return "answered"

    assert run(main()) == "answered"
