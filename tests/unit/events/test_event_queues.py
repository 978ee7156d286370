"""Asynchronous handlers: queues, order, overflow, waiting, and the end."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable
from typing import Any

import pytest

from plataforma_sdk.events import ERROR_TOPIC, OVERFLOW_TOPIC, Delivery, EventBus
from plataforma_sdk.types import Event


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


class Gate:
    """A handler that records and waits until it is opened."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.open = asyncio.Event()

    async def __call__(self, event: Event) -> None:
        self.seen.append(event.data)
        await self.open.wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_awaiting_the_delivery_waits_for_every_handler(bus: EventBus, run: Callable[..., Any]) -> None:
    seen: list[str] = []

    async def slow(_: Event) -> None:
        await settle()
        seen.append("slow")

    async def main() -> None:
        bus.subscribe("a", slow)
        bus.subscribe("a", lambda _: seen.append("sync"))
        delivery = bus.emit("a")
        assert (seen, delivery.delivered, delivery.pending) == (["sync"], 1, 1)
        assert await delivery is delivery
        assert (seen, delivery.delivered, delivery.pending) == (["sync", "slow"], 2, 0)
        assert await delivery is delivery

    run(main())


def test_several_may_wait_for_one_delivery(bus: EventBus, run: Callable[..., Any]) -> None:
    async def main() -> list[Delivery]:
        bus.subscribe("a", Gate().__call__)
        gate = Gate()
        bus.subscribe("b", gate)
        delivery = bus.emit("b")

        async def wait() -> Delivery:
            return await delivery

        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(wait()) for _ in range(3)]
            await settle()
            gate.open.set()
        return [task.result() for task in waiting]

    assert {1} == {delivery.delivered for delivery in run(main())}


@pytest.mark.parametrize(("owner", "is_total"), [("vendas", False), (None, True)], ids=["module", "host"])
def test_order_is_kept(bus: EventBus, run: Callable[..., Any], owner: str | None, is_total: bool) -> None:
    """Within a topic for a module, over all topics for one handler of the host."""
    seen: list[tuple[str, int]] = []

    async def handler(event: Event) -> None:
        for _ in range(event.data % 7):
            await asyncio.sleep(0)
        seen.append((event.topic, event.data))

    async def main() -> None:
        bus.subscribe("a.*", handler, owner=owner)
        for delivery in [bus.emit(f"a.{'xy'[number % 2]}", number) for number in range(100)]:
            await delivery

    run(main())
    emitted = [(f"a.{'xy'[number % 2]}", number) for number in range(100)]
    for topic in ("a.x", "a.y"):
        assert [item for item in seen if item[0] == topic] == [item for item in emitted if item[0] == topic]
    assert (seen == emitted) is is_total


def test_a_handler_may_wait_for_an_event_of_another_topic(bus: EventBus, run: Callable[..., Any]) -> None:
    seen: list[str] = []

    async def main() -> None:
        arrived = asyncio.Event()

        async def wait(_: Event) -> None:
            await arrived.wait()
            seen.append("waited")

        async def go(_: Event) -> None:
            seen.append("go")
            arrived.set()

        bus.subscribe("data.wait", wait, owner="vendas")
        bus.subscribe("data.go", go, owner="vendas")
        first, second = bus.emit("data.wait"), bus.emit("data.go")
        await second
        await first

    run(main())
    assert seen == ["go", "waited"]


def test_what_is_being_handled_counts_into_the_bound(run: Callable[..., Any]) -> None:
    """Or a topic for each event would let any number of handlers run at once."""
    bus = EventBus(queue_size=3)

    async def main() -> list[Any]:
        gate = Gate()
        bus.subscribe("a.*", gate, owner="vendas")
        for number in range(3):
            bus.emit(f"a.{number}", number)
        await settle()
        lost = [bus.emit(f"a.{number}", number) for number in (3, 4)]
        gate.open.set()
        for delivery in lost:
            await delivery
        assert [delivery.dropped for delivery in lost] == [1, 1]
        return gate.seen

    assert run(main()) == [0, 1, 2]


def test_topics_that_were_dropped_without_a_loop_leave_nothing() -> None:
    bus = EventBus(queue_size=2)
    bus.subscribe("a.*", Gate(), owner="vendas")
    for number in range(50):
        bus.emit(f"a.{number}")
    assert len(bus._mailboxes["vendas"]._lanes) == 2


def test_topics_that_were_served_leave_nothing(bus: EventBus, run: Callable[..., Any]) -> None:
    async def handler(_: Event) -> None: ...

    async def main() -> None:
        bus.subscribe("a.*", handler, owner="vendas")
        for number in range(50):
            await bus.emit(f"a.{number}")

    run(main())
    assert bus._mailboxes["vendas"]._lanes == {}


