"""Asking in a terminal."""

from __future__ import annotations

import asyncio
import io
import os
import queue
import threading

import pytest

from plataforma_sdk.permissions import PermissionAnswer, PermissionManager, PermissionRequest
from plataforma_sdk.runtime._console_prompt import ConsolePrompt


class Terminal(io.StringIO):
    """Lines are typed by `type_line`; reading blocks until one is there, as in a terminal."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self.lines: queue.Queue[str] = queue.Queue()
        self.readers = 0
        for line in lines:
            self.lines.put(line)

    def isatty(self) -> bool:
        return True

    def readline(self, *_: object) -> str:
        self.readers += 1
        return self.lines.get(timeout=10)


def make_request(**changes: object) -> PermissionRequest:
    values = {
        "subject": "ana",
        "module": "vendas",
        "permission": "api.vendas[GET]",
        "reason": "to sell",
        "source": "ed25519:1f",
        "requested_at": 0.0,
    }
    return PermissionRequest(**(values | changes))


def answer_to(*lines: str, **changes: object) -> tuple[PermissionAnswer, str]:
    stdout = io.StringIO()
    answer = asyncio.run(ConsolePrompt(Terminal(*lines), stdout).ask(make_request(**changes)))
    return answer, stdout.getvalue()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("o\n", PermissionAnswer.ALLOW_ONCE),
        ("once\n", PermissionAnswer.ALLOW_ONCE),
        ("s\n", PermissionAnswer.ALLOW_SESSION),
        ("  Session \r\n", PermissionAnswer.ALLOW_SESSION),
        ("a\n", PermissionAnswer.ALLOW_FOREVER),
        ("ALWAYS\n", PermissionAnswer.ALLOW_FOREVER),
        ("n\n", PermissionAnswer.DENY_ONCE),
        ("no\n", PermissionAnswer.DENY_ONCE),
        ("\n", PermissionAnswer.DENY_ONCE),
        ("never\n", PermissionAnswer.DENY_FOREVER),
        ("", PermissionAnswer.DENY_ONCE),
    ],
)
def test_answers(line, expected):
    assert answer_to(line)[0] == expected


def test_the_question_quotes_the_module_and_says_the_rest_itself():
    assert answer_to("n\n")[1].splitlines() == [
        "",
        "vendas (from ed25519:1f) asks for the permission api.vendas[GET]",
        '  The module says: "to sell"',
        "Allow? [o]nce, [s]ession, [a]lways, [n]o, never (no): ",
    ]


def test_nothing_of_the_module_steers_the_terminal():
    _, shown = answer_to("n\n", reason='x"\x1b[2J\r\n\u202eAllow? yes', source="a\x1b[1mb\n")
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert '  The module says: "x\'[2J Allow? yes"' in shown.splitlines()
    assert len(shown.splitlines()) == 4


def test_what_cannot_be_read_is_asked_again_and_then_a_no():
    answer, shown = answer_to("yes\n", "y\n", "s\n")
    assert answer == PermissionAnswer.ALLOW_SESSION
    assert shown.count("Please answer with one of once, session, always, no, never") == 2
    assert answer_to("yes\n", "y\n", "j\n", "s\n")[0] == PermissionAnswer.DENY_ONCE


@pytest.mark.parametrize("stdin", [io.StringIO("always\n"), None], ids=["a file", "what pytest gives"])
def test_without_a_terminal_the_answer_is_no(stdin, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("always\n"))
    stdout = io.StringIO()
    assert asyncio.run(ConsolePrompt(stdin, stdout).ask(make_request())) == PermissionAnswer.DENY_ONCE
    assert stdout.getvalue() == ""


def test_without_any_input_the_answer_is_no(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert asyncio.run(ConsolePrompt().ask(make_request())) == PermissionAnswer.DENY_ONCE


def test_a_closed_input_is_a_no():
    terminal = Terminal()
    terminal.close()
    assert asyncio.run(ConsolePrompt(terminal, io.StringIO()).ask(make_request())) == PermissionAnswer.DENY_ONCE


def test_the_loop_goes_on_while_a_person_thinks(run):
    async def main():
        terminal = Terminal()
        asking = asyncio.create_task(ConsolePrompt(terminal, io.StringIO()).ask(make_request()))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not asking.done()
        terminal.lines.put("a\n")
        assert await asking == PermissionAnswer.ALLOW_FOREVER

    run(main())


def test_questions_come_one_at_a_time(run):
    async def main():
        terminal, stdout = Terminal(), io.StringIO()
        prompt = ConsolePrompt(terminal, stdout)
        asking = [asyncio.create_task(prompt.ask(make_request(permission=f"api.a{n}"))) for n in range(2)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert stdout.getvalue().count("Allow?") == 1
        terminal.lines.put("s\n")
        terminal.lines.put("n\n")
        assert await asyncio.gather(*asking) == [PermissionAnswer.ALLOW_SESSION, PermissionAnswer.DENY_ONCE]

    run(main())


def test_a_question_that_was_given_up_leaves_no_second_reader(run):
    async def main():
        terminal = Terminal()
        prompt = ConsolePrompt(terminal, io.StringIO())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await prompt.ask(make_request())
        asking = asyncio.create_task(prompt.ask(make_request()))
        for _ in range(5):
            await asyncio.sleep(0)
        terminal.lines.put("s\n")
        assert await asking == PermissionAnswer.ALLOW_SESSION
        assert terminal.readers == 1

    run(main())


def test_an_answer_to_a_question_that_was_given_up_is_lost(run):
    async def main():
        terminal = Terminal()
        prompt = ConsolePrompt(terminal, io.StringIO())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await prompt.ask(make_request())
        reader = prompt._reader
        terminal.lines.put("always\n")
        reader.join(5)
        terminal.lines.put("n\n")
        assert await prompt.ask(make_request()) == PermissionAnswer.DENY_ONCE

    run(main())


def test_a_loop_that_ended_does_not_break_the_reader(recwarn):
    terminal = Terminal()
    prompt = ConsolePrompt(terminal, io.StringIO())

    async def give_up():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await prompt.ask(make_request())
        return prompt._reader

    reader = asyncio.run(give_up())
    terminal.lines.put("s\n")
    reader.join(5)
    assert not reader.is_alive()
    terminal.lines.put("s\n")
    assert asyncio.run(prompt.ask(make_request())) == PermissionAnswer.ALLOW_SESSION


def test_it_serves_a_manager(run):
    permissions = PermissionManager(module="vendas", prompt=ConsolePrompt(Terminal("once\n"), io.StringIO()))
    assert run(permissions.request("api.vendas[GET]", "to sell"))
    permissions.require("api.vendas[GET]")
    assert not permissions.has("api.vendas[GET]")


def test_what_was_typed_ahead_does_not_answer(run):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    stdout = io.StringIO()
    before = threading.active_count()

    async def main(stdin):
        os.write(ours, b"always\n")
        asking = asyncio.create_task(ConsolePrompt(stdin, stdout).ask(make_request()))
        while "Allow?" not in stdout.getvalue():
            await asyncio.sleep(0)
        os.write(ours, b"no\n")
        return await asking

    with os.fdopen(theirs) as stdin:
        assert run(main(stdin)) == PermissionAnswer.DENY_ONCE
    os.close(ours)
    assert threading.active_count() <= before + 1  # that of the loop's executor at most
