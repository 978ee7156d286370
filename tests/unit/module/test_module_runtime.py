"""`ModuleRuntime`: how the host calls a module."""

from __future__ import annotations

import inspect

import pytest

from plataforma_sdk import ui
from plataforma_sdk.errors import ModuleError, PermissionDeniedError, RenderError, TreeLimitError
from plataforma_sdk.module import ModuleContext, ModuleFramework, ModuleRuntime
from plataforma_sdk.types import ApiRequest, Event
from tests.unit.module.conftest import ALL, Vendas


@pytest.fixture
def runtime(context):
    made = ModuleRuntime(context)
    made.start(Vendas)
    return made


@pytest.fixture
def ask(runtime, run):
    """Dispatch as an engine does, and wait for the result."""

    def ask(function, *args, **kwargs):
        async def main():
            result = runtime.dispatch(function, list(args), kwargs)
            return await result if inspect.isawaitable(result) else result

        return run(main())

    return ask


def test_the_module_is_bound_to_its_runtime(runtime, context):
    assert context.runtime is runtime
    assert runtime.module.id == "vendas"


def test_public_names_are_the_authors_methods(runtime):
    assert runtime.public_names() == {"add", "later", "static", "on_event", "on_press"}


@pytest.mark.parametrize("name", ["_private", "__init__", "on_load", "emit", "limit", "seen", "storage", "nope"])
def test_no_other_name_is_reachable(runtime, name):
    with pytest.raises(ModuleError, match="no public method"):
        runtime.dispatch(name, [], {})


def test_plain_async_and_static_methods_are_called(ask):
    assert [ask("add", 1, b=5), ask("later"), ask("static")] == [6, "later", "static"]


def test_an_instance_attribute_does_not_stand_in_for_a_method(runtime):
    runtime.module.sneaked = lambda: "in"
    with pytest.raises(ModuleError, match="no public method"):
        runtime.dispatch("sneaked", [], {})


def test_the_lifecycle_reaches_the_module(ask, runtime):
    ask("@upgrade", "0.9.0")
    ask("@load")
    assert runtime.module.seen == ["0.9.0", "load"]
    ask("@resume", {"seen": ["old"]})
    assert runtime.module.seen == ["old"]
    assert ask("@unload") is None


def test_the_hand_over_is_public_state_that_crosses(ask, runtime):
    runtime.module.total, runtime.module._own, runtime.module.odd = 3, "private", {1, 2}
    assert ask("@state") == {"seen": [], "total": 3}


def test_getstate_chooses_the_hand_over(context):
    class Chosen(Vendas):
        def __getstate__(self):
            return "chosen"

    runtime = ModuleRuntime(context)
    runtime.start(Chosen)
    assert runtime.dispatch("@state", [], {}) == "chosen"


def test_a_render_is_plain_data(ask):
    tree = ask("@render", "main")
    assert (tree["type"], type(tree["props"])) == ("text", dict)


def test_each_window_has_its_view(ask, runtime):
    runtime.module.create_window(title="side", id="side", view=lambda: ui.heading("side"))
    runtime.module.create_window(title="main")
    assert [ask("@render", name)["type"] for name in ("side", "main")] == ["heading", "text"]


def rendering(context, view):
    class Shown(Vendas):
        def render(self):
            return view(self)

    runtime = ModuleRuntime(context)
    runtime.start(Shown)
    return lambda: runtime.dispatch("@render", ["main"], {})


def test_a_view_changes_nothing(context):
    with pytest.raises(RenderError, match=r"events\.emit"):
        rendering(context, lambda module: module.emit("now"))()


def test_a_view_may_log_and_look(context):
    def view(module):
        module.log("info", "rendering")
        return ui.text(str(module.permissions.has("events.emit")))

    assert rendering(context, view)()["type"] == "text"


def test_what_a_view_raised_does_not_stay(context):
    render = rendering(context, lambda module: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        render()
    context.runtime.module.emit("after")
    assert context.bridge.events == [("module.vendas.after", None)]


def test_a_view_never_waits(context):
    async def view():
        return ui.text("late")

    with pytest.raises(RenderError, match="never waits"):
        rendering(context, lambda module: view())()


def test_the_budget_of_a_tree_is_raised_inside_the_view():
    context = ModuleContext.fake(permissions=ALL)
    context.max_tree_nodes = 5

    def view(module):
        try:
            return ui.column([ui.text(str(n)) for n in range(50)])
        except TreeLimitError:
            return ui.text("fewer")

    assert rendering(context, view)()["type"] == "text"


def test_events_reach_their_handler_and_reply_only_where_asked(ask, runtime):
    runtime.module.subscribe("data.saved", runtime.module.on_event)
    event = Event("data.saved", 1, None, 1, ()).to_data()
    assert [ask("@event", 1, event, True), ask("@event", 1, event, False), ask("@event", 99, event, True)] == [
        "reply", None, None
    ]  # fmt: skip
    assert runtime.module.seen == ["data.saved", "data.saved"]


def test_an_ended_subscription_hears_no_more(ask, runtime):
    runtime.module.subscribe("data.saved", runtime.module.on_event).unsubscribe()
    assert ask("@event", 1, Event("data.saved").to_data(), True) is None


def test_a_refused_subscription_keeps_no_handler(run):
    runtime = ModuleRuntime(ModuleContext.fake())
    runtime.start(Vendas)
    for register in (
        lambda: runtime.module.subscribe("data.saved", runtime.module.on_event),
        lambda: runtime.module.emit("saved"),
    ):
        with pytest.raises(PermissionDeniedError):
            register()
    assert runtime._handlers == {}


def test_an_endpoint_gets_a_request(ask, runtime):
    async def answer(request):
        return [type(request).__name__, request.caller]

    runtime.module.register_endpoint("/vendas/resumo", answer)
    request = ApiRequest("GET", "/vendas/resumo", caller="painel")
    assert ask("@endpoint", 1, request.to_data()) == ["ApiRequest", "painel"]


def test_a_timer_calls_its_handler(ask, runtime):
    runtime.module.every(1, runtime.module.on_press)
    ask("@timer", 1)
    ask("@timer", 99)
    assert runtime.module.seen == [[None]]


def test_an_element_with_input_passes_its_value(ask, runtime):
    ask("@ui", "main", "on_press", [1, 2], False, None)
    ask("@ui", "main", "on_press", [3], True, "text")
    assert runtime.module.seen == [[1, 2, None], [3, "text"]]


def test_a_window_that_the_person_closed_is_closed(ask, runtime):
    window = runtime.module.create_window(title="main")
    ask("@closed", "main")
    ask("@closed", "gone")
    assert (window.is_open, dict(runtime.module.windows)) == (False, {})


def test_an_unknown_function_of_the_host_is_an_error(runtime):
    with pytest.raises((KeyError, ModuleError)):
        runtime.dispatch("@nothing", [], {})


def test_a_class_of_its_own_is_needed(context):
    runtime = ModuleRuntime(context)
    with pytest.raises(TypeError):
        runtime.start(ModuleFramework)
