"""Charts are pictures with their figures at hand; texts follow the language."""

from __future__ import annotations

from collections.abc import Callable

from plataforma_sdk import codec, ui
from tests.e2e.desktop.views.view import View


def test_chart_is_a_picture_with_its_figures_at_hand(open_view: Callable[..., View]) -> None:
    """The picture says what it shows; the figures are one press away."""
    view = open_view("tree=vendas&theme=dark")
    picture = view.page.get_by_role("img", name="Receita por mês: de 30 a 42 mil")

    view.page.get_by_role("button", name="Mostrar números").click()

    assert picture.get_attribute("src") == "charts/0123abcd.svg?theme=dark"
    assert view.page.get_by_role("figure").first.get_by_role("grid").get_by_text("2024-12").is_visible()


def test_chart_whose_picture_fails_is_a_table(view: View) -> None:
    """As where nobody draws charts."""
    view.page.route("**/charts/**", lambda route: route.fulfill(status=200, content_type="image/svg+xml", body="no"))

    view.show(ui.chart({"jan": 1}, key="c"), charts={"0.c": {"digest": "abc", "alt": "x", "width": 9, "height": 9}})

    view.page.get_by_role("grid").get_by_text("jan").wait_for()


def test_texts_follow_the_language(view: View) -> None:
    """Figures, dates and our own words, at once and in place."""
    view.show(ui.text(codec.decode('{"$t":"decimal","v":"1234.50"}'), format="number"), ui.form(on_submit="x"))

    view.page.evaluate("fake.setLocale('en')")

    assert view.page.locator(".pv-text").text_content() == "1,234.50"
    assert view.page.get_by_role("button", name="Send").is_visible()
