"""The check of a drawing before anybody is shown it: elements, attributes and values by an allow-list.

A viewer shows it as an image, where no script would run; this is the second lock. What is not listed is not shown.
Source: the security considerations of SVG 2, section 2; CWE-776 (entities), CWE-79.
"""

from __future__ import annotations

import re
import xml.parsers.expat
from collections.abc import Mapping
from typing import Final

from plataforma_sdk.errors import ChartError

__all__ = ["MAX_SVG_BYTES", "checked_svg"]

MAX_SVG_BYTES: Final = 4 << 20
_ELEMENTS: Final = frozenset(
    {"svg", "g", "path", "rect", "line", "text", "tspan", "title", "defs", "clipPath", "linearGradient", "stop"}
)
_ATTRIBUTES: Final = frozenset(
    {
        *("xmlns", "xmlns:xlink", "version", "class", "id", "width", "height", "viewBox", "transform"),
        *("x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "d", "rx", "ry", "offset", "gradientUnits", "clip-path"),
        *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-dashoffset"),
        *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "opacity", "stop-color", "stop-opacity", "display"),
        *("font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "direction"),
        *("pointer-events", "role", "aria-hidden", "aria-label", "aria-roledescription", "style", "visibility"),
    }
)
_NAMESPACES: Final = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink"}
_TEXTS: Final = frozenset({"aria-label", "aria-roledescription", "class", "font-family"})
_STYLE: Final = re.compile(r"(?:[a-z-]{1,40}\s*:\s*[A-Za-z0-9#.,% '-]{1,200};?\s*){0,20}", re.ASCII)
_LOCAL: Final = re.compile(r"url\(#[A-Za-z0-9_-]{1,80}\)", re.ASCII)


def checked_svg(data: bytes) -> bytes:
    """Return a drawing that holds nothing but shapes and texts.

    Raises:
        ChartError: it is too large, no XML, or holds what no chart needs.

    >>> checked_svg(b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="1"/></svg>')[:4]
    b'<svg'
    """
    if len(data) > MAX_SVG_BYTES:
        raise ChartError(
            f"The chart's drawing has {len(data):,} bytes, at most {MAX_SVG_BYTES:,}; draw fewer points, "
            "such as sums of them"
        )
    parser = xml.parsers.expat.ParserCreate("utf-8")
    parser.StartElementHandler = _element
    parser.StartDoctypeDeclHandler = _refuse("a document type")
    parser.ProcessingInstructionHandler = _refuse("a processing instruction")
    parser.StartCdataSectionHandler = _refuse("a section of characters")
    parser.CommentHandler = _refuse("a comment")
    try:
        parser.Parse(data, True)
    except xml.parsers.expat.ExpatError as error:
        raise ChartError(f"The chart's drawing is no XML: {error}") from None
    return data


class _refuse:  # noqa: N801 - reads as the call that it is
    def __init__(self, what: str) -> None:
        self._what = what

    def __call__(self, *_: object) -> None:
        raise ChartError(f"The chart's drawing holds {self._what}, which no chart needs")


def _element(name: str, attributes: Mapping[str, str]) -> None:
    if name not in _ELEMENTS:
        _refuse(f"the element {name[:40]!r}")()
    for attribute, value in attributes.items():
        if attribute not in _ATTRIBUTES or not _is_plain(attribute, value):
            _refuse(f"{attribute[:40]}={value[:40]!r}")()


def _is_plain(attribute: str, value: str) -> bool:
    """Whether a value refers to nothing outside the drawing; escapes of CSS could hide an address."""
    if attribute in _NAMESPACES:
        return value == _NAMESPACES[attribute]
    if attribute in _TEXTS:
        return True
    if attribute == "style":
        return _STYLE.fullmatch(value) is not None
    rest = _LOCAL.sub("", value) if "url" in value.lower() else value
    return not ("url" in rest.lower() or "\\" in rest or ":" in rest)
