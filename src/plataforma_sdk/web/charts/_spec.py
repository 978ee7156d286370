"""From a chart's properties to what is drawn: one specification, themed, with the locale's formats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from plataforma_sdk.web.charts._authored import authored_size, draw_authored
from plataforma_sdk.web.charts._kinds import draw_kind, kind_size
from plataforma_sdk.web.charts._locales import Locale
from plataforma_sdk.web.charts._sizes import Size
from plataforma_sdk.web.charts._themes import THEMES, ThemeName

__all__ = ["drawn_size", "request_of", "vega_lite"]

_PADDING: Final = {"left": 4, "top": 4, "right": 12, "bottom": 4}


def drawn_size(props: Mapping[str, Any], locale: Locale, width: int) -> Size:
    """Return the size of the drawing; `width` is one of the few that there are."""
    return authored_size(props, width) if "vega" in props else kind_size(props, locale, width)


def vega_lite(props: Mapping[str, Any], locale: Locale, width: int, theme: ThemeName) -> dict[str, Any]:
    """Write a checked chart as a whole specification of Vega-Lite: inline data, no expression, no address."""
    spec = (draw_authored if "vega" in props else draw_kind)(props, locale, width)
    return {"padding": _PADDING, **spec, "background": "transparent", "config": THEMES[theme].config()}


def request_of(props: Mapping[str, Any], locale: Locale, width: int, theme: ThemeName) -> bytes:
    """Write what a worker needs to draw a chart."""
    request = {
        "spec": vega_lite(props, locale, width, theme),
        "numbers": locale.number_format(props.get("currency")),
        "times": locale.time_format(),
    }
    return json.dumps(request, allow_nan=False, separators=(",", ":")).encode()
