"""Subscribing and emitting, host alone, no loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plataforma_sdk.errors import ModuleStateError, PlataformaError
from plataforma_sdk.events import EventBus
from plataforma_sdk.types import Event


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


def test_a_handler_receives_the_event(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.subscribe("data.vendas.updated", seen.append)
    bus.emit("data.vendas.updated", {"ids": [7]})
    assert [(event.topic, event.data, event.source, event.id, event.causes) for event in seen] == [
        ("data.vendas.updated", {"ids": [7]}, None, 1, ())
    ]


def test_handlers_run_in_the_order_of_subscription_whatever_they_subscribed_to(bus: EventBus) -> None:
    """blinker alone delivers in the order of a set."""
    seen: list[int] = []
    topics = ["a.b", "a.*", "*", "*.b"] * 10
    for number, topic in enumerate(topics):
        bus.subscribe(topic, lambda _, number=number: seen.append(number))
    bus.emit("a.b")
    assert list(range(len(topics))) == seen


def test_a_lambda_stays_subscribed(bus: EventBus) -> None:
    """blinker alone holds it by a weak reference."""
    seen: list[Any] = []
    bus.subscribe("a", lambda event: seen.append(event.data))
    bus.emit("a", 1)
    assert seen == [1]


def test_the_same_handler_twice_is_called_twice(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.subscribe("a", seen.append)
    second = bus.subscribe("a", seen.append)
    bus.emit("a")
    second.unsubscribe()
    bus.emit("a")
    assert len(seen) == 3


def test_equal_data_does_not_pick_receivers(bus: EventBus) -> None:
    """blinker alone would take the first argument of `send` for a sender."""
    seen: list[Any] = []
    bus.subscribe("a", lambda event: seen.append(event.data))
    for data in (1, True, 1.0):
        bus.emit("a", data)
    assert seen == [1, True, 1.0]


def test_emit_to_nobody_delivers_nothing(bus: EventBus) -> None:
    delivery = bus.emit("a")
    assert (delivery.delivered, delivery.dropped, delivery.errors, delivery.pending) == (0, 0, (), 0)


def test_events_are_numbered(bus: EventBus) -> None:
    assert [bus.emit("a").event.id for _ in range(3)] == [1, 2, 3]


def test_unsubscribe_ends_the_subscription(bus: EventBus) -> None:
    seen: list[Event] = []
    subscription = bus.subscribe("a.*", seen.append)
    subscription.unsubscribe()
    subscription.unsubscribe()
    assert (bus.emit("a.b").delivered, seen, subscription.is_active) == (0, [], False)


def test_a_subscription_ends_with_its_block(bus: EventBus) -> None:
    seen: list[Event] = []
    with bus.subscribe("a", seen.append):
        bus.emit("a", 1)
    bus.emit("a", 2)
    assert [event.data for event in seen] == [1]


@pytest.mark.parametrize("topic", ["a.b", "a.*"])
def test_a_handler_that_was_unsubscribed_by_an_earlier_one_is_not_called(bus: EventBus, topic: str) -> None:
    seen: list[Event] = []
    bus.subscribe("a.b", lambda _: later.unsubscribe())
    later = bus.subscribe(topic, seen.append)
    delivery = bus.emit("a.b")
    assert (seen, delivery.delivered, delivery.dropped, delivery.errors) == ([], 1, 1, ())


def test_a_handler_that_subscribes_another_does_not_reach_the_present_event(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.subscribe("a", lambda _: bus.subscribe("a", seen.append))
    bus.emit("a", 1)
    bus.emit("a", 2)
    assert [event.data for event in seen] == [2]


@pytest.mark.parametrize("pattern", ["b.*", "*", "b.c"])
def test_a_topic_already_emitted_reaches_a_new_subscription(bus: EventBus, pattern: str) -> None:
    """The remembered receivers of a topic are forgotten when they change."""
    seen: list[Event] = []
    bus.emit("b.c")
    bus.subscribe(pattern, seen.append)
    bus.emit("b.c")
    assert len(seen) == 1


def test_what_emit_remembers_is_bounded(bus: EventBus) -> None:
    for number in range(9_000):
        bus.emit(f"cliente.{number}")
    assert len(bus._registry.routes) <= 8_192


def test_nothing_is_left_of_ended_subscriptions(bus: EventBus) -> None:
    for topic in ("a", "a.*", "*"):
        bus.subscribe(topic, print).unsubscribe()
    registry = bus._registry
    assert (registry._signals, registry._owned, registry._patterns._root.is_empty) == ({}, {}, True)


def test_two_buses_do_not_know_of_each_other(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.subscribe("*", seen.append)
    assert (EventBus().emit("a").delivered, seen) == (0, [])


@pytest.mark.parametrize("call", [lambda bus: bus.emit("A"), lambda bus: bus.emit("a.*"), lambda bus: bus.emit(3)])
def test_emit_refuses_what_is_not_a_topic(bus: EventBus, call: Callable[[EventBus], object]) -> None:
    with pytest.raises(PlataformaError, match="Invalid topic"):
        call(bus)


def test_subscribe_refuses_what_is_not_a_pattern(bus: EventBus) -> None:
    with pytest.raises(PlataformaError, match="Invalid pattern"):
        bus.subscribe("a.b*", print)


def test_subscribe_refuses_what_cannot_be_called(bus: EventBus) -> None:
    with pytest.raises(TypeError, match="not a function"):
        bus.subscribe("a", "handler")


@pytest.mark.parametrize("settings", [{"queue_size": 0}, {"overflow": "drop"}])
def test_settings_are_checked(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="queue_size is 1 or more"):
        EventBus(**settings)


def test_a_closed_bus_refuses_and_has_ended_its_subscriptions(run: Callable[..., Any]) -> None:
    async def main() -> tuple[EventBus, bool]:
        async with EventBus() as bus:
            subscription = bus.subscribe("a", print)
            bus.emit("a")
        await bus.aclose()
        return bus, subscription.is_active

    bus, is_active = run(main())
    assert not is_active
    for call in (lambda: bus.emit("a"), lambda: bus.subscribe("a", print)):
        with pytest.raises(ModuleStateError, match="closed"):
            call()
    with pytest.raises(ModuleStateError, match="closed"):
        run(bus.request("a", timeout_s=1))
