"""Actions: a handler by its name, and plain arguments."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from plataforma_sdk import ui
from plataforma_sdk.errors import RenderError


class Module:
    def reload(self, *_: Any) -> None: ...

    async def remove(self, *_: Any) -> None: ...

    @staticmethod
    def tidy() -> None: ...


def top_level() -> None: ...


@pytest.mark.parametrize(
    ("handler", "name"),
    [
        (Module().reload, "reload"),
        (Module().remove, "remove"),
        (Module.tidy, "tidy"),
        (top_level, "top_level"),
        ("reload", "reload"),
        ("_private", "_private"),
    ],
)
def test_a_handler_is_stored_by_name(handler: Any, name: str) -> None:
    assert ui.action(handler, 1, "a").to_data() == {"handler": name, "arguments": [1, "a"]}


def test_a_bare_method_is_an_action_without_arguments() -> None:
    button = ui.button("x", on_press=Module().reload)
    assert button.props["on_press"] == {"handler": "reload", "arguments": []}


def local() -> Any:
    def inner() -> None: ...

    return inner


@pytest.mark.parametrize(
    "handler",
    [lambda: None, functools.partial(top_level), local(), "", "two words", "__init__", "a.b", 7, None, object()],
    ids=["lambda", "partial", "local", "empty", "words", "dunder", "dotted", "number", "none", "object"],
)
def test_what_has_no_name_in_the_module_is_refused_with_advice(handler: Any) -> None:
    with pytest.raises(RenderError, match=r"ui\.action\(self\.remove, row_id\)"):
        ui.action(handler)


@pytest.mark.parametrize(
    "arguments",
    [[object()], [float("nan")], [1] * 17, ["x" * 9_000], [[[[[[[1]]]]]]], [{1: 2}]],
    ids=["object", "nan", "many", "large", "deep", "key"],
)
def test_arguments_are_plain_few_and_small(arguments: list[Any]) -> None:
    with pytest.raises(RenderError):
        ui.action("reload", *arguments)


def test_arguments_are_copied() -> None:
    ids = [1]
    action = ui.action("remove", ids)
    ids.append(2)
    assert action.arguments == ([1],)


def test_an_action_made_by_hand_is_checked_when_it_is_used() -> None:
    with pytest.raises(RenderError):
        ui.button("x", on_press=ui.Action("__class__"))
