"""Permission dialogs: who sees them, whose answer counts, and when."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import attrs
import pytest

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.permissions import PermissionAnswer, PermissionManager, PermissionRequest
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.types import FakeClock
from plataforma_sdk.web.desktop import DesktopPrompt
from tests.unit.runtime.test_prompt import package
from tests.unit.web.desktop.fakes import FakeSession, settle

REQUEST = PermissionRequest(
    subject="ana",
    module="counter",
    permission="system.storage",
    reason='"keeps" the count',
    source="ed25519:1f",
    requested_at=1_000.0,
    expires_at=1_060.0,
)
LATER = attrs.evolve(REQUEST, permission="system.clipboard")


@attrs.define(eq=False)
class Desk:
    """A prompt with a clock that stands still, and the questions put to it."""

    patience_s: float | None = None
    clock: FakeClock = attrs.field(factory=lambda: FakeClock(1_000.0))
    asked: list[asyncio.Task[PermissionAnswer]] = attrs.field(factory=list)
    prompt: DesktopPrompt = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.prompt = DesktopPrompt(ModuleHost(), patience_s=self.patience_s, clock=self.clock)

    async def open(self, *sessions: FakeSession) -> None:
        for session in sessions:
            self.prompt.joined(session)

    async def ask(self, *requests: PermissionRequest) -> None:
        for request in requests:
            self.asked.append(asyncio.create_task(self.prompt.ask(request)))
            await settle()

    async def answer(self, session: FakeSession, word: object, *, prompt: object = None, after_s: float = 1.0) -> None:
        self.clock.advance(after_s)
        shown = prompt or session.of("prompt")[-1]["id"]
        await self.prompt.receive(session, {"type": "answer", "prompt": shown, "answer": word})
        await settle()

    async def aclose(self) -> None:
        await self.prompt.aclose()
        await asyncio.gather(*self.asked, return_exceptions=True)


@pytest.fixture
def with_desk(run):
    """Run a scenario that is given a desk and one open page of ana's."""

    def begin(scenario, **settings):
        async def main():
            async with contextlib.AsyncExitStack() as stack:
                desk, ana = Desk(**settings), FakeSession()
                stack.push_async_callback(desk.aclose)
                desk.prompt.joined(ana)
                return await scenario(desk, ana)

        return run(main())

    return begin


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_a_question_says_what_why_for_whom_and_for_how_long(with_desk):
    async def scenario(desk, ana):
        await desk.ask(REQUEST)
        return ana.of("prompt")

    (message,) = with_desk(scenario)
    assert len(message.pop("id")) >= 20
    assert message == {
        "type": "prompt",
        "module": {"id": "counter", "name": "counter", "version": None, "source": "ed25519:1f"},
        "permission": "system.storage",
        "meaning": "Keep data of its own between runs",
        "reason": '"keeps" the count',
        "choices": ["once", "session", "always", "no", "never"],
        "waiting": 0,
        "armed_after_ms": 500,
        "expires_at": 1_060.0,
    }


def test_the_meaning_is_in_the_language_of_the_page(with_desk):
    async def scenario(desk, _):
        page = FakeSession("page-2", locale="pt-BR")
        await desk.open(page)
        await desk.ask(REQUEST)
        return page.of("prompt")[0]["meaning"]

    assert with_desk(scenario) == "Guardar dados próprios de um dia para o outro"


def test_a_module_that_is_being_loaded_is_shown_by_its_name(run):
    ana = FakeSession(subject="default")

    async def main():
        async with ModuleHost(engine="trusted") as host:
            prompt = host.prompt = DesktopPrompt(host)
            prompt.joined(ana)
            loading = asyncio.create_task(host.load(package("required")))
            await settle()
            await prompt.aclose()
            await asyncio.gather(loading, return_exceptions=True)
            return ana.of("prompt")[0]["module"]

    assert run(main()) == {"id": "counter", "name": "The counter", "version": "1.2.0", "source": "memory"}


# --- whose answer counts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("once", PermissionAnswer.ALLOW_ONCE),
        ("session", PermissionAnswer.ALLOW_SESSION),
        ("always", PermissionAnswer.ALLOW_FOREVER),
        ("no", PermissionAnswer.DENY_ONCE),
        ("never", PermissionAnswer.DENY_FOREVER),
    ],
)
def test_an_answer_reaches_the_module_that_waits(with_desk, word, answer):
    async def scenario(desk, ana):
        await desk.ask(REQUEST)
        await desk.answer(ana, word)
        return await desk.asked[0]

    assert with_desk(scenario) == answer


