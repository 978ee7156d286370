"""Calls into a module: what they reach, how they interleave, and how they end."""

from __future__ import annotations

import asyncio
import time

import pytest

from plataforma_sdk.errors import GuestError, ModuleError, ModuleStateError

from ._suite import case, make_package, module

METHODS = module(
    """
    limit = 10

    def plain(self, a, b=2, *rest, sep=", ", **names):
        return sep.join(str(item) for item in [a, b, *rest, *sorted(names)])

    async def waiting(self, seconds):
        await asyncio.sleep(seconds)
        return "waited"

    @staticmethod
    def static(n):
        return n + 1

    @classmethod
    def of_the_class(cls):
        return cls.limit

    def _private(self):
        return "private"
    """
)


@case(METHODS)
async def test_arguments_arrive_as_in_python(host, handle):
    assert await handle.call("plain", 1) == "1, 2"
    assert await handle.call("plain", 1, 3, 4, sep="-", z=0, y=0) == "1-3-4-y-z"


@case(module("def probe(self, **names):\n    return names"))
async def test_an_argument_may_have_any_name(host, handle):
    names = {"function": 1, "method": 2, "args": 3, "kwargs": 4, "name": 5, "é": 6}
    assert await handle.call("probe", **names) == names


@case(METHODS)
async def test_plain_async_static_and_class_methods_are_all_reachable(host, handle):
    assert await handle.call("waiting", 0) == "waited"
    assert [await handle.call("static", 1), await handle.call("of_the_class")] == [2, 10]


@case(METHODS)
async def test_private_and_framework_names_are_not_reachable(host, handle):
    for name in ("_private", "__init__", "on_load", "render", "emit", "api_call", "storage", "limit", "nope", ""):
        with pytest.raises(ModuleError, match="no public method"):
            await handle.call(name)


@case(METHODS)
async def test_an_unknown_method_says_which_there_are(host, handle):
    with pytest.raises(ModuleError, match="of_the_class, plain, static, waiting"):
        await handle.call("nope")


@case(METHODS)
async def test_functions_of_the_host_are_not_reachable(host, handle):
    for name in ("@unload", "@state", "@event"):
        with pytest.raises(ModuleStateError, match="function of the host"):
            await handle.call(name)


@case(METHODS)
async def test_wrong_arguments_are_a_fault_that_the_caller_sees(host, handle):
    with pytest.raises(GuestError) as caught:
        await handle.call("static", 1, 2, 3)
    assert caught.value.type_name == "TypeError"
    assert await handle.call("static", 1) == 2


@case(
    module(
        """
        def inherited(self):
            return "overridden " + super().inherited()

        async def on_load(self):
            await super().on_load()
            self.loaded.append("Probe")

        def probe(self):
            return [self.inherited(), self.mixed_in(), self.loaded]
        """,
        head="""
        class Mixin:
            def mixed_in(self):
                return "mixed in"

        class Base(Mixin, ModuleFramework):
            async def on_load(self):
                self.loaded = ["Base"]

            def render(self):
                return ui.text("base")

            def inherited(self):
                return "inherited"
        """,
    ).replace("class Probe(ModuleFramework)", "class Probe(Base)")
)
async def test_methods_of_base_classes_and_mixins_are_reachable(host, handle):
    assert await handle.call("probe") == ["overridden inherited", "mixed in", ["Base", "Probe"]]
    assert [await handle.call("inherited"), await handle.call("mixed_in")] == ["overridden inherited", "mixed in"]


# --- concurrency -----------------------------------------------------------------------------------------------------

SLOW = module(
    """
    async def three(self):
        answers = await asyncio.gather(*(self.api_call("/shop/slow", params={"n": n}) for n in range(3)))
        return [answer["query"] for answer in answers]
    """
)


@case(SLOW, permissions=("api.shop[GET]",))
async def test_three_api_calls_of_50_ms_take_less_than_100_ms(host, handle):
    best_s = 1.0
    for _ in range(3):
        began = time.perf_counter()
        answers = await handle.call("three")
        best_s = min(best_s, time.perf_counter() - began)
        assert answers == [[["n", "0"]], [["n", "1"]], [["n", "2"]]]
    assert best_s < 0.1


@case(
    module(
        """
        async def on_load(self):
            self.gate = asyncio.Event()
            self.steps = []

        async def wait(self, name):
            self.steps.append(name + " waits")
            await self.gate.wait()
            self.steps.append(name + " goes on")

        def release(self):
            self.steps.append("release")
            self.gate.set()

        def probe(self):
            return self.steps
        """
    )
)
async def test_calls_interleave_where_they_wait(host, handle):
    waiting = [asyncio.create_task(handle.call("wait", name)) for name in ("first", "second")]
    while len(await handle.call("probe")) < 2:
        await asyncio.sleep(0)
    await handle.call("release")
    await asyncio.gather(*waiting)
    assert await handle.call("probe") == ["first waits", "second waits", "release", "first goes on", "second goes on"]


