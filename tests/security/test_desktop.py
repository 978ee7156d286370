"""What other pages, other people, hostile modules and broken clients may try on the desktop."""

from __future__ import annotations

import asyncio
import functools
import json
from pathlib import Path
from typing import Any

import pytest

from plataforma_sdk.web.desktop import WireLimits, desktop_app
from tests.unit.web.desktop.browsing import Browser, Refused, event
from tests.unit.web.desktop.desk import Open, open_desk


@pytest.fixture
def open_case(tmp_path: Path) -> Open:
    return functools.partial(open_desk, tmp_path)


# --- who may come in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example:8000", "localhost.evil.example", "", "[::2]:8000", "127.0.0.1@evil"],
)
def test_a_name_that_was_pointed_at_us_reaches_nothing(run: Any, open_case: Open, host: str) -> None:
    """**Source:** DNS rebinding, as CVE-2018-14732 (webpack-dev-server) and CVE-2018-6651."""

    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser()

            assert (await browser.get(host=host)).status == 421
            assert (await browser.get("static/js/main.js", host=host)).status == 421
            with pytest.raises(Refused):
                await browser.open(host=host, origin=f"http://{host}")

    run(main())


@pytest.mark.parametrize("host", ["localhost:8000", "LOCALHOST", "[::1]:8000", "127.0.0.1"])
def test_our_own_names_are_served(run: Any, open_case: Open, host: str) -> None:
    async def main() -> None:
        async with open_case() as case:
            assert (await (await case.browser()).get(host=host)).status == 200

    run(main())


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://127.0.0.1:8001",
        "http://localhost:8000",
        "null",
        "",
        "file://",
        "http://127.0.0.1",
    ],
)
def test_another_page_cannot_open_the_socket(run: Any, open_case: Open, origin: str) -> None:
    """**Source:** cross-site WebSocket hijacking (CWE-1385), as CVE-2023-26114 (code-server)."""

    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser()
            with pytest.raises(Refused):
                await browser.open(origin=origin)

    run(main())


def test_a_plain_page_cannot_open_an_encrypted_socket(run: Any, open_case: Open) -> None:
    """Whoever sits between can write a plain page of our name: cookies do not tell the two apart in every browser."""

    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser(origin="https://127.0.0.1:8000")
            with pytest.raises(Refused):
                await browser.open(origin="http://127.0.0.1:8000")

    run(main())