def test_the_first_answer_wins_and_the_other_pages_see_it(with_desk):
    async def scenario(desk, ana):
        other = FakeSession("page-2")
        await desk.open(other)
        await desk.ask(REQUEST)
        await desk.answer(other, "session")
        with pytest.raises(PlataformaError, match="not open any more"):
            await desk.answer(ana, "never")
        return await desk.asked[0], ana.of("prompt-closed"), other.of("prompt-closed"), ana.of("prompt")[0]["id"]

    answer, seen, seen_by_the_one_who_answered, number = with_desk(scenario)
    assert answer == PermissionAnswer.ALLOW_SESSION
    assert seen == [{"type": "prompt-closed", "id": number, "outcome": "answered", "answer": "session"}]
    assert seen_by_the_one_who_answered == []


def test_nobody_else_sees_a_question_nor_answers_it(with_desk, caplog):
    async def scenario(desk, ana):
        bia = FakeSession("page-2", subject="bia")
        await desk.open(bia)
        await desk.ask(REQUEST)
        with caplog.at_level(logging.WARNING), pytest.raises(PlataformaError, match="not open any more"):
            await desk.answer(bia, "always", prompt=ana.of("prompt")[0]["id"])
        return bia.sent, desk.asked[0].done()

    assert with_desk(scenario) == ([], False)
    assert "'bia' answered a permission dialog that it was not shown" in caplog.text


@pytest.mark.parametrize("forged", ["", "x" * 22, 7, None, ["id"]], ids=repr)
def test_a_forged_id_is_refused_and_logged(with_desk, caplog, forged):
    async def scenario(desk, ana):
        await desk.ask(REQUEST)
        desk.clock.advance(1.0)
        with pytest.raises(PlataformaError, match="not open any more"):
            await desk.prompt.receive(ana, {"type": "answer", "prompt": forged, "answer": "always"})
        return desk.asked[0].done()

    assert with_desk(scenario) is False
    assert "not shown" in caplog.text


def test_an_answer_that_lost_the_race_is_no_forgery(with_desk, caplog):
    async def scenario(desk, ana):
        await desk.ask(REQUEST)
        shown = ana.of("prompt")[0]["id"]
        await desk.answer(ana, "no")
        with pytest.raises(PlataformaError, match="not open any more"):
            await desk.answer(ana, "no", prompt=shown)

    with_desk(scenario)
    assert caplog.text == ""


@pytest.mark.parametrize("word", ["", "yes", "ALWAYS", True, None, ["once"]], ids=repr)
def test_a_word_that_is_no_answer_is_refused(with_desk, word):
    async def scenario(desk, ana):
        await desk.ask(REQUEST)
        with pytest.raises(PlataformaError, match="once, session, always, no, never"):
            await desk.answer(ana, word)
        return desk.asked[0].done()

    assert with_desk(scenario) is False


# --- clicks that were not meant for it -------------------------------------------------------------------------------


def test_an_answer_within_half_a_second_is_refused(with_desk, caplog):
    async def scenario(desk, ana):
        await desk.ask(REQUEST)
        with pytest.raises(PlataformaError, match="too fast"):
            await desk.answer(ana, "always", after_s=0.499)
        was_open = not desk.asked[0].done()
        await desk.answer(ana, "always", after_s=0.001)
        return was_open, await desk.asked[0]

    assert with_desk(scenario) == (True, PermissionAnswer.ALLOW_FOREVER)
    assert "came 499 ms after the question" in caplog.text


def test_the_half_second_is_counted_for_each_page(with_desk):
    async def scenario(desk, ana):
        await desk.ask(REQUEST)
        desk.clock.advance(10.0)
        late = FakeSession("page-2")
        await desk.open(late)
        with pytest.raises(PlataformaError, match="too fast"):
            await desk.answer(late, "always", after_s=0.1)
        await desk.answer(ana, "no", after_s=0.0)
        return await desk.asked[0]

    assert with_desk(scenario) == PermissionAnswer.DENY_ONCE


def test_a_page_that_comes_back_is_shown_the_question_anew(with_desk):
    async def scenario(desk, ana):
        await desk.ask(REQUEST)
        desk.clock.advance(10.0)
        await desk.open(ana)
        with pytest.raises(PlataformaError, match="too fast"):
            await desk.answer(ana, "always", after_s=0.1)

    with_desk(scenario)


def test_a_double_click_does_not_answer_the_next_question(with_desk):
    async def scenario(desk, ana):
        await desk.ask(REQUEST, LATER)
        await desk.answer(ana, "always")
        with pytest.raises(PlataformaError, match="too fast"):
            await desk.answer(ana, "always", after_s=0.1)
        return [task.done() for task in desk.asked]

    assert with_desk(scenario) == [True, False]


