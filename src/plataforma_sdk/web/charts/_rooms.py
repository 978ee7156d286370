"""How wide each chart of a tree stands in a window: about, since the viewer lays it out.

A drawing is scaled down where it is too wide, and its letters with it. So charts that share a row are drawn narrower.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["rooms"]

_WINDOW_PX: Final = 32
_FRAME_PX: Final = 34
_GAP_PX: Final = 16
_NARROWEST_PX: Final = 280
_FRAMED: Final = frozenset({"card", "chart", "tabs", "modal"})
_SHARING: Final = frozenset({"card", "chart", "column", "form", "list", "table", "tabs"})
"""Elements that share the width of a row evenly; all else takes what it needs."""


def rooms(tree: Mapping[str, Any], window_width: float) -> Iterator[tuple[Mapping[str, Any], float]]:
    """Go through the charts of a tree, each with the pixels that its picture has."""
    pending = [(tree, window_width - _WINDOW_PX)]
    while pending:
        node, room = pending.pop()
        if node["type"] in _FRAMED:
            room -= _FRAME_PX
        if node["type"] == "chart":
            yield node, room
        share = _share(node, room) if node["type"] == "row" else room
        pending.extend((child, share) for child in reversed(node["children"]))


def _share(row: Mapping[str, Any], room: float) -> float:
    sharing = sum(child["type"] in _SHARING for child in row["children"])
    side_by_side = max(min(sharing, int((room + _GAP_PX) // (_NARROWEST_PX + _GAP_PX))), 1)
    return (room + _GAP_PX) / side_by_side - _GAP_PX
