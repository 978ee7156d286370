"""Windows, views and what a person does in them."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import GuestError, PlataformaError, RenderError, TreeLimitError, UnknownHandlerError
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.windows import UiEvent

from ._suite import case, module

WINDOWS = ("window.create",)

SHOP = module(
    """
    async def on_load(self):
        self.count = 0
        self.words = []
        self.create_window(title="Shop", width=640, height=480)
        self.side = self.create_window(id="side", title="Side", view=self.render_side)

    def render(self):
        return ui.column(
            ui.text(str(self.count)),
            ui.button("+", on_press=ui.action(self.add, 3), key="plus"),
            ui.text_field("word", label="Word", on_change=self.write, max_length=5, key="word"),
        )

    def render_side(self):
        return ui.text(", ".join(self.words))

    def add(self, n):
        self.count += n

    async def write(self, value):
        await asyncio.sleep(0)
        self.words.append(value)

    def _hidden(self):
        self.count = -1

    def change(self):
        self.side.update(title="Other", width=300)
        return [self.side.title, self.windows["side"].title]

    def shut(self):
        self.side.close()
        self.side.close()
        return [self.side.is_open, sorted(self.windows)]

    def probe(self):
        return [self.count, self.words, self.side.is_open, sorted(self.windows)]
    """
)


def texts(tree):
    """Collect the texts of a tree, top to bottom."""
    own = [tree["props"]["value"]] if tree["type"] == "text" else []
    return own + [text for child in tree.get("children", ()) for text in texts(child)]


@case(SHOP, permissions=WINDOWS)
async def test_windows_open_with_what_was_asked_for(host, handle):
    shown = {window.id: (window.title, window.width, window.height, window.modal) for window in handle.windows.values()}
    assert shown == {"main": ("Shop", 640, 480, False), "side": ("Side", 800, 600, False)}
    assert {window.id for window in host.windows.of("probe")} == {"main", "side"}


@case(SHOP, permissions=WINDOWS)
async def test_each_window_shows_its_view(host, handle):
    await handle.call("write", "olá")
    assert texts(await handle.render()) == ["0"]
    assert texts(await handle.render("side")) == ["olá"]


@case(module("def render(self):\n    return ui.text('no window')"))
async def test_a_module_without_a_window_still_renders(host, handle):
    tree = await handle.render()
    assert (tree["type"], texts(tree)) == ("text", ["no window"])


CHARTS = module(
    """
    ROWS = [{"country": "Brasil", "total": 2}, {"country": "Chile", "total": 1}]

    def draw(self, **x):
        vega = {"mark": "bar", "encoding": {"x": {"field": "country", **x}, "y": {"field": "total"}}}
        return ui.chart(self.ROWS, vega=vega)

    def render(self):
        return self.draw(sort="-y")

    def run(self):
        try:
            self.draw(axis={"labelExpr": "datum.label"})
        except RenderError as error:
            return str(error)
    """,
    head="from plataforma_sdk.errors import RenderError",
)


@case(CHARTS)
async def test_a_chart_brings_its_own_specification_and_no_expression(host, handle):
    props = (await handle.render())["props"]
    assert props["vega"]["encoding"]["x"] == {"field": "country", "sort": "-y"}
    assert "expressions are not run" in await handle.call("run")


@case(SHOP, permissions=WINDOWS)
async def test_a_window_changes_and_closes(host, handle):
    assert await handle.call("change") == ["Other", "Other"]
    assert (handle.windows["side"].title, handle.windows["side"].width) == ("Other", 300)
    assert await handle.call("shut") == [False, ["main"]]
    assert list(handle.windows) == ["main"]


@case(SHOP, permissions=WINDOWS)
async def test_what_a_person_does_reaches_its_handler(host, handle):
    await handle.render()
    revision = handle.windows["main"].revision
    await handle.dispatch(UiEvent("main", revision, "plus", "add", (3,), None))
    await handle.render()
    await handle.dispatch(UiEvent("main", handle.windows["main"].revision, "word", "write", (), "olá"))
    assert (await handle.call("probe"))[:2] == [3, ["olá"]]


FORGED = {
    "another handler": ("plus", "_hidden", (), None),
    "other arguments": ("plus", "add", (1_000_000,), None),
    "another element": ("minus", "add", (3,), None),
    "the framework": ("plus", "on_load", (), None),
    "a value that is too long": ("word", "write", (), "much too long"),
    "a value of another type": ("word", "write", (), 7),
}


@case(SHOP, permissions=WINDOWS)
async def test_what_does_not_stand_in_the_tree_is_refused(host, handle):
    await handle.render()
    revision = handle.windows["main"].revision
    for element, handler, arguments, value in FORGED.values():
        with pytest.raises(UnknownHandlerError):
            await handle.dispatch(UiEvent("main", revision, element, handler, arguments, value))
    with pytest.raises(UnknownHandlerError):
        await handle.dispatch(UiEvent("main", revision, "plus", "add", (3,), None), session="another")
    assert (await handle.call("probe"))[:2] == [0, []]


@case(SHOP, permissions=WINDOWS)
async def test_a_watcher_sees_a_window_after_each_change_only(host, handle):
    shown = asyncio.Queue()
    with handle.watch(lambda window: shown.put_nowait((window.id, texts(window.tree)))):
        first = [await shown.get(), await shown.get()]
        for _ in range(5):
            await handle.call("add", 1)
        await shown.get()
        latest = await shown.get()
    assert sorted(first) == [("main", ["0"]), ("side", [""])]
    assert latest[0] in {"main", "side"}
    assert shown.qsize() <= 2  # five calls, one frame


@case(
    module(
        """
        async def on_load(self):
            self.create_window(title="One")

        def probe(self):
            self.invalidate()
            self.invalidate("main")
            return [self.windows["main"].id, self.windows["main"].is_open]
        """
    ),
    permissions=WINDOWS,
)
async def test_a_module_asks_for_a_new_render(host, handle):
    await handle.render()
    handle.windows["main"].is_dirty = False
    assert await handle.call("probe") == ["main", True]
    assert handle.windows["main"].is_dirty


@case(module("def probe(self):\n    for n in range(2):\n        self.create_window(title=str(n))"), permissions=WINDOWS)
async def test_a_window_id_is_open_once(host, handle):
    with pytest.raises(PlataformaError, match="main"):
        await handle.call("probe")
    assert list(handle.windows) == ["main"]


VIEWS = module(
    """
    async def on_load(self):
        self.kind = "text"

    def choose(self, kind):
        self.kind = kind

    def render(self):
        self.log("debug", "rendering")
        if self.kind == "emits":
            self.emit("from a view")
        if self.kind == "fails":
            return ui.text(1 // 0)
        if self.kind == "nothing":
            return None
        if self.kind == "catches":
            try:
                self.emit("from a view")
            except RenderError as error:
                return ui.text("caught")
        return ui.text(str(self.permissions.has("events.emit")))
    """,
    head="from plataforma_sdk import RenderError",
)


@case(VIEWS, permissions=("events.emit",))
async def test_a_view_reads_and_changes_nothing(host, handle):
    assert texts(await handle.render()) == ["True"]
    await handle.call("choose", "emits")
    with pytest.raises(RenderError, match="while it rendered"):
        await handle.render()
    await handle.call("choose", "catches")
    assert texts(await handle.render()) == ["caught"]


@case(VIEWS, permissions=("events.emit",))
async def test_a_view_that_fails_is_a_fault_of_the_module(host, handle):
    await handle.call("choose", "fails")
    with pytest.raises(GuestError) as caught:
        await handle.render()
    assert caught.value.type_name == "ZeroDivisionError"
    await handle.call("choose", "nothing")
    with pytest.raises(RenderError):
        await handle.render()
    await handle.call("choose", "text")
    assert texts(await handle.render()) == ["True"]


@case(module("async def render(self):\n    return ui.text('late')"))
async def test_a_view_never_waits(host, handle):
    with pytest.raises(RenderError, match="never waits"):
        await handle.render()


BUILDS = {
    "unknown element": "ui.element('nonsense')",
    "a number as a child": "ui.column(7)",
    "an unknown property": "ui.text('x', colour='red')",
    "a script as an address": "ui.image('javascript:alert(1)', alt='x')",
    "a lambda as a handler": "ui.button('x', on_press=lambda: None)",
}


@case(
    module(
        "def render(self):\n    return self.build()\n\ndef choose(self, name):\n    self.chosen = name\n\n"
        "def build(self):\n    return {name: view for name, view in VIEWS}[self.chosen]()",
        head="VIEWS = [" + ", ".join(f"({name!r}, lambda: {text})" for name, text in BUILDS.items()) + "]",
    )
)
async def test_an_element_outside_the_catalogue_is_refused(host, handle):
    for name in BUILDS:
        await handle.call("choose", name)
        with pytest.raises((RenderError, GuestError)):
            await handle.render()


GROWS = module(
    """
    async def on_load(self):
        self.careful = False

    def be_careful(self):
        self.careful = True

    def render(self):
        if not self.careful:
            return self.rows()
        try:
            return self.rows()
        except TreeLimitError as error:
            return ui.text(str([error.resource, error.limit, error.unit]))

    def rows(self):
        return ui.column([ui.text(str(n)) for n in range(200)])
    """,
    head="from plataforma_sdk import TreeLimitError",
)


@case(GROWS, limits=ResourceLimits(max_tree_nodes=50))
async def test_a_tree_limit_can_be_caught_in_the_view(host, handle):
    with pytest.raises(TreeLimitError) as caught:
        await handle.render()
    assert (caught.value.resource, caught.value.limit, caught.value.module) == ("tree_nodes", 50, "probe")
    await handle.call("be_careful")
    assert texts(await handle.render()) == ["['tree_nodes', 50, 'nodes']"]
    assert (handle.state, handle.restarts) == ("active", 0)


@case(SHOP, permissions=WINDOWS)
async def test_a_window_that_the_person_closes_is_closed_for_the_module(host, handle):
    await handle.close_window("side")
    await handle.close_window("gone")
    assert (await handle.call("probe"))[2:] == [False, ["main"]]
