"""The last value of a topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plataforma_sdk.errors import CodecError, QuotaExceededError, ResourceLimitError
from plataforma_sdk.events import EventBus
from plataforma_sdk.types import Event


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.mark.parametrize("pattern", ["user.locale", "user.*", "*"])
def test_a_later_subscriber_receives_the_last_value_at_once(bus: EventBus, pattern: str) -> None:
    seen: list[Event] = []
    first = bus.emit("user.locale", "en", retain=True)
    last = bus.emit("user.locale", "pt-BR", retain=True)
    bus.subscribe(pattern, seen.append)
    assert [("pt-BR", last.event.id)] == [(event.data, event.id) for event in seen]
    assert first.event.id != last.event.id


def test_other_topics_are_not_received(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.emit("user.locale", "en", retain=True)
    bus.subscribe("user.login", seen.append)
    assert seen == []


def test_an_asynchronous_handler_receives_it_through_its_queue(bus: EventBus, run: Callable[..., Any]) -> None:
    async def main() -> list[Any]:
        seen: list[Any] = []

        async def handler(event: Event) -> None:
            seen.append(event.data)

        bus.emit("a", 1, retain=True)
        bus.subscribe("a", handler, owner="vendas")
        await bus.emit("a", 2)
        return seen

    assert run(main()) == [1, 2]


def test_it_is_kept_as_it_was(bus: EventBus) -> None:
    seen: list[Any] = []
    data = {"ids": [7]}
    bus.emit("a", data, retain=True)
    data["ids"].append(8)
    bus.subscribe("a", lambda event: seen.append(event.data))
    seen[0]["ids"].append(9)
    bus.subscribe("a", lambda event: seen.append(event.data))
    assert seen[1] == {"ids": [7]}


def test_it_has_to_be_plain_data(bus: EventBus) -> None:
    with pytest.raises(CodecError):
        bus.emit("a", object(), retain=True)


def test_a_module_that_may_not_have_it_does_not_receive_it(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.emit("a", 1, retain=True)
    bus.emit("plataforma.module.limits", {"module": "estoque"}, retain=True)
    bus.subscribe("*", seen.append, owner="vendas", accept=lambda topic: topic != "a")
    assert seen == []


def test_a_fault_of_the_new_subscriber_does_not_undo_the_subscription(bus: EventBus) -> None:
    bus.emit("a", 0, retain=True)
    subscription = bus.subscribe("a", lambda event: 1 // event.data)
    assert subscription.is_active
    assert bus.emit("a", 1).delivered == 1


def test_forget_lets_go(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.emit("a", 1, retain=True)
    bus.forget("a")
    bus.forget("b")
    bus.subscribe("a", seen.append)
    assert seen == []


def test_what_a_module_retained_goes_with_it(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.emit("total", 1, source="vendas", retain=True)
    bus.unsubscribe_owner("vendas")
    bus.subscribe("*", seen.append)
    assert seen == []


def test_the_number_of_topics_is_bounded() -> None:
    bus = EventBus(max_retained=2)
    for topic in ("a", "b", "a"):
        bus.emit(topic, retain=True)
    with pytest.raises(QuotaExceededError, match="retained_topics"):
        bus.emit("c", retain=True)


def test_a_handler_that_subscribes_itself_again_makes_no_endless_circle(bus: EventBus) -> None:
    completed: list[int] = []

    def handler(event: Event) -> None:
        bus.subscribe("a", handler)
        completed.append(len(event.causes))

    bus.emit("a", retain=True)
    bus.subscribe("a", handler)
    assert list(range(30, -1, -1)) == completed


def test_a_refused_subscription_is_not_left_behind(bus: EventBus) -> None:
    refused: list[Exception] = []

    def handler(_: Event) -> None:
        try:
            bus.subscribe("a", handler)
        except ResourceLimitError as error:
            refused.append(error)

    bus.emit("a", retain=True)
    bus.subscribe("a", handler)
    bus.forget("a")
    assert (len(refused), len(bus._registry.of(None))) == (1, 32)
