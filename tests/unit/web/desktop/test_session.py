"""One page: what it is sent, what it sends, and what it finds when it comes back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from plataforma_sdk.web.desktop import WireLimits
from tests.unit.web.desktop.browsing import Browser, event
from tests.unit.web.desktop.desk import Open
from tests.unit.web.desktop.patching import apply


def test_a_page_is_welcomed_and_shown_every_window(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()

            assert page.welcome["modules"][0]["id"] == "counter"
            assert not page.welcome["resumed"]
            window = await page.take("window")
            assert window["window"] == {"id": "main", "title": "Counter", "width": 800, "height": 600, "modal": False}
            assert window["tree"]["type"] == "column"

    run(main())


def test_a_press_reaches_the_module_and_comes_back_as_a_patch(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            window = await page.take("window")

            ack = await page.answer_to("event", module="counter", event=event(window, "0.press", "press"))

            assert ack["ok"]
            patch = await page.take("patch")
            assert (patch["base"], patch["revision"]) == (window["revision"], window["revision"] + 1)
            assert apply(window["tree"], patch["ops"]) == case.host.windows.get("counter", "main").tree

    run(main())


def test_two_pages_see_one_host_and_each_acts_on_what_it_was_sent(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            one, other = await (await case.browser()).join(), await (await case.browser()).join()
            window, _ = await one.take("window"), await other.take("window")

            await one.answer_to("event", module="counter", event=event(window, "0.press", "press"))

            mine, theirs = await one.take("patch"), await other.take("patch")
            assert mine["ops"] == theirs["ops"]
            seen = {**window, "revision": theirs["revision"]}
            assert (await other.answer_to("event", module="counter", event=event(seen, "0.press", "press")))["ok"]

    run(main())


def test_a_module_renders_once_a_frame_however_many_pages_show_it(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser()
            pages = [await browser.join() for _ in range(5)]
            for page in pages:
                await page.take("window")
            before = case.host.modules["counter"].stats.calls

            await case.host.modules["counter"].call("change_row", 3, "new")
            for page in pages:
                await page.take("patch")

            assert case.host.modules["counter"].stats.calls == before + 2  # the call, and one render

    run(main())


def test_a_module_does_not_render_while_nobody_looks(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case(limits=WireLimits(grace_s=0.0)) as case:
            page = await (await case.browser()).join()
            await page.take("window")
            await page.leave()
            while len(case.desktop.sessions):
                await asyncio.sleep(0)
            before = case.host.modules["counter"].stats.calls

            await case.host.modules["counter"].call("change_row", 3, "new")
            await asyncio.sleep(0.05)

            assert case.host.modules["counter"].stats.calls == before + 1

    run(main())


def test_windows_that_open_change_and_close_are_told(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            window = await page.take("window")

            await page.answer_to("event", module="counter", event=event(window, "0.open", "open_second"))
            second = await page.take("window")
            await page.answer_to("event", module="counter", event=event(window, "0.rename", "rename"))
            settings = await page.take("settings")
            await page.answer_to("close", module="counter", window="second")
            closed = await page.take("closed")
            modules = await page.take("modules", lambda message: message["modules"][0]["windows"] == ["main"])

            assert second["window"]["title"] == "Second"
            expected = {"id": "main", "title": "Renamed", "width": 500, "height": 600, "modal": False}
            assert settings["window"] == expected
            assert (closed["module"], closed["window"]) == ("counter", "second")
            assert modules["modules"][0]["state"] == "active"

    run(main())


def test_modules_that_come_and_go_are_listed(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            await page.take("window")

            await case.host.unload("counter")
            await page.take("closed")
            gone = await page.take("modules", lambda message: message["modules"][0]["state"] == "unloaded")
            shown = await page.answer_to("show", module="counter")
            window = await page.take("window")

            assert gone["modules"][0]["windows"] == []
            assert shown["value"] == {"state": "active"}
            assert window["revision"] == 1

    run(main())


def test_a_module_whose_windows_were_all_closed_opens_them_anew(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            await page.take("window")
            await page.answer_to("close", module="counter", window="main")
            await page.take("closed")

            ack = await page.answer_to("show", module="counter")

            assert ack["ok"]
            assert (await page.take("window"))["window"]["id"] == "main"

    run(main())


def test_a_reload_sends_the_new_window_whole(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            window = await page.take("window")
            await page.answer_to("event", module="counter", event=event(window, "0.press", "press"))
            await page.take("patch")

            await case.host.modules["counter"].reload()

            again = await page.take("window")
            ack = await page.answer_to("event", module="counter", event=event(again, "0.press", "press"))
            assert ack["ok"]

    run(main())


def test_a_fault_of_a_handler_is_its_acknowledgement(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            window = await page.take("window")

            ack = await page.answer_to("event", module="counter", event=event(window, "0.fail", "fail"))

            assert not ack["ok"]
            assert ack["error"]["code"] == "GuestError"
            assert "not today" in ack["error"]["text"]
            assert "Traceback" not in ack["error"]["text"]

    run(main())


def test_a_page_that_comes_back_goes_on_where_it_was(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser()
            page = await browser.join()
            window = await page.take("window")
            await page.leave()
            await case.host.modules["counter"].call("change_row", 0, "while you were away")

            seen = {"counter/main": window["revision"]}
            back = await browser.join(resume=page.welcome["session"], seen=seen)

            assert back.welcome["resumed"]
            patch = await back.take("patch")
            assert patch["base"] == window["revision"]
            assert "window" not in [message["type"] for message in back.received]

    run(main())


def test_a_page_that_missed_a_frame_gets_the_window_whole(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser()
            page = await browser.join()
            window = await page.take("window")
            await case.host.modules["counter"].call("change_row", 0, "new")
            patch = await page.take("patch")
            await page.leave()

            back = await browser.join(resume=page.welcome["session"], seen={"counter/main": window["revision"]})

            assert (await back.take("window"))["revision"] == patch["revision"]

    run(main())


def test_a_window_that_closed_meanwhile_is_closed_when_the_page_comes_back(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser()
            page = await browser.join()
            window = await page.take("window")
            await page.leave()
            await case.host.modules["counter"].close_window("main")

            seen = {"counter/main": window["revision"], "gone/main": 3}
            back = await browser.join(resume=page.welcome["session"], seen=seen)

            closed = [await back.take("closed"), await back.take("closed")]
            assert sorted(message["module"] for message in closed) == ["counter", "gone"]

    run(main())


def test_a_message_that_is_sent_again_is_done_once_and_answered_again(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser()
            page = await browser.join()
            window = await page.take("window")
            press = event(window, "0.press", "press")
            await page.answer_to("event", module="counter", event=press)
            await page.take("patch")
            await page.leave()

            back = await browser.join(resume=page.welcome["session"], seen={})
            ack = await back.answer_to("event", module="counter", event=press)

            assert ack["seq"] == 1
            assert ack["ok"]
            tree = (await back.take("window"))["tree"]
            assert tree["children"][0]["props"]["value"] == 1

    run(main())


def test_an_action_goes_on_while_its_page_is_away(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser()
            page = await browser.join()
            window = await page.take("window")
            seq = page.ask("event", module="counter", event=event(window, "0.press", "press"))
            await page.leave()

            back = await browser.join(resume=page.welcome["session"], seen={})

            assert (await back.take("ack"))["seq"] == seq

    run(main())


def test_a_page_that_stays_away_is_forgotten(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case(limits=WireLimits(grace_s=0.0)) as case:
            browser = await case.browser()
            page = await browser.join()
            window = await page.take("window")
            await page.leave()
            while len(case.desktop.sessions):
                await asyncio.sleep(0)

            back = await browser.join(resume=page.welcome["session"], seen={"counter/main": window["revision"]})

            assert not back.welcome["resumed"]
            assert back.welcome["session"] != page.welcome["session"]
            await back.take("window")
            history = case.host.windows.get("counter", "main").history
            assert history.seen(page.welcome["session"], window["revision"]) is None

    run(main())


def test_a_second_connection_of_a_page_takes_over(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser()
            page = await browser.join()
            await page.take("window")

            back = await browser.join(resume=page.welcome["session"], seen={})

            assert await page.closed() == "replaced"
            await back.take("window")

    run(main())


def test_a_page_that_lost_track_gets_the_whole_tree(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            window = await page.take("window")

            page.tell("resync", module="counter", window="main")

            assert (await page.take("window"))["tree"] == window["tree"]

    run(main())


def test_a_slow_page_gets_the_newest_frame_and_every_acknowledgement(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            window = await page.take("window")
            fast = await (await case.browser()).join()
            await fast.take("window")
            page.may_read.clear()
            page.tell("ping", at=1)  # its answer is what the page does not read

            tell = event(window, "0.tell", "tell")
            asked = [page.ask("event", module="counter", event=tell) for _ in range(3)]
            for number in range(4):
                await case.host.modules["counter"].call("change_row", 0, f"{number}")
                await fast.take("patch")
            page.may_read.set()

            for seq in asked:
                await page.take("ack", lambda ack, seq=seq: ack["seq"] == seq)
            patch = await page.take("patch")
            assert patch["base"] == window["revision"]
            assert patch["revision"] == window["revision"] + 4
            assert "patch" not in [message["type"] for message in page.received]

    run(main())


def test_what_takes_long_does_not_hold_up_the_rest(run: Any, open_case: Open) -> None:
    class Patient:
        receives = frozenset({"answer", "task"})

        def __init__(self) -> None:
            self.answered = asyncio.Event()

        async def start(self) -> None: ...
        async def aclose(self) -> None: ...
        def joined(self, session: Any) -> None: ...
        def left(self, session: Any) -> None: ...

        async def receive(self, session: Any, message: Any) -> str:
            if message["type"] == "task":
                await self.answered.wait()
                return "restarted"
            self.answered.set()
            return "answered"

    async def main() -> None:
        async with open_case(features=[Patient()]) as case:
            page = await (await case.browser()).join()

            first = page.ask("task", module="counter", action="restart")
            second = page.ask("answer", prompt="x", answer="once")

            acks = [await page.take("ack"), await page.take("ack")]
            assert [(ack["seq"], ack["value"]) for ack in acks] == [(second, "answered"), (first, "restarted")]

    run(main())


def test_the_end_of_the_desktop_is_said(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            await page.take("window")

        assert await page.closed() == "shutdown"

    run(main())


def test_a_language_that_is_no_tag_leaves_the_old_one(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join(locale="<script>")
            (session,) = case.desktop.sessions
            before = session.locale

            page.tell("locale", locale="pt-BR")
            page.tell("theme", theme="dark")
            page.tell("ping", at=7)
            await page.take("pong")

            assert before == "en"
            assert (session.locale, session.theme) == ("pt-BR", "dark")

    run(main())


@pytest.mark.parametrize("later", [None, "rui"])
def test_who_signs_out_is_shown_no_more(run: Any, open_case: Open, later: str | None) -> None:
    person: list[str | None] = ["ana"]

    async def authenticate(_: Any) -> str | None:
        return person[0]

    async def main() -> None:
        async with open_case(authenticate=authenticate, limits=WireLimits(recheck_s=0.05)) as case:
            page = await (await Browser(case.app).read_page()).join()
            await page.take("window")
            await asyncio.sleep(0.15)
            assert page.close_code is None, "whoever is still known stays"
            person[0] = later
            assert await page.closed() == "unauthorized"

    run(main())
