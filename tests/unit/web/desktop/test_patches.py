"""What is sent of a tree that changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk import codec
from plataforma_sdk.web.desktop._patches import diff
from plataforma_sdk.web.desktop._splices import splices
from tests.unit.web.desktop.patching import apply

Tree = dict[str, Any]

_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([1.0, -0.0, 0.0, Decimal(1), Decimal("1.00"), "a", "b"]),
)
_ROWS = st.lists(st.fixed_dictionaries({"id": _VALUES}), max_size=6)
_PROPS = st.fixed_dictionaries({}, optional={"value": _VALUES, "label": _VALUES, "rows": _ROWS, "data": _ROWS})
_OWN_KEYS = st.lists(st.sampled_from("abcdef"), unique=True, max_size=4)


def node(key: str = "0", *children: Tree, type: str = "row", **props: Any) -> Tree:  # noqa: A002 - the wire's word
    return {"type": type, "key": key, "props": props, "children": list(children)}


@st.composite
def trees(draw: st.DrawFn, key: str = "0", depth: int = 2) -> Tree:
    own = draw(_OWN_KEYS) if depth else []
    children = [draw(trees(f"{key}.{name}", depth - 1)) for name in own]
    return node(key, *children, type=draw(st.sampled_from(["row", "column"])), **draw(_PROPS))


@given(trees(), trees())
def test_a_patch_makes_the_new_tree_of_the_old_one(old: Tree, new: Tree) -> None:
    operations = diff(old, new)

    if operations is None:
        assert old["type"] != new["type"]
    else:
        assert repr(codec.copy_value(new)) == _ordered(apply(old, operations), new)


def _ordered(made: Tree, like: Tree) -> str:
    """Write a tree with its properties in the order of another: their order means nothing, types mean much."""

    def ordered(made: Tree, like: Tree) -> Tree:
        assert made["props"].keys() == like["props"].keys()
        assert len(made["children"]) == len(like["children"])
        props = {name: made["props"][name] for name in like["props"]}
        children = [ordered(one, other) for one, other in zip(made["children"], like["children"], strict=True)]
        return {**made, "props": props, "children": children}

    return repr(ordered(made, like))


@given(trees())
def test_a_tree_that_did_not_change_needs_no_patch(tree: Tree) -> None:
    assert diff(tree, codec.copy_value(tree)) == []


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
def test_splices_make_the_new_list_of_the_old_one(old: list[int], new: list[int]) -> None:
    made = list(old)
    for start, deleted, items in splices(old, new):
        made[start : start + deleted] = items

    assert new == made


def test_one_row_of_five_thousand_is_sent_alone() -> None:
    rows = [{"id": number, "total": Decimal(number)} for number in range(5_000)]
    changed = [*rows[:2_500], {"id": 2_500, "total": Decimal("0.5")}, *rows[2_501:]]

    operations = diff(node(rows=rows), node(rows=changed))

    assert [{"op": "rows", "key": "0", "prop": "rows", "splice": [[2_500, 1, [changed[2_500]]]]}] == operations


def test_rows_that_slide_are_not_sent_again() -> None:
    rows = [{"id": number} for number in range(5_000)]

    assert splices(rows, [{"id": -1}, *rows[:-1]]) == [[4_999, 1, []], [0, 0, [{"id": -1}]]]


def test_a_child_that_went_to_the_front_is_moved_alone() -> None:
    children = [node(f"0.{name}") for name in "abcd"]

    assert diff(node("0", *children), node("0", children[3], *children[:3])) == [{"op": "move", "key": "0.d", "at": 0}]


def test_a_child_that_comes_between_two_that_changed_places_stands_there() -> None:
    old, new = node("0", node("0.d"), node("0.a")), node("0", node("0.a"), node("0.x"), node("0.d"))

    operations = diff(old, new)

    assert operations is not None
    assert new == apply(old, operations)


@pytest.mark.parametrize(
    ("old", "new"), [(1, 1.0), (1, True), (Decimal(1), Decimal("1.00")), (0.0, -0.0)], ids=lambda value: repr(value)
)
def test_values_that_are_equal_and_not_the_same_are_sent(old: object, new: object) -> None:
    operations = diff(node(value=old), node(value=new))

    assert operations is not None
    assert repr(new) == repr(operations[0]["set"]["value"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (node("0", node("0.a", node("x")), node("0.b")), node("0", node("0.a"), node("0.b", node("x")))),
        (node("0", node("0.a"), node("0.b", node("x"))), node("0", node("0.a", node("x")), node("0.b"))),
    ],
    ids=["later", "earlier"],
)
def test_a_guest_that_moves_a_key_to_another_parent_gets_a_patch_that_fits_or_none(old: Tree, new: Tree) -> None:
    operations = diff(old, new)

    assert operations is None or new == apply(old, operations)


def test_another_root_needs_the_whole_tree() -> None:
    assert diff(node(type="row"), node(type="column")) is None
