"""The desktop as a person meets it: a server of its own, and Debian's chromium in front of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

pytest.importorskip("playwright", reason="playwright is not installed: nox -s e2e")

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

HERE: Final = Path(__file__).parent
EXAMPLES: Final = Path(__file__).parents[3] / "examples"
SHARED: Final = Path(os.environ.get("PLATAFORMA_SHARED", Path(__file__).parents[3].parent / "shared"))
CHINOOK: Final = SHARED / "data" / "chinook" / "chinook.sqlite"
SHOTS: Final = Path(os.environ["PLATAFORMA_SHOTS"]) if "PLATAFORMA_SHOTS" in os.environ else None
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
START_S: Final = 120.0
"""The first start of all builds and compiles the guest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.fspath).is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(180))


@attrs.define
class Desktop:
    """A running ``plataforma desktop``.

    Attributes:
        arguments: of the command.
        state: its directory; a second server in it knows the same cookies and decisions.
        port: where it listens, the same after a restart.
        url: with the token that opens it once.
    """

    arguments: tuple[str, ...]
    state: Path
    port: int
    url: str = ""
    lines: list[str] = attrs.field(factory=list)
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "plataforma_sdk.cli", "desktop", *self.arguments, "--json", "--no-open"]
        command += ["--state", str(self.state), "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        threading.Timer(START_S, self._give_up, [self._process]).start()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line)
            if line.startswith("{") and "url" in (said := json.loads(line)):
                self.url = said["url"]
                threading.Thread(target=self._read, args=[self._process], daemon=True).start()
                return
        raise AssertionError("plataforma desktop did not start:\n" + "".join(self.lines))

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.lines.extend(process.stdout)

    def _give_up(self, process: subprocess.Popen[str]) -> None:
        if not self.url:
            process.kill()

    def stop(self) -> int:
        """End it as a service manager does, and return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError("plataforma desktop does not end on SIGTERM:\n" + "".join(self.lines)) from None

    def restart(self) -> None:
        """End it, and start it anew on the same port with the same state."""
        self.stop()
        self.url = ""
        self.start()


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Callable[..., Desktop]]:
    """Start desktops: ``desktop("examples/vendas", "--yes")``."""
    started: list[Desktop] = []

    def start(*arguments: str | Path) -> Desktop:
        one = Desktop(tuple(map(str, arguments)), tmp_path / f"state-{len(started)}", free_port())
        started.append(one)
        one.start()
        return one

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the system's chromium, once."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no chromium here: apt-get install chromium")
    options = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=options)
        yield running
        running.close()


@attrs.define
class Person:
    """Somebody in front of a screen of their own.

    Attributes:
        page: the open page.
        faults: what the browser wrote to its console as an error, and exceptions of the page.
        expected: beginnings of such lines that a test provokes.
    """

    page: Page
    faults: list[str] = attrs.field(factory=list)
    expected: tuple[str, ...] = ()

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(message.text)

    @property
    def surprises(self) -> list[str]:
        return [fault for fault in self.faults if not any(part in fault for part in self.expected)]


@pytest.fixture
def person(browser: Browser) -> Iterator[Callable[..., Person]]:
    """Let people open desktops: ``person(url, theme="dark", size=(390, 844), locale="en-US")``.

    Anything that the console calls an error fails the test.
    """
    people: list[tuple[BrowserContext, Person]] = []

    def sit(
        url: str, *, theme: Any = "light", size: tuple[int, int] = (1440, 900), locale: str = "pt-BR", **more: Any
    ) -> Person:
        viewport: Any = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, color_scheme=theme, locale=locale, **more)
        context.set_default_timeout(15_000)
        page = context.new_page()
        one = Person(page)
        people.append((context, one))
        page.on("console", one.on_console)
        page.on("pageerror", lambda error: one.faults.append(str(error)))
        page.goto(url)
        return one

    yield sit
    surprises = [fault for _, one in people for fault in one.surprises]
    for context, _ in people:
        context.close()
    assert surprises == []


@pytest.fixture
def shoot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Keep a picture of a page where ``PLATAFORMA_SHOTS`` names a directory: ``shoot(page, "dialog")``."""

    def take(page: Page, name: str) -> None:
        if SHOTS is not None:
            SHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SHOTS / f"{name}.png")

    return take
