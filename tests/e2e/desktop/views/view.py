"""`View`: what a test does with a page that shows one window."""

from __future__ import annotations

from typing import Any

from plataforma_sdk import codec, ui

__all__ = ["View"]


class View:
    """A page with one window, and what the scripted host was told."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def show(self, *children: ui.Element, charts: dict[str, Any] | None = None) -> None:
        """Show a column of elements, its key "0", as the window's tree."""
        self.show_data(ui.to_data(ui.column(*children)), charts)

    def show_data(self, tree: dict[str, Any], charts: dict[str, Any] | None = None) -> bool:
        self.tree = tree
        return bool(self.page.evaluate("([text, charts]) => fake.replace(text, charts)", [codec.encode(tree), charts]))

    def patch(self, *ops: dict[str, Any]) -> bool:
        return bool(self.page.evaluate("text => fake.apply(text)", codec.encode(list(ops))))

    def check_values(self) -> None:
        """See that the host would take what was told, as it stands."""
        for text in self.page.evaluate("fake.events()"):
            event = codec.decode(text)
            element = ui.find_element(self.tree, event["element_key"])
            assert element is not None
            ui.check_value(element, event["value"])

    @property
    def events(self) -> list[tuple[str, list[Any], Any]]:
        """What was told so far: handler, arguments, value."""
        told = [codec.decode(text) for text in self.page.evaluate("fake.events()")]
        return [(event["handler"], event["arguments"], event["value"]) for event in told]

    def wait_for_events(self, count: int) -> list[tuple[str, list[Any], Any]]:
        for _ in range(100):
            if len(self.events) >= count:
                break
            self.page.wait_for_timeout(20)
        return self.events
