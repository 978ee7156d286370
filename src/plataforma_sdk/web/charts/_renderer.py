"""`ChartRenderer`: charts of trees as pictures, drawn when they are asked for and kept."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self
from weakref import WeakValueDictionary

import attrs
from cachetools import LRUCache, TTLCache

from plataforma_sdk import codec
from plataforma_sdk.errors import ChartError
from plataforma_sdk.web.charts._alt import alt_text
from plataforma_sdk.web.charts._drawing import Drawers, can_draw
from plataforma_sdk.web.charts._locales import Locale, locale_of
from plataforma_sdk.web.charts._rooms import rooms
from plataforma_sdk.web.charts._sizes import width_bucket
from plataforma_sdk.web.charts._spec import drawn_size, request_of
from plataforma_sdk.web.charts._svg import checked_svg
from plataforma_sdk.web.charts._themes import THEMES, ThemeName

__all__ = ["Chart", "ChartRenderer"]

_log: Final = logging.getLogger(__name__)

_NOT_DRAWN: Final = frozenset({"title", "alt", "on_select"})
_SOURCES_BYTES: Final = 64 << 20
_FAILED_S: Final = 30.0
_MAX_FAILED: Final = 512
_MAX_STRIKES: Final = 3
_STRIKES_S: Final = 60.0


@attrs.frozen(kw_only=True)
class Chart:
    """A chart that can be drawn.

    Attributes:
        digest: what names the drawing, 32 hexadecimal characters. It tells nothing of the data, and another renderer
            gives another.
        alt: what the chart says, in a sentence.
        width: of the drawing, in pixels.
        height: of the drawing, in pixels; of one in facets, about.
    """

    digest: str
    alt: str
    width: int
    height: int


@attrs.frozen(kw_only=True)
class _Source:
    """What a drawing is made of."""

    props: Mapping[str, Any]
    locale: Locale
    width: int
    size_bytes: int
    owner: str


class ChartRenderer:
    """Draws the charts of trees as SVG, in worker processes. Use it from one event loop.

    Nothing starts before the first chart, or `warm_up`. Where the extra ``charts`` is missing nothing is drawn, and
    viewers show tables.

    Args:
        workers: processes that draw, each of some 110 MB.
        max_cache_bytes: of drawings that are kept.
        drawers: who draws; tests bring their own.

    >>> import asyncio
    >>> from plataforma_sdk import ui
    >>> async def main():
    ...     async with ChartRenderer() as charts:
    ...         return charts.chart_of(ui.to_data(ui.chart({"jan": 10, "fev": 20})), locale="pt-BR", width=640)
    >>> chart = asyncio.run(main())  # None where the extra is missing
    """

    def __init__(self, *, workers: int = 1, max_cache_bytes: int = 32 << 20, drawers: Drawers | None = None) -> None:
        self._is_able = drawers is not None or can_draw()
        self._has_told = False
        self._drawers = drawers or Drawers(workers)
        self._key = secrets.token_bytes(32)
        self._sources: LRUCache[str, _Source] = LRUCache(_SOURCES_BYTES, lambda source: source.size_bytes)
        self._drawn: LRUCache[tuple[str, str], bytes] = LRUCache(max_cache_bytes, len)
        self._failed: TTLCache[tuple[str, str], str] = TTLCache(_MAX_FAILED, _FAILED_S)
        self._strikes: TTLCache[str, int] = TTLCache(_MAX_FAILED, _STRIKES_S)
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def warm_up(self) -> None:
        """Start the workers ahead of the first chart; returns at once, and does nothing where none can be drawn."""
        self._can_draw()

    def charts_of(self, tree: Mapping[str, Any], *, locale: str, width: float, owner: str = "") -> dict[str, Chart]:
        """Name the drawings of all charts in a tree, each as wide as about stands in its place.

        Args:
            tree: a checked tree.
            locale: as for `chart_of`.
            width: of the window, in pixels.
            owner: as for `chart_of`.

        Returns:
            key of the node -> its chart; those that are to be shown as tables are left out.
        """
        found = {
            node["key"]: self.chart_of(node, locale=locale, width=room, owner=owner)
            for node, room in rooms(tree, width)
        }
        return {key: chart for key, chart in found.items() if chart is not None}

    def chart_of(self, node: Mapping[str, Any], *, locale: str, width: float, owner: str = "") -> Chart | None:
        """Name the drawing of a chart without drawing it.

        Args:
            node: a checked node of a tree, of the type ``chart``.
            locale: of its numbers, dates and words: ``"pt-BR"``, ``"en"``; another language reads English.
            width: that it has, in pixels; drawings have a few widths, so a little more makes no other drawing.
            owner: whose chart it is, such as the module's id: one whose charts keep failing is drawn no more for a
                while, so that it does not hold up the others.

        Returns:
            The chart, or None where it is to be shown as a table: nothing can draw here, or there is nothing to draw.
        """
        props = node["props"]
        if not self._can_draw() or not props["data"] or self._is_out(owner):
            return None
        spoken, bucket = locale_of(locale), width_bucket(width)
        drawn = {name: value for name, value in props.items() if name not in _NOT_DRAWN}
        content = codec.encode([drawn, spoken.name, bucket, owner]).encode()
        digest = hashlib.blake2b(content, digest_size=16, key=self._key).hexdigest()
        size = drawn_size(props, spoken, bucket)
        source = _Source(props=drawn, locale=spoken, width=bucket, size_bytes=len(content), owner=owner)
        if len(content) > _SOURCES_BYTES:
            return None
        self._sources[digest] = source
        return Chart(digest=digest, alt=alt_text(props, spoken), width=size.width, height=size.height)

    def _is_out(self, owner: str) -> bool:
        return self._strikes.get(owner, 0) >= _MAX_STRIKES

    def _can_draw(self) -> bool:
        if self._is_able:
            self._drawers.warm_up()
        elif not self._has_told:
            self._has_told = True
            _log.warning("Charts are shown as tables: install plataforma-sdk[charts], on a system with POSIX limits")
        return self._is_able

    async def svg(self, digest: str, theme: str) -> bytes | None:
        """Draw a chart that `chart_of` has named, or take it from those that were drawn.

        Returns:
            The picture, or None where the digest or the theme is not known (any more).

        Raises:
            ChartError: it could not be drawn; the same chart is not tried again for half a minute. Or too many wait.
        """
        source = self._sources.get(digest)
        if source is None or theme not in THEMES:
            return None
        key = (digest, theme)
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        async with lock:  # the first who asks draws, the others find it
            if key in self._drawn:
                return self._drawn[key]
            self._check(source, key)
            drawn = await self._draw(source, key)
            if len(drawn) <= self._drawn.maxsize:
                self._drawn[key] = drawn
            return drawn

    def _check(self, source: _Source, key: tuple[str, str]) -> None:
        if key in self._failed:
            raise ChartError(self._failed[key])
        if self._is_out(source.owner):
            raise ChartError(f"Charts of {source.owner!r} failed {_MAX_STRIKES} times; none is drawn for a minute")
        if self._drawers.is_full:
            raise ChartError("Too many charts are waiting to be drawn; try again")

    async def _draw(self, source: _Source, key: tuple[str, str]) -> bytes:
        theme: ThemeName = "dark" if key[1] == "dark" else "light"
        request = await asyncio.to_thread(request_of, source.props, source.locale, source.width, theme)
        try:
            return await asyncio.to_thread(checked_svg, await self._drawers.draw(request))
        except ChartError as error:
            self._failed[key] = str(error)
            if source.owner:
                self._strikes[source.owner] = self._strikes.get(source.owner, 0) + 1
            _log.warning("A chart of %r is shown as a table: %s", source.owner, error)
            raise

    async def aclose(self) -> None:
        """End the workers."""
        await self._drawers.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self.aclose()
