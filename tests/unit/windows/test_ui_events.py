"""Which of a person's actions reach a module."""

from __future__ import annotations

from typing import Any

import pytest

from plataforma_sdk import ui
from plataforma_sdk.errors import ModuleStateError, UnknownHandlerError
from plataforma_sdk.windows import AcceptedEvent, UiEvent, WindowManager


@pytest.fixture
def windows() -> WindowManager:
    manager = WindowManager()
    manager.create("vendas", title="Vendas")
    return manager


def show(windows: WindowManager, *children: ui.Element, session: str | None = "ana") -> int:
    """Show a column, and return its revision."""
    tree = ui.to_data(ui.column(*children))
    return windows.show("vendas", "main", tree, session=session).revision


def button(handler: str = "add", *arguments: Any, key: str = "plus", disabled: bool | None = None) -> ui.Element:
    return ui.button("+", on_press=ui.action(handler, *arguments), key=key, disabled=disabled)


def press(
    windows: WindowManager,
    revision: int,
    *arguments: Any,
    handler: str = "add",
    key: str = "plus",
    session: str = "ana",
) -> AcceptedEvent:
    return windows.accept("vendas", UiEvent("main", revision, key, handler, arguments), session=session)


def enter(windows: WindowManager, revision: int, value: Any, *, handler: str = "enter") -> AcceptedEvent:
    return windows.accept("vendas", UiEvent("main", revision, "field", handler, (), value), session="ana")


def test_an_action_of_the_current_tree_is_accepted(windows: WindowManager) -> None:
    revision = show(windows, button("add", 3, {"id": "a"}))
    expected = AcceptedEvent(handler="add", arguments=(3, {"id": "a"}), has_value=False, value=None)
    assert press(windows, revision, 3, {"id": "a"}) == expected


def test_an_element_is_found_by_its_whole_key_too(windows: WindowManager) -> None:
    revision = show(windows, button())
    assert press(windows, revision, key="0.plus").handler == "add"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"handler": "remove"}, "no such handler"),
        ({"handler": "on_load"}, "no such handler"),
        ({"arguments": ()}, "no such handler"),
        ({"arguments": (True,)}, "no such handler"),
        ({"arguments": (1.0,)}, "no such handler"),
        ({"arguments": (1, 2)}, "no such handler"),
        ({"element_key": "minus"}, "no such handler"),
        ({"element_key": "missing"}, "no such handler"),
        ({"element_key": ""}, "no such handler"),
        ({"value": 7}, "carry no value"),
        ({"revision": 0}, "revision 0"),
        ({"revision": 2}, "revision 2"),
        ({"revision": -1}, "revision -1"),
        ({"window_id": "other"}, "no open window"),
    ],
)
def test_what_was_not_sent_is_refused(windows: WindowManager, changes: dict[str, Any], problem: str) -> None:
    revision = show(windows, button("add", 1), button("subtract", 1, key="minus"))
    sent = {"window_id": "main", "revision": revision, "element_key": "plus", "handler": "add", "arguments": (1,)}
    with pytest.raises(UnknownHandlerError, match=problem) as caught:
        windows.accept("vendas", UiEvent(**{**sent, **changes}), session="ana")
    assert caught.value.module == "vendas"


def test_another_module_s_window_is_not_reached(windows: WindowManager) -> None:
    revision = show(windows, button())
    windows.create("estoque", title="Estoque")
    with pytest.raises(UnknownHandlerError):
        windows.accept("estoque", UiEvent("main", revision, "plus", "add"), session="ana")


def test_a_closed_window_is_not_reached(windows: WindowManager) -> None:
    revision = show(windows, button())
    windows.close("vendas", "main")
    with pytest.raises(UnknownHandlerError, match="no open window"):
        press(windows, revision)


def test_only_a_session_that_was_sent_the_tree_may_act_on_it(windows: WindowManager) -> None:
    revision = show(windows, button(), session="ana")
    with pytest.raises(UnknownHandlerError, match="not sent to this session"):
        press(windows, revision, session="rui")
    windows.mark_sent("vendas", "main", "rui")
    assert press(windows, revision, session="rui").handler == "add"


def test_a_tree_that_nobody_was_sent_is_acted_on_by_nobody(windows: WindowManager) -> None:
    revision = show(windows, button(), session=None)
    with pytest.raises(UnknownHandlerError):
        press(windows, revision)


def test_a_session_that_has_ended_is_forgotten(windows: WindowManager) -> None:
    revision = show(windows, button())
    windows.forget_session("ana")
    with pytest.raises(UnknownHandlerError):
        press(windows, revision)


def test_mark_sent_needs_an_open_window_and_a_tree(windows: WindowManager) -> None:
    windows.mark_sent("vendas", "main", "ana")
    show(windows, button(), session=None)
    with pytest.raises(UnknownHandlerError):
        press(windows, 1)
    with pytest.raises(ModuleStateError):
        windows.mark_sent("vendas", "other", "ana")


def test_the_last_four_revisions_count(windows: WindowManager) -> None:
    revisions = [show(windows, button(), ui.text(str(number))) for number in range(5)]
    with pytest.raises(UnknownHandlerError, match="not among the last"):
        press(windows, revisions[0])
    for revision in revisions[1:]:
        assert press(windows, revision).handler == "add"


def test_renders_that_change_nothing_do_not_outrun_a_person(windows: WindowManager) -> None:
    revision = show(windows, button())
    for _ in range(10):
        show(windows, button())
    assert press(windows, revision).handler == "add"


