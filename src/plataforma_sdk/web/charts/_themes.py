"""Colours and type of a chart, light and dark. The background is the viewer's: a drawing has none."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import attrs

__all__ = ["THEMES", "Theme", "ThemeName"]

ThemeName: TypeAlias = Literal["light", "dark"]

_FONT: Final = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@attrs.frozen(kw_only=True)
class Theme:
    """The colours of one theme; each of `series` has a contrast of 3 to 1 or more with the theme's cards.

    Attributes:
        series: of one measure after the other.
        ramp: from the least of a measure to the most.
        text: of titles.
        muted: of labels.
        line: of axes.
        grid: behind the marks.
    """

    series: tuple[str, ...]
    ramp: tuple[str, ...]
    text: str
    muted: str
    line: str
    grid: str

    def config(self) -> dict[str, Any]:
        """Write the theme as a configuration of Vega-Lite."""
        first = self.series[0]
        return {
            "aria": False,  # the picture stands in an <img>, whose `alt` says it
            "font": _FONT,
            "view": {"stroke": None},
            "range": {"category": list(self.series), "heatmap": list(self.ramp), "ramp": list(self.ramp)},
            "mark": {"color": first},
            "arc": {"fill": first},
            "line": {"strokeWidth": 2, "strokeCap": "round", "strokeJoin": "round"},
            "point": {"filled": True, "size": 36, "opacity": 0.9},
            "bar": {"cornerRadiusEnd": 2},
            "scale": {"barBandPaddingInner": 0.25},
            "rule": {"color": self.muted},
            "text": {"color": self.text, "fontSize": 12},
            "axis": self._axis(),
            "axisQuantitative": {"domain": False, "ticks": False, "grid": True},
            "axisXQuantitative": {"grid": False, "domain": True},
            "axisBand": {"grid": False, "ticks": False, "labelPadding": 6},
            "axisPoint": {"grid": False},
            "axisTemporal": {"grid": False, "labelFlush": False, "labelSeparation": 8},
            "axisYTemporal": {"grid": True},
            "legend": self._legend(),
            "header": {
                "labelColor": self.text,
                "labelFontSize": 12,
                "titleColor": self.muted,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
            },
            "title": {"color": self.text, "subtitleColor": self.muted, "fontSize": 13, "anchor": "start"},
        }

    def _axis(self) -> dict[str, Any]:
        return {
            "labelColor": self.muted,
            "titleColor": self.muted,
            "domainColor": self.line,
            "tickColor": self.line,
            "gridColor": self.grid,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "labelLimit": 140,
            "labelOverlap": True,
        }

    def _legend(self) -> dict[str, Any]:
        return {
            "labelColor": self.text,
            "titleColor": self.muted,
            "labelFontSize": 12,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "labelLimit": 200,
            "symbolType": "circle",
            "symbolSize": 80,
            "symbolStrokeWidth": 0,
            "symbolLimit": 24,
        }


THEMES: Final[dict[ThemeName, Theme]] = {
    "light": Theme(
        series=(
            *("#2563eb", "#0d9488", "#c2570c", "#7c3aed", "#be123c"),
            *("#0e7490", "#4d7c0f", "#a21caf", "#57606f", "#92400e"),
        ),
        ramp=("#dcebfe", "#60a5fa", "#1e40af"),
        text="#1f2937",
        muted="#4b5563",
        line="#9ca3af",
        grid="#e5e7eb",
    ),
    "dark": Theme(
        series=(
            *("#60a5fa", "#2dd4bf", "#fb923c", "#a78bfa", "#fb7185"),
            *("#22d3ee", "#a3e635", "#e879f9", "#a8b3c4", "#fbbf24"),
        ),
        ramp=("#1e2f4d", "#3b82f6", "#bfdbfe"),
        text="#e5e9f0",
        muted="#a8b3c4",
        line="#5b6677",
        grid="#2c3543",
    ),
}
