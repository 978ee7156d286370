"""Builders: what authors write, and how they are told what is wrong with it."""

from __future__ import annotations

import datetime
import inspect
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from plataforma_sdk import ui
from plataforma_sdk.errors import PlataformaError, RenderError, UnknownElementError


def builder(element: str) -> Any:
    return getattr(ui, element)


@pytest.mark.parametrize("element", sorted(ui.CATALOGUE))
def test_every_element_of_the_catalogue_has_a_builder_with_its_properties(element: str) -> None:
    parameters = inspect.signature(builder(element)).parameters
    spec = ui.CATALOGUE[element]
    assert set(parameters) - {"children", "key"} == {*spec.properties, *spec.events}
    assert ("children" in parameters) is (spec.children != ())


@pytest.mark.parametrize("element", sorted(ui.CATALOGUE))
def test_every_builder_is_documented_and_takes_a_key(element: str) -> None:
    assert inspect.getdoc(builder(element))
    assert "key" in inspect.signature(builder(element)).parameters


@pytest.mark.parametrize("element", sorted(ui.CATALOGUE))
def test_required_properties_are_parameters_without_default(element: str) -> None:
    parameters = inspect.signature(builder(element)).parameters
    required = {name for name, known in ui.CATALOGUE[element].properties.items() if known.required}
    without_default = {
        name for name, known in parameters.items() if known.default is inspect.Parameter.empty and name != "children"
    }
    assert without_default <= required
    assert {parameters[name].default for name in required - without_default} <= {1, "bar"}  # heading level, chart kind


def test_texts_become_text_elements() -> None:
    assert ui.column("one").children[0] == ui.text("one")


def test_none_is_skipped_and_lists_are_flattened() -> None:
    tree = ui.row(None, ["a", ["b", None, (ui.text("c"),)]], (text for text in "de"))
    assert [child.props["value"] for child in tree.children] == list("abcde")


@pytest.mark.parametrize(
    ("child", "advice"),
    [
        (7, "ui.text(value)"),
        (False, "if condition else None"),
        (ui.text, "call the function"),
        ({"type": "text"}, "ui.text(value)"),
        (b"bytes", "ui.text(value)"),
    ],
    ids=["number", "bool", "function", "dict", "bytes"],
)
def test_other_children_are_refused_with_advice(child: Any, advice: str) -> None:
    with pytest.raises(RenderError) as caught:
        ui.column(child)
    assert advice in str(caught.value)


def test_a_list_that_holds_itself_is_refused() -> None:
    children: list[Any] = []
    children.append(children)
    with pytest.raises(RenderError, match="nested deeper"):
        ui.column(children)


def test_elements_without_children_refuse_them() -> None:
    with pytest.raises(RenderError, match="holds no children"):
        ui.element("text", "child", value="x")


def test_tabs_hold_tabs_only() -> None:
    with pytest.raises(RenderError, match=r"holds ui\.tab\(\.\.\.\) only, not ui\.text"):
        ui.tabs("not a tab")


@pytest.mark.parametrize(
    ("name", "nearest"), [("buton", "button"), ("colum", "column"), ("textfield", "text_field"), ("Text", "text")]
)
def test_an_unknown_element_is_told_the_nearest_name(name: str, nearest: str) -> None:
    with pytest.raises(UnknownElementError, match=f"did you mean '{nearest}'"):
        ui.element(name)


def test_an_unknown_property_is_told_the_nearest_name() -> None:
    with pytest.raises(UnknownElementError, match=r"ui\.button has no property 'on_pres'; did you mean 'on_press'"):
        ui.element("button", label="x", on_pres="reload")


def test_a_missing_property_is_named() -> None:
    with pytest.raises(RenderError, match=r"ui\.metric needs 'label'"):
        ui.element("metric", value=1)


def test_none_leaves_a_property_out() -> None:
    assert dict(ui.text("x", tone=None).props) == {"value": "x"}


def test_none_is_a_value_of_text_and_metric() -> None:
    assert ui.metric("Receita", None).props["value"] is None
    assert ui.text(None).props["value"] is None


def test_a_plugin_element_takes_any_plain_property_child_and_event() -> None:
    element = ui.element("acme.gauge", "child", key="g", limits=[0, Decimal("1.5")], on_turn="turn")
    assert dict(element.props) == {"limits": [0, Decimal("1.5")], "on_turn": {"handler": "turn", "arguments": []}}
    assert (element.type, element.key, len(element.children)) == ("acme.gauge", "g", 1)