def test_old_trees_and_sessions_are_not_kept(windows: WindowManager) -> None:
    for number in range(20):
        show(windows, ui.text(str(number)), session=f"session-{number}")
    history = windows.get("vendas", "main").history
    assert (len(history._snapshots), len(history._sent)) == (4, 4)


def test_an_action_that_stands_in_the_current_tree_no_more_is_refused(windows: WindowManager) -> None:
    revision = show(windows, button("remove", 7))
    show(windows, button("remove", 8))
    with pytest.raises(UnknownHandlerError, match="no more"):
        press(windows, revision, 7, handler="remove")


def test_an_action_that_moved_within_the_tree_is_accepted(windows: WindowManager) -> None:
    """A key by place is another one once something is inserted above."""
    press_me = ui.button("x", on_press=ui.action("remove", 7))
    revision = show(windows, press_me)
    show(windows, ui.text("new"), press_me)
    assert press(windows, revision, 7, handler="remove", key="0.0").arguments == (7,)


def test_an_action_that_moved_to_another_kind_of_element_is_refused(windows: WindowManager) -> None:
    revision = show(windows, ui.button("x", on_press=ui.action("open"), key="plus"))
    show(windows, ui.card(on_press=ui.action("open"), key="plus"))
    with pytest.raises(UnknownHandlerError, match="no more"):
        press(windows, revision, handler="open")


def test_a_disabled_element_is_refused(windows: WindowManager) -> None:
    revision = show(windows, button())
    show(windows, button(disabled=True))
    with pytest.raises(UnknownHandlerError, match="disabled"):
        press(windows, revision)


def test_a_value_that_fits_is_handed_over(windows: WindowManager) -> None:
    revision = show(windows, ui.number_field("age", minimum=0, on_change=ui.action("enter"), key="field"))
    accepted = enter(windows, revision, 42)
    assert (accepted.has_value, accepted.value) == (True, 42)


def test_an_empty_field_hands_over_none(windows: WindowManager) -> None:
    revision = show(windows, ui.number_field("age", on_change=ui.action("enter"), key="field"))
    accepted = enter(windows, revision, None)
    assert (accepted.has_value, accepted.value) == (True, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (ui.number_field("f", minimum=0, on_change="enter", key="field"), -1),
        (ui.number_field("f", maximum=9, on_change="enter", key="field"), 10),
        (ui.number_field("f", integer=True, on_change="enter", key="field"), 1.5),
        (ui.number_field("f", on_change="enter", key="field"), "1"),
        (ui.number_field("f", on_change="enter", key="field"), True),
        (ui.text_field("f", max_length=3, on_change="enter", key="field"), "four"),
        (ui.text_field("f", on_change="enter", key="field"), 4),
        (ui.text_field("f", on_change="enter", key="field"), "two\nlines"),
        (ui.select_field("f", ["a", "b"], on_change="enter", key="field"), "c"),
        (ui.select_field("f", [1, 2], on_change="enter", key="field"), True),
        (ui.checkbox_field("f", on_change="enter", key="field"), "yes"),
        (ui.date_field("f", on_change="enter", key="field"), "tomorrow"),
        (ui.text_field("f", on_change="enter", disabled=True, key="field"), "x"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_value_that_does_not_fit_is_refused(windows: WindowManager, field: ui.Element, value: Any) -> None:
    revision = show(windows, field)
    with pytest.raises(UnknownHandlerError, match="does not fit"):
        enter(windows, revision, value)


def test_a_value_has_to_fit_the_current_element(windows: WindowManager) -> None:
    revision = show(windows, ui.select_field("f", ["a", "b"], on_change="enter", key="field"))
    show(windows, ui.select_field("f", ["b", "c"], on_change="enter", key="field"))
    assert enter(windows, revision, "b").value == "b"
    with pytest.raises(UnknownHandlerError, match="does not fit"):
        enter(windows, revision, "a")


def test_a_form_hands_over_its_fields(windows: WindowManager) -> None:
    fields = ui.text_field("name"), ui.number_field("age", maximum=150)
    revision = show(windows, ui.form(*fields, on_submit=ui.action("save"), key="field"))
    assert enter(windows, revision, {"name": "Ana", "age": 40}, handler="save").value == {"name": "Ana", "age": 40}
    for value in ({"name": "Ana", "age": 151}, {"name": "Ana", "role": "admin"}, "Ana", None):
        with pytest.raises(UnknownHandlerError, match="does not fit"):
            enter(windows, revision, value, handler="save")


def test_one_handler_for_two_events_of_a_field_is_accepted(windows: WindowManager) -> None:
    field = ui.text_field("f", on_change=ui.action("enter"), on_submit=ui.action("enter"), key="field")
    assert enter(windows, show(windows, field), "x").value == "x"


def test_a_ui_event_survives_the_wire() -> None:
    event = UiEvent("main", 3, "0.plus", "add", (1, {"a": [2]}), 7)
    assert UiEvent.from_data(event.to_data()) == event


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"window_id": "main", "revision": True, "element_key": "k", "handler": "h", "arguments": []},
        {"window_id": "main", "revision": 1, "element_key": 7, "handler": "h", "arguments": []},
        {"window_id": "main", "revision": 1, "element_key": "k", "handler": "h", "arguments": "abc"},
    ],
)
def test_what_is_no_ui_event_is_refused(data: Any) -> None:
    with pytest.raises(UnknownHandlerError, match="A UI event has"):
        UiEvent.from_data(data)


def test_the_value_may_be_left_out_on_the_wire() -> None:
    data = {"window_id": "main", "revision": 1, "element_key": "k", "handler": "h", "arguments": []}
    assert UiEvent.from_data(data) == UiEvent("main", 1, "k", "h")
