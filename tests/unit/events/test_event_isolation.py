"""One handler's fault stops nobody else, and events do not lead to events without end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from plataforma_sdk.errors import GuestError, ResourceLimitError
from plataforma_sdk.events import ERROR_TOPIC, MAX_EVENT_DEPTH, EventBus
from plataforma_sdk.types import Event

pytestmark = pytest.mark.usefixtures("_quiet")


@pytest.fixture
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "plataforma_sdk.events")


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


def fail(event: Event) -> NoReturn:
    raise ZeroDivisionError(f"in {event.topic}")


async def fail_later(event: Event) -> NoReturn:
    await asyncio.sleep(0)
    fail(event)


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def test_the_other_handlers_are_called(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.subscribe("a", seen.append)
    bus.subscribe("a", fail)
    bus.subscribe("a", seen.append)
    delivery = bus.emit("a")
    assert (len(seen), delivery.delivered) == (2, 2)


def test_the_delivery_holds_the_fault(bus: EventBus) -> None:
    bus.subscribe("a", fail, owner="vendas")
    (fault,) = bus.emit("a").errors
    assert (fault.owner, fault.topic, str(fault.error)) == ("vendas", "a", "in a")


def test_a_fault_is_emitted(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.subscribe(ERROR_TOPIC, seen.append)
    bus.subscribe("a", fail)
    cause = bus.emit("a").event
    (event,) = seen
    assert (cause.id,) == event.causes
    assert event.data == {
        "module": None,
        "during": "event 'a'",
        "error": {"type": "ZeroDivisionError", "message": "in a"},
    }


def test_a_fault_of_an_asynchronous_handler_is_emitted(bus: EventBus, run: Callable[..., Any]) -> None:
    seen: list[Event] = []

    async def main() -> None:
        bus.subscribe("a", fail_later)
        delivery = await bus.emit("a")
        assert (delivery.delivered, len(delivery.errors)) == (0, 1)

    bus.subscribe(ERROR_TOPIC, seen.append)
    run(main())
    assert len(seen) == 1


def test_a_fault_of_a_module_crosses_with_its_fields(bus: EventBus) -> None:
    def guest(_: Event) -> NoReturn:
        raise GuestError("KeyError", "'total'", module="vendas")

    seen: list[Event] = []
    bus.subscribe(ERROR_TOPIC, seen.append, owner="vendas")
    bus.subscribe("a", guest, owner="vendas")
    bus.emit("a")
    assert (
        seen[0].data["module"],
        seen[0].data["error"]["code"],
        seen[0].data["error"]["fields"]["type_name"],
    ) == ("vendas", "GuestError", "KeyError")


def test_a_foreign_exception_tells_a_module_nothing_of_the_host(bus: EventBus) -> None:
    def host_failure(_: Event) -> NoReturn:
        raise OSError("/etc/host/secret.toml")

    seen: list[Event] = []
    bus.subscribe(ERROR_TOPIC, seen.append, owner="vendas")
    bus.subscribe("a", host_failure, owner="vendas")
    bus.emit("a")
    assert seen[0].data["error"]["type"] == "OSError"
    assert "secret" not in str(seen[0].data)


def test_a_fault_in_the_handler_of_faults_is_not_emitted_again(bus: EventBus) -> None:
    calls: list[Event] = []

    def report(event: Event) -> NoReturn:
        calls.append(event)
        fail(event)

    bus.subscribe(ERROR_TOPIC, report)
    bus.subscribe("a", fail)
    bus.emit("a")
    assert len(calls) == 1


def test_an_exception_that_cannot_be_printed_stops_nobody(bus: EventBus) -> None:
    def unprintable(_: Event) -> NoReturn:
        raise Unprintable

    seen: list[Event] = []
    bus.subscribe("a", unprintable, owner="vendas")
    bus.subscribe("a", unprintable)
    bus.subscribe("a", seen.append)
    assert ((delivery := bus.emit("a")).delivered, len(seen), len(delivery.errors)) == (1, 1, 2)


def test_a_fault_of_the_host_is_logged_with_its_traceback(bus: EventBus, caplog: pytest.LogCaptureFixture) -> None:
    bus.subscribe("a", fail)
    with caplog.at_level(logging.ERROR, "plataforma_sdk.events"):
        bus.emit("a")
    assert ("plataforma_sdk.events", ZeroDivisionError) == (caplog.records[0].name, caplog.records[0].exc_info[0])


def test_the_text_of_a_module_cannot_forge_lines_of_the_log(bus: EventBus, caplog: pytest.LogCaptureFixture) -> None:
    def forge(_: Event) -> NoReturn:
        raise GuestError("ValueError", "x\nCRITICAL root: all is lost\x1b[2J", module="vendas")

    bus.subscribe("a", forge, owner="vendas")
    with caplog.at_level(logging.ERROR, "plataforma_sdk.events"):
        bus.emit("a")
    assert not {"\n", "\x1b"} & set(caplog.messages[0])


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_what_is_no_fault_goes_through(bus: EventBus, kind: type[BaseException]) -> None:
    def stop(_: Event) -> NoReturn:
        raise kind

    bus.subscribe("a", stop)
    with pytest.raises(kind):
        bus.emit("a")
    assert bus.emit("b").event.causes == ()


def test_an_event_knows_its_causes(bus: EventBus) -> None:
    seen: list[Event] = []
    bus.subscribe("a", lambda _: bus.emit("b"))
    bus.subscribe("b", lambda _: bus.emit("c"))
    bus.subscribe("c", seen.append)
    bus.emit("a")
    assert [event.causes for event in seen] == [(1, 2)]


def test_causes_follow_asynchronous_handlers_and_their_tasks(bus: EventBus, run: Callable[..., Any]) -> None:
    async def spawn(_: Event) -> None:
        async def emit() -> None:
            await bus.emit("b")

        await asyncio.create_task(emit())

    async def main() -> Event:
        seen: list[Event] = []
        bus.subscribe("a", spawn)
        bus.subscribe("b", seen.append)
        await bus.emit("a")
        return seen[0]

    assert run(main()).causes == (1,)


def test_an_event_after_a_handler_has_no_cause(bus: EventBus) -> None:
    bus.subscribe("a", fail)
    bus.emit("a")
    assert bus.emit("b").event.causes == ()


def test_the_thirty_third_event_of_a_chain_is_refused(bus: EventBus) -> None:
    depths: list[int] = []

    def again(event: Event) -> None:
        depths.append(len(event.causes))
        bus.emit("a")

    errors: list[Event] = []
    bus.subscribe("a", again)
    bus.subscribe(ERROR_TOPIC, errors.append)
    bus.emit("a")
    assert list(range(MAX_EVENT_DEPTH)) == depths
    assert [(event.data["error"]["code"], event.data["error"]["fields"]["used"]) for event in errors] == [
        ("ResourceLimitError", 33)
    ]
    assert len(errors[0].causes) == MAX_EVENT_DEPTH - 1


def test_a_chain_of_asynchronous_handlers_is_refused_too(bus: EventBus, run: Callable[..., Any]) -> None:
    depths: list[int] = []
    refused: list[ResourceLimitError] = []

    async def main() -> None:
        done = asyncio.Event()

        async def again(event: Event) -> None:
            depths.append(len(event.causes))
            try:
                bus.emit("a", source="vendas")
            except ResourceLimitError as error:
                refused.append(error)
                done.set()

        bus.subscribe("module.vendas.a", again, owner="vendas")
        bus.emit("module.vendas.a")
        await done.wait()

    run(main())
    assert max(depths) == MAX_EVENT_DEPTH - 1
    assert [(error.resource, error.used, error.limit, error.unit, error.module) for error in refused] == [
        ("event_depth", 33, 32, "levels", "vendas")
    ]


def test_a_circle_over_the_handler_of_faults_ends(bus: EventBus) -> None:
    bus.subscribe("a", fail)
    bus.subscribe(ERROR_TOPIC, lambda _: bus.emit("a"))
    assert len(bus.emit("a").errors) == 1


def test_a_circle_over_two_buses_ends(bus: EventBus) -> None:
    other, events = EventBus(), list[Event]()
    bus.subscribe("a", lambda _: other.emit("b"))
    other.subscribe("b", lambda _: bus.emit("a"))
    other.subscribe("b", events.append)
    bus.emit("a")
    assert len(events) <= MAX_EVENT_DEPTH
