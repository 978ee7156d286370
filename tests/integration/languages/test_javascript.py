"""The list in JavaScript: QuickJS as a component on the world ``plataforma:module``."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import subprocess
from datetime import date
from decimal import Decimal

import pytest

from plataforma_sdk.errors import GuestError, SandboxError
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.windows import UiEvent

from .conftest import EXAMPLES

REQUIRED = ("window.create", "system.storage", "events.subscribe[agenda.lembrete]")
TELLS = "events.emit[module.tarefas.feita]"


@pytest.fixture
def package(js_package):
    return js_package


def texts(tree):
    return [row["children"][0]["props"]["value"] for row in tree["children"][1:]]


def test_it_answers_calls_and_renders(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, tarefas):
            assert [await tarefas.call("anotar", text) for text in ("café ☕", "pão")] == [1, 2]
            assert texts(await tarefas.render()) == ["café ☕", "pão"]

    run(main())


@pytest.mark.parametrize("may_tell", [True, False])
def test_a_press_reaches_its_handler_and_is_told_where_it_may_be(run, opened, package, may_tell):
    async def main():
        heard = []
        async with opened(package, grants=(*REQUIRED, *([TELLS] if may_tell else []))) as (host, tarefas):
            host.events.subscribe("module.tarefas.feita", lambda event: heard.append(event.data))
            await tarefas.call("anotar", "pão")
            await tarefas.render()
            revision = tarefas.windows["main"].revision
            press = UiEvent(
                window_id="main", revision=revision, element_key="0.1.1", handler="concluir", arguments=(0,)
            )
            await tarefas.dispatch(press)
            assert texts(await tarefas.render()) == ["✓ pão"]
            await asyncio.sleep(0.01)
        assert heard == ([{"texto": "pão"}] if may_tell else [])

    run(main())


def test_an_event_is_kept_and_there_after_a_reload(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (host, tarefas):
            await host.events.emit("agenda.lembrete", {"texto": "ligar"})
            await tarefas.reload()
            assert texts(await tarefas.render()) == ["ligar"]

    run(main())


VALUES = [
    None,
    True,
    0,
    1.5,
    'ü\n"😀',
    [1, [2]],
    {"$t": "x", "a": None},
    b"\x00\xff\x10",
    b"",
    b"ab",
    2**70,
    Decimal("1.50"),
]


def test_values_of_every_kind_cross_both_ways(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, tarefas):
            assert await tarefas.call("eco", *VALUES, date(2026, 1, 2)) == [*VALUES, date(2026, 1, 2)]

    run(main())


def test_a_generator_sleeps_and_others_go_on(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, tarefas):
            slow = asyncio.create_task(tarefas.call("esperar", 0.05))
            await asyncio.sleep(0)
            assert await tarefas.call("eco", 1) == [1]
            assert not slow.done()
            assert await slow == "pronto"

    run(main())


def test_a_cancelled_call_ends_in_the_module(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, tarefas):
            slow = asyncio.create_task(tarefas.call("esperar", 60))
            await asyncio.sleep(0.01)
            slow.cancel()
            with pytest.raises(asyncio.CancelledError):
                await slow
            await asyncio.sleep(0.2)
            assert await tarefas.call("eco", 1) == [1]
            assert tarefas.restarts == 0

    run(main())


def test_an_error_of_the_host_is_caught_by_its_code(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, tarefas):
            assert await tarefas.call("tentar", "clipboard.read") == "PermissionDeniedError"
            assert await tarefas.call("tentar", "storage.get", "x") is None

    run(main())


def test_an_error_of_the_module_says_where(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, tarefas):
            with pytest.raises(GuestError, match=r"TypeError.*anotar takes a text") as caught:
                await tarefas.call("anotar", 7)
            assert any("anotar" in line for line in caught.value.traceback)
            with pytest.raises(GuestError, match="no method dispatch"):
                await tarefas.call("dispatch", "eco", [])

    run(main())


def test_configuration_arrives_and_instances_draw_their_own_numbers(run, opened, package):
    async def main():
        numbers = set()
        for _ in range(2):
            async with opened(package, grants=REQUIRED, config={"tarefas": {"maximo": 1}}) as (_host, tarefas):
                numbers.add(await tarefas.call("sorteio"))
                await tarefas.call("anotar", "uma") if not texts(await tarefas.render()) else None
                with pytest.raises(GuestError, match="RangeError"):
                    await tarefas.call("anotar", "duas")
        assert len(numbers) == 2

    run(main())


def test_the_console_goes_to_the_log(run, opened, package, caplog):
    async def main():
        with caplog.at_level(logging.INFO, "plataforma_sdk.module"):
            async with opened(package, grants=REQUIRED):
                pass

    run(main())
    assert "tarefas: 0 tarefas" in caplog.messages


def test_a_text_too_large_for_its_memory_ends_the_instance_and_not_the_module(run, opened, package):
    """QuickJS aborts where it cannot allocate, so this is a crash and not a limit; the module goes on, anew."""

    async def main():
        limits = ResourceLimits(max_memory_bytes=8 * 2**20, max_step_ms=5_000)
        async with opened(package, grants=REQUIRED, limits=limits) as (_host, tarefas):
            with pytest.raises(SandboxError):
                await tarefas.call("eco", *["x" * 1_000_000] * 3)
            await asyncio.sleep(0.5)
            assert await tarefas.call("eco", 1) == [1]
            assert tarefas.restarts == 1

    run(main())


@pytest.mark.usefixtures("package")
def test_the_module_of_the_how_to_builds_and_answers(run, opened, tmp_path):
    page = (EXAMPLES.parent / "docs" / "how-to" / "modules-in-javascript.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"^```js\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    example = EXAMPLES / "js-tarefas"
    (tmp_path / "tarefas.js").write_text(source)
    shutil.copy(example / "plataforma.js", tmp_path)
    path = f"{example / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
    world = EXAMPLES.parent / "src" / "plataforma_sdk" / "sandbox" / "wasm" / "guest" / "wit"
    command = ["componentize-qjs", "--sync", "--minify", "--wit", world, "--js", "tarefas.js", "-o", "tarefas.wasm"]
    environment = {**os.environ, "PATH": path}
    tool = shutil.which(command[0], path=path)
    subprocess.run([tool, *command[1:]], cwd=tmp_path, check=True, timeout=60, env=environment)
    permissions = ("window.create", "system.storage", "events.subscribe[contador.zerar]")
    required = "".join(f'"{name}" = "x"\n' for name in permissions)
    (tmp_path / "module.toml").write_text(
        f'id = "contador"\nversion = "1.0.0"\nentry = "tarefas.wasm"\n[permissions.required]\n{required}'
        '[events]\nconsumed = ["contador.zerar"]\n'
    )

    async def main():
        async with opened(tmp_path, grants=permissions) as (host, module):
            assert [await module.call("somar", n) for n in (2, 3)] == [2, 5]
            assert (await module.render())["children"][0]["props"] == {"label": "Total", "value": 5}
            await host.events.emit("contador.zerar")
            assert await module.call("somar") == 1

    run(main())
