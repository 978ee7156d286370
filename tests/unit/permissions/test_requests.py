"""Asking a person: answers, patience, sharing, silence."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import InvalidPermissionError, PermissionDeniedError
from plataforma_sdk.permissions import Answer, PermissionAnswer, PermissionManager, PermissionRequest
from plataforma_sdk.types import FakeClock


class Person:
    """Answers from a list, the last one again and again, once `may_answer` is set; counts who is asked at a time."""

    def __init__(self, *answers: object, waits: bool = False) -> None:
        self.answers = list(answers)
        self.asked: list[PermissionRequest] = []
        self.now = self.most = self.cancelled = 0
        self.may_answer = asyncio.Event()
        if not waits:
            self.may_answer.set()

    async def ask(self, request: PermissionRequest) -> object:
        self.asked.append(request)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.now -= 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


def request_all(permissions: PermissionManager, *names: str) -> list[bool]:
    async def main() -> list[bool]:
        return [await permissions.request(name, "to sell") for name in names]

    return asyncio.run(main())


# --- answers ---------------------------------------------------------------------------------------------------------


def test_what_is_held_is_not_asked_for():
    person = Person(False)
    assert request_all(PermissionManager(["api.*"], prompt=person), "api.vendas") == [True]
    assert person.asked == []


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        (True, True),
        (False, False),
        (PermissionAnswer.ALLOW_ONCE, True),
        (PermissionAnswer.ALLOW_SESSION, True),
        (PermissionAnswer.ALLOW_FOREVER, True),
        (PermissionAnswer.allow_until(2e9), True),
        (PermissionAnswer.allow_until(1.0), False),
        (PermissionAnswer.DENY_ONCE, False),
        (PermissionAnswer.DENY_FOREVER, False),
    ],
)
def test_answers(answer, held):
    permissions = PermissionManager(prompt=Person(answer), clock=FakeClock())
    assert request_all(permissions, "api.vendas[GET]") == [held]
    assert permissions.has("api.vendas[GET]") is held
    assert not permissions.has("api.vendas[POST]")


@pytest.mark.parametrize("answer", [1, "yes", None, Answer.ALLOW_SESSION, object(), [True]])
def test_what_is_merely_truthy_is_a_refusal(answer, caplog):
    assert request_all(PermissionManager(prompt=Person(answer)), "api.vendas") == [False]
    assert "a prompt answers with PermissionAnswer or bool" in caplog.text


def test_allowed_once_is_used_up():
    permissions = PermissionManager(prompt=Person(PermissionAnswer.ALLOW_ONCE))
    request_all(permissions, "api.vendas")
    permissions.require("api.vendas")
    assert not permissions.has("api.vendas")


def test_allowed_until_ends():
    clock = FakeClock(100.0)
    permissions = PermissionManager(prompt=Person(PermissionAnswer.allow_until(110.0)), clock=clock)
    request_all(permissions, "api.vendas")
    clock.advance(10.0)
    assert not permissions.has("api.vendas")


def test_denied_for_ever_is_never_asked_again():
    person = Person(PermissionAnswer.DENY_FOREVER, True)
    permissions = PermissionManager(prompt=person)
    assert request_all(permissions, "api.vendas", "api.vendas", "api.vendas[GET]") == [False, False, False]
    assert len(person.asked) == 1
    assert permissions.denied == ("api.vendas",)


def test_denied_once_may_be_asked_again():
    person = Person(False, True)
    assert request_all(PermissionManager(prompt=person), "api.vendas", "api.vendas") == [False, True]


def test_a_one_time_denial_of_the_host_answers_one_request():
    person = Person(True)
    permissions = PermissionManager(prompt=person)
    permissions.deny("api.vendas", once=True)
    assert request_all(permissions, "api.vendas", "api.vendas") == [False, True]
    assert len(person.asked) == 1


def test_an_answer_with_an_end_needs_one():
    for arguments in ((Answer.ALLOW_UNTIL,), (Answer.ALLOW_ONCE, 1.0), (Answer.ALLOW_UNTIL, float("nan"))):
        with pytest.raises(ValueError, match="until"):
            PermissionAnswer(*arguments)


def test_a_plain_async_function_serves_as_a_prompt():
    async def allow(request):
        return True

    assert request_all(PermissionManager(prompt=allow), "api.vendas") == [True]


def test_without_a_prompt_the_answer_is_no():
    assert request_all(PermissionManager(), "api.vendas") == [False]


def test_the_undeclared_is_refused_without_a_prompt_and_with_the_line_to_add():
    person = Person(True)
    with pytest.raises(PermissionDeniedError) as caught:
        request_all(PermissionManager(prompt=person, declared=["api.vendas[GET]"]), "api.vendas[POST]")
    assert (caught.value.reason, person.asked) == ("undeclared", [])
    assert '"api.vendas[POST]" = ' in str(caught.value)


def test_the_undeclared_may_be_asked_for_while_recording():
    permissions = PermissionManager(prompt=Person(True), declared=[], record=True)
    assert request_all(permissions, "api.vendas") == [True]
    assert permissions.recorded == ("api.vendas",)


def test_a_name_outside_the_grammar_is_refused():
    with pytest.raises(InvalidPermissionError):
        request_all(PermissionManager(prompt=Person(True)), "API")


# --- what the person sees --------------------------------------------------------------------------------------------


def test_the_request_says_who_asks_for_what():
    person = Person(True)
    permissions = PermissionManager(
        prompt=person, module="vendas", subject="ana", source="ed25519:1f", clock=FakeClock(100.0)
    )
    request_all(permissions, "api.vendas[POST,GET]")
    assert person.asked == [
        PermissionRequest(
            subject="ana",
            module="vendas",
            permission="api.vendas[GET,POST]",
            reason="to sell",
            source="ed25519:1f",
            requested_at=100.0,
            expires_at=160.0,
        )
    ]


def test_the_reason_is_cleaned_and_quoted_as_the_modules_own():
    request = PermissionRequest(
        subject="ana",
        module="vendas",
        permission="api.vendas",
        reason='safe" \u202eThe system says:\x1b[2J "yes',
        source=None,
        requested_at=0.0,
    )
    assert request.quoted_reason == "The module says: \"safe' The system says:[2J 'yes\""


def test_no_reason_is_told_as_such():
    person = Person(True)
    asyncio.run(PermissionManager(prompt=person).request("api.vendas"))
    assert person.asked[0].quoted_reason == "The module gives no reason."


# --- patience --------------------------------------------------------------------------------------------------------


def test_no_answer_is_a_no_and_the_prompt_is_taken_away():
    person = Person(True, waits=True)
    permissions = PermissionManager(prompt=person, prompt_timeout_s=0.01)
    assert request_all(permissions, "api.vendas") == [False]
    assert (person.cancelled, permissions.has("api.vendas")) == (1, False)


def test_a_prompt_that_fails_is_a_no(caplog):
    assert request_all(PermissionManager(prompt=Person(ValueError("no display"))), "api.vendas") == [False]
    assert "no display" in caplog.text


def test_a_prompt_that_cancels_itself_is_a_no():
    assert request_all(PermissionManager(prompt=Person(asyncio.CancelledError())), "api.vendas") == [False]


def test_something_that_cannot_ask_is_a_no(caplog):
    assert request_all(PermissionManager(prompt=object()), "api.vendas") == [False]
    assert "a prompt is an async function" in caplog.text


def test_three_refusals_silence_a_module():
    person = Person(False, PermissionAnswer.DENY_FOREVER, ValueError("gone"), True)
    permissions = PermissionManager(prompt=person)
    assert request_all(permissions, "api.a", "api.b", "api.c", "api.d", "api.a") == [False] * 5
    assert len(person.asked) == 3
    assert permissions.is_silenced
    assert "silenced after 3 refusals" in str(permissions.explain("api.d"))


def test_time_outs_count_as_refusals():
    permissions = PermissionManager(prompt=Person(True, waits=True), prompt_timeout_s=0.001)
    request_all(permissions, "api.a", "api.b", "api.c")
    assert permissions.is_silenced


def test_a_silenced_module_keeps_what_it_holds_and_may_be_granted_more():
    permissions = PermissionManager(["api.x"], prompt=Person(False))
    request_all(permissions, "api.a", "api.b", "api.c")
    permissions.grant("api.a")
    assert request_all(permissions, "api.a", "api.x") == [True, True]


def test_the_host_may_let_a_silenced_module_ask_again():
    person = Person(False, False, False, True)
    permissions = PermissionManager(prompt=person)
    request_all(permissions, "api.a", "api.b", "api.c")
    permissions.unsilence()
    assert request_all(permissions, "api.d") == [True]


# --- sharing ---------------------------------------------------------------------------------------------------------


def test_requests_for_one_permission_share_a_prompt(run):
    async def main():
        person = Person(True, waits=True)
        permissions = PermissionManager(prompt=person)
        names = ("api.vendas[GET,POST]", "api.vendas[POST,GET]", "api.vendas[GET,POST]")
        waiting = [asyncio.create_task(permissions.request(name)) for name in names]
        await settle()
        person.may_answer.set()
        assert await asyncio.gather(*waiting) == [True, True, True]
        assert len(person.asked) == 1

    run(main())


@pytest.mark.parametrize("cancelled", [0, 1])
def test_cancelling_one_who_waits_leaves_the_prompt_to_the_other(run, cancelled):
    async def main():
        person = Person(True, waits=True)
        permissions = PermissionManager(prompt=person)
        waiting = [asyncio.create_task(permissions.request("api.vendas")) for _ in range(2)]
        await settle()
        waiting[cancelled].cancel()
        await settle()
        person.may_answer.set()
        assert await waiting[1 - cancelled] is True
        assert waiting[cancelled].cancelled()
        assert (len(person.asked), person.cancelled) == (1, 0)

    run(main())


def test_a_prompt_for_which_nobody_waits_any_more_is_taken_away(run):
    async def main():
        person = Person(True, waits=True)
        permissions = PermissionManager(prompt=person)
        waiting = [asyncio.create_task(permissions.request("api.vendas")) for _ in range(2)]
        await settle()
        for task in waiting:
            task.cancel()
        await settle()
        assert (person.cancelled, permissions.is_silenced) == (1, False)
        person.may_answer.set()
        assert await permissions.request("api.vendas") is True
        assert len(person.asked) == 2

    run(main())


def test_one_prompt_at_a_time_and_silence_reaches_those_in_the_queue(run):
    async def main():
        person = Person(False)
        permissions = PermissionManager(prompt=person)
        answers = await asyncio.gather(*(permissions.request(f"api.a{number}") for number in range(10)))
        assert answers == [False] * 10
        assert (person.most, len(person.asked)) == (1, 3)

    run(main())


def test_a_question_that_was_settled_while_it_waited_is_not_put(run):
    async def main():
        person = Person(True, waits=True)
        permissions = PermissionManager(prompt=person)
        first = asyncio.create_task(permissions.request("api.a"))
        second = asyncio.create_task(permissions.request("api.b"))
        third = asyncio.create_task(permissions.request("api.c"))
        await settle()
        permissions.grant("api.b")
        permissions.deny("api.c")
        person.may_answer.set()
        assert await asyncio.gather(first, second, third) == [True, True, False]
        assert [request.permission for request in person.asked] == ["api.a"]

    run(main())


def test_a_flood_of_questions_is_refused(run):
    async def main():
        person = Person(True, waits=True)
        permissions = PermissionManager(prompt=person)
        waiting = [asyncio.create_task(permissions.request(f"api.a{number}")) for number in range(40)]
        await settle()
        assert sum(task.done() and not task.result() for task in waiting) == 24
        person.may_answer.set()
        assert sum(await asyncio.gather(*waiting)) == 16

    run(main())


def test_an_answer_does_not_undo_what_the_host_denied_meanwhile(run):
    async def main():
        person = Person(PermissionAnswer.ALLOW_FOREVER, waits=True)
        permissions = PermissionManager(prompt=person)
        waiting = asyncio.create_task(permissions.request("api.vendas"))
        await settle()
        permissions.deny("api.vendas")
        person.may_answer.set()
        assert await waiting is False
        assert permissions.denied == ("api.vendas",)
        permissions.lift("api.vendas")
        assert not permissions.has("api.vendas")

    run(main())


def test_a_denial_between_the_answer_and_its_effect_wins():
    def deny_at_once(record):
        if record.action == "prompt":
            permissions.deny("api.vendas")

    permissions = PermissionManager(prompt=Person(True), audit=deny_at_once)
    assert request_all(permissions, "api.vendas") == [False]
    assert permissions.denied == ("api.vendas",)


def test_a_manager_serves_one_loop_after_another():
    async def allow(request):
        await asyncio.sleep(0)
        return True

    permissions = PermissionManager(prompt=allow)

    async def main(*names):
        return await asyncio.gather(*(permissions.request(name) for name in names))

    assert asyncio.run(main("api.a", "api.b")) == [True, True]
    assert asyncio.run(main("api.c", "api.d")) == [True, True]


# --- whom to ask -----------------------------------------------------------------------------------------------------


def test_a_request_says_when_no_answer_is_a_no():
    person = Person(True)
    request_all(PermissionManager(prompt=person, prompt_timeout_s=5.0, clock=FakeClock(100.0)), "system.storage")
    assert person.asked[0].expires_at == 105.0


def test_a_request_without_end_says_so():
    person = Person(True)
    request_all(PermissionManager(prompt=person, prompt_timeout_s=None), "system.storage")
    assert person.asked[0].expires_at is None


def test_another_prompt_is_asked_from_the_next_question_on(run):
    first, second = Person(True, waits=True), Person(True)

    async def main():
        permissions = PermissionManager(prompt=first)
        waiting = asyncio.create_task(permissions.request("system.storage"))
        await settle()
        permissions.prompt = second
        first.may_answer.set()
        return await waiting, await permissions.request("system.clipboard")

    assert run(main()) == (True, True)
    assert [[request.permission for request in person.asked] for person in (first, second)] == [
        ["system.storage"],
        ["system.clipboard"],
    ]


def test_what_was_attenuated_asks_the_new_prompt_too(run):
    person = Person(True)
    permissions = PermissionManager()
    child = permissions.attenuate(["system.storage"])
    permissions.prompt = person
    assert run(child.request("system.storage")) is True
