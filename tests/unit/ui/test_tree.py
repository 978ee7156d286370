"""Trees: written by a module, checked by the host."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk import codec, ui
from plataforma_sdk.errors import PlataformaError, RenderError, TreeLimitError, UnknownElementError


def nested(levels: int, leaf: ui.Element | None = None) -> ui.Element:
    element = leaf if leaf is not None else ui.text("leaf")
    for _ in range(levels - 1):
        element = ui.column(element)
    return element


def sample() -> dict[str, Any]:
    return ui.to_data(
        ui.column(
            ui.metric("Receita", 1.5, format="currency"),
            ui.table([{"id": 1}], row_key="id", on_select="open"),
            ui.form(ui.text_field("nome"), on_submit="save", key="f"),
        )
    )


def test_a_node_has_type_key_props_and_children() -> None:
    assert ui.to_data(ui.row("a")) == {
        "type": "row",
        "key": "0",
        "props": {},
        "children": [{"type": "text", "key": "0.0", "props": {"value": "a"}, "children": []}],
    }


def test_a_key_is_the_place_or_the_one_given() -> None:
    tree = ui.to_data(ui.column("a", ui.row("b", ui.badge("c", key="new")), ui.card("d", key=7)))
    assert [node["key"] for node in ui.walk(tree)] == ["0", "0.0", "0.1", "0.1.0", "0.1.new", "0.#7", "0.#7.0"]


def test_a_keyed_element_keeps_its_key_when_others_come_before_it() -> None:
    keyed = ui.badge("c", key="new")
    assert ui.to_data(ui.row(keyed))["children"][0]["key"] == ui.to_data(ui.row("a", keyed))["children"][1]["key"]


def test_two_siblings_with_one_key_are_refused() -> None:
    with pytest.raises(RenderError, match="have the key '7'"):
        ui.to_data(ui.column(ui.text("a", key=7), ui.text("b", key="7")))


def test_a_number_as_key_never_equals_a_place() -> None:
    keys = [node["key"] for node in ui.walk(ui.to_data(ui.column("a", ui.text("b", key=0))))]
    assert keys == ["0", "0.0", "0.#0"]


def test_one_key_may_stand_under_different_parents() -> None:
    tree = ui.to_data(ui.column(ui.row(ui.text("a", key="x")), ui.row(ui.text("b", key="x"))))
    keys = [node["key"] for node in ui.walk(tree)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("text", "ui.text(...)"),
        ([], "ui.column(*elements)"),
        (None, "return` missing"),
        ({}, "ui.column(...)"),
        (3, "ui.column(...)"),
    ],
    ids=["str", "list", "none", "dict", "number"],
)
def test_a_view_that_returns_no_element_is_told_what_to_return(value: Any, advice: str) -> None:
    with pytest.raises(RenderError) as caught:
        ui.to_data(value, module="vendas")
    assert advice in str(caught.value)
    assert caught.value.module == "vendas"


def test_too_many_nodes_are_a_tree_limit() -> None:
    with pytest.raises(TreeLimitError) as caught:
        ui.to_data(ui.column(*"abc"), max_nodes=3, module="vendas")
    error = caught.value
    assert (error.resource, error.used, error.limit, error.unit, error.module) == (
        "tree_nodes",
        4,
        3,
        "nodes",
        "vendas",
    )


def test_as_many_nodes_as_allowed_pass() -> None:
    assert len(list(ui.walk(ui.to_data(ui.column(*"abc"), max_nodes=4)))) == 4


def test_a_shared_subtree_counts_as_often_as_it_stands() -> None:
    element = ui.text("x")
    for _ in range(20):
        element = ui.column(element, element)
    with pytest.raises(TreeLimitError):
        ui.to_data(element, max_nodes=1_000)


def test_a_tree_too_deep_is_a_tree_limit() -> None:
    with pytest.raises(TreeLimitError) as caught:
        ui.to_data(nested(25))
    assert (caught.value.resource, caught.value.unit) == ("tree_depth", "levels")


def test_an_endless_tree_is_refused_before_the_stack_ends() -> None:
    with pytest.raises(TreeLimitError):
        ui.to_data(nested(50_000))


@pytest.mark.parametrize(
    "leaf",
    [
        ui.button("x", on_press=ui.action("h", [[[[[1]]]]])),
        ui.element("acme.x", v=[[[[[[2**60]]]]]]),
        ui.table([{"d": 2**60}]),
    ],
    ids=["action", "plugin", "table"],
)
def test_the_deepest_tree_fits_into_the_codec(leaf: ui.Element) -> None:
    tree = ui.to_data(nested(ui.MAX_TREE_DEPTH, leaf))
    enveloped = {"result": [tree]}
    assert codec.decode(codec.encode(enveloped)) == enveloped


def test_a_form_refuses_two_fields_of_one_name() -> None:
    with pytest.raises(RenderError, match="two fields 'nome'"):
        ui.to_data(ui.form(ui.text_field("nome"), ui.row(ui.checkbox_field("nome"))))


def test_a_form_refuses_a_form_inside() -> None:
    with pytest.raises(RenderError, match="inside the form"):
        ui.to_data(ui.form(ui.column(ui.form())))


def test_a_node_is_found_by_its_whole_key() -> None:
    tree = sample()
    found = ui.find_element(tree, "0.f.0")
    assert found is not None
    assert found["props"]["name"] == "nome"


def test_a_node_is_found_by_the_key_its_author_gave_if_it_is_the_only_one() -> None:
    tree = sample()
    found = ui.find_element(tree, "f")
    assert found is not None
    assert found["type"] == "form"
    twice = ui.to_data(ui.column(ui.row(ui.text("a", key="x")), ui.row(ui.text("b", key="x"))))
    assert ui.find_element(twice, "x") is None


# --- the host's side ---


def test_a_tree_passes_its_own_check_unchanged() -> None:
    tree = sample()
    assert ui.validate_tree(codec.decode(codec.encode(tree))) == tree


def test_what_may_be_left_out_is_filled_in() -> None:
    assert ui.validate_tree({"type": "column", "children": [{"type": "divider"}]}) == ui.to_data(
        ui.column(ui.divider())
    )


def change(path: list[Any], value: Any) -> Any:
    tree: Any = copy.deepcopy(sample())
    node = tree
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return tree


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (None, RenderError),
        ("text", RenderError),
        ([], RenderError),
        ({}, UnknownElementError),
        (change(["type"], "script"), UnknownElementError),
        (change(["type"], ["column"]), UnknownElementError),
        (change(["html"], "<b>"), RenderError),
        (change(["key"], "../x"), RenderError),
        (change(["key"], 7), RenderError),
        (change(["children"], {"a": 1}), RenderError),
        (change(["children", 0, "props"], []), RenderError),
        (change(["children", 0, "key"], "0"), RenderError),
        (change(["children", 0, "props", "format"], "money"), RenderError),
        (change(["children", 0, "props", "label"], None), RenderError),
        (change(["children", 0, "props", "onclick"], "x"), UnknownElementError),
        (change(["children", 1, "props", "rows"], [{"id": {"nested": 1}}]), RenderError),
        (change(["children", 1, "props", "on_select"], {"handler": "__class__"}), RenderError),
        (change(["children", 1, "props", "on_select"], {"handler": "open", "code": "x"}), RenderError),
        (change(["children", 0, "children"], [{"type": "divider"}]), RenderError),
        (change(["children", 2, "children"], [{"type": "form"}]), RenderError),
    ],
)
def test_an_untrusted_tree_is_refused(data: Any, error: type[PlataformaError]) -> None:
    with pytest.raises(error):
        ui.validate_tree(data, module="vendas")


def test_an_untrusted_tree_of_too_many_nodes_is_a_tree_limit() -> None:
    data = {"type": "column", "children": [{"type": "divider"}] * 100}
    with pytest.raises(TreeLimitError):
        ui.validate_tree(data, max_nodes=100)


def test_an_untrusted_tree_too_deep_is_a_tree_limit() -> None:
    data: dict[str, Any] = {"type": "divider"}
    for _ in range(5_000):
        data = {"type": "column", "children": [data]}
    with pytest.raises(TreeLimitError):
        ui.validate_tree(data)


def test_a_plugin_element_passes_where_the_host_knows_it() -> None:
    data = {"type": "acme.gauge", "props": {"value": 1}}
    assert ui.validate_tree(data)["type"] == "acme.gauge"
    assert ui.validate_tree(data, plugin_elements={"acme.gauge"})["type"] == "acme.gauge"
    with pytest.raises(UnknownElementError, match="no plugin"):
        ui.validate_tree(data, plugin_elements=set())


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(sorted({name for spec in ui.CATALOGUE.values() for name in (*spec.properties, *spec.events)}))
nodes = st.recursive(
    st.fixed_dictionaries({"type": st.sampled_from(sorted(ui.CATALOGUE)), "props": st.dictionaries(names, plain)}),
    lambda inner: st.fixed_dictionaries(
        {
            "type": st.sampled_from(["column", "row", "tabs", "tab", "list", "form", "acme.x"]),
            "children": st.lists(inner, max_size=3),
        }
    ),
    max_leaves=5,
)


@given(nodes | plain)
def test_any_data_is_either_a_tree_or_refused_with_our_error(data: Any) -> None:
    try:
        tree = ui.validate_tree(data)
    except PlataformaError:
        return
    assert ui.validate_tree(tree) == tree
    ui.render_text(tree)


# --- the budget of one render ---


def test_the_budget_is_raised_where_the_module_can_catch_it() -> None:
    with ui.node_budget(3, module="vendas"):
        try:
            ui.column(*"abc")
        except TreeLimitError as error:
            tree = ui.alert(f"{error.used} of {error.limit}")
    assert ui.to_data(tree)["props"]["text"] == "4 of 3"


def test_elements_are_unbounded_outside_a_budget() -> None:
    with ui.node_budget(1):
        pass
    assert len(ui.column(*"abc").children) == 3


def test_budgets_nest() -> None:
    with ui.node_budget(1):
        with ui.node_budget(5):
            ui.column(*"abc")
        with pytest.raises(TreeLimitError):
            ui.column(*"abc")
