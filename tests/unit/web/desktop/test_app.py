"""The page and its files, alone and below a path of another application."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from plataforma_sdk import ModuleHost, ModulePackage
from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.web.desktop import desktop_app
from tests.unit.web.desktop.browsing import Browser, event
from tests.unit.web.desktop.desk import COUNTER, GRANTS, INDEX, Open


def test_the_page_is_filled_in(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case(title="Loja & Cia") as case:
            browser = await case.browser()
            page = await browser.get()
            assert '<html lang="en"><title>Loja &amp; Cia</title>' in page.text
            assert browser.page_token in page.text

    run(main())


def test_a_file_that_the_browser_has_is_not_sent_again(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            browser = Browser(case.app)
            first = await browser.get("static/js/main.js")
            second = await browser.get("static/js/main.js", if_none_match=first.headers["etag"])
            assert (first.status, first.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
            assert (second.status, second.body) == (304, b"")

    run(main())


def test_below_a_path_of_another_application_everything_works(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            outer = Starlette(routes=[Mount("/admin/desk", case.app)])
            browser = Browser(outer, root="/admin/desk")
            entered = await browser.get(f"?{case.address().partition('?')[2]}")
            page = await (await browser.read_page()).join()
            window = await page.take("window")

            assert entered.headers["location"] == "./"
            assert "path=/admin/desk;" in entered.headers["set-cookie"].lower()
            assert (await page.answer_to("event", module="counter", event=event(window, "0.press", "press")))["ok"]

    run(main())


def test_two_desktops_of_one_machine_do_not_share_a_cookie(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as one, open_case() as other:
            assert one.desktop.access.cookie_name != other.desktop.access.cookie_name

    run(main())


def test_a_page_is_known_again_after_a_restart_with_the_same_secret(run: Any, open_case: Open) -> None:
    async def main() -> None:
        secret = bytes(range(32))
        async with open_case(secret=secret) as case:
            browser = await case.browser()
            page = await browser.join()
            mark = page.welcome["mark"]
        async with open_case(secret=secret) as case:
            browser.app = case.app
            back = await browser.join(resume=page.welcome["session"], seen={"counter/main": 1})  # the old page's token
            assert not back.welcome["resumed"]
            assert back.welcome["mark"] == mark
            await back.take("window")

    run(main())


def test_a_module_of_the_launcher_is_loaded_when_it_is_asked_for(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case(load=False, modules=[COUNTER]) as case:
            page = await (await case.browser()).join()
            (known,) = page.welcome["modules"]
            ack = await page.answer_to("show", module="counter")
            assert (known["id"], known["state"]) == ("counter", "unloaded")
            assert ack["value"] == {"state": "active"}
            await page.take("window")

    run(main())


def test_a_notification_reaches_every_page(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            one, other = await (await case.browser()).join(), await (await case.browser()).join()
            window = await one.take("window")
            await one.answer_to("event", module="counter", event=event(window, "0.tell", "tell"))
            mine, theirs = await one.take("notification"), await other.take("notification")
            assert mine == theirs
            assert (mine["module"], mine["title"], mine["body"]) == ("counter", "Done", "All of it")

    run(main())


def test_faults_that_nobody_asked_about_are_toasts(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            page = await (await case.browser()).join()
            await page.take("window")
            case.host._parts.report("counter", "render of 'main'", ValueError("secret of the host"))
            case.host.events.emit("plataforma.module.restarted", {"module": "counter", "version": "0.1.0"})
            fault, restart = await page.take("toast"), await page.take("toast")
            assert (fault["level"], fault["module"], fault["code"]) == ("error", "counter", "HostCallError")
            assert "render of 'main'" in fault["text"]
            assert "secret" not in fault["text"]
            assert (restart["level"], restart["code"]) == ("warning", "restarted")
            assert restart["advice"] == "what it held in memory is gone"

    run(main())


def test_what_failed_before_a_page_was_open_is_shown_to_the_first(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case:
            for number in range(30):
                error = PlataformaError(f"fault {number}")
                case.desktop.toasts.say(error, module="counter", during="its load")
                case.desktop.toasts.say(error, module="counter", during="its load")
            page = await (await case.browser()).join()
            toasts = [(await page.take("toast"))["text"] for _ in range(20)]
            page.tell("ping", at=1)
            await page.take("pong")
            other = await (await case.browser()).join()
            other.tell("ping", at=1)
            await other.take("pong")

            assert toasts == [f"its load: fault {number}" for number in range(10, 30)]
            assert "toast" not in [message["type"] for message in [*page.received, *other.received]]

    run(main())


@attrs.frozen
class DrawnChart:
    digest: str
    alt: str
    width: int
    height: int


class FakeCharts:
    """Draws what it is told."""

    def __init__(self) -> None:
        self.alt = "flat"
        self.is_busy = False
        self.closed = False
        self.is_warm = False

    def warm_up(self) -> None:
        self.is_warm = True

    def charts_of(self, tree: Any, *, locale: str, width: float, owner: str = "") -> dict[str, DrawnChart]:
        return {"0.rows": DrawnChart("ab" * 16, f"{self.alt} {locale} {owner}", int(width), 300)}

    async def svg(self, digest: str, theme: str) -> bytes | None:
        if self.is_busy:
            raise PlataformaError("Too many charts are waiting to be drawn; try again")
        return f"<svg>{theme}</svg>".encode() if digest == "ab" * 16 else None

    async def aclose(self) -> None:
        self.closed = True


def test_charts_are_named_beside_the_tree_and_drawn_for_whoever_is_known(run: Any, open_case: Open) -> None:
    charts = FakeCharts()

    async def main() -> None:
        async with open_case(charts=charts) as case:
            browser = await case.browser()
            page = await browser.join()
            window = await page.take("window")
            chart = {"digest": "ab" * 16, "alt": "flat pt-BR counter", "width": 800, "height": 300}
            assert window["charts"] == {"0.rows": chart}

            drawn = await browser.get(f"charts/{'ab' * 16}.svg?theme=dark")
            unknown = await browser.get(f"charts/{'cd' * 16}.svg")
            stranger = await Browser(case.app).get(f"charts/{'ab' * 16}.svg")
            charts.is_busy = True
            busy = await browser.get(f"charts/{'ab' * 16}.svg")
            assert (drawn.status, drawn.body) == (200, b"<svg>dark</svg>")
            expected = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
            assert drawn.headers["content-security-policy"] == expected
            assert (unknown.status, stranger.status, busy.status) == (404, 401, 503)

    run(main())
    assert charts.closed


def test_what_draws_charts_starts_with_the_page(run: Any, open_case: Open) -> None:
    charts = FakeCharts()

    async def main() -> None:
        async with open_case(charts=charts) as case:
            await Browser(case.app).get()
            assert not charts.is_warm, "a stranger starts nothing"
            await case.browser()
            assert charts.is_warm

    run(main())


def test_charts_are_drawn_as_wide_as_their_window_stands_on_that_page(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case(charts=FakeCharts()) as case:
            browser = await case.browser()
            wide, other = await browser.join(), await browser.join()
            window = await wide.take("window")
            await other.take("window")
            name = {"module": "counter", "window": window["window"]["id"]}

            wide.tell("size", **name, width=1_605)
            drawn = await wide.take("patch")
            assert (drawn["charts"]["0.rows"]["width"], drawn["ops"]) == (1_600, [])
            wide.tell("size", **name, width=1_594)  # of the same step
            wide.tell("size", module="counter", window="none", width=100)
            wide.tell("size", **name, width=10**9)
            assert (await wide.take("patch"))["charts"]["0.rows"]["width"] == 4_096
            wide.tell("size", **name, width=-5)
            assert (await wide.take("patch"))["charts"]["0.rows"]["width"] == 16

            await case.host.modules["counter"].call("change_row", 0, "x")
            assert "charts" not in await other.take("patch")

    run(main())


def test_a_chart_that_did_not_change_is_not_named_again(run: Any, open_case: Open) -> None:
    charts = FakeCharts()

    async def main() -> None:
        async with open_case(charts=charts) as case:
            page = await (await case.browser()).join()
            await page.take("window")
            await case.host.modules["counter"].call("change_row", 0, "x")
            same = await page.take("patch")
            charts.alt = "steep"
            await case.host.modules["counter"].call("change_row", 1, "y")
            other = await page.take("patch")
            page.tell("locale", locale="en")
            translated = await page.take("patch")

            assert "charts" not in same
            assert other["charts"]["0.rows"]["alt"] == "steep pt-BR counter"
            assert translated["charts"]["0.rows"]["alt"] == "steep en counter"
            assert (translated["base"], translated["ops"]) == (translated["revision"], [])

    run(main())


def test_a_fault_of_the_chart_source_leaves_the_window_and_its_tables(run: Any, open_case: Open) -> None:
    class BrokenCharts(FakeCharts):
        def charts_of(self, tree: Any, *, locale: str, width: float, owner: str = "") -> dict[str, DrawnChart]:
            raise RuntimeError("out of ink")

    async def main() -> None:
        async with open_case(charts=BrokenCharts()) as case:
            page = await (await case.browser()).join()
            assert (await page.take("window"))["charts"] == {}

    run(main())


def test_a_module_that_never_had_a_window_is_not_loaded_anew(run: Any, open_case: Open) -> None:
    source = "from plataforma_sdk import ModuleFramework, ui\n\nclass Quiet(ModuleFramework):\n"
    source += "    async def on_load(self): pass\n    def render(self): return ui.text('')\n"

    async def main() -> None:
        async with open_case(load=False) as case:
            handle = await case.host.load(ModulePackage.from_source(source, id="quiet"))
            page = await (await case.browser()).join()
            assert (await page.answer_to("show", module="quiet"))["value"] == {"state": "active"}
            assert handle.stats.reloads == 0

    run(main())


def test_an_application_that_was_not_entered_begins_with_its_first_page(run: Any, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(INDEX)

    async def main() -> None:
        async with ModuleHost(engine="trusted", grants=GRANTS) as host:
            app = desktop_app(host, static=tmp_path)
            browser = await Browser(app).enter(app.state.desktop.address("http://127.0.0.1:8000/"))
            page = await browser.join()
            await host.load(COUNTER)
            await page.take("window")
            await app.state.desktop.aclose()
            assert await page.closed() == "shutdown"
            late = await browser.open()
            await late.hello()
            assert await late.closed() == "shutdown"

    run(main())


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000", "http://127.0.0.1:8000/"])
def test_an_address_holds_a_fresh_token(run: Any, open_case: Open, base: str) -> None:
    async def main() -> None:
        async with open_case() as case:
            one, other = case.desktop.address(base), case.desktop.address(base)
            assert one.startswith("http://127.0.0.1:8000/?token=")
            assert one != other

    run(main())
