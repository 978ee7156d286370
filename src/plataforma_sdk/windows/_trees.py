"""The trees of one window, and to whom each was sent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import attrs

from plataforma_sdk.ui import walk

__all__ = ["KEPT_REVISIONS", "PlacedAction", "Snapshot", "TreeHistory", "is_same"]

KEPT_REVISIONS: Final = 4
"""A person acts on what the screen showed a moment ago; what is older than this many revisions is refused."""


@attrs.frozen
class PlacedAction:
    """An action where it stands in a tree.

    Attributes:
        element: the element that carries it.
        event: name of the property that holds it, ``"on_press"``.
        handler: name of the module's method.
        arguments: what it is called with.
    """

    element: Mapping[str, Any]
    event: str
    handler: str
    arguments: list[Any]

    def is_like(self, other: PlacedAction) -> bool:
        """Tell whether both do the same, on elements of one type."""
        mine = (self.element["type"], self.event, self.handler)
        return mine == (other.element["type"], other.event, other.handler) and is_same(self.arguments, other.arguments)


class Snapshot:
    """One tree as it was sent. Must not be changed."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.tree = tree

    @cached_property
    def actions(self) -> list[PlacedAction]:
        """Every action of the tree, in its order; made at first use, since most trees are never acted on."""
        return [
            PlacedAction(element, event, action["handler"], list(action.get("arguments", ())))
            for element in walk(self.tree)
            for event, action in element["props"].items()
            if event.startswith("on_")
        ]


class TreeHistory:
    """The last trees of a window by revision, and the revisions that each session was sent.

    Attributes:
        revision: number of the current tree, from 1; 0 before the first.
    """

    def __init__(self) -> None:
        self.revision = 0
        self._snapshots: dict[int, Snapshot] = {}
        self._sent: dict[str, set[int]] = {}

    @property
    def current(self) -> Snapshot | None:
        """The current tree."""
        return self._snapshots.get(self.revision)

    def push(self, tree: Mapping[str, Any]) -> bool:
        """Make a tree the current one; tell whether it differs from the last.

        The same tree again keeps its revision: a module that is called often and changes nothing must not outrun the
        person in front of it.
        """
        if self.current is not None and is_same(self.current.tree, tree):
            return False
        self.revision += 1
        self._snapshots[self.revision] = Snapshot(tree)
        self._snapshots.pop(self.revision - KEPT_REVISIONS, None)
        self._sent = {name: kept for name, sent in self._sent.items() if (kept := sent & self._snapshots.keys())}
        return True

    def mark_sent(self, session: str) -> None:
        """Record that a session was sent the current tree."""
        if self.revision:
            self._sent.setdefault(session, set()).add(self.revision)

    def forget(self, session: str) -> None:
        """Forget what a session was sent."""
        self._sent.pop(session, None)

    def seen(self, session: str, revision: int) -> Snapshot | None:
        """Return the tree of a revision if it is recent and the session was sent it."""
        return self._snapshots.get(revision) if revision in self._sent.get(session, ()) else None


def is_same(left: object, right: object) -> bool:
    """Compare plain data strictly: 1, 1.0 and True are three values. At the speed of C."""
    return left == right and repr(left) == repr(right)
