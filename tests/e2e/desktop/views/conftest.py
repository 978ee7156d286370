"""A page with one window against a scripted host; the browser is that of the directory above."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.desktop.views.view import View
from tests.e2e.fake.view_server import make_server


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with make_server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def open_view(browser: Any, address: str) -> Iterator[Callable[..., View]]:
    """Open a page with a window; an error on its console fails the test."""
    contexts, faults = [], []

    def open_one(query: str = "", **options: Any) -> View:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        page.on("console", lambda message: message.type in {"error", "warning"} and faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{address}?{query}")
        page.locator("html[data-ready]").wait_for()
        return View(page)

    yield open_one
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def view(open_view: Callable[..., View]) -> View:
    """A window without a tree."""
    return open_view()
