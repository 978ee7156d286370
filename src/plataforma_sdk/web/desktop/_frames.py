"""What a page is sent of a window: its tree, or what changed since the one that the page has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import attrs
from cachetools import LRUCache

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.web.desktop._patches import diff
from plataforma_sdk.windows import Window

__all__ = ["ChartSource", "Frames", "Shown"]

_ALWAYS_PATCH_BYTES: Final = 1_024
_log: Final = logger_of("plataforma_sdk.web.desktop")

_MAX_KEPT: Final = 256
_MAX_KEPT_BYTES: Final = 16 << 20


class ChartSource(Protocol):
    """Names the charts of a tree, and draws them: `plataforma_sdk.web.charts.ChartRenderer`."""

    def charts_of(self, tree: Mapping[str, Any], *, locale: str, width: float, owner: str = "") -> Mapping[str, Any]:
        """Return key of the node -> an attrs value with ``digest``, ``alt``, ``width`` and ``height``."""

    def warm_up(self) -> None:
        """Get ready to draw: a page is being opened."""

    async def svg(self, digest: str, theme: str) -> bytes | None:
        """Draw one; None where the digest is not known."""

    async def aclose(self) -> None:
        """End."""


@attrs.frozen(kw_only=True)
class Shown:
    """What a page has of a window.

    Attributes:
        window: the window; a new one of the same id is another.
        revision: of the tree.
        tree: the tree.
        settings: title, width, height and modal.
        charts: key -> chart.
    """

    window: Window
    revision: int
    tree: Mapping[str, Any]
    settings: Mapping[str, Any]
    charts: Mapping[str, Any]


class Frames:
    """Writes frames; what several pages need is written once.

    Args:
        charts: where charts are drawn; None shows tables.
    """

    def __init__(self, charts: ChartSource | None = None) -> None:
        self._charts = charts
        self._named: LRUCache[Any, dict[str, Any]] = LRUCache(_MAX_KEPT)
        self._patches: LRUCache[Any, str] = LRUCache(_MAX_KEPT_BYTES, len)
        self._trees: LRUCache[Any, str] = LRUCache(_MAX_KEPT_BYTES, len)

    def show(self, window: Window, locale: str, width: int | None = None) -> Shown | None:
        """Take down what a window shows now; None before its first tree.

        Args:
            window: the window.
            locale: that its charts speak.
            width: that it has on the page, in pixels; None takes the one that its module asked for.
        """
        if window.tree is None:
            return None
        settings = {"title": window.title, "width": window.width, "height": window.height, "modal": window.modal}
        charts = self._charts_of(window, window.tree, locale, window.width if width is None else width)
        return Shown(window=window, revision=window.revision, tree=window.tree, settings=settings, charts=charts)

    def _charts_of(self, window: Window, tree: Mapping[str, Any], locale: str, width: int) -> Mapping[str, Any]:
        if self._charts is None:
            return {}
        key = (window, window.revision, width, locale)
        found = self._named.get(key)
        if found is None:
            try:
                charts = self._charts.charts_of(tree, locale=locale, width=width, owner=window.module)
            except Exception:  # noqa: BLE001 - logged; a chart that nobody can name must not end the page
                _log.exception("The charts of window %r of module %r are shown as tables", window.id, window.module)
                charts = {}
            found = self._named[key] = {name: attrs.asdict(chart) for name, chart in charts.items()}
        return found

    def write(self, now: Shown, before: Shown | None) -> str | None:
        """Write what makes a page that has `before` show `now`; None where there is nothing to say."""
        if before is None or before.window is not now.window:
            return self._whole(now)
        if before.revision == now.revision and before.charts == now.charts:
            return self._settings(now) if before.settings != now.settings else None
        operations = self._operations(before, now)
        return self._whole(now) if operations is None else self._patch(before, now, operations)

    # --- one message each ------------------------------------------------------------------------------------------

    def _whole(self, now: Shown) -> str:
        head = codec.encode(
            {
                "type": "window",
                "module": now.window.module,
                "window": {"id": now.window.id, **now.settings},
                "revision": now.revision,
                "charts": now.charts,
            }
        )
        return _joined(head, "tree", self._tree(now))

    def _patch(self, before: Shown, now: Shown, operations: str) -> str:
        head = {
            "type": "patch",
            "module": now.window.module,
            "window": now.window.id,
            "base": before.revision,
            "revision": now.revision,
        }
        if before.settings != now.settings:
            head["settings"] = now.settings
        charts = {key: now.charts.get(key) for key in {**before.charts, **now.charts}}
        changed = {key: chart for key, chart in charts.items() if chart != before.charts.get(key)}
        if changed:
            head["charts"] = changed
        return _joined(codec.encode(head), "ops", operations)

    def _settings(self, now: Shown) -> str:
        window = {"id": now.window.id, **now.settings}
        return codec.encode({"type": "settings", "module": now.window.module, "window": window})

    # --- what is shared --------------------------------------------------------------------------------------------

    def _tree(self, now: Shown) -> str:
        return _kept(self._trees, (now.window, now.revision), lambda: codec.encode(now.tree))

    def _operations(self, before: Shown, now: Shown) -> str | None:
        key = (now.window, before.revision, now.revision)
        return _kept(self._patches, key, lambda: self._difference(before, now)) or None

    def _difference(self, before: Shown, now: Shown) -> str:
        """Return the operations as text, an empty one where the whole tree is no longer than they are."""
        operations = diff(before.tree, now.tree)
        if operations is None:
            return ""
        try:
            text = codec.encode(operations)
        except CodecError:  # a tree at the codec's depth, and its operations stand deeper
            return ""
        is_worth_it = len(text) <= _ALWAYS_PATCH_BYTES or len(text) < len(self._tree(now))
        return text if is_worth_it else ""


def _kept(cache: LRUCache[Any, str], key: object, write: Callable[[], str]) -> str:
    text: str | None = cache.get(key)
    if text is None:
        text = write()
        if len(text) <= cache.maxsize:
            cache[key] = text
    return text


def _joined(head: str, name: str, text: str) -> str:
    """Add a field that is written already: the levels of the message do not count to the codec's depth."""
    return f'{head[:-1]},"{name}":{text}}}'
