"""`Person`: somebody in front of a desktop, with a screen of their own."""

from __future__ import annotations

from typing import Final

import attrs
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

__all__ = ["Person"]

ONLINE: Final = ".pd-state[data-state=online]"


@attrs.define(slots=False)  # Playwright keeps something on whose methods it calls
class Person:
    """Somebody in front of a screen of their own.

    Attributes:
        context: the browser's; cookies and storage are nobody else's.
        page: the open page.
        faults: what the browser wrote to its console as an error, and exceptions of the page.
        expected: parts of such lines that a test provokes.
    """

    context: BrowserContext
    page: Page
    faults: list[str] = attrs.field(factory=list)
    expected: tuple[str, ...] = ()

    def on_console(self, message: ConsoleMessage) -> None:
        """Keep what is a fault."""
        if message.type in {"error", "warning"}:
            self.faults.append(message.text)

    @property
    def surprises(self) -> list[str]:
        """Faults that the test did not provoke."""
        return [fault for fault in self.faults if not any(part in fault for part in self.expected)]

    def wait_until_online(self) -> None:
        """Wait for the connection."""
        self.page.locator(ONLINE).wait_for(state="attached")

    def window(self, key: str) -> Locator:
        """Find a window by module and id: ``"vendas/main"``; the platform's own are ``"system:tasks"``."""
        return self.page.locator(f'.pd-window[data-key="{key}"]')

    def front(self, key: str) -> Locator:
        """Bring a window to the front by the dock, as a person would, and return it."""
        window = self.window(key)
        window.wait_for(state="attached")
        if "pd-active" not in (window.get_attribute("class") or ""):
            self.app(key.partition("/")[0]).click()
            several = self.page.locator(".pd-menu")  # of one module: the dock lists their titles
            if several.count():
                several.get_by_text(str(window.locator(".pd-title").text_content()), exact=True).click()
        expect(window).to_be_visible()
        return window

    def app(self, module: str) -> Locator:
        """Find a module's button of the dock."""
        return self.page.locator(f'.pd-dock [data-app="{module}"]')

    def tool(self, name: str) -> Locator:
        """Find a tool of the dock, such as "settings"."""
        return self.page.locator(f'.pd-dock [data-tool="{name}"]')

    def press(self, key: str, label: str) -> None:
        """Press a button inside of a window that is in front already."""
        self.window(key).get_by_role("button", name=label, exact=True).click()

    @property
    def prompt(self) -> Locator:
        """The permission dialog."""
        return self.page.locator("dialog.pd-prompt")

    def answer(self, word: str) -> None:
        """Answer the permission dialog, as soon as it takes answers."""
        self.prompt.locator(f'[data-answer="{word}"]:enabled').click()

    def place(self, key: str) -> dict[str, float]:
        """Measure where a window stands."""
        box = self.window(key).bounding_box()
        assert box is not None
        return {name: round(value) for name, value in box.items()}

    def drag(self, locator: Locator, dx: float, dy: float) -> None:
        """Drag from the middle of something by so much, in steps as a hand does."""
        box = locator.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.drag_to((x, y), (x + dx, y + dy))

    def drag_to(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag from one point of the page to another."""
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
        self.page.mouse.move(*end, steps=4)
        self.page.mouse.up()
