"""Actions: what an element does when a person uses it, as the name of a handler and plain arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, RenderError
from plataforma_sdk.ui._kinds import MAX_PLAIN_DEPTH, Kind, MisfitError, depth_of

__all__ = ["ACTION", "Action", "Handler", "action"]

MAX_ARGUMENTS: Final = 16
MAX_ARGUMENTS_CHARS: Final = 8_192
_NAME: Final = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)


@attrs.frozen
class Action:
    """A handler of the module and the arguments that it will receive, before ``value=`` where the element has input.

    Attributes:
        handler: name of a method of the module; functions themselves never cross.
        arguments: plain values, checked by the codec.

    >>> action("remove", 7).to_data()
    {'handler': 'remove', 'arguments': [7]}
    """

    handler: str
    arguments: tuple[Any, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Write the action as it stands in a tree."""
        return {"handler": self.handler, "arguments": list(self.arguments)}


Handler: TypeAlias = Action | str | Callable[..., Any]
"""What an ``on_...`` parameter takes: `action(...)`, or where there are no arguments the method or its name."""


def action(handler: str | Callable[..., Any], /, *arguments: Any) -> Action:
    """Name a handler and the arguments that it will receive.

    Args:
        handler: a method of the module (``self.reload``) or its name (``"reload"``).
        arguments: plain values, at most 16 and 8,192 characters encoded.

    Raises:
        RenderError: a lambda, a partial or a local function, which cannot be named; arguments that do not cross.

    >>> action("open", "vendas").handler
    'open'
    """
    return Action(_handler_name(handler), tuple(_checked_arguments(arguments)))


def _handler_name(handler: object) -> str:
    name = str.__str__(handler) if isinstance(handler, str) else getattr(handler, "__name__", None)
    if isinstance(name, str) and _NAME.fullmatch(name) and not _is_local(handler, name):
        return name
    shown = repr(name) if isinstance(name, str) else f"a {type(handler).__name__}"
    raise RenderError(
        f"{shown[:80]} cannot be a handler: it has no name in the module; write a method and pass it, "
        "its arguments after it: ui.action(self.remove, row_id)"
    )


def _is_local(handler: object, name: str) -> bool:
    """Whether a function was defined inside another, where no event could find it again."""
    is_bound = getattr(handler, "__self__", None) is not None
    return not is_bound and str(getattr(handler, "__qualname__", "")).endswith(f"<locals>.{name}")


def _checked_arguments(arguments: object) -> list[Any]:
    try:
        copy = codec.copy_value(arguments)
        size = len(codec.encode(copy))
    except CodecError as error:
        raise RenderError(f"An action's arguments are plain data: {error}") from None
    if len(copy) > MAX_ARGUMENTS or size > MAX_ARGUMENTS_CHARS or depth_of(copy) > MAX_PLAIN_DEPTH:
        raise RenderError(
            f"An action carries at most {MAX_ARGUMENTS} arguments, {MAX_ARGUMENTS_CHARS:,} characters encoded and "
            f"{MAX_PLAIN_DEPTH} levels deep; pass an id, and look the rest up in the handler"
        )
    return list(copy)


def _check(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        if not set(value) <= {"handler", "arguments"} or not isinstance(value.get("handler"), str):
            raise MisfitError
        arguments = value.get("arguments", [])
        if not isinstance(arguments, list):
            raise MisfitError
        return action(value["handler"], *arguments).to_data()
    if isinstance(value, Action):
        return action(value.handler, *value.arguments).to_data()
    if isinstance(value, str) or callable(value):
        return action(value).to_data()
    raise MisfitError


ACTION: Final = Kind("a method of the module, its name, or ui.action(self.method, ...)", _check)
