"""Does a value fit the element it is said to come from? What a browser sends is anybody's."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, UnknownHandlerError
from plataforma_sdk.ui._check import spec_of
from plataforma_sdk.ui._kinds import MAX_TEXT_CHARS, TEXT, MisfitError, is_number
from plataforma_sdk.ui._tree import form_fields

__all__ = ["check_value", "takes_value"]


def takes_value(element: Mapping[str, Any]) -> bool:
    """Whether the handlers of a node are called with ``value=``; those of a plugin's element always are."""
    spec = spec_of(element["type"])
    return spec is None or spec.value is not None


def check_value(element: Mapping[str, Any], value: object) -> Any:
    """Check what an event carries against the node that is said to have fired it, and return it as handlers get it.

    A date may come as ISO text. A form's value is a dict with an item for each of its fields.

    Args:
        element: a node of a tree that was sent, with its children.
        value: as the viewer sent it; None from an element without input.

    Raises:
        UnknownHandlerError: the value does not fit: type, length, range, options; or the element is disabled.

    >>> from plataforma_sdk import ui
    >>> field = ui.to_data(ui.number_field("idade", minimum=0, integer=True))
    >>> check_value(field, 42)
    42
    """
    spec = spec_of(element["type"])
    try:
        if element["props"].get("disabled"):
            raise MisfitError("it is disabled")
        if spec is None:
            return codec.copy_value(value)
        if spec.value is None:
            return _nothing(value)
        return _CHECKS[spec.value](element, value)
    except (MisfitError, CodecError) as error:
        raise UnknownHandlerError(
            f"The value for ui.{element['type']} {element['key']!r} does not fit: {error}"
        ) from None


def _nothing(value: object) -> None:
    if value is not None:
        raise MisfitError("its events carry no value")


def _is_empty(props: Mapping[str, Any], value: object) -> bool:
    if value is not None:
        return False
    if props.get("required"):
        raise MisfitError("it is required")
    return True


def _text(element: Mapping[str, Any], value: Any) -> str:
    props = element["props"]
    if _is_empty(props, value):
        return ""
    text: str = TEXT.check(value) if isinstance(value, str) and len(value) <= MAX_TEXT_CHARS else _refuse("a text")
    limit = props.get("max_length", MAX_TEXT_CHARS)
    if len(text) > limit:
        raise MisfitError(f"{len(text):,} characters, at most {limit:,}")
    if not props.get("multiline") and ("\n" in text or "\r" in text):
        raise MisfitError("it takes one line")
    if props.get("required") and not text.strip():
        raise MisfitError("it is required")
    return text


def _number(element: Mapping[str, Any], value: Any) -> Any:
    props = element["props"]
    if _is_empty(props, value):
        return None
    if not is_number(value):
        _refuse("a number")
    if props.get("integer"):
        if value != int(value):
            _refuse("a whole number")
        value = int(value)
    return _within(props, value)


def _date(element: Mapping[str, Any], value: Any) -> datetime.date | None:
    props = element["props"]
    if _is_empty(props, value):
        return None
    if isinstance(value, str):
        try:
            value = datetime.date.fromisoformat(value)
        except ValueError:
            _refuse("a date such as 2024-01-31")
    if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date):
        _refuse("a date")
    return _within(props, value)  # type: ignore[no-any-return]


def _within(props: Mapping[str, Any], value: Any) -> Any:
    low, high = props.get("minimum"), props.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        raise MisfitError(f"it lies outside {'' if low is None else low}..{'' if high is None else high}")
    return value


def _choice(element: Mapping[str, Any], value: Any) -> Any:
    props = element["props"]
    if not props.get("multiple"):
        return None if _is_empty(props, value) else _option(props, value)
    chosen = [] if value is None else value
    if not isinstance(chosen, list) or len(chosen) > len(props["options"]):
        _refuse("a list of options")
    if props.get("required") and not chosen:
        raise MisfitError("it is required")
    result = [_option(props, item) for item in chosen]
    if len(set(result)) < len(result):
        raise MisfitError("an option comes twice")
    return result


def _option(props: Mapping[str, Any], value: Any) -> Any:
    for option in props["options"]:
        if type(option["value"]) is type(value) and option["value"] == value:
            if option.get("disabled"):
                raise MisfitError("that option is disabled")
            return value
    return _refuse("one of the options")


def _flag(element: Mapping[str, Any], value: Any) -> bool:
    if value is not None and not isinstance(value, bool):
        _refuse("True or False")
    if element["props"].get("required") and not value:
        raise MisfitError("it must be checked")
    return bool(value)


def _index(count: int, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        _refuse(f"an index from 0 to {count - 1:,}")
    return int(value)


def _child(element: Mapping[str, Any], value: Any) -> int:
    return _index(len(element["children"]), value)


def _chart_point(element: Mapping[str, Any], value: Any) -> int:
    return _index(len(element["props"]["data"]), value)


def _table_row(element: Mapping[str, Any], value: Any) -> Any:
    props = element["props"]
    row_key = props.get("row_key")
    if row_key is None:
        return _index(len(props["rows"]), value)
    if any(type(row[row_key]) is type(value) and row[row_key] == value for row in props["rows"]):
        return value
    return _refuse(f"the {row_key!r} of a row")


def _form(element: Mapping[str, Any], value: Any) -> dict[str, Any]:
    fields = form_fields(element)
    if not isinstance(value, dict):
        _refuse("a dict, field name -> value")
    unknown = sorted(str(name)[:80] for name in value.keys() - fields.keys())
    if unknown:
        raise MisfitError(f"the form has no field {unknown[0]!r}")
    result = {}
    for name, field in fields.items():
        if field["props"].get("disabled"):
            result[name] = field["props"].get("value")  # a viewer sends nothing for it; nobody can have changed it
        else:
            result[name] = check_value(field, value.get(name))
    return result


def _refuse(expected: str) -> Any:
    raise MisfitError(f"expected {expected}")


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any], Any], Any]]] = {
    "text_field": _text,
    "number_field": _number,
    "date_field": _date,
    "select_field": _choice,
    "checkbox_field": _flag,
    "child": _child,
    "table_row": _table_row,
    "chart_point": _chart_point,
    "form": _form,
}
