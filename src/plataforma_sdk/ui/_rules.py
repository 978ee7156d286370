"""What the properties of one element must be together; each rule also fills in what follows from the others.

A rule takes checked properties, may change them, and raises `MisfitError` with the problem. Applied to its own result
it changes nothing, so the host may check again what the module's side has checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from plataforma_sdk.ui._data_kinds import MAX_CELLS, MAX_COLUMNS, first_names
from plataforma_sdk.ui._kinds import MisfitError, is_number, unique
from plataforma_sdk.ui._vega import vega_fields

__all__ = ["RULES", "Rule"]

Rule: TypeAlias = Callable[[dict[str, Any]], None]


def _table(props: dict[str, Any]) -> None:
    """Settle the columns and keep of each row only what they show."""
    rows = props["rows"]
    columns = props.setdefault("columns", [{"name": name} for name in first_names(rows)])
    row_key = props.get("row_key")
    shown = {column["name"] for column in columns} | ({row_key} if row_key is not None else set())
    if any(not row.keys() <= shown for row in rows):
        props["rows"] = [{name: value for name, value in row.items() if name in shown} for row in rows]
    if row_key is not None:
        if any(row.get(row_key) is None for row in rows):
            raise MisfitError(f"row_key is {row_key!r}, which a row lacks")
        unique((row[row_key] for row in rows), f"row_key {row_key!r} of")


def _chart(props: dict[str, Any]) -> None:
    """Settle which names are drawn, keep only those, and see that they hold numbers."""
    if set(first_names(props["data"])) == {"x", "y"}:
        _rename_pairs(props)
    points = props["data"]
    names = first_names(points)
    fields = _drawn_fields(props, names)
    _settle_axes(props, fields or names)
    x, y = props["x"], props.get("y", [])
    if points and not {x, *y} <= set(names):
        raise MisfitError(f"x is {x!r} and y is {', '.join(map(repr, y))}, but the points have {', '.join(names)}")
    for name in y:
        if not _holds_numbers(points, name):
            raise MisfitError(f"y is {name!r}, which is not a number in every point")
    shown = dict.fromkeys((x, *y, *fields))
    if len(shown) * len(points) > MAX_CELLS:
        raise MisfitError(f"{len(points):,} points of {len(shown)} columns are more than it shows; draw sums of them")
    props["data"] = [{name: point.get(name) for name in shown} for point in points]
    if props["kind"] == "pie" and len(y) > 1:
        raise MisfitError("a pie shows one y")


def _drawn_fields(props: dict[str, Any], names: list[str]) -> list[str]:
    """Return the columns that a specification draws, each of which must be there."""
    fields = vega_fields(props.get("vega", {}))
    strange = [field for field in fields if field not in names]
    if strange and props["data"]:
        raise MisfitError(f"vega draws the field {strange[0]!r}, but the points have {', '.join(names)}")
    return fields


def _settle_axes(props: dict[str, Any], names: list[str]) -> None:
    """Fill in x and y; a specification may draw points that measure nothing, and then there is no y."""
    x = props.setdefault("x", names[0] if names else "x")
    if "y" not in props:
        if len(names) > MAX_COLUMNS:
            raise MisfitError(f"the points have {len(names):,} columns; say in y which of them it shows")
        numbers = [name for name in names if name != x and _holds_numbers(props["data"], name)]
        if numbers or "vega" not in props:
            props["y"] = numbers or ["y"]


def _rename_pairs(props: dict[str, Any]) -> None:
    """Give the two columns that pairs became the names that the author gave them."""
    x = props.setdefault("x", "x")
    y = props.setdefault("y", ["y"])
    if not {x, *y} <= {"x", "y"}:
        props["data"] = [{x: point.get("x"), y[0]: point.get("y")} for point in props["data"]]


def _holds_numbers(points: list[dict[str, Any]], name: str) -> bool:
    return all(point.get(name) is None or is_number(point[name]) for point in points)


def _range(props: dict[str, Any]) -> None:
    low, high, value = (props.get(name) for name in ("minimum", "maximum", "value"))
    if low is not None and high is not None and low > high:
        raise MisfitError(f"minimum {low} lies above maximum {high}")
    if value is not None and ((low is not None and value < low) or (high is not None and value > high)):
        raise MisfitError(
            f"value {value} lies outside {low if low is not None else ''}..{'' if high is None else high}"
        )


def _number_field(props: dict[str, Any]) -> None:
    if props.get("step") is not None and props["step"] <= 0:
        raise MisfitError(f"step {props['step']} is not above 0")
    value = props.get("value")
    if props.get("integer") and value is not None and value != int(value):
        raise MisfitError(f"value {value} is not whole")
    _range(props)


def _text_field(props: dict[str, Any]) -> None:
    limit, value = props.get("max_length"), props.get("value")
    if limit is not None and value is not None and len(value) > limit:
        raise MisfitError(f"value has {len(value):,} characters, max_length is {limit:,}")


def _select_field(props: dict[str, Any]) -> None:
    """See that what is selected can be selected; several values are a list where `multiple` is set."""
    value = props.get("value")
    if value is None:
        return
    chosen = value if props.get("multiple") else [value]
    options = [option["value"] for option in props["options"]]
    if not isinstance(chosen, list) or any(item not in options or isinstance(item, bool) for item in chosen):
        raise MisfitError(f"value {value!r} is none of the options")
    unique(chosen, "value")


def _progress(props: dict[str, Any]) -> None:
    value, maximum = props.get("value"), props.get("maximum", 1)
    if maximum <= 0 or (value is not None and not 0 <= value <= maximum):
        raise MisfitError(f"value {value} lies outside 0..{maximum}")


RULES: Mapping[str, Rule] = {
    "table": _table,
    "chart": _chart,
    "text_field": _text_field,
    "number_field": _number_field,
    "date_field": _range,
    "select_field": _select_field,
    "progress": _progress,
}
