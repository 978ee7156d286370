"""The check of one element against the catalogue, the same for builders and for an untrusted tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from plataforma_sdk.errors import RenderError, UnknownElementError
from plataforma_sdk.ui._action import ACTION
from plataforma_sdk.ui._catalogue import CATALOGUE, ElementSpec
from plataforma_sdk.ui._kinds import PLAIN, Kind, MisfitError
from plataforma_sdk.ui._rules import RULES

__all__ = ["check_props", "is_plugin_type", "spec_of"]

_PLUGIN_TYPE: Final = re.compile(r"[a-z0-9_-]{1,64}(?:\.[a-z0-9_-]{1,64}){1,4}", re.ASCII)
_PLUGIN_PROPERTY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_MAX_SHOWN_CHARS: Final = 60
_NULLABLE: Final = {"text": ("value",), "metric": ("value",)}
"""Properties whose None is a value to show, not the lack of one."""


def is_plugin_type(name: str) -> bool:
    """Whether a type is written as a plugin's: ``vendor.name``."""
    return _PLUGIN_TYPE.fullmatch(name) is not None


def spec_of(name: object) -> ElementSpec | None:
    """Find an element's line in the catalogue; None for a plugin's element.

    Raises:
        UnknownElementError: neither in the catalogue nor written as a plugin's.
    """
    spec = CATALOGUE.get(name) if isinstance(name, str) else None
    if spec is None and not (isinstance(name, str) and is_plugin_type(name)):
        shown = repr(name)[:80] if isinstance(name, str) else f"a {type(name).__name__}"
        raise UnknownElementError(
            f"There is no element {shown}{_nearest(name, CATALOGUE)}; a plugin's element is written 'vendor.name'"
        )
    return spec


def check_props(element: str, props: Mapping[str, Any]) -> dict[str, Any]:
    """Check an element's properties against its line and return them as they stand in a tree; None is left out.

    Raises:
        UnknownElementError: an element or property that is not in the catalogue; the nearest name is told.
        RenderError: a property that is missing or does not hold what it may.
    """
    spec = spec_of(element)
    if spec is None:
        return _plugin_props(element, props)
    given = {name: value for name, value in props.items() if value is not None or name in _NULLABLE.get(element, ())}
    result = {name: _check_one(spec, name, value) for name, value in given.items()}
    for name, known in spec.properties.items():
        if known.required and name not in result:
            raise RenderError(f"ui.{element} needs {name!r}: {known.kind.expects}")
    rule = RULES.get(element)
    if rule is not None:
        try:
            rule(result)
        except MisfitError as error:
            raise RenderError(f"ui.{element}: {error}") from None
    return result


def _check_one(spec: ElementSpec, name: str, value: Any) -> Any:
    kind = spec.kind_of(name)
    if kind is None:
        raise UnknownElementError(
            f"ui.{spec.type} has no property {str(name)[:80]!r}{_nearest(name, (*spec.properties, *spec.events))}"
        )
    return _checked(kind, value, f"ui.{spec.type}: {name}")


def _checked(kind: Kind, value: Any, what: str) -> Any:
    """Apply a kind's check and turn its refusal into a `RenderError` that says what was expected.

    Raises:
        RenderError: the value is not of the kind.
    """
    try:
        return kind.check(value)
    except MisfitError as error:
        detail = f" ({error})" if error.args else ""
        raise RenderError(f"{what} is {_shown(value)}, expected {kind.expects}{detail}") from None


def _shown(value: object) -> str:
    """Show a short value in a message, and of anything else its type: a repr may be as large as the data."""
    if isinstance(value, (str, bool, float)) or (isinstance(value, int) and value.bit_length() < 64):  # noqa: PLR2004
        shown = repr(value)
        if len(shown) <= _MAX_SHOWN_CHARS:
            return shown
    return f"a {type(value).__name__}"


def _plugin_props(element: str, props: Mapping[str, Any]) -> dict[str, Any]:
    result = {}
    for name, value in props.items():
        if value is None:
            continue
        if not isinstance(name, str) or not _PLUGIN_PROPERTY.fullmatch(name):
            raise UnknownElementError(f"{element}: a property's name is of letters, digits and _, not {name!r:.80}")
        what = f"{element}: {name}"
        result[name] = _checked(ACTION if name.startswith("on_") else PLAIN, value, what)
    return result


def _nearest(name: object, known: Iterable[str]) -> str:
    import difflib  # only for a message

    found = difflib.get_close_matches(str(name)[:80], list(known), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
