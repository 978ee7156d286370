"""Opening, changing and closing windows."""

from __future__ import annotations

import logging
from typing import Any, NoReturn

import pytest

from plataforma_sdk.errors import ModuleStateError, QuotaExceededError, RenderError
from plataforma_sdk.windows import Window, WindowManager


@pytest.fixture
def windows() -> WindowManager:
    return WindowManager()


def tree(text: object = "Vendas", **props: Any) -> dict[str, Any]:
    return {"type": "text", "key": "0", "props": {"value": text, **props}, "children": []}


def test_a_window_opens_with_its_settings(windows: WindowManager) -> None:
    window = windows.create("vendas", "detail", title="Cliente", width=960, height=640, modal=True)
    assert (window.id, window.module, window.title, window.width, window.height, window.modal) == (
        "detail",
        "vendas",
        "Cliente",
        960,
        640,
        True,
    )
    assert (window.is_open, window.is_dirty, window.revision, window.tree) == (True, True, 0, None)


def test_the_settings_of_the_wire_are_taken(windows: WindowManager) -> None:
    settings = {"id": "main", "title": "Vendas", "width": 800, "height": 600, "modal": False}
    assert windows.create("vendas", **settings) is windows.get("vendas", "main")


def test_an_id_is_unique_within_the_module_only(windows: WindowManager) -> None:
    windows.create("vendas", title="Vendas")
    windows.create("estoque", title="Estoque")
    with pytest.raises(ModuleStateError, match="'main' of module 'vendas' is open already"):
        windows.create("vendas", title="Again")