def test_a_socket_without_our_subprotocol_or_a_cookie_is_not_opened(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            with pytest.raises(Refused):
                await (await case.browser()).open(protocols=["chat"])
            with pytest.raises(Refused):
                await Browser(case.app).open()

    run(main())


def test_a_cookie_without_the_token_of_the_page_is_not_enough(run: Any, open_case: Open) -> None:
    """**Source:** CSRF (CWE-352): a browser sends cookies by itself, but only our page can read its token."""

    async def main() -> None:
        async with open_case() as case:
            browser, other = await case.browser(), await case.browser()
            for token in ("", "0" * 64, other.page_token, "é"):
                page = await browser.open()
                await page.hello(token=token)
                assert await page.closed() == "unauthorized"
            assert len(case.desktop.sessions) == 0

    run(main())


def test_a_token_lets_one_browser_in_once(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            address = case.address()
            first = await Browser(case.app).enter(address)
            thief = Browser(case.app)

            refused = await thief.get(f"?{address.partition('?')[2]}")
            again = await first.get(f"?{address.partition('?')[2]}")

            assert refused.status == 401
            assert thief.cookies == {}
            assert again.status == 303  # its own address, reloaded: it is known by its cookie

    run(main())


def test_entering_makes_a_new_session_whatever_cookie_was_there(run: Any, open_case: Open) -> None:
    """**Source:** session fixation (CWE-384)."""

    async def main() -> None:
        async with open_case() as case:
            planted = await case.browser()
            victim = Browser(case.app, cookies=dict(planted.cookies))
            await victim.enter(case.address())

            assert victim.cookies != planted.cookies
            assert victim.page_token != planted.page_token

    run(main())


@pytest.mark.parametrize("change", ["subject", "signature", "age", "garbage"])
def test_a_forged_cookie_is_nobody(run: Any, open_case: Open, change: str) -> None:
    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser()
            ((name, cookie),) = browser.cookies.items()
            version, key, subject, made_at, signature = cookie.split(".")
            forged = {
                "subject": ".".join([version, key, "cm9vdA", made_at, signature]),
                "signature": cookie[:-1] + ("0" if cookie[-1] != "0" else "1"),
                "age": ".".join([version, key, subject, str(int(made_at) + 1), signature]),
                "garbage": "....." + "x" * 5_000,
            }[change]

            assert (await Browser(case.app, cookies={name: forged}).get()).status == 401

    run(main())


def test_the_cookie_is_kept_from_scripts_and_other_sites(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            plain, encrypted = Browser(case.app), Browser(case.app, origin="https://127.0.0.1:8000")
            cookies = [
                (await browser.get(f"?{case.address().partition('?')[2]}")).headers["set-cookie"].lower()
                for browser in (plain, encrypted)
            ]

            assert all("httponly" in cookie and "samesite=strict" in cookie for cookie in cookies)
            assert ["secure" in cookie for cookie in cookies] == [False, True]

    run(main())


def test_a_session_is_resumed_by_its_own_browser_only(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            await page.leave()

            thief = await (await case.browser()).join(resume=page.welcome["session"])

            assert not thief.welcome["resumed"]
            assert thief.welcome["session"] != page.welcome["session"]

    run(main())


def test_the_hosts_own_authentication_takes_the_place_of_tokens(run: Any, open_case: Open) -> None:
    who: dict[str, str | None] = {"subject": None}

    async def authenticate(connection: Any) -> str | None:
        return who["subject"]

    async def main() -> None:
        async with open_case(authenticate=authenticate) as case:
            browser = Browser(case.app)
            assert (await browser.get()).status == 401
            who["subject"] = "ana"
            page = await (await browser.read_page()).join()
            assert page.welcome["subject"] == "ana"

            who["subject"] = "rui"  # another person at the same browser: nothing of ana's holds
            with pytest.raises(Refused):
                await browser.open()
            other = await (await browser.read_page()).join(resume=page.welcome["session"])
            assert (other.welcome["subject"], other.welcome["resumed"]) == ("rui", False)
            who["subject"] = None
            with pytest.raises(Refused):
                await browser.open()

    run(main())


def test_every_answer_has_the_headers_that_browsers_need(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            browser = await case.browser()
            answers = [
                await browser.get(),
                await Browser(case.app).get(),
                await browser.get("static/js/main.js"),
                await browser.get("nowhere"),
                await browser.get("charts/00000000000000000000000000000000.svg"),
            ]
            for answer in answers:
                assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
                assert "unsafe" not in answer.headers["content-security-policy"]
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["referrer-policy"] == "no-referrer"
                assert answer.headers["x-frame-options"] == "DENY"
            assert answers[0].headers["cache-control"] == "no-store"

    run(main())


@pytest.mark.parametrize(
    "name",
    ["../_app.py", "%2e%2e/_app.py", "js/../../_app.py", "/etc/passwd", "js/", "js", ".hidden.js", "js//main.js"],
)
def test_files_beside_the_front_end_are_not_served(run: Any, open_case: Open, name: str) -> None:
    """**Source:** path traversal (CWE-22)."""

    async def main() -> None:
        async with open_case() as case:
            assert (await Browser(case.app).get(f"static/{name}")).status == 404

    run(main())


def test_a_title_is_text_in_the_page(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case(title="</title><script>{token}") as case:
            browser = await case.browser()
            page = await browser.get()
            assert "&lt;/title&gt;&lt;script&gt;{token}" in page.text
            assert "<script>" not in page.text

    run(main())


def test_a_short_secret_is_refused(open_case: Open) -> None:
    with pytest.raises(ValueError, match="at least 16"):
        desktop_app(None, secret=b"short")  # type: ignore[arg-type]


# --- what a page may send ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"handler": "reload_everything"},
        {"handler": "on_load"},
        {"handler": "change_row", "arguments": [0, "x"]},
        {"element_key": "0.fail"},
        {"arguments": [1]},
        {"revision": 0},
        {"revision": 2},
        {"revision": True},
        {"window_id": "other"},
        {"arguments": "press"},
        {"element_key": None},
    ],
    ids=str,
)
def test_an_event_that_stands_in_no_tree_is_refused(run: Any, open_case: Open, change: dict[str, Any]) -> None:
    """**Source:** CWE-602: what the page could do is decided by what it was sent, not by what it says."""

    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            window = await page.take("window")

            ack = await page.answer_to("event", module="counter", event={**event(window, "0.press", "press"), **change})

            assert not ack["ok"]
            assert ack["error"]["code"] == "UnknownHandlerError"
            assert (await case.host.modules["counter"].render())["children"][0]["props"]["value"] == 0

    run(main())


def test_a_page_acts_only_on_what_it_was_itself_sent(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            one, late = await (await case.browser()).join(), await (await case.browser()).join()
            window = await one.take("window")
            await late.take("window")
            late.may_read.clear()
            late.tell("ping", at=1)
            await case.host.modules["counter"].call("change_row", 0, "x")
            patch = await one.take("patch")

            guessed = {**window, "revision": patch["revision"]}
            seq = late.ask("event", module="counter", event=event(guessed, "0.press", "press"))
            while seq not in [ack for session in case.desktop.sessions for ack in session._acks]:
                await asyncio.sleep(0)
            late.may_read.set()

            ack = await late.take("ack")
            assert ack["error"]["code"] == "UnknownHandlerError"
            assert "not sent to this session" in ack["error"]["text"]

    run(main())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"hello"',
        '{"type":"ping"}',
        '{"type":"nothing"}',
        '{"type":["ping"]}',
        '{"type":"event","seq":"1","module":"counter","event":{}}',
        '{"type":"event","seq":true,"module":"counter","event":{}}',
        '{"type":"close","seq":1,"module":7,"window":"main"}',
        '{"type":"ping","at":NaN}',
        '{"type":"hello","token":"x","resume":null,"seen":{},"locale":"en"}',
        '{"type":"ping","at":{"$t":"decimal","v":"sNaN"}}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_message_ends_the_connection(run: Any, open_case: Open, text: str) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            page.say(text)
            assert await page.closed() == "protocol"

    run(main())


def test_a_giant_message_ends_the_connection(run: Any, open_case: Open) -> None:
    """**Source:** CWE-770; the server's own limit on frames is not ours to set where we are mounted."""

    async def main() -> None:
        async with open_case(limits=WireLimits(max_message_bytes=1_000)) as case:
            page = await (await case.browser()).join()
            page.say(json.dumps({"type": "ping", "at": 1, "more": "é" * 600}, ensure_ascii=False))
            assert await page.closed() == "size"

    run(main())


def test_a_flood_ends_the_connection(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case(limits=WireLimits(max_burst_messages=20, max_messages_per_s=0.001)) as case:
            page = await (await case.browser()).join()
            for number in range(30):
                page.tell("ping", at=number)
            assert await page.closed() == "rate"

    run(main())


def test_a_page_that_says_nothing_is_not_waited_for(run: Any, open_case: Open) -> None:
    """**Source:** slowloris (CVE-2007-6750) on a socket: it holds a place and nothing else."""

    async def main() -> None:
        async with open_case(limits=WireLimits(hello_timeout_s=0.01)) as case:
            page = await (await case.browser()).open()
            assert await page.closed() == "protocol"
            assert len(case.desktop.sessions) == 0

    run(main())


def test_a_page_that_stops_reading_is_given_up(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case(limits=WireLimits(send_timeout_s=0.05)) as case:
            page = await (await case.browser()).join()
            await page.take("window")
            page.may_read.clear()
            page.tell("ping", at=1)
            while any(session.connection is not None for session in case.desktop.sessions):
                await asyncio.sleep(0.01)
            page.may_read.set()
            assert await page.closed() == "slow"

    run(main())


def test_what_waits_for_a_page_is_bounded(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case(limits=WireLimits(max_waiting_bytes=20_000)) as case:
            browser = await case.browser()
            page = await browser.join()
            await page.take("window")
            (session,) = case.desktop.sessions
            page.may_read.clear()
            page.tell("ping", at=1)
            await asyncio.sleep(0)

            for number in range(1_000):
                session.send({"type": "notification", "id": number, "body": "x" * 100})

            assert session.outbox.waiting_bytes <= 20_000
            page.may_read.set()
            assert await page.closed() == "slow"
            again = await browser.join(resume=page.welcome["session"])
            assert not again.welcome["resumed"]  # it missed something: it begins anew

    run(main())


def test_actions_that_pile_up_are_refused_and_a_dialog_is_still_answered(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case(limits=WireLimits(max_running=2)) as case:
            page = await (await case.browser()).join()
            window = await page.take("window")
            press = event(window, "0.press", "press")

            asked = [page.ask("event", module="counter", event=press) for _ in range(5)]
            acks = {ack["seq"]: ack for ack in [await page.take("ack") for _ in asked]}

            assert sorted(acks) == asked
            refused = [ack["error"]["code"] for ack in acks.values() if not ack["ok"]]
            assert refused == ["busy"] * 3

    run(main())


def test_the_pages_of_one_person_are_bounded(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case(limits=WireLimits(max_sessions=2)) as case:
            browser = await case.browser()
            first, _ = await browser.join(), await browser.join()
            third = await browser.open()
            await third.hello()
            assert await third.closed() == "sessions"

            await first.leave()
            await browser.join()  # takes the place of one that only may come back
            assert len(case.desktop.sessions) == 2

    run(main())


def test_unknown_modules_and_windows_are_named_as_text(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            name = "<img src=x>\u202e" + "x" * 500
            acks = [
                await page.answer_to("close", module=name, window="main"),
                await page.answer_to("show", module=name),
                await page.answer_to("task", module=name, action="restart"),
            ]
            assert not any(ack["ok"] for ack in acks)
            assert all(len(ack["error"]["text"]) <= 500 and "\u202e" not in ack["error"]["text"] for ack in acks)
            page.tell("resync", module=name, window=name)
            page.tell("ping", at=1)
            await page.take("pong")

    run(main())
