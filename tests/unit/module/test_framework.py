"""`ModuleFramework`: what an author sees."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk import ui
from plataforma_sdk.errors import PermissionDeniedError, TransportError
from plataforma_sdk.module import FRAMEWORK_NAMES, ModuleContext, ModuleFramework
from tests.unit.module.conftest import Vendas


def test_on_load_and_render_are_what_an_author_must_write():
    class Half(ModuleFramework):
        def render(self):
            return ui.text("half")

    with pytest.raises(TypeError, match="on_load"):
        Half(ModuleContext.fake())


def test_an_init_need_not_call_super(vendas):
    assert (vendas.id, vendas.seen) == ("vendas", [])


def test_a_module_knows_who_it_is():
    module = Vendas(ModuleContext.fake(id="acme/vendas", version="2.0.0", locale="pt-BR", config={"top": 3}))
    assert (module.id, module.version, module.locale, module.config["top"]) == ("acme/vendas", "2.0.0", "pt-BR", 3)


def test_configuration_and_windows_are_read_only(vendas):
    with pytest.raises(TypeError):
        vendas.config["top"] = 1
    with pytest.raises(TypeError):
        vendas.windows["main"] = None


def test_emit_stands_in_the_modules_namespace(vendas, context):
    vendas.emit("saved", {"id": 7})
    assert context.bridge.events == [("module.vendas.saved", {"id": 7})]


def test_a_subscription_ends_once(vendas, context):
    subscription = vendas.subscribe("data.saved", vendas.on_event)
    subscription.unsubscribe()
    subscription.unsubscribe()
    assert [method for method, _ in context.bridge.calls] == ["events.subscribe", "events.unsubscribe"]


def test_a_handler_is_a_function(vendas):
    with pytest.raises(TypeError, match="without \\(\\)"):
        vendas.subscribe("data.saved", "on_event")


def test_a_window_is_the_modules_while_it_is_open(vendas, context):
    window = vendas.create_window(title="Vendas", width=960)
    assert vendas.windows == {"main": window}
    assert context.bridge.windows["main"] == {
        "id": "main", "title": "Vendas", "width": 960, "height": 600, "modal": False
    }  # fmt: skip
    window.update(title="Novo")
    window.close()
    window.close()
    assert (window.title, window.is_open, dict(vendas.windows), context.bridge.windows) == ("Novo", False, {}, {})


def test_a_window_that_is_refused_does_not_exist():
    module = Vendas(ModuleContext.fake())
    with pytest.raises(PermissionDeniedError, match=r"window\.create"):
        module.create_window(title="no")
    assert dict(module.windows) == {}


def test_options_of_a_call_that_were_not_given_stay_off_the_wire(vendas, context, run):
    context.bridge.api["/vendas/resumo"] = lambda options: options
    assert run(vendas.api_call("/vendas/resumo")) == {"method": "GET"}
    assert run(vendas.api_call("/vendas/resumo", params={"a": 1}, headers={"accept": "x"}, json=[])) == {
        "method": "GET",
        "params": {"a": 1},
        "json": [],
        "headers": {"accept": "x"},
    }


def test_an_api_without_an_answer_says_how_to_give_one(vendas, run):
    with pytest.raises(TransportError, match="fake\\(api="):
        run(vendas.api_call("/vendas/nada"))


def test_parameters_of_a_query_are_a_list_or_a_mapping(vendas, context, run):
    run(vendas.query("SELECT ?", (1,)))
    run(vendas.execute("DELETE", {"id": 1}))
    assert context.bridge.calls == [("database.query", ["SELECT ?", [1]]), ("database.execute", ["DELETE", {"id": 1}])]


def test_storage_and_clipboard_work_in_memory(vendas, context, run):
    async def main():
        await vendas.storage.set("b", {"n": 1})
        await vendas.storage.set("a", None)
        await vendas.clipboard.write("text")
        await vendas.notify("Vendas", "3 novas")
        found = [await vendas.storage.keys(), await vendas.storage.get("b"), await vendas.clipboard.read()]
        return [*found, await vendas.storage.delete("b"), await vendas.storage.delete("b")]

    assert run(main()) == [["a", "b"], {"n": 1}, "text", True, False]
    assert context.bridge.notifications == [("Vendas", "3 novas")]


def test_translation_replaces_names_and_walks_no_attributes(vendas, context):
    """CWE-134: `str.format` would read attributes of its arguments."""
    context.messages = {"hello": "Olá, {name}{name.__class__}{gone}"}
    assert vendas.t("hello", name="Ana") == "Olá, Ana{name.__class__}{gone}"
    assert vendas.t("unknown.key") == "unknown.key"


def test_permissions_are_asked_and_required(vendas, run):
    assert vendas.permissions.has("system.storage")
    assert not vendas.permissions.has("window.modal")
    with pytest.raises(PermissionDeniedError):
        vendas.permissions.require("window.modal")
    assert run(vendas.permissions.request("window.modal", "to ask")) is False


def test_a_timer_is_a_subscription(vendas, context):
    with vendas.every(60, vendas.on_press):
        pass
    assert context.bridge.calls == [("timers.start", [1, 60]), ("timers.stop", [1])]


def test_the_optional_hooks_do_nothing(context):
    class Plain(ModuleFramework):
        async def on_load(self): ...

        def render(self):
            return ui.text("")

    async def main():
        module = Plain(context)
        return [await module.on_unload(), await module.on_reload({}), await module.on_upgrade("0.1.0")]

    assert asyncio.run(main()) == [None, None, None]


def test_the_frameworks_names_are_those_of_the_design():
    assert {
        "on_load", "render", "on_unload", "on_reload", "on_upgrade", "id", "version", "config", "locale", "windows",
        "permissions", "storage", "clipboard", "emit", "subscribe", "register_endpoint", "create_window", "invalidate",
        "every", "log", "t", "api_call", "query", "execute", "notify", "request", "asset",
    } <= FRAMEWORK_NAMES  # fmt: skip