def test_an_id_is_free_once_its_window_is_closed(windows: WindowManager) -> None:
    first = windows.create("vendas", title="Vendas")
    windows.close("vendas", "main")
    second = windows.create("vendas", title="Vendas")
    assert (first.is_open, second.is_open, second.revision) == (False, True, 0)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"width": 0}, "width is a whole number"),
        ({"width": 10_001}, "width is a whole number"),
        ({"height": 1.5}, "height is a whole number"),
        ({"height": True}, "height is a whole number"),
        ({"modal": 1}, "modal is True or False"),
        ({"title": ""}, "title"),
        ({"title": "\u200b\u202e"}, "title"),
        ({"title": 7}, "title"),
        ({"id": ""}, "its id"),
        ({"id": "a/b"}, "its id"),
        ({"id": "a" * 65}, "its id"),
        ({"id": "main\n"}, "its id"),
        ({"id": 7}, "its id"),
    ],
)
def test_settings_are_checked(windows: WindowManager, settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(RenderError, match=problem) as caught:
        windows.create("vendas", **{"title": "Vendas", **settings})
    assert caught.value.module == "vendas"
    assert len(windows) == 0


def test_a_title_cannot_disguise_itself(windows: WindowManager) -> None:
    """Source: CVE-2021-42574, bidi controls make a text read as another one."""
    window = windows.create("vendas", title="Ven\u202edas\x1b\n" + "x" * 300)
    assert window.title.startswith("Vendas x")
    assert len(window.title) == 200


def test_a_module_may_open_so_many_and_no_more(windows: WindowManager) -> None:
    for number in range(32):
        windows.create("vendas", f"w{number}", title="Vendas")
    with pytest.raises(QuotaExceededError, match="32 of 32 windows"):
        windows.create("vendas", "another", title="Vendas")
    windows.create("estoque", title="Estoque")


def test_of_and_iteration_yield_open_windows_in_order(windows: WindowManager) -> None:
    for module, window_id in (("vendas", "b"), ("estoque", "main"), ("vendas", "a")):
        windows.create(module, window_id, title="x")
    windows.create("vendas", "gone", title="x")
    windows.close("vendas", "gone")
    assert [window.id for window in windows.of("vendas")] == ["b", "a"]
    assert ([window.id for window in windows], len(windows)) == (["b", "main", "a"], 3)


def test_windows_may_be_closed_while_iterating(windows: WindowManager) -> None:
    for window_id in "abc":
        windows.create("vendas", window_id, title="x")
    for window in windows:
        windows.close(window.module, window.id)
    assert len(windows) == 0


def test_find_answers_none_where_get_raises(windows: WindowManager) -> None:
    assert windows.find("vendas", "main") is None
    with pytest.raises(ModuleStateError, match="no open window 'main'"):
        windows.get("vendas", "main")


def test_update_changes_settings(windows: WindowManager) -> None:
    windows.create("vendas", title="Vendas")
    window = windows.update("vendas", "main", title="Vendas 2024", width=1_000)
    assert (window.title, window.width, window.height) == ("Vendas 2024", 1_000, 600)


def test_update_leaves_the_title_alone(windows: WindowManager) -> None:
    windows.create("vendas", title="Vendas")
    assert windows.update("vendas", "main", height=700).title == "Vendas"


@pytest.mark.parametrize("changes", [{"width": 0}, {"color": "red"}, {"id": "other"}, {"is_open": False}])
def test_update_changes_all_or_nothing(windows: WindowManager, changes: dict[str, Any]) -> None:
    windows.create("vendas", title="Vendas")
    with pytest.raises(RenderError):
        windows.update("vendas", "main", **{"title": "New", **changes})
    assert windows.get("vendas", "main").title == "Vendas"


def test_update_of_a_closed_window_is_refused(windows: WindowManager) -> None:
    with pytest.raises(ModuleStateError):
        windows.update("vendas", "main", title="New")


@pytest.mark.parametrize(("window_id", "dirty"), [("a", ["a"]), (None, ["a", "b"]), ("gone", [])])
def test_invalidate_marks_windows_dirty(windows: WindowManager, window_id: str | None, dirty: list[str]) -> None:
    for name in "ab":
        windows.create("vendas", name, title="x")
        windows.show("vendas", name, tree())
    windows.invalidate("vendas", window_id)
    assert [window.id for window in windows if window.is_dirty] == dirty


def test_show_gives_the_tree_a_revision(windows: WindowManager) -> None:
    windows.create("vendas", title="Vendas")
    revisions = [windows.show("vendas", "main", tree(text)).revision for text in ("a", "b", "a")]
    window = windows.get("vendas", "main")
    assert (revisions, window.tree, window.is_dirty) == ([1, 2, 3], tree("a"), False)


def test_the_same_tree_again_keeps_its_revision(windows: WindowManager) -> None:
    windows.create("vendas", title="Vendas")
    assert [windows.show("vendas", "main", tree()).revision for _ in range(3)] == [1, 1, 1]


def test_one_and_true_are_not_the_same_tree(windows: WindowManager) -> None:
    windows.create("vendas", title="Vendas")
    assert [windows.show("vendas", "main", tree(value)).revision for value in (1, True, 1.0)] == [1, 2, 3]


def test_close_twice_and_dispose_leave_nothing(windows: WindowManager) -> None:
    closed = [windows.create("vendas", window_id, title="x") for window_id in "ab"]
    kept = windows.create("estoque", title="x")
    windows.close("vendas", "a")
    windows.close("vendas", "a")
    windows.dispose("vendas")
    assert [window.is_open for window in (*closed, kept)] == [False, False, True]
    assert list(windows) == [kept]


def test_watchers_are_told_of_every_change(windows: WindowManager) -> None:
    seen: list[tuple[str, str, int, bool]] = []
    subscription = windows.on_change(lambda w: seen.append((w.id, w.title, w.revision, w.is_open)))
    windows.create("vendas", title="A")
    windows.update("vendas", "main", title="B")
    windows.show("vendas", "main", tree())
    windows.show("vendas", "main", tree())
    windows.close("vendas", "main")
    subscription.unsubscribe()
    windows.create("vendas", title="C")
    assert seen == [("main", "A", 0, True), ("main", "B", 0, True), ("main", "B", 1, True), ("main", "B", 1, False)]


def test_a_watcher_that_fails_stops_nobody(windows: WindowManager, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Window) -> NoReturn:
        raise ZeroDivisionError

    seen: list[Window] = []
    windows.on_change(fail)
    windows.on_change(seen.append)
    with caplog.at_level(logging.ERROR):
        windows.create("vendas", title="A")
    assert (len(seen), caplog.records[0].name) == (1, "plataforma_sdk.windows")


def test_a_watcher_may_end_its_own_subscription(windows: WindowManager) -> None:
    seen: list[Window] = []

    def once(window: Window) -> None:
        seen.append(window)
        subscription.unsubscribe()

    subscription = windows.on_change(once)
    windows.create("vendas", title="A")
    windows.create("estoque", title="B")
    assert len(seen) == 1