def test_a_question_that_grows_a_queue_stays_armed(with_desk):
    async def scenario(desk, ana):
        await desk.ask(REQUEST)
        desk.clock.advance(0.5)
        await desk.ask(LATER)
        await desk.answer(ana, "session", after_s=0.0)
        return await desk.asked[0]

    assert with_desk(scenario) == PermissionAnswer.ALLOW_SESSION


# --- one at a time ---------------------------------------------------------------------------------------------------


def test_questions_queue_and_the_first_says_how_many_wait(with_desk):
    async def scenario(desk, ana):
        await desk.ask(REQUEST, LATER, LATER)
        first = [(each["permission"], each["waiting"]) for each in ana.of("prompt")]
        await desk.answer(ana, "no")
        return first, [(each["permission"], each["waiting"]) for each in ana.of("prompt")][1:]

    assert with_desk(scenario) == ([("system.storage", 2)], [("system.clipboard", 1)])


def test_a_question_that_waits_cannot_be_answered(with_desk):
    async def scenario(desk, ana):
        await desk.ask(REQUEST, LATER)
        waiting = desk.prompt._queues["ana"][1].id
        with pytest.raises(PlataformaError, match="not open any more"):
            await desk.answer(ana, "always", prompt=waiting)

    with_desk(scenario)


def test_subjects_do_not_wait_for_each_other(with_desk):
    async def scenario(desk, ana):
        bia = FakeSession("page-2", subject="bia")
        await desk.open(bia)
        await desk.ask(REQUEST, attrs.evolve(REQUEST, subject="bia"))
        return len(ana.of("prompt")), len(bia.of("prompt"))

    assert with_desk(scenario) == (1, 1)


# --- the end of patience ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after_s", "outcome"), [(1.0, "withdrawn"), (60.0, "timed out")])
def test_a_request_that_ends_closes_the_dialog(with_desk, after_s, outcome):
    async def scenario(desk, ana):
        await desk.ask(REQUEST, LATER)
        desk.clock.advance(after_s)
        desk.asked[0].cancel()
        await settle()
        return [each["outcome"] for each in ana.of("prompt-closed")], ana.of("prompt")[-1]["permission"]

    assert with_desk(scenario) == ([outcome], "system.clipboard")


def test_a_waiting_request_that_ends_is_taken_from_the_queue(with_desk):
    async def scenario(desk, ana):
        await desk.ask(REQUEST, LATER)
        desk.asked[1].cancel()
        await settle()
        return ana.of("prompt-closed"), [each["waiting"] for each in ana.of("prompt")]

    assert with_desk(scenario) == ([], [0])


def test_without_a_page_nobody_is_waited_for(run):
    async def main():
        desk = Desk(patience_s=0.01)
        await desk.ask(REQUEST, LATER)
        return [type(each) for each in await asyncio.gather(*desk.asked, return_exceptions=True)]

    assert run(main()) == [TimeoutError] * 2


def test_that_nobody_was_there_is_written_down_as_such(run):
    written = []

    async def main():
        prompt = DesktopPrompt(ModuleHost(), patience_s=0.01)
        manager = PermissionManager(prompt=prompt, audit=written.append)
        return await manager.request("system.storage")

    assert run(main()) is False
    assert [(record.action, record.outcome, record.detail) for record in written] == [("prompt", "denied", "timed out")]


def test_when_the_last_page_goes_patience_begins(with_desk):
    async def scenario(desk, ana):
        await desk.ask(REQUEST)
        desk.prompt.left(ana)
        with pytest.raises(TimeoutError):
            await desk.asked[0]

    with_desk(scenario, patience_s=0.01)


def test_a_page_that_opens_in_time_is_asked(run):
    async def main():
        desk, late = Desk(patience_s=3_600.0), FakeSession()
        await desk.ask(REQUEST)
        await desk.open(late)
        await desk.answer(late, "once")
        return await desk.asked[0]

    assert run(main()) == PermissionAnswer.ALLOW_ONCE


def test_the_managers_patience_closes_the_dialog(with_desk):
    async def scenario(desk, ana):
        manager = PermissionManager(prompt=desk.prompt, subject="ana", prompt_timeout_s=0.01)
        return await manager.request("system.storage"), len(ana.of("prompt-closed"))

    assert with_desk(scenario) == (False, 1)


def test_a_desktop_that_closes_refuses_what_is_asked(with_desk):
    async def scenario(desk, ana):
        await desk.ask(REQUEST, LATER)
        await desk.prompt.aclose()
        return [await task for task in desk.asked], ana.of("prompt-closed")[0]["outcome"]

    assert with_desk(scenario) == ([PermissionAnswer.DENY_ONCE] * 2, "withdrawn")
