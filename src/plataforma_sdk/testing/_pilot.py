"""`ModulePilot`: sits in front of a module's window and does what a person would."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.errors import ModuleStateError
from plataforma_sdk.runtime import ModuleHandle
from plataforma_sdk.testing._node import Node, NodeNotFoundError, find_nodes, the_one
from plataforma_sdk.windows import UiEvent

if TYPE_CHECKING:
    from plataforma_sdk.sandbox import ResourceUsage
    from plataforma_sdk.windows import Window

__all__ = ["ModulePilot"]

_SESSION: Final = "pilot"
_QUIET_TURNS: Final = 3
_MAX_TURNS: Final = 2_000
_TURN_S: Final = 0.001


class ModulePilot:
    """Drives one loaded module through its windows, by the rules that a real viewer is held to.

    Every action waits until the module has settled, and `tree` is what it shows then.

    Args:
        handle: the module.

    Attributes:
        handle: the module.
    """

    def __init__(self, handle: ModuleHandle) -> None:
        self.handle = handle
        self._trees: dict[str, Mapping[str, Any]] = {}
        self._entered: dict[str, dict[str, Any]] = {}

    # --- looking -----------------------------------------------------------------------------------------------------

    @property
    def tree(self) -> Mapping[str, Any]:
        """What the main window shows, as of the last action or `settle`."""
        return self.tree_of("main")

    def tree_of(self, window_id: str) -> Mapping[str, Any]:
        """What a window shows, as of the last action or `settle`.

        Raises:
            NodeNotFoundError: it was not open then.
        """
        tree = self._trees.get(window_id)
        if tree is None:
            known = ", ".join(self._trees) or "none; does the module call create_window(), and hold 'window.create'?"
            raise NodeNotFoundError(f"module {self.handle.id!r} has no window {window_id!r}; it has {known}")
        return tree

    @property
    def windows(self) -> Mapping[str, Window]:
        """The module's open windows by id."""
        return self.handle.windows

    @property
    def usage(self) -> ResourceUsage:
        """What the module has used."""
        return self.handle.usage

    def find(
        self,
        type: str | None = None,  # noqa: A002 - the word of the tree
        text: str | None = None,
        *,
        window: str = "main",
        **props: Any,
    ) -> Node:
        """Find the one element that matches all that is given.

        Args:
            type: ``"button"``, ``"metric"`` ...
            text: its text, label, title or name.
            window: where to look.
            props: properties that it has; ``key`` is the whole key or the author's own.

        Raises:
            NodeNotFoundError: none matches, or several do; the message lists what comes near.
        """
        return the_one(self.tree_of(window), type, text, props)

    def find_all(
        self,
        type: str | None = None,  # noqa: A002
        text: str | None = None,
        *,
        window: str = "main",
        **props: Any,
    ) -> list[Node]:
        """Find every element that matches, in the order of the tree."""
        return list(find_nodes(self.tree_of(window), type, text, props))

    # --- doing -------------------------------------------------------------------------------------------------------

    async def press(self, text: str | None = None, *, window: str = "main", **props: Any) -> None:
        """Press the button, or another element with `on_press`, that has this text."""
        node = self._acting("on_press", text, window, props)
        await self._fire(node, "on_press", window)

    async def fill(self, name: str, value: Any, *, window: str = "main", submit: bool = False) -> None:
        """Enter a value into a field by its name or label; with `submit`, press Enter.

        A field of a form without an event of its own keeps the value for `submit`.
        """
        node = self._field(name, window)
        self._entered.setdefault(window, {})[node.props["name"]] = value
        if "on_change" in node.actions:
            await self._fire(node, "on_change", window, value)
        if submit:
            await self._fire(self._field(name, window), "on_submit", window, value)

    async def select(self, name: str, value: Any, *, window: str = "main") -> None:
        """Choose an option of a field, by its value or label."""
        node = self._field(name, window)
        options = {option.get("label", option["value"]): option["value"] for option in node.props.get("options", ())}
        await self.fill(name, options.get(value, value), window=window)

    async def submit(self, text: str | None = None, *, window: str = "main", **values: Any) -> None:
        """Submit a form, by what was filled in and the values given here; fields left alone keep what they show."""
        form = self._acting("on_submit", text, window, {"type": "form"} if text is None else {})
        fields = [node for node in form.find_all() if "name" in node.props]
        shown = {node.props["name"]: node.props.get("value") for node in fields}
        entered = self._entered.pop(window, {})
        known = {name: value for name, value in {**entered, **values}.items() if name in shown}
        await self._fire(form, "on_submit", window, {**shown, **known})

    async def select_row(self, value: Any, *, window: str = "main", **props: Any) -> None:
        """Choose a row of a table by the value of its row key."""
        node = self._acting("on_select", None, window, props)
        await self._fire(node, "on_select", window, value)

    async def close(self, window: str = "main") -> None:
        """Close a window, as the person does."""
        await self.handle.close_window(window)
        await self.settle()

    async def call(self, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a public method, and let the module settle."""
        result = await self.handle.call(method, *args, **kwargs)
        await self.settle()
        return result

    async def settle(self) -> None:
        """Wait until nothing is on its way any more, and look at the windows anew.

        Raises:
            AssertionError: the module has not come to rest within about two seconds.
        """
        quiet = 0
        for _ in range(_MAX_TURNS):
            before, calls = dict(self._trees), self.handle.usage.host_calls
            await asyncio.sleep(_TURN_S)
            await self._look()
            is_quiet = before == self._trees and calls == self.handle.usage.host_calls
            quiet = quiet + 1 if is_quiet else 0
            if quiet >= _QUIET_TURNS:
                return
        raise AssertionError(f"module {self.handle.id!r} does not settle: does a timer or a task change its window?")

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        if self.handle.state != "active":
            return
        trees: dict[str, Mapping[str, Any]] = {}
        for window_id in self.handle.windows:
            trees[window_id] = await self.handle.render(window_id, session=_SESSION)
        self._trees = trees

    def _field(self, name: str, window: str) -> Node:
        tree = self.tree_of(window)
        fields = [node for node in find_nodes(tree, None, None, {}) if "name" in node.props]
        for word in ("name", "label"):
            found = [node for node in fields if node.props.get(word) == name]
            if found:
                return found[0]
        known = ", ".join(repr(node.props["name"]) for node in fields) or "none"
        raise NodeNotFoundError(f"no field is named or labelled {name!r}; there are {known}")

    def _acting(self, event: str, text: str | None, window: str, props: dict[str, Any]) -> Node:
        kind = props.pop("type", None)
        tree = self.tree_of(window)
        found = [node for node in find_nodes(tree, kind, text, props) if event in node.actions]
        if len(found) == 1:
            return found[0]
        if not found:
            able = [node for node in find_nodes(tree, None, None, {}) if event in node.actions]
            what = f"{text!r}" if text is not None else "element"
            raise NodeNotFoundError(f"no {what} has {event}; these have: {', '.join(map(repr, able)) or 'none'}")
        raise NodeNotFoundError(f"{len(found)} elements have {event}: {', '.join(map(repr, found))}; say more")

    async def _fire(self, node: Node, event: str, window: str, value: Any = None) -> None:
        open_window = self.handle.windows.get(window)
        if open_window is None:
            raise ModuleStateError(f"Window {window!r} is closed", module=self.handle.id)
        action = node.actions[event]
        happening = UiEvent(
            window_id=window,
            revision=open_window.revision,
            element_key=node.key,
            handler=action["handler"],
            arguments=tuple(action.get("arguments", ())),
            value=value,
        )
        await self.handle.dispatch(happening, session=_SESSION)
        await self.settle()
