"""Tables of any length, sorted, searched, paged and read by keyboard."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.desktop.views.view import View


def test_ten_thousand_rows_are_scrolled_by_keyboard(open_view: Callable[..., View]) -> None:
    """Only what is seen is in the document; each key goes where it says; Enter chooses."""
    view = open_view("tree=big_table")
    grid = view.page.get_by_role("grid", name="Vendas")
    seen = []

    grid.focus()
    for key in ("End", "ArrowUp", "PageUp", "Home", "ArrowDown"):
        view.page.keyboard.press(key)
        seen.append(
            view.page.evaluate(
                "document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).cells[0].textContent"
            )
        )
    view.page.keyboard.press("Enter")

    assert [seen[0], seen[1], seen[3], seen[4]] == ["12.000", "11.999", "1", "2"]
    assert int(seen[2].replace(".", "")) < 11_999 - 5
    assert view.wait_for_events(1) == [("linha", [], 2)]
    assert view.page.locator("tbody tr").count() < 80
    assert grid.get_attribute("aria-rowcount") == "12001"


def test_table_sorts_filters_and_keeps_both_through_a_patch(open_view: Callable[..., View]) -> None:
    """Order, search, choice and place are the person's; a row that changes moves where it belongs."""
    view = open_view("tree=big_table")
    first = view.page.locator("tbody:not(.pv-spacer) tr").first

    view.page.get_by_role("button", name="Nº").click()
    view.page.get_by_role("button", name="Nº").click()
    view.page.get_by_role("searchbox").fill("ARAUJO joao")
    view.page.get_by_text("400 linhas (de 12.000)").wait_for()
    sort = view.page.get_by_role("columnheader", name="Nº").get_attribute("aria-sort")
    before = first.text_content()
    row = {"id": 20_000, "data": None, "cliente": "João Araújo", "pais": "Brasil", "total": None}
    view.patch({"op": "rows", "key": "0.t", "prop": "rows", "splice": [[5, 0, [row]]]})

    assert sort == "descending"
    assert before != first.text_content()
    assert "João Araújo" in (first.text_content() or "")


def test_rows_that_come_above_do_not_move_what_is_read(open_view: Callable[..., View]) -> None:
    """The row at the upper edge stays there."""
    view = open_view("tree=big_table")
    scroller = view.page.locator(".pv-table-scroll")
    scroller.evaluate("box => { box.scrollTop = 36 * 500; }")
    top = """box => {
        const {x, y} = box.getBoundingClientRect();
        return document.elementFromPoint(x + 40, y + 60).parentElement.textContent;
    }"""
    view.page.wait_for_timeout(50)
    before = scroller.evaluate(top)
    rows = [{"id": 50_000 + place, "cliente": "novo"} for place in range(7)]

    view.patch({"op": "rows", "key": "0.t", "prop": "rows", "splice": [[0, 0, rows]]})

    assert scroller.evaluate(top) == before


def test_pages_are_turned(open_view: Callable[..., View]) -> None:
    """And counted in the person's language."""
    view = open_view("tree=vendas")

    view.page.get_by_role("button", name="Próxima página").click()

    assert view.page.get_by_text("21–40 de 412 linhas").is_visible()
    assert view.page.locator(".pv-grid:visible tbody:not(.pv-spacer) tr").count() == 20
