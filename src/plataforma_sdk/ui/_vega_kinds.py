"""What the allow-list of Vega-Lite is written with: kinds of objects, lists and alternatives that know their place.

A refusal says where: ``encoding.x.axis.labelExpr: ...``. Nothing here recurses by the data, only by the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from plataforma_sdk.ui._kinds import NUMBER, SCALAR, Kind, MisfitError, plain

__all__ = ["COLOUR", "LITERAL", "WORDS", "PlaceError", "between", "either", "items", "keyed", "parts"]

MAX_WORDS_CHARS: Final = 200
MAX_LITERAL_CHARS: Final = 200
_SHOWN: Final = 5
_COLOUR: Final = re.compile(r"#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})|[A-Za-z]{3,24}", re.ASCII)

_ADVICE: Final = {
    "expressions are not run; compute it in Python": (
        *("expr", "test", "calculate", "filter", "labelExpr", "transform", "condition", "window", "joinaggregate"),
        *("lookup", "impute", "fold", "flatten", "density", "regression", "quantile", "sample", "repeat"),
    ),
    "a chart is a picture; take on_select": ("params", "param", "selection", "signal", "signals", "tooltip", "select"),
    "a chart draws the data of its element and nothing else; pass it to ui.chart": (
        *("data", "datasets", "url", "href", "image", "format.type", "values.url", "geojson", "projection", "key"),
    ),
    "the viewer has a theme and a size for every chart": ("config", "width", "autosize", "padding", "background"),
    "it belongs to ui.chart itself": ("description", "alt", "name", "usermeta"),
}
"""Advice -> names that people bring along from elsewhere. Only the message is made of it: what is allowed is listed."""


class PlaceError(MisfitError):
    """A value that is not of a kind, and where it stands inside the whole."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


def _inside(place: str, kind: Kind, value: Any) -> Any:
    try:
        return kind.check(value)
    except PlaceError as error:
        raise PlaceError(f"{place}.{error.place}", error.problem) from None
    except MisfitError as error:
        raise PlaceError(place, str(error) or f"expected {kind.expects}") from None


def parts(known: Mapping[str, Kind], *, needs: Iterable[str] = ()) -> Kind:
    """Make the kind of an object that has no other keys than `known`, and all that it `needs`."""
    required = tuple(needs)

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise MisfitError
        result = {}
        for given, item in value.items():
            name = plain(given)
            if name not in known:
                raise PlaceError(name[:40], _not_allowed(name, known))
            result[name] = _inside(name, known[name], item)
        for name in required:
            if name not in result:
                raise PlaceError(name, f"is missing, expected {known[name].expects}")
        return result

    return Kind(f"an object of {', '.join(list(known)[:_SHOWN])}{', …' if len(known) > _SHOWN else ''}", check)


def keyed(names: Iterable[str], kind: Kind) -> Kind:
    """Make the kind of an object whose values are all of one kind."""
    return parts(dict.fromkeys(names, kind))


def items(kind: Kind, most: int, *, least: int = 0) -> Kind:
    """Make the kind of a list of at most `most` values of one kind."""

    def check(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)) or len(value) < least:
            raise MisfitError
        if len(value) > most:
            raise MisfitError(f"{len(value):,} are more than {most:,}")
        return [_inside(str(place), kind, item) for place, item in enumerate(value)]

    return Kind(f"a list of at most {most:,}, each {kind.expects}", check)


def either(*kinds: Kind, null: bool = False) -> Kind:
    """Make the kind of what is of one of `kinds`; where none fits, the one that came furthest says why."""

    def check(value: Any) -> Any:
        if value is None and null:
            return None
        furthest: PlaceError | None = None
        for kind in kinds:
            try:
                return kind.check(value)
            except PlaceError as error:
                furthest = furthest or error
            except MisfitError:
                continue
        if furthest is not None:
            raise furthest
        raise MisfitError

    return Kind(" or ".join([*(kind.expects for kind in kinds), *(["None"] if null else [])]), check)


def between(low: float, high: float) -> Kind:
    """Make the kind of the numbers from `low` to `high`."""

    def check(value: Any) -> int | float:
        number = NUMBER.check(value)
        if not low <= number <= high:
            raise MisfitError
        return float(number) if isinstance(number, Decimal) else number

    return Kind(f"a number from {low:,} to {high:,}", check)


def _not_allowed(name: str, known: Iterable[str]) -> str:
    for advice, names in _ADVICE.items():
        if name in names:
            return f"is not drawn: {advice}"
    import difflib  # only for a message

    near = difflib.get_close_matches(name[:40], known, n=1)
    return f"is not among what may stand here: {', '.join(known)}" + (f"; did you mean {near[0]!r}?" if near else "")


def _words(value: Any) -> str:
    text = plain(SCALAR.check(value))
    if len(text) > MAX_WORDS_CHARS:
        raise MisfitError
    return text


def _literal(value: Any) -> Any:
    checked = SCALAR.check(value)
    if isinstance(checked, str) and len(checked) > MAX_LITERAL_CHARS:
        raise MisfitError
    return checked


def _colour(value: Any) -> str:
    text = plain(value)
    if not _COLOUR.fullmatch(text):  # `url(...)` among others: it would fetch
        raise MisfitError
    return text


WORDS: Final = Kind(f"a text of at most {MAX_WORDS_CHARS} characters", _words)
LITERAL: Final = Kind(f"a number, date, True, False or a text of at most {MAX_LITERAL_CHARS} characters", _literal)
COLOUR: Final = Kind("a colour such as '#2563eb' or 'teal'", _colour)
