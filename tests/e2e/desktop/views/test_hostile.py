"""What a hostile module may try changes nothing outside its window."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.desktop.views.view import View


def hostile_tree() -> dict[str, Any]:
    markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    rtl = "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe\N{RIGHT-TO-LEFT EMBEDDING}"

    def node(key: str, type_: str, props: dict[str, Any], *children: dict[str, Any]) -> dict[str, Any]:
        return {"type": type_, "key": key, "props": props, "children": list(children)}

    deep = node("deep26", "text", {"value": "fundo"})
    for level in range(25, 0, -1):
        deep = node(f"deep{level}", "column", {}, deep)
    return node(
        "__proto__",
        "column",
        {"gap": markup, "__proto__": {"polluted": True}},
        node("a", markup, {"onclick": "document.title=3"}, node("a0", "text", {"value": markup})),
        node("b", "constructor", {}),
        node("c", "image", {"src": "javascript:document.title=4", "alt": markup}),
        node("d", "image", {"src": "data:image/svg+xml,<svg onload='document.title=5'/>", "alt": ""}),
        node("e", "text", {"value": "x" * 100_000}),
        node("f", "text", {"value": rtl}),
        node("g", "icon", {"name": "__proto__", "label": markup}),
        node("h", "button", {"label": markup, "tone": "x pv-overlay"}),
        node("i", "text_field", {"name": "__proto__", "label": rtl, "kind": "file", "value": markup}),
        node(
            "j",
            "table",
            {"rows": [{"constructor": markup}], "columns": [{"name": "constructor"}, {"name": "toString"}]},
        ),
        node("k", "form", {}, node("k0", "text_field", {"name": "n"}), node("k1", "text_field", {"name": "n"})),
        node("l", "chart", {"data": [], "kind": "bar", "x": "x", "y": ["y"], "title": markup}),
        node("m", "modal", {"title": markup, "size": "x"}),
        deep,
    )


def test_hostile_tree_changes_nothing_outside_its_window(view: View) -> None:
    """Markup is text, addresses that are no images are not loaded, and nothing is drawn beyond the window."""
    outside = (
        "[document.title, document.head.outerHTML, document.body.children.length, document.body.lastChild.nodeName]"
    )
    before = view.page.evaluate(outside)

    view.show_data(hostile_tree(), {"l": {"digest": "../../x", "alt": "", "width": "9px;}", "height": "1"}})
    view.page.wait_for_timeout(200)

    assert view.page.evaluate(outside) == before
    assert (
        view.page.evaluate(
            "document.querySelectorAll('.pv-view :is(script, iframe, style, a, [onclick], [style*=url])').length"
        )
        == 0
    )
    assert (
        view.page.evaluate("document.querySelectorAll('.pv-view img').length") == 1
    )  # the chart's, without an address
    assert view.page.evaluate("document.querySelector('.pv-view img').src") == ""
    assert view.page.evaluate("({}).polluted") is None
    assert view.page.evaluate(
        "(page => page.scrollWidth <= innerWidth && page.scrollHeight <= innerHeight)(document.documentElement)"
    )
    assert view.page.evaluate("getComputedStyle(document.querySelector('.pv-view')).contain") == "strict"
    cell = view.page.locator("td").all_text_contents()
    assert json.dumps(cell).count("function") == 0


def test_events_of_a_prototype_are_none(view: View) -> None:
    """A property that a node inherits is not its action."""
    view.show_data({"type": "button", "key": "0", "props": {"label": "Ir"}, "children": []})

    view.page.get_by_role("button", name="Ir").click()

    assert view.events == []