def test_a_slow_module_holds_up_no_other(bus: EventBus, run: Callable[..., Any]) -> None:
    async def main() -> list[int]:
        gate, seen = Gate(), list[int]()

        async def quick(event: Event) -> None:
            seen.append(event.data)

        bus.subscribe("a", gate, owner="vendas")
        bus.subscribe("a", quick, owner="estoque")
        bus.emit("a", 1)
        bus.emit("a", 2)
        await settle()
        return seen

    assert run(main()) == [1, 2]


@pytest.mark.parametrize(
    ("overflow", "kept"), [("drop_oldest", [0, 3, 4]), ("drop_newest", [0, 1, 2])], ids=["oldest", "newest"]
)
def test_a_full_queue_drops(overflow: Any, kept: list[int], run: Callable[..., Any]) -> None:
    bus = EventBus(queue_size=3, overflow=overflow)

    async def main() -> None:
        gate = Gate()
        bus.subscribe("a", gate, owner="vendas")
        deliveries = [bus.emit("a", 0)]
        await settle()
        deliveries += [bus.emit("a", number) for number in range(1, 5)]
        assert (bus.stats("vendas").queued, bus.stats("vendas").overflowed) == (2, 2)
        gate.open.set()
        for delivery in deliveries:
            await delivery
        assert kept == gate.seen
        assert [0 if number in kept else 1 for number in range(5)] == [delivery.dropped for delivery in deliveries]

    run(main())


def test_overflow_is_reported_once_a_burst(run: Callable[..., Any]) -> None:
    bus, reports = EventBus(queue_size=3), list[Event]()

    async def main() -> None:
        gate = Gate()
        bus.subscribe("a", gate, owner="vendas")
        bus.subscribe(OVERFLOW_TOPIC, reports.append)
        for _ in range(2):
            gate.open.clear()
            bus.emit("a")
            await settle()
            for _ in range(5):
                last = bus.emit("a")
            gate.open.set()
            await last

    run(main())
    assert [
        (
            event.data["overflowed"],
            event.data["module"],
            event.data["topic"],
            event.data["capacity"],
            event.data["overflow"],
        )
        for event in reports
    ] == [(1, "vendas", "a", 3, "drop_oldest"), (4, "vendas", "a", 3, "drop_oldest")]


def test_a_module_that_listens_for_its_own_overflow_makes_no_circle(run: Callable[..., Any]) -> None:
    bus = EventBus(queue_size=1)

    async def main() -> None:
        gate = Gate()
        bus.subscribe("*", gate, owner="vendas")
        for number in range(5):
            last = bus.emit("a", number)
        gate.open.set()
        await last
        await settle()

    run(main())
    assert bus.stats("vendas").overflowed > 0


def test_without_a_loop_asynchronous_handlers_wait_for_one(bus: EventBus, run: Callable[..., Any]) -> None:
    seen: list[Any] = []

    async def handler(event: Event) -> None:
        seen.append(event.data)

    async def wait(delivery: Delivery) -> None:
        await delivery

    bus.subscribe("a", handler)
    delivery = bus.emit("a", 1)
    assert (seen, delivery.pending) == ([], 1)
    run(wait(delivery))
    assert seen == [1]


def test_a_bus_outlives_its_loop(bus: EventBus, run: Callable[..., Any]) -> None:
    seen: list[Any] = []

    async def handler(event: Event) -> None:
        seen.append(event.data)

    async def emit(number: int) -> None:
        await bus.emit("a", number)

    bus.subscribe("a", handler)
    run(emit(1))
    run(emit(2))
    assert seen == [1, 2]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda handler: lambda event: handler(event),
        lambda handler: functools.partial(handler),
        lambda handler: type("Callable", (), {"__call__": lambda _, event: handler(event)})(),
    ],
    ids=["lambda", "partial", "object"],
)
@pytest.mark.parametrize("owner", [None, "vendas"])
def test_an_asynchronous_handler_in_disguise_is_awaited(
    bus: EventBus, run: Callable[..., Any], wrap: Callable[[Any], Any], owner: str | None
) -> None:
    seen: list[Any] = []

    async def handler(event: Event) -> None:
        await asyncio.sleep(0)
        seen.append(event.data)

    async def main() -> Delivery:
        bus.subscribe("a", wrap(handler), owner=owner)
        return await bus.emit("a", 1)

    assert (run(main()).delivered, seen) == (1, [1])


def test_a_disguised_handler_that_is_dropped_leaves_no_warning(bus: EventBus) -> None:
    async def handler(event: Event) -> None: ...

    with bus.subscribe("a", lambda event: handler(event)):
        delivery = bus.emit("a")
    assert (delivery.delivered, delivery.dropped, delivery.pending) == (0, 1, 0)


