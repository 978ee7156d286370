"""The stock in C: the header-only SDK, wasi-libc, awaited calls of the host."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import subprocess

import pytest

from plataforma_sdk.errors import GuestError, PermissionDeniedError, QuotaExceededError
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.windows import UiEvent

from .conftest import EXAMPLES

REQUIRED = ("window.create", "system.storage", "events.subscribe[pedido.criado]")
WARNS = "events.emit[module.estoque.baixo]"


@pytest.fixture
def package(c_package):
    return c_package


def rows(tree):
    return tree["children"][1]["props"]["rows"]


def test_it_answers_calls_and_renders(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, estoque):
            assert await estoque.call("adicionar", "café", 2) == 2
            assert await estoque.call("adicionar", "café", 3) == 5
            assert await estoque.call("adicionar", 'aspas " e \\ 😀\n', 1) == 1
            assert rows(await estoque.render()) == [
                {"item": "café", "quantidade": 5},
                {"item": 'aspas " e \\ 😀\n', "quantidade": 1},
            ]

    run(main())


@pytest.mark.parametrize("may_warn", [True, False])
def test_it_receives_orders_and_warns_where_it_may(run, opened, package, may_warn):
    async def main():
        heard = []
        async with opened(package, grants=(*REQUIRED, *([WARNS] if may_warn else []))) as (host, estoque):
            host.events.subscribe("module.estoque.baixo", lambda event: heard.append(event.data))
            await estoque.call("adicionar", "café", 5)
            await host.events.emit("pedido.criado", {"item": "café", "quantidade": 4})
            assert rows(await estoque.render()) == [{"item": "café", "quantidade": 1}]
            await asyncio.sleep(0.01)
        assert heard == ([{"item": "café", "resta": 1}] if may_warn else [])

    run(main())


def test_what_it_keeps_is_there_after_a_reload(run, opened, package):
    """`storage.set` and `storage.get` are awaited: the call is answered in a later pump."""

    async def main():
        async with opened(package, grants=REQUIRED) as (_host, estoque):
            await estoque.call("adicionar", "chá", 7)
            await estoque.render()
            revision = estoque.windows["main"].revision
            press = UiEvent(window_id="main", revision=revision, element_key="0.2", handler="guardar", arguments=())
            await estoque.dispatch(press)
            await estoque.reload()
            assert rows(await estoque.render()) == [{"item": "chá", "quantidade": 7}]

    run(main())


def test_an_error_of_the_host_is_passed_on_as_it_is(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED, limits=ResourceLimits(max_storage_bytes=10)) as (_host, estoque):
            await estoque.call("adicionar", "café", 1)
            with pytest.raises(QuotaExceededError) as caught:
                await estoque.call("guardar")
            assert caught.value.module == "estoque"

    run(main())


def test_a_required_permission_that_is_missing_stops_the_load(run, opened, package):
    async def main():
        with pytest.raises(PermissionDeniedError, match=r"events\.subscribe"):
            async with opened(package, grants=REQUIRED[:2]):
                pass

    run(main())


def test_a_wrong_argument_is_the_module_s_error(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, estoque):
            with pytest.raises(GuestError, match=r"TypeError.*takes a name"):
                await estoque.call("adicionar", 7)

    run(main())


def test_printf_goes_to_the_log(run, opened, package, caplog):
    async def main():
        with caplog.at_level(logging.INFO, "plataforma_sdk.module"):
            async with opened(package, grants=REQUIRED):
                pass

    run(main())
    assert "estoque: estoque: 0 itens" in caplog.messages


def test_many_calls_at_once_are_each_answered(run, opened, package):
    async def main():
        async with opened(package, grants=REQUIRED) as (_host, estoque):
            await estoque.call("adicionar", "café", 1)
            assert await asyncio.gather(*(estoque.call("guardar") for _ in range(50))) == [1] * 50

    run(main())


@pytest.mark.usefixtures("package")
def test_the_module_of_the_how_to_builds_and_answers(run, opened, tmp_path):
    """With the command line that the page shows, beside the header that it says to copy."""
    page = (EXAMPLES.parent / "docs" / "how-to" / "modules-in-c.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^```(c|sh)\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    (tmp_path / "estoque.c").write_text(blocks["c"])
    shutil.copy(EXAMPLES / "c-estoque" / "plataforma.h", tmp_path)
    subprocess.run(["sh", "-ec", blocks["sh"]], cwd=tmp_path, check=True, timeout=60)
    manifest = 'id = "x"\nversion = "1.0.0"\nentry = "estoque.wasm"\n[permissions.required]\n"window.create" = "x"\n'
    (tmp_path / "module.toml").write_text(manifest)

    async def main():
        async with opened(tmp_path, grants=["window.create"]) as (_host, module):
            assert [await module.call("somar", n) for n in (2, 3)] == [2, 5]
            assert (await module.render())["props"] == {"label": "Total", "value": 5}

    run(main())
