"""Small WebAssembly modules to attack the host with, as text: a core module and a component, each part replaceable."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

import attrs
import pytest
from wasmtime import wat2wasm

from plataforma_sdk.sandbox.wasm import WasmEngine, WasmInstance

from .conftest import FakeBridge, make_context

HOST_CALL = '(import "plataforma" "host_call" (func $host_call (param i32 i32 i32 i32) (result i64)))'
HOST_ANSWER = '(import "plataforma" "host_answer" (func $host_answer (param i32)))'

PAGE = 65_536
SPIN = "(loop $l (br $l))"
FOUR = "(param i32 i32 i32 i32)"

PARTS = {
    "imports": "",
    "memory": '(memory (export "memory") 2)',
    "alloc": '(func (export "alloc") (param i32) (result i32) (i32.const 65536))',
    "dealloc": '(func (export "dealloc") (param i32 i32))',
    "load": '(func (export "load") (param i32 i32 i32 i32) (result i64) (i64.const 0x10_0000_0002))',
    "pump": '(func (export "pump") (param i32 i32) (result i64) {body} (i64.const {answer}))',
    "rest": "",
}
"""The default module answers each pump with one constant outbox, which stands at 64; ``{}`` stands at 16."""


def escaped(data: bytes) -> str:
    """Write bytes as the text of a data segment."""
    return "".join(f"\\{byte:02x}" for byte in data)


def core(*, outbox: str | bytes = b"r1 7", body: str = "", answer: int | None = None, **parts: str) -> bytes:
    """Write a core module; `body` runs in each pump, `answer` replaces what it returns."""
    raw = outbox.encode() if isinstance(outbox, str) else outbox
    packed = 64 << 32 | len(raw) if answer is None else answer
    texts = {**PARTS, **parts}
    texts["pump"] = texts["pump"].replace("{body}", body).replace("{answer}", str(packed))
    text = "\n".join(
        [
            texts["imports"],
            texts["memory"],
            '(data (i32.const 16) "{}")' if texts["memory"] else "",
            f'(data (i32.const 64) "{escaped(raw)}")' if texts["memory"] and raw else "",
            *(texts[name] for name in ("alloc", "dealloc", "load", "pump", "rest")),
        ]
    )
    return bytes(wat2wasm(f"(module {text})"))


_ONE = '(param "inbox" string) (result (result string (error string)))'
_TWO = '(param "bundle" string) (param "config" string) (result (result string (error string)))'


def component(
    *,
    imports: str = "",
    outbox: str = "r1 7",
    body: str = "",
    core_rest: str = "",
    pump: str = _ONE,
    load: str = _TWO,
    exports: tuple[str, ...] = ("load", "pump"),
    rest: str = "",
    memory: str = "(memory 2)",
) -> bytes:
    """Write a component on the world: ``load`` answers ``{}``, ``pump`` one constant outbox."""
    raw = outbox.encode()
    kinds = {"load": load, "pump": pump}
    flat = {"load": "(param i32 i32 i32 i32)", "pump": "(param i32 i32)"}
    lifted = "".join(
        f'(alias core export $code "{name}" (core func ${name}))'
        f'(func (export "{name}") {kinds[name]} '
        f"(canon lift (core func ${name}) (memory $memory) (realloc $realloc)))"
        for name in exports
    )
    functions = "".join(
        f'(func (export "{name}") {flat[name]} (result i32) {body if name == "pump" else ""} '
        f"(i32.const {32 if name == 'load' else 48}))"
        for name in exports
    )
    return bytes(
        wat2wasm(f"""(component {imports}
          (core module $m {memory.replace("(memory", '(memory (export "memory")', 1)}
            (data (i32.const 16) "{{}}") (data (i32.const 64) "{escaped(raw)}")
            (data (i32.const 36) "\\10\\00\\00\\00\\02\\00\\00\\00")
            (data (i32.const 52) "\\40\\00\\00\\00\\{len(raw):02x}\\00\\00\\00")
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
            {functions} {core_rest})
          (core instance $code (instantiate $m))
          (alias core export $code "memory" (core memory $memory))
          (alias core export $code "realloc" (core func $realloc))
          {lifted} {rest})""")
    )


@attrs.frozen
class WasmPackage:
    """What the engine reads of a package."""

    files: Mapping[str, bytes]
    entry_file: str = "probe.wasm"
    entry_class: str | None = None
    id: str = "probe"
    version: str = "1.0.0"
    is_component: bool = True
    wheels: Mapping[str, bytes] = attrs.field(factory=dict)


@contextlib.asynccontextmanager
async def loaded(binary: bytes, bridge: FakeBridge | None = None, **settings: Any) -> AsyncIterator[WasmInstance]:
    """Load a binary; ``await probe.call("f")`` is call 1 of its wire."""
    context = make_context(bridge or FakeBridge(), **settings)
    instance = await WasmEngine().load(WasmPackage({"probe.wasm": binary}), context)
    try:
        yield instance
    finally:
        await instance.close()


@contextlib.asynccontextmanager
async def turns() -> AsyncIterator[list[None]]:
    """Count the turns of the loop meanwhile, to show that nothing holds it."""
    seen: list[None] = []

    async def count() -> None:
        while True:
            seen.append(None)
            await asyncio.sleep(0)

    task = asyncio.create_task(count())
    try:
        yield seen
    finally:
        task.cancel()


def refused(run: Callable[[Coroutine[Any, Any, None]], None], binary: bytes, error: Any, match: str, **settings: Any):
    """Load a binary, and expect that it is refused."""

    async def main():
        with pytest.raises(error, match=match):
            async with loaded(binary, **settings):
                pass

    run(main())