@pytest.mark.parametrize(
    "props", [{"value": object()}, {"value": float("nan")}, {"_private": 1}, {"x" * 65: 1}, {"v": [[[[[[[1]]]]]]]}]
)
def test_a_plugin_element_refuses_what_does_not_cross(props: dict[str, Any]) -> None:
    with pytest.raises(RenderError):
        ui.element("acme.gauge", **props)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ui.heading("x", 7),
        lambda: ui.heading("x", True),
        lambda: ui.heading("x" * 1_001),
        lambda: ui.text("x" * 100_001),
        lambda: ui.text("\ud800"),
        lambda: ui.text(float("inf")),
        lambda: ui.text(Decimal("NaN")),
        lambda: ui.text(Decimal("1e999999999")),
        lambda: ui.text(10**5_000),
        lambda: ui.text([1]),  # type: ignore[arg-type]
        lambda: ui.text(b"x"),  # type: ignore[arg-type]
        lambda: ui.text("x", tone="red"),  # type: ignore[arg-type]
        lambda: ui.metric("x", 1, format="money"),  # type: ignore[arg-type]
        lambda: ui.metric("x", 1, currency="brl"),
        lambda: ui.metric("x", 1, change="up"),  # type: ignore[arg-type]
        lambda: ui.icon("Arrow Up"),
        lambda: ui.icon("arrow--up"),
        lambda: ui.icon("arrow-up\n"),
        lambda: ui.column(gap="huge"),  # type: ignore[arg-type]
        lambda: ui.row(wrap=1),  # type: ignore[arg-type]
        lambda: ui.tabs(selected=-1),
        lambda: ui.progress(2),
        lambda: ui.progress(0, maximum=0),
        lambda: ui.progress(float("nan")),
        lambda: ui.text_field("two words"),
        lambda: ui.text_field("x", value="long", max_length=3),
        lambda: ui.text_field("x", max_length=0),
        lambda: ui.text_field("x", kind="color"),  # type: ignore[arg-type]
        lambda: ui.number_field("x", minimum=2, maximum=1),
        lambda: ui.number_field("x", value=3, maximum=2),
        lambda: ui.number_field("x", value=1.5, integer=True),
        lambda: ui.number_field("x", step=0),
        lambda: ui.select_field("x", ["a", "a"]),
        lambda: ui.select_field("x", ["a"], value="b"),
        lambda: ui.select_field("x", [1], value=True),
        lambda: ui.select_field("x", ["a"], value=["a"]),
        lambda: ui.select_field("x", ["a"], value="a", multiple=True),
        lambda: ui.select_field("x", [("a", "b", "c")]),  # type: ignore[list-item]
        lambda: ui.select_field("x", [1.5]),  # type: ignore[list-item]
        lambda: ui.select_field("x", list(range(5_001))),
        lambda: ui.date_field("x", value=datetime.datetime(2024, 1, 1)),  # noqa: DTZ001
        lambda: ui.date_field("x", minimum=datetime.date(2024, 1, 2), maximum=datetime.date(2024, 1, 1)),
        lambda: ui.checkbox_field("x", value="yes"),  # type: ignore[arg-type]
    ],
)
def test_a_property_that_does_not_hold_what_it_may_is_refused(make: Any) -> None:
    with pytest.raises(RenderError):
        make()


@pytest.mark.parametrize(
    "src",
    ["https://example.com/a.png", "https://example.com:8443/a?b=%20c", "data:image/png;base64,iVBORw0KGgo="],
)
def test_images_come_over_https_or_as_data(src: str) -> None:
    assert ui.image(src, alt="").props["src"] == src


@pytest.mark.parametrize(
    "src",
    [
        "http://example.com/a.png",
        "//example.com/a.png",
        "/a.png",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://user@example.com/a.png",
        "https://example.com\\@evil.example/a.png",
        "https://example.com/a b.png",
        "https://example.com/a.png\n",
        "https:///a.png",
        "https://EXAMPLE.com/a.png",
        "data:text/html;base64,PGI+",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:image/png,raw",
        "https://example.com/" + "a" * 2_048,
    ],
)
def test_other_addresses_of_images_are_refused(src: str) -> None:
    with pytest.raises(RenderError, match="https://"):
        ui.image(src, alt="")


def test_subclasses_of_plain_types_arrive_as_their_base() -> None:
    class Tone(StrEnum):
        GOOD = "success"

    class Level(IntEnum):
        TOP = 1

    element = ui.text(Level.TOP, tone=Tone.GOOD)  # type: ignore[arg-type]
    assert [type(value) for value in element.props.values()] == [int, str]


def test_elements_do_not_change() -> None:
    element = ui.text("x")
    with pytest.raises(AttributeError):
        setattr(element, "key", "y")  # noqa: B010 - as an author would, past the type checker
    with pytest.raises(TypeError):
        element.props["value"] = "y"  # type: ignore[index]


def test_what_an_author_changes_later_does_not_reach_the_element() -> None:
    rows = [{"a": 1}]
    table = ui.table(rows)
    rows[0]["a"] = 2
    rows.append({"a": 3})
    assert table.props["rows"] == [{"a": 1}]


def test_a_repr_names_the_element_without_its_content() -> None:
    assert repr(ui.column("a", "b", key="k")) == "<Element column 'k' of 2>"


@pytest.mark.parametrize("key", ["", "a.b", "a b", "é", "x" * 65, 1.5, True, 2**64])
def test_keys_are_short_names_or_numbers(key: Any) -> None:
    with pytest.raises(RenderError, match="key"):
        ui.text("x", key=key)


def test_a_message_never_repeats_large_data() -> None:
    with pytest.raises(RenderError) as caught:
        ui.heading("x" * 1_000_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "value",
    [10**5_000, {"a": 10**5_000}, object(), float("nan")],
    ids=["huge", "huge inside", "object", "nan"],
)
@pytest.mark.parametrize("element", sorted(ui.CATALOGUE))
def test_no_value_breaks_a_builder_otherwise_than_by_its_own_error(element: str, value: Any) -> None:
    spec = ui.CATALOGUE[element]
    for name in spec.properties:
        with pytest.raises(PlataformaError):
            ui.element(element, **{name: value})
