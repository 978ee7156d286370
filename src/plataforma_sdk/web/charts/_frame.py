"""What a chart of a plain kind draws: its points in long form, bounded, and how its x is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from plataforma_sdk.web.charts._columns import Measure, amount, as_dates, cell, measure_of, short
from plataforma_sdk.web.charts._locales import Locale

__all__ = ["MAX_SERIES", "Frame", "frame_of", "note"]

MAX_SERIES: Final = 24
_MAX_VALUES: Final = {"bar": 1_000, "line": 10_000, "area": 10_000, "pie": 10_000}
"""Of all series together: what a drawing holds in the time that it has."""

_MAX_SLICES: Final = 10
"""As many as a theme has colours."""


@attrs.frozen(kw_only=True)
class Frame:
    """The points of one chart.

    Attributes:
        labels: x of each point, as the drawing takes it.
        measure: how x is measured by its axis.
        is_ordered: whether x are times or numbers, which go from left to right.
        series: name -> a number for each point, or None.
        x_title: heading of x, or None where it has no name of its own.
        y_title: heading of the only series, or None.
        notes: what is not shown, in words.
    """

    labels: Sequence[Any]
    measure: Measure
    is_ordered: bool
    series: Mapping[str, Sequence[float | int | None]]
    x_title: str | None
    y_title: str | None
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row for each number: x, the series, y."""
        return [
            {"x": label, "s": name, "y": values[place]}
            for place, label in enumerate(self.labels)
            for name, values in self.series.items()
        ]


def note(locale: Locale, what: str, shown: int, total: int) -> tuple[str, ...]:
    """Say that a part is shown, or nothing where it is the whole."""
    if shown >= total:
        return ()
    return (locale.words[what].format(shown=locale.text(shown), total=locale.text(total)),)


def frame_of(props: Mapping[str, Any], locale: Locale) -> Frame:
    """Read the points of a checked chart: the first of them, and the first of its series, as far as they are drawn."""
    kind, x, names = props["kind"], props["x"], props.get("y", [])[:MAX_SERIES]
    rows = props["data"][: _MAX_VALUES[kind] // max(len(names), 1)]
    values: Sequence[Any] = [row[x] for row in rows]
    values = as_dates(values) if kind in {"line", "area"} else values
    measure = measure_of(values)
    is_axis = kind in {"line", "area"} and measure != "nominal"
    frame = Frame(
        labels=[cell(value, locale, as_time=True) if is_axis else _label(value, locale) for value in values],
        measure=measure if is_axis else "nominal",
        is_ordered=measure != "nominal",
        series={short(locale.text(name)): [amount(row[name]) for row in rows] for name in names},
        x_title=_heading(x, "x", locale),
        y_title=_heading(names[0], "y", locale) if len(names) == 1 else None,
        notes=(
            *note(locale, "part", len(rows), len(props["data"])),
            *note(locale, "series", len(names), len(props.get("y", []))),
        ),
    )
    return _slices(frame, locale) if kind == "pie" else frame


def _label(value: Any, locale: Locale) -> str:
    """Write x as a name; a whole number, such as a year, is not grouped."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return short(str(value) if is_whole else locale.text(value))


def _heading(name: str, by_default: str, locale: Locale) -> str | None:
    return None if name == by_default else short(locale.text(name))


def _slices(frame: Frame, locale: Locale) -> Frame:
    """Keep the largest slices with their shares, and put what is left into one."""
    ((name, values),) = frame.series.items()
    found = [(label, value) for label, value in zip(frame.labels, values, strict=True) if value and value > 0]
    if len(found) > _MAX_SLICES:
        found.sort(key=lambda slice_: slice_[1], reverse=True)
        rest = sum(value for _, value in found[_MAX_SLICES - 1 :])
        found = [*found[: _MAX_SLICES - 1], (locale.words["others"], rest)]
    total = sum(value for _, value in found) or 1
    labels = [f"{label} · {locale.text(Decimal(str(value / total)), 'percent')}" for label, value in found]
    return attrs.evolve(frame, labels=labels, series={name: [value for _, value in found]})
