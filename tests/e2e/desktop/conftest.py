"""The desktop as a person meets it: a server of its own, and Debian's chromium in front of it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

pytest.importorskip("playwright", reason="playwright is not installed: nox -s e2e")

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.desktop.hosted import Hosted, hosting
from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import Desktop, running

HERE: Final = Path(__file__).parent
SHOTS: Final = Path(os.environ["PLATAFORMA_SHOTS"]) if "PLATAFORMA_SHOTS" in os.environ else None
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS: Final = 15_000

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests in a browser more time than others, since the first may build and compile the guest."""
    for item in items:
        if Path(item.fspath).is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(180))


# --- servers ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Desktop]]:
    """Start desktops for all tests of a file: ``serve("galeria", "--yes")``."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(running(*arguments, state=tmp_path_factory.mktemp("desktop")))


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Callable[..., Desktop]]:
    """Start desktops for one test: ``desktop("galeria", "--yes")``."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(running(*arguments, state=tmp_path))


@pytest.fixture
def host_of() -> Iterator[Callable[..., Hosted]]:
    """Host desktops in this process, for one test: ``host_of("pedinte", engine="restricted")``."""
    with contextlib.ExitStack() as stack:

        def start(*modules: str, **options: Any) -> Hosted:
            hosted = stack.enter_context(hosting(**{"engine": "restricted", "locale": "pt-BR", **options}))
            for module in modules:
                hosted.load(module)
            return hosted

        yield start


# --- people ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the system's chromium, once."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no chromium here: apt-get install chromium")
    options = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        running_browser = playwright.chromium.launch(executable_path=found, args=options)
        yield running_browser
        running_browser.close()


@pytest.fixture
def person(browser: Browser) -> Iterator[Callable[..., Person]]:
    """Let people open desktops: ``person(desktop, theme="dark", size=(390, 844), locale="en-US")``.

    Further people at a `Desktop` are the same person in another browser. Anything that the console calls an error
    fails the test. `script` runs before those of the page.
    """
    with _people(browser) as sit:
        yield sit


@pytest.fixture(scope="module")
def sitting(browser: Browser) -> Iterator[Callable[..., Person]]:
    """Let people open desktops as `person` does, for all tests of a file."""
    with _people(browser) as sit:
        yield sit


@contextlib.contextmanager
def _people(browser: Browser) -> Iterator[Callable[..., Person]]:
    people: list[Person] = []

    def sit(
        at: Desktop | Hosted | str,
        *,
        theme: Any = "light",
        size: tuple[int, int] = (1440, 900),
        locale: str = "pt-BR",
        script: str = "",
        **more: Any,
    ) -> Person:
        viewport: Any = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, color_scheme=theme, locale=locale, **more)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(script or "0")
        one = Person(context, context.new_page())
        people.append(one)
        one.page.on("console", one.on_console)
        one.page.on("pageerror", lambda error: one.faults.append(str(error)))
        one.page.goto(_address(at, one))
        if isinstance(at, Desktop):
            at.cookies = one.context.cookies()
        if not isinstance(at, str):
            one.wait_until_online()
        return one

    try:
        yield sit
        surprises = [fault for one in people for fault in one.surprises]
    finally:
        for one in people:
            one.context.close()
    assert surprises == []


def _address(at: Desktop | Hosted | str, one: Person) -> str:
    if isinstance(at, str):
        return at
    if isinstance(at, Desktop) and at.cookies:
        one.context.add_cookies(at.cookies)
        return at.base
    return at.url


@pytest.fixture
def shoot() -> Callable[..., None]:
    """Keep a picture of a page where ``PLATAFORMA_SHOTS`` names a directory: ``shoot(page, "dialog")``."""

    def take(page: Page, name: str) -> None:
        if SHOTS is not None:
            SHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SHOTS / f"{name}.png")

    return take
