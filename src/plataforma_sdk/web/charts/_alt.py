"""What a chart says, in a sentence, for those who cannot see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from plataforma_sdk.web.charts._locales import Locale

__all__ = ["alt_text"]

_MAX_SERIES: Final = 3
_MAX_NAME_CHARS: Final = 80


def alt_text(props: Mapping[str, Any], locale: Locale) -> str:
    """Return the author's sentence, or make one: what it is, how many points, the lowest, highest, first and last.

    >>> from plataforma_sdk import ui
    >>> from plataforma_sdk.web.charts._locales import locale_of
    >>> alt_text(ui.chart({"jan": 10, "fev": 20}, x="mês", y="receita", title="Vendas").props, locale_of("en"))
    'Bar chart "Vendas", receita by mês: 2 points; lowest 10 (jan), highest 20 (fev).'
    """
    if props.get("alt"):
        return locale.text(props["alt"])
    names = props.get("y", [])
    measured = ", ".join(_name(name, locale) for name in names[:_MAX_SERIES])
    what = locale.words["vega" if "vega" in props else props["kind"]]
    title = f' "{_name(props["title"], locale)}"' if props.get("title") else ""
    by = f", {locale.words['by'].format(x=_name(props['x'], locale), y=measured)}" if measured else ""
    return f"{what}{title}{by}: {'; '.join(_figures(props, names, locale))}."


def _figures(props: Mapping[str, Any], names: Sequence[str], locale: Locale) -> list[str]:
    data = props["data"]
    if not data:
        return [locale.words["empty"]]
    count = locale.words["point"] if len(data) == 1 else locale.words["points"].format(count=locale.text(len(data)))
    return [count, *(part for name in names[:_MAX_SERIES] for part in _series(props, name, len(names) > 1, locale))]


def _series(props: Mapping[str, Any], name: str, is_named: bool, locale: Locale) -> list[str]:
    points = [point for point in props["data"] if point[name] is not None]
    if not points:
        return []
    low, high = min(points, key=lambda point: point[name]), max(points, key=lambda point: point[name])
    ends = {"low": low, "high": high, "first": points[0], "last": points[-1]}
    words = {key: locale.text(point[name], props.get("format"), props.get("currency")) for key, point in ends.items()}
    words |= {f"{key}_at": _name(point[props["x"]], locale) for key, point in ends.items()}
    parts = [locale.words["range"].format(**words)]
    if props["kind"] in {"line", "area"} and len(points) > 1:
        parts.insert(0, locale.words["course"].format(**words))
    return [f"{_name(name, locale)}: {', '.join(parts)}"] if is_named else parts


def _name(value: Any, locale: Locale) -> str:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return (str(value) if is_whole else locale.text(value))[:_MAX_NAME_CHARS]
