"""The supervisor: what becomes of a module whose instance is poisoned."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import GuestError, ModuleStateError, ResourceLimitError, SandboxCrashedError
from plataforma_sdk.sandbox import Supervisor, _supervisor
from plataforma_sdk.types import FakeClock


class FakeInstance:
    """Answers with its number, or traps, is caught by a soft fault, or waits."""

    def __init__(self, number):
        self.number = number
        self.is_poisoned = False
        self.is_closed = False
        self.gate = asyncio.Event()

    async def call(self, function, *args, **kwargs):
        if function == "trap":
            self.is_poisoned = True
            raise ResourceLimitError("fuel", module="vendas")
        if function == "crash":
            self.is_poisoned = True
            raise SandboxCrashedError("gone", module="vendas")
        if function == "limit":
            raise ResourceLimitError("call_time", module="vendas")
        if function == "fail":
            raise GuestError("ValueError", "no", module="vendas")
        if function == "wait":
            await self.gate.wait()
        return self.number

    async def close(self):
        self.is_closed = True


class Launcher:
    """Makes numbered instances; fails from number `breaks_at` on."""

    def __init__(self, breaks_at=1_000):
        self.made = []
        self.breaks_at = breaks_at

    async def __call__(self, attach):
        if len(self.made) + 1 >= self.breaks_at:
            raise GuestError("ValueError", "cannot start", module="vendas")
        instance = FakeInstance(len(self.made) + 1)
        self.made.append(instance)
        attach(instance)
        return instance


@pytest.fixture(autouse=True)
def no_back_off(monkeypatch):
    """The back-off is asked for, and takes no time."""
    monkeypatch.setattr(_supervisor, "_BACKOFF_S", (0.0, 0.0, 0.0, 0.0))


def supervise(run, steps, *, launcher=None, restart=True, clock=None):
    launcher = launcher or Launcher()

    async def main():
        supervisor = Supervisor("vendas", launcher, restart=restart, clock=clock or FakeClock())
        await supervisor.start()
        try:
            return await steps(supervisor, launcher)
        finally:
            await supervisor.close()

    return run(main())


async def trap(supervisor, function="trap"):
    with pytest.raises((ResourceLimitError, SandboxCrashedError)) as caught:
        await supervisor.call(function)
    return caught.value


def test_a_started_module_is_active(run):
    async def steps(supervisor, launcher):
        return supervisor.state, await supervisor.call("answer"), supervisor.restarts

    assert supervise(run, steps) == ("active", 1, 0)


def test_a_start_that_fails_is_failed(run):
    async def main():
        supervisor = Supervisor("vendas", Launcher(breaks_at=1))
        with pytest.raises(GuestError):
            await supervisor.start()
        with pytest.raises(ModuleStateError, match="failed"):
            await supervisor.call("answer")
        return supervisor.state

    assert run(main()) == "failed"


@pytest.mark.parametrize("function", ["trap", "crash"])
def test_a_poisoned_instance_is_closed_and_replaced(run, function):
    async def steps(supervisor, launcher):
        await trap(supervisor, function)
        return await supervisor.call("answer"), supervisor.restarts, launcher.made[0].is_closed, supervisor.state

    assert supervise(run, steps) == (2, 1, True, "active")


def test_the_error_says_that_the_instance_was_replaced(run):
    async def steps(supervisor, launcher):
        return (await trap(supervisor)).replaced, supervisor.restarts

    assert supervise(run, steps) == (True, 1)


@pytest.mark.parametrize("function", ["limit", "fail"])
def test_an_instance_that_is_not_poisoned_stays(run, function):
    async def steps(supervisor, launcher):
        with pytest.raises((ResourceLimitError, GuestError)) as caught:
            await supervisor.call(function)
        return getattr(caught.value, "replaced", False), await supervisor.call("answer"), supervisor.restarts

    assert supervise(run, steps) == (False, 1, 0)


def test_a_module_that_may_not_restart_fails(run):
    async def steps(supervisor, launcher):
        error = await trap(supervisor)
        with pytest.raises(ModuleStateError, match=r"failed.*reload"):
            await supervisor.call("answer")
        return error.replaced, supervisor.state, supervisor.restarts, launcher.made[0].is_closed

    assert supervise(run, steps, restart=False) == (False, "failed", 0, True)


def test_the_fifth_trap_within_a_minute_is_the_last(run):
    async def steps(supervisor, launcher):
        replaced = []
        for _ in range(5):
            replaced.append((await trap(supervisor)).replaced)
            await asyncio.sleep(0)
        return replaced, supervisor.state, supervisor.restarts

    assert supervise(run, steps) == ([True, True, True, True, False], "failed", 4)


def test_traps_that_are_far_apart_do_not_add_up(run):
    clock = FakeClock()

    async def steps(supervisor, launcher):
        for _ in range(12):
            await trap(supervisor)
            clock.advance(20)
        return supervisor.state, await supervisor.call("answer")

    assert supervise(run, steps, clock=clock) == ("active", 13)


def test_later_replacements_back_off(run, monkeypatch):
    waited = []

    async def sleep(seconds, result=None):
        waited.append(seconds)
        return result

    async def steps(supervisor, launcher):
        for _ in range(4):
            await trap(supervisor)
        await supervisor.call("answer")

    monkeypatch.setattr(_supervisor, "_BACKOFF_S", (0.0, 0.1, 0.3, 1.0))
    monkeypatch.setattr(_supervisor.asyncio, "sleep", sleep)
    supervise(run, steps)
    assert waited == [0.0, 0.1, 0.3, 1.0]


def test_calls_wait_for_a_replacement_under_way(run):
    async def steps(supervisor, launcher):
        await trap(supervisor)
        return await asyncio.gather(*(supervisor.call("answer") for _ in range(3)))

    assert supervise(run, steps) == [2, 2, 2]


def test_several_calls_that_trap_together_replace_once(run):
    async def steps(supervisor, launcher):
        errors = await asyncio.gather(*(trap(supervisor) for _ in range(3)))
        return [error.replaced for error in errors], supervisor.restarts, await supervisor.call("answer")

    replaced, restarts, number = supervise(run, steps)
    assert replaced[0] is True
    assert (restarts, number) in {(1, 2), (2, 3), (3, 4)}  # those that came after the replacement trap anew


def test_a_replacement_that_fails_is_failed(run):
    async def steps(supervisor, launcher):
        error = await trap(supervisor)
        with pytest.raises(ModuleStateError):
            await supervisor.call("answer")
        return error.replaced, supervisor.state

    assert supervise(run, steps, launcher=Launcher(breaks_at=2)) == (False, "failed")


def test_an_adopted_instance_takes_the_place_and_forgives(run):
    async def steps(supervisor, launcher):
        for _ in range(4):
            await trap(supervisor)
        await supervisor.call("answer")
        old = supervisor.adopt(FakeInstance(100))
        await trap(supervisor)
        return old.number, supervisor.state, await supervisor.call("answer")

    assert supervise(run, steps) == (5, "active", 6)


def test_closing_ends_everything(run):
    async def steps(supervisor, launcher):
        await supervisor.close()
        await supervisor.close()
        with pytest.raises(ModuleStateError, match=r"unloaded.*load it again"):
            await supervisor.call("answer")
        return launcher.made[0].is_closed, supervisor.instance

    assert supervise(run, steps) == (True, None)


def test_closing_during_a_replacement_leaves_no_instance_open(run):
    class Slow(Launcher):
        async def __call__(self, attach):
            instance = await super().__call__(attach)
            if len(self.made) > 1:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    await instance.close()
                    raise
            return instance

    async def steps(supervisor, launcher):
        call = asyncio.create_task(supervisor.call("trap"))
        while len(launcher.made) < 2:
            await asyncio.sleep(0)
        await supervisor.close()
        results = await asyncio.gather(call, return_exceptions=True)
        return [type(result).__name__ for result in results], [instance.is_closed for instance in launcher.made]

    names, closed = supervise(run, steps, launcher=Slow())
    assert closed == [True, True]
    assert names[0] in {"ResourceLimitError", "ModuleStateError"}


def test_a_call_during_on_load_finds_the_instance(run):
    answers = []

    async def main():
        async def launch(attach):
            instance = FakeInstance(7)
            attach(instance)
            answers.append(await supervisor.call("answer"))
            return instance

        supervisor = Supervisor("vendas", launch)
        await supervisor.start()
        return supervisor.state

    assert (run(main()), answers) == ("active", [7])


def test_an_instance_that_ended_between_two_calls_is_replaced_before_the_next(run):
    """A background task may trap with no call to blame; the next caller gets a fresh instance, not the fault."""

    async def main():
        launcher = Launcher()
        supervisor = Supervisor("vendas", launcher)
        await supervisor.start()
        launcher.made[0].is_poisoned = True
        return await supervisor.call("number"), supervisor.restarts, launcher.made[0].is_closed

    assert run(main()) == (2, 1, True)
