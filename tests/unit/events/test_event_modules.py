"""Subscriptions on behalf of modules: copies, permissions, the end of a module."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from plataforma_sdk.errors import CodecError, PermissionDeniedError, QuotaExceededError
from plataforma_sdk.events import EventBus, OwnerStats
from plataforma_sdk.types import Event

Run = Callable[..., Any]


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


def test_each_module_receives_a_copy_of_its_own(bus: EventBus) -> None:
    seen: list[Any] = []
    for owner in ("vendas", "estoque"):
        bus.subscribe("a", lambda event: seen.append(event.data), owner=owner)
    data = {"ids": [7], "pair": (1, 2)}
    bus.emit("a", data)
    seen[0]["ids"].clear()
    assert seen[1] == {"ids": [7], "pair": [1, 2]}
    assert data == {"ids": [7], "pair": (1, 2)}


def test_what_the_host_sends_itself_is_not_copied(bus: EventBus) -> None:
    seen: list[Any] = []
    bus.subscribe("a", lambda event: seen.append(event.data))
    thing = object()
    bus.emit("a", thing)
    assert [thing] == seen


def test_the_copy_is_made_when_the_event_is_emitted(bus: EventBus, run: Run) -> None:
    async def main() -> list[Any]:
        seen: list[Any] = []

        async def handler(event: Event) -> None:
            seen.append(event.data)

        bus.subscribe("a", handler, owner="vendas")
        data = [1]
        delivery = bus.emit("a", data)
        data.append(2)
        await delivery
        return seen

    assert run(main()) == [[1]]


def test_a_module_cannot_change_what_it_emitted(bus: EventBus) -> None:
    seen: list[Any] = []
    bus.subscribe("*", lambda event: seen.append(event.data))
    data = [1]
    bus.emit("saved", data, source="vendas")
    data.append(2)
    assert seen == [[1]]


def test_data_that_does_not_cross_is_a_fault_of_that_delivery_only(bus: EventBus) -> None:
    seen: list[Any] = []
    bus.subscribe("a", seen.append, owner="vendas")
    bus.subscribe("a", seen.append)
    delivery = bus.emit("a", object())
    assert (1, [("vendas", CodecError)]) == (
        len(seen),
        [(fault.owner, type(fault.error)) for fault in delivery.errors],
    )


def test_a_module_emits_in_its_own_namespace(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.subscribe("*", seen.append)
    bus.emit("saved", source="acme/vendas")
    assert [(event.topic, event.source) for event in seen] == [("module.acme--vendas.saved", "acme/vendas")]


@pytest.mark.parametrize("topic", ["module.estoque.saved", "plataforma.module.error"])
def test_a_module_cannot_emit_for_another(bus: EventBus, topic: str) -> None:
    with pytest.raises(PermissionDeniedError):
        bus.emit(topic, source="vendas")


def test_a_module_cannot_send_what_does_not_cross(bus: EventBus) -> None:
    with pytest.raises(CodecError):
        bus.emit("saved", object(), source="vendas")


def test_a_module_hears_only_what_it_is_allowed(bus: EventBus) -> None:
    seen: list[str] = []
    bus.subscribe("*", lambda event: seen.append(event.topic), owner="vendas", accept=lambda topic: topic == "a")
    delivered = [bus.emit(topic).delivered for topic in ("a", "b", "plataforma.started")]
    assert (seen, delivered, bus.stats("vendas").refused) == (["a"], [1, 0, 0], 2)


def test_a_module_never_hears_what_the_platform_says_of_another(bus: EventBus) -> None:
    seen: list[Any] = []
    bus.subscribe("*", lambda event: seen.append(event.data), owner="vendas", accept=lambda _: True)
    for module in ("vendas", "estoque"):
        bus.emit("plataforma.module.loaded", {"module": module})
    assert seen == [{"module": "vendas"}]


def test_pending_deliveries_are_dropped_at_revocation(bus: EventBus, run: Run) -> None:
    async def main() -> None:
        granted, seen = True, list[Any]()

        async def handler(event: Event) -> None:
            seen.append(event.data)

        bus.subscribe("a", handler, owner="vendas", accept=lambda _: granted)
        delivery = bus.emit("a", 1)
        granted = False
        await delivery
        assert (seen, delivery.delivered, delivery.dropped, bus.stats("vendas").refused) == ([], 0, 1, 1)

    run(main())


def test_an_event_from_before_the_grant_is_not_delivered_after_it(bus: EventBus, run: Run) -> None:
    async def main() -> None:
        granted, seen = False, list[Any]()

        async def handler(event: Event) -> None:
            seen.append(event.data)

        bus.subscribe("a", handler, owner="vendas", accept=lambda _: granted)
        delivery = bus.emit("a", 1)
        granted = True
        await delivery
        assert seen == []

    run(main())


def test_an_accept_that_fails_lets_nothing_through(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.subscribe("a", seen.append, owner="vendas", accept=lambda topic: topic.missing)
    bus.subscribe("a", seen.append)
    delivery = bus.emit("a")
    assert (len(seen), len(delivery.errors)) == (1, 1)


def test_unsubscribe_owner_ends_what_is_the_module_s_and_nothing_else(bus: EventBus) -> None:
    seen: list[str | None] = []
    subscriptions = [
        bus.subscribe(topic, lambda _, owner=owner: seen.append(owner), owner=owner)
        for topic, owner in (("a", "vendas"), ("*", "vendas"), ("a", "estoque"), ("a", None))
    ]
    bus.unsubscribe_owner("vendas")
    bus.unsubscribe_owner("vendas")
    bus.emit("a")
    assert seen == ["estoque", None]
    assert [subscription.is_active for subscription in subscriptions] == [False, False, True, True]


def test_unsubscribe_owner_drops_what_waits_and_lets_finish_what_runs(bus: EventBus, run: Run) -> None:
    async def main() -> None:
        gate, seen = asyncio.Event(), list[Any]()

        async def handler(event: Event) -> None:
            await gate.wait()
            seen.append(event.data)

        bus.subscribe("a", handler, owner="vendas")
        first, second = bus.emit("a", 1), bus.emit("a", 2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        bus.unsubscribe_owner("vendas")
        assert (first.pending, second.pending) == (1, 0)
        gate.set()
        await first
        assert (seen, first.delivered, second.dropped) == ([1], 1, 1)

    run(main())


def test_a_module_that_comes_back_is_served_again(bus: EventBus, run: Run) -> None:
    async def main() -> int:
        async def handler(_: Event) -> None: ...

        for _ in range(2):
            bus.subscribe("a", handler, owner="vendas")
            delivery = await bus.emit("a")
            bus.unsubscribe_owner("vendas")
        return delivery.delivered

    assert run(main()) == 1


def test_a_module_that_ends_itself_in_a_disguised_handler_can_come_back(bus: EventBus, run: Run) -> None:
    async def work() -> None: ...

    def handler(_: Event) -> Any:
        bus.unsubscribe_owner("vendas")
        return work()

    async def main() -> tuple[int, int]:
        bus.subscribe("a", handler, owner="vendas")
        first = await bus.emit("a")
        bus.subscribe("b", lambda _: work(), owner="vendas")
        return first.dropped, (await bus.emit("b")).delivered

    assert run(main()) == (1, 1)


def test_stats_tell_what_became_of_the_events(bus: EventBus, run: Run) -> None:
    async def main() -> OwnerStats:
        async def handler(event: Event) -> float:
            return 1 / event.data

        bus.subscribe("a", handler, owner="vendas")
        bus.subscribe("b", lambda _: None, owner="vendas", accept=lambda _: False)
        for number in (1, 0, 2):
            bus.emit("a", number)
        await bus.emit("b")
        await bus.emit("a", 3)
        return bus.stats("vendas")

    assert OwnerStats(subscriptions=2, delivered=3, failed=1, refused=1) == run(main())


def test_a_module_that_is_gone_leaves_nothing(bus: EventBus) -> None:
    bus.subscribe("a.*", print, owner="vendas")
    bus.unsubscribe_owner("vendas")
    assert (OwnerStats(), {}, {}) == (bus.stats("vendas"), bus._mailboxes, bus._registry._owned)


def test_the_subscriptions_of_a_module_are_bounded() -> None:
    bus = EventBus(max_subscriptions=2)
    for topic in ("a", "b"):
        bus.subscribe(topic, print, owner="vendas")
    with pytest.raises(QuotaExceededError, match="subscriptions"):
        bus.subscribe("c", print, owner="vendas")
    bus.subscribe("c", print, owner="estoque")
    bus.subscribe("c", print)
