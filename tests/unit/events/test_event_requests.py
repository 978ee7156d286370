"""Requests and replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from plataforma_sdk.errors import CodecError, GuestError, HostCallError, ModuleStateError, ResourceLimitError
from plataforma_sdk.events import EventBus
from plataforma_sdk.types import Event

Run = Callable[..., Any]


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


def ask(bus: EventBus, topic: str, data: Any = None, **options: Any) -> Any:
    return bus.request(topic, data, **{"timeout_s": 5, **options})


async def double(event: Event) -> int:
    await asyncio.sleep(0)
    return 2 * event.data


def test_the_owner_answers(bus: EventBus, run: Run) -> None:
    bus.subscribe("module.vendas.double", double, owner="vendas")
    assert run(ask(bus, "module.vendas.double", 21, source="estoque")) == 42


def test_a_module_with_a_namespace_answers(bus: EventBus, run: Run) -> None:
    bus.subscribe("module.acme--vendas.double", double, owner="acme/vendas")
    assert run(ask(bus, "module.acme--vendas.double", 21)) == 42


def test_the_host_answers_for_other_topics_synchronously_too(bus: EventBus, run: Run) -> None:
    bus.subscribe("data.rate", lambda event: {"rate": event.data})
    assert run(ask(bus, "data.rate", 5, source="vendas")) == {"rate": 5}


@pytest.mark.parametrize(
    ("topic", "owner"),
    [
        ("module.vendas.double", "estoque"),
        ("module.vendas.double", None),
        ("data.double", "vendas"),
        ("module.vendas.*", "vendas"),
        ("*", None),
    ],
    ids=["other module", "host for module", "module for host", "own pattern", "host pattern"],
)
def test_nobody_else_answers(bus: EventBus, run: Run, topic: str, owner: str | None) -> None:
    bus.subscribe(topic, lambda _: pytest.fail("asked"), owner=owner)
    asked = "module.vendas.double" if topic == "*" else topic.replace("*", "double")
    with pytest.raises(ModuleStateError, match="Nobody answers"):
        run(ask(bus, asked, 1))


def test_the_refusal_names_who_might_have_answered(bus: EventBus, run: Run) -> None:
    with pytest.raises(ModuleStateError, match="'acme/vendas'"):
        run(ask(bus, "module.acme--vendas.x"))


def test_the_first_of_several_answers(bus: EventBus, run: Run) -> None:
    bus.subscribe("a", lambda _: 1)
    bus.subscribe("a", lambda _: 2)
    assert run(ask(bus, "a")) == 1


def test_listeners_do_not_see_the_request(bus: EventBus, run: Run) -> None:
    seen: list[Event] = []
    bus.subscribe("*", seen.append)
    bus.subscribe("module.vendas.double", seen.append)
    bus.subscribe("module.vendas.double", double, owner="vendas")
    run(ask(bus, "module.vendas.double", 1))
    assert seen == []


def test_a_module_whose_permission_is_gone_does_not_answer(bus: EventBus, run: Run) -> None:
    bus.subscribe("module.vendas.double", double, owner="vendas", accept=lambda _: False)
    with pytest.raises(ModuleStateError):
        run(ask(bus, "module.vendas.double", 1))


def test_question_and_reply_are_copies(bus: EventBus, run: Run) -> None:
    question: list[int] = [1]
    kept: list[list[int]] = []

    def answer(event: Event) -> Any:
        kept.append(event.data)
        return event.data

    bus.subscribe("module.vendas.echo", answer, owner="vendas")
    reply = run(ask(bus, "module.vendas.echo", question))
    assert reply == question == kept[0]
    assert len({id(question), id(reply), id(kept[0])}) == 3


def test_a_reply_that_is_not_plain_data_is_refused(bus: EventBus, run: Run) -> None:
    bus.subscribe("a", lambda _: object())
    with pytest.raises(CodecError):
        run(ask(bus, "a"))


def test_no_reply_in_time_cancels_the_handler(bus: EventBus, run: Run) -> None:
    cancelled: list[bool] = []

    async def never(_: Event) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    bus.subscribe("a", never)
    with pytest.raises(TimeoutError, match=r"No reply to 'a' within 0\.01 s"):
        run(ask(bus, "a", timeout_s=0.01))
    assert cancelled == [True]


def test_a_time_out_of_the_handler_itself_is_its_own(bus: EventBus, run: Run) -> None:
    async def answer(_: Event) -> NoReturn:
        raise TimeoutError("of the database")

    bus.subscribe("a", answer)
    with pytest.raises(TimeoutError, match="of the database"):
        run(ask(bus, "a"))


@pytest.mark.parametrize("timeout_s", [0, -1, 301, float("nan"), float("inf")])
def test_the_time_out_is_bounded(bus: EventBus, run: Run, timeout_s: float) -> None:
    with pytest.raises(ValueError, match="timeout_s"):
        run(ask(bus, "a", timeout_s=timeout_s))


def test_a_guest_fault_is_seen_by_the_host_and_hidden_from_other_modules(bus: EventBus, run: Run) -> None:
    def answer(_: Event) -> NoReturn:
        raise GuestError("KeyError", "'total'", traceback=["vendas.py, line 3"], module="vendas")

    bus.subscribe("module.vendas.total", answer, owner="vendas")
    for source in (None, "vendas"):
        with pytest.raises(GuestError):
            run(ask(bus, "module.vendas.total", source=source))
    with pytest.raises(HostCallError, match="KeyError: 'total'") as caught:
        run(ask(bus, "module.vendas.total", source="estoque"))
    assert "line 3" not in str(caught.value)


def test_cancelling_the_request_cancels_the_handler(bus: EventBus, run: Run) -> None:
    async def main() -> list[bool]:
        cancelled, started = list[bool](), asyncio.Event()

        async def never(_: Event) -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.append(True)

        bus.subscribe("a", never)
        task = asyncio.create_task(ask(bus, "a"))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return cancelled

    assert run(main()) == [True]


def test_a_circle_of_requests_is_refused(bus: EventBus, run: Run) -> None:
    async def again(event: Event) -> Any:
        return await ask(bus, "a")

    bus.subscribe("a", again)
    with pytest.raises(ResourceLimitError, match="event_depth"):
        run(ask(bus, "a"))


def test_what_an_answer_emits_has_the_request_as_its_cause(bus: EventBus, run: Run) -> None:
    seen: list[Event] = []
    bus.subscribe("a", lambda _: bus.emit("b").delivered)
    bus.subscribe("b", seen.append)
    run(ask(bus, "a"))
    assert [event.causes for event in seen] == [(1,)]