@case(
    module(
        """
        async def on_load(self):
            self.total = 0

        async def add(self, n):
            await asyncio.sleep(0)
            self.total += n
            return self.total
        """
    )
)
async def test_a_hundred_calls_at_once_all_answer(host, handle):
    totals = await asyncio.gather(*(handle.call("add", 1) for _ in range(100)))
    assert sorted(totals) == list(range(1, 101))


@case(
    module(
        """
        async def on_load(self):
            self.steps = []

        async def wait(self):
            try:
                self.steps.append("waits")
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.steps.append("cancelled")
                raise
            finally:
                self.steps.append("finally")

        def probe(self):
            return self.steps
        """
    )
)
async def test_cancelling_a_call_cancels_the_modules_task(host, handle):
    waiting = asyncio.create_task(handle.call("wait"))
    while not await handle.call("probe"):
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(5):
        while len(await handle.call("probe")) < 3:
            await asyncio.sleep(0.01)
    assert await handle.call("probe") == ["waits", "cancelled", "finally"]
    assert (handle.state, handle.restarts) == ("active", 0)


@case(
    module(
        """
        async def on_load(self):
            self.steps = []

        def begin(self):
            self.task = asyncio.create_task(self.work())

        async def work(self):
            await asyncio.sleep(0.01)
            self.emit("done", self.id)
        """
    ),
    permissions=("events.emit",),
)
async def test_a_background_task_goes_on_after_its_call(host, handle):
    done = asyncio.Event()
    with host.events.subscribe("module.probe.done", lambda event: done.set()):
        await handle.call("begin")
        async with asyncio.timeout(5):
            await done.wait()


@case(
    module(
        """
        async def probe(self):
            seen = []
            try:
                await asyncio.wait_for(asyncio.Event().wait(), 0.01)
            except TimeoutError:
                seen.append("wait_for")
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.Event().wait()
            except TimeoutError:
                seen.append("timeout")
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self.double(n)) for n in (1, 2)]
            seen += [task.result() for task in tasks]
            return seen

        async def double(self, n):
            await asyncio.sleep(0)
            return n * 2
        """
    )
)
async def test_timeouts_and_task_groups_work(host, handle):
    assert await handle.call("probe") == ["wait_for", "timeout", 2, 4]


@case(
    module(
        """
        async def probe(self):
            self.queue, self.lock, self.order = asyncio.Queue(), asyncio.Lock(), []
            await asyncio.gather(self.consume(), self.produce(), self.locked("a"), self.locked("b"))
            return self.order

        async def produce(self):
            for n in range(3):
                await self.queue.put(n)
            await self.queue.put(None)

        async def consume(self):
            while (item := await self.queue.get()) is not None:
                self.order.append(item)

        async def locked(self, name):
            async with self.lock:
                self.order.append(name + "1")
                await asyncio.sleep(0.001)
                self.order.append(name + "2")
        """
    )
)
async def test_queues_and_locks_keep_their_order(host, handle):
    order = await handle.call("probe")
    assert [item for item in order if isinstance(item, int)] == [0, 1, 2]
    assert [item for item in order if isinstance(item, str)] == ["a1", "a2", "b1", "b2"]


@case(
    module(
        """
        async def probe(self):
            results = await asyncio.gather(self.fails(), self.works(), return_exceptions=True)
            return [str(results[0]), results[1]]

        async def fails(self):
            raise ValueError("one of two")

        async def works(self):
            return "fine"
        """
    )
)
async def test_gather_hands_back_exceptions(host, handle):
    assert await handle.call("probe") == ["one of two", "fine"]


@case(module("async def probe(self):\n    raise asyncio.CancelledError"))
async def test_a_module_cannot_cancel_its_caller(host, handle):
    """The caller's task was not cancelled, so what the module raised is a fault of the module."""
    with pytest.raises(GuestError):
        await handle.call("probe")
    assert asyncio.current_task().cancelling() == 0


@case(module("def probe(self):\n    pass"))
async def test_a_call_without_a_result_is_none(host, handle):
    assert await handle.call("probe") is None


@case(
    module("async def ask(self, other):\n    return await self.api_call('/' + other + '/name')"),
    permissions=("api.internal",),
)
async def test_two_modules_call_while_both_wait(host, handle):
    answering = module(
        """
        async def on_load(self):
            self.register_endpoint("/other/name", self.name)

        async def name(self, request):
            return await self.api_call("/shop/slow")
        """
    )
    await host.load(make_package(answering, id="other", permissions=("api.internal",)))
    answers = await asyncio.gather(*(handle.call("ask", "other") for _ in range(3)))
    assert [answer["identity"]["module"] for answer in answers] == ["other"] * 3
