"""Sizes of drawings: a few, so that a window which is resized a little finds its drawing in the cache."""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["MAX_HEIGHT", "Size", "size_of", "width_bucket"]

_WIDTHS: Final = (280, 360, 480, 640, 800, 960, 1_200)
_MARGIN: Final = 32
_MIN_HEIGHT: Final = 200
_USUAL_HEIGHT: Final = 300
MAX_HEIGHT: Final = 800


@attrs.frozen
class Size:
    """Pixels of a drawing.

    Attributes:
        width: with axes and legend.
        height: with axes and legend.
    """

    width: int
    height: int


def width_bucket(window_width: float) -> int:
    """Choose the widest drawing that stands in a window with a margin, or the narrowest."""
    room = window_width - _MARGIN
    return max((width for width in _WIDTHS if width <= room), default=_WIDTHS[0])


def size_of(width: int) -> Size:
    """Return the usual size of a chart of this width."""
    return Size(width, min(max(width // 2, _MIN_HEIGHT), _USUAL_HEIGHT))
