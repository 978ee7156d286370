"""The counter in WebAssembly text: the wire without any SDK."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import GuestError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.windows import UiEvent

REQUIRED = ("window.create", "events.subscribe[contador.zerar]")
EMITS = "events.emit[module.contador.mudou]"


@pytest.fixture
def package(wat_package):
    return wat_package


def test_it_answers_a_call_and_renders(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, contador):
            assert [await contador.call("somar") for _ in range(12)] == list(range(1, 13))
            tree = await contador.render()
            assert [node["type"] for node in tree["children"]] == ["metric", "button"]
            assert tree["children"][0]["props"] == {"label": "Total", "value": 12}

    run(main())


def test_a_press_reaches_its_handler(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, contador):
            await contador.render()
            revision = contador.windows["main"].revision
            await contador.dispatch(
                UiEvent(window_id="main", revision=revision, element_key="0.1", handler="somar", arguments=())
            )
            assert (await contador.render())["children"][0]["props"]["value"] == 1

    run(main())


@pytest.mark.parametrize("may_emit", [True, False])
def test_it_emits_what_it_may_and_receives_an_event(run, opened, package, may_emit):
    async def main():
        heard = []
        async with opened(package, grants=(*REQUIRED, *([EMITS] if may_emit else []))) as (host, contador):
            host.events.subscribe("module.contador.*", lambda event: heard.append((event.topic, event.data)))
            await contador.call("somar")
            await host.events.emit("contador.zerar")
            assert (await contador.render())["children"][0]["props"]["value"] == 0
            await asyncio.sleep(0.01)
        assert heard == ([("module.contador.mudou", 1), ("module.contador.mudou", 0)] if may_emit else [])

    run(main())


def test_an_unknown_method_is_its_own_error(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, contador):
            with pytest.raises(GuestError, match="no such method"):
                await contador.call("sumir")
            assert await contador.call("somar") == 1

    run(main())


def test_it_loads_from_an_archive_and_from_a_file_with_a_manifest_beside_it(run, opened, package, tmp_path):
    async def main():
        archive = ModulePackage.from_directory(package).write(tmp_path / "contador.zip")
        (tmp_path / "contador.wasm").write_bytes((package / "contador.wasm").read_bytes())
        (tmp_path / "contador.toml").write_text((package / "module.toml").read_text())
        for path in (archive, tmp_path / "contador.wasm"):
            async with opened(str(path), grants=REQUIRED) as (_host, contador):
                assert await contador.call("somar") == 1

    run(main())


def test_a_module_of_one_instance_for_each_load(run, opened, package):
    """Nothing is shared: a second instance begins at zero, and is reloaded from the same machine code."""

    async def main():
        async with opened(package, grants=REQUIRED) as (_host, contador):
            await contador.call("somar")
            await contador.reload()
            assert await contador.call("somar") == 1
            assert contador.usage.memory_bytes == 4 * 65_536

    run(main())
