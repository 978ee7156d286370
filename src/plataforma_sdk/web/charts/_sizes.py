"""Sizes of drawings: a few, so that a window which is resized a little finds its drawing in the cache."""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["Size", "size_of", "width_bucket"]

_STEP: Final = 80
_MIN_WIDTH: Final = 240
_MAX_WIDTH: Final = 1_200
_MIN_HEIGHT: Final = 200
_MAX_HEIGHT: Final = 300


@attrs.frozen
class Size:
    """Pixels of a drawing.

    Attributes:
        width: with axes and legend.
        height: with axes and legend.
    """

    width: int
    height: int


def width_bucket(room: float) -> int:
    """Choose the widest drawing that stands in `room`, or the narrowest."""
    return max(min(int(room) // _STEP * _STEP, _MAX_WIDTH), _MIN_WIDTH)


def size_of(width: int) -> Size:
    """Return the usual size of a chart of this width."""
    return Size(width, min(max(width // 2, _MIN_HEIGHT), _MAX_HEIGHT))