def test_a_handler_of_the_host_may_wait_for_what_it_emits(bus: EventBus, run: Callable[..., Any]) -> None:
    """Each has a queue of its own, or the second would stand behind the first for ever."""
    seen: list[str] = []

    async def first(_: Event) -> None:
        await bus.emit("b")
        seen.append("first")

    async def second(_: Event) -> None:
        seen.append("second")

    async def main() -> None:
        bus.subscribe("a", first)
        bus.subscribe("b", second)
        await bus.emit("a")

    run(main())
    assert seen == ["second", "first"]


def test_a_handler_that_would_wait_for_itself_is_told_so(bus: EventBus, run: Callable[..., Any]) -> None:
    async def again(event: Event) -> None:
        if event.data:
            await bus.emit("a", event.data - 1)

    async def main() -> Delivery:
        bus.subscribe("a", again)
        return await bus.emit("a", 1)

    (fault,) = run(main()).errors
    assert "its own queue" in str(fault.error)


def test_a_cancelled_part_of_a_handler_is_a_fault_and_the_queue_goes_on(bus: EventBus, run: Callable[..., Any]) -> None:
    async def handler(event: Event) -> None:
        if event.data == 1:
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

    async def main() -> list[Delivery]:
        bus.subscribe("a", handler, owner="vendas")
        return [await bus.emit("a", number) for number in (1, 2)]

    assert [(delivery.delivered, len(delivery.errors)) for delivery in run(main())] == [(0, 1), (1, 0)]


def test_aclose_cancels_what_runs_and_drops_what_waits(bus: EventBus, run: Callable[..., Any]) -> None:
    cancelled: list[Any] = []

    async def handler(event: Event) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(event.data)
            raise

    async def main() -> list[tuple[int, int, int]]:
        bus.subscribe("a", handler, owner="vendas")
        bus.subscribe("a", handler)
        deliveries = [bus.emit("a", number) for number in (1, 2)]
        await settle()
        await bus.aclose()
        assert {asyncio.current_task()} == asyncio.all_tasks()
        return [(delivery.delivered, delivery.dropped, delivery.pending) for delivery in deliveries]

    assert run(main()) == [(0, 2, 0)] * 2
    assert cancelled == [1, 1]


def test_no_task_is_left_when_the_queues_are_empty(bus: EventBus, run: Callable[..., Any]) -> None:
    async def handler(_: Event) -> None: ...

    async def main() -> set[Any]:
        bus.subscribe("a", handler)
        await bus.emit("a")
        await settle()
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert set() == run(main())


def test_a_handler_may_close_the_bus(bus: EventBus, run: Callable[..., Any]) -> None:
    async def main() -> Delivery:
        async def handler(_: Event) -> None:
            await bus.aclose()

        bus.subscribe("a", handler)
        return await bus.emit("a")

    assert run(main()).delivered == 1


def test_a_fault_while_the_bus_closes_is_not_emitted(bus: EventBus, run: Callable[..., Any]) -> None:
    async def main() -> Delivery:
        async def handler(_: Event) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise ValueError from None

        bus.subscribe(ERROR_TOPIC, lambda _: pytest.fail("emitted"))
        bus.subscribe("a", handler)
        delivery = bus.emit("a")
        await settle()
        await bus.aclose()
        return delivery

    assert len(run(main()).errors) == 1


def test_a_busy_queue_leaves_the_loop_to_others(bus: EventBus, run: Callable[..., Any]) -> None:
    """Its handlers never suspend, so that only the worker itself can give way."""

    async def handler(_: Event) -> None: ...

    async def main() -> int:
        bus.subscribe("a", handler, owner="vendas")
        for _ in range(500):
            last = bus.emit("a")
        turns = 0
        while last.pending:
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert run(main()) > 10


def test_handlers_do_not_see_the_context_of_the_emitter(run: Callable[..., Any]) -> None:
    user = contextvars.ContextVar("user", default="nobody")

    async def main() -> list[str]:
        bus, seen = EventBus(), list[str]()

        async def handler(_: Event) -> None:
            seen.append(user.get())

        bus.subscribe("a", handler)
        user.set("ana")
        await bus.emit("a")
        return seen

    assert run(main()) == ["nobody"]


def test_a_thousand_asynchronous_handlers_are_served(bus: EventBus, run: Callable[..., Any]) -> None:
    async def main() -> Delivery:
        for _ in range(1_000):
            bus.subscribe("a", Gate.__call__.__get__(gate))
        return await bus.emit("a")

    gate = Gate()
    gate.open.set()
    assert run(main()).delivered == 1_000


def test_delivery_shows_its_figures(bus: EventBus) -> None:
    assert repr(bus.emit("a")) == "<Delivery 'a' delivered=0 dropped=0 errors=0 pending=0>"
