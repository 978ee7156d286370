"""The exchanges that ``docs/reference/wire.md`` shows are what crosses: recorded here, and compared with the page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wasmtime import wat2wasm

from plataforma_sdk import errors
from plataforma_sdk.module import OPERATIONS, ModuleRuntime
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.sandbox import wasm
from plataforma_sdk.sandbox.wasm._core_abi import HOST_FUNCTIONS, CoreStore
from plataforma_sdk.sandbox.wasm._core_wasi import WASI_FUNCTIONS
from plataforma_sdk.sandbox.wasm._host import InstanceHost
from plataforma_sdk.sandbox.wasm._store import GuestStore

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "wire.md").read_text(encoding="utf-8")
FIRST_USE_TIMEOUT_S = 180

pytestmark = pytest.mark.timeout(FIRST_USE_TIMEOUT_S)


class FixedClock:
    """Time stands still, so that a recording is the same each time."""

    def now(self) -> float:
        return 1_700_000_000.0

    def monotonic(self) -> float:
        return 12.5


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what crosses: ``>`` to the guest, ``<`` from it, ``!`` an immediate call and its answer."""
    lines: list[str] = []
    begin_calls = {store: store.begin for store in (CoreStore, GuestStore)}
    ends = {store: store.end for store in (CoreStore, GuestStore)}
    serve = InstanceHost.serve_now

    def begin(self: Any, call: Any, fuel: int, first: bytes, second: bytes = b"") -> None:
        name = "load" if second else "pump"
        lines.extend(f"> {name}  {line}" for line in (*first.decode().split("\n"), *filter(None, [second.decode()])))
        begin_calls[type(self)](self, call, fuel, first, second)

    def end(self: Any) -> tuple[bool, bytes]:
        is_ok, text = ends[type(self)](self)
        lines.extend(f"< {'ok' if is_ok else 'err'}    {line}" for line in text.decode().split("\n") if line)
        return is_ok, text

    def serve_now(self: InstanceHost, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        is_ok, text = serve(self, method, payload)
        if method == b"@step":
            return is_ok, text  # how many there are is the business of the guest's loop
        lines.append(f"! call  {method.decode()}  {payload.decode()}")
        lines.append(f"! {'ok' if is_ok else 'err'}    {text.decode()}")
        return is_ok, text

    for store in (CoreStore, GuestStore):
        monkeypatch.setattr(store, "begin", begin)
        monkeypatch.setattr(store, "end", end)
    monkeypatch.setattr(InstanceHost, "serve_now", serve_now)
    monkeypatch.setattr("secrets.randbits", lambda _bits: 7)
    return lines


def shown(name: str) -> list[str]:
    found = re.search(rf"<!-- exchange: {name} -->\n+```text\n(.*?)\n```", PAGE, re.DOTALL)
    assert found is not None, f"wire.md shows no exchange {name!r}"
    return found[1].split("\n")


def check(name: str, recorded: list[str]) -> None:
    assert shown(name) == recorded, "\n".join(["the page should show", *recorded])


def test_the_exchange_of_a_core_module(run: Any, recording: list[str]) -> None:
    async def main() -> None:
        directory = ROOT / "examples" / "wat-counter"
        files = {
            "module.toml": (directory / "module.toml").read_bytes(),
            "contador.wasm": bytes(wat2wasm((directory / "contador.wat").read_text(encoding="utf-8"))),
        }
        package = ModulePackage.from_files(files)
        grants = (*package.manifest.permissions.required, *package.manifest.permissions.optional)
        async with ModuleHost(engine="wasm", grants=grants, clock=FixedClock()) as host:
            contador = await host.load(package)
            await contador.call("somar")
            await host.events.emit("contador.zerar", {"por": "Ana"})
            await contador.render()
            with pytest.raises(errors.GuestError):
                await contador.call("sumir", 1, de="vez")

    run(main())
    check("contador", recording)


WAITS = '''
import asyncio
from plataforma_sdk import ModuleFramework, ui

class Espera(ModuleFramework):
    async def on_load(self):
        """Nothing to begin with."""

    def render(self):
        return ui.text("espera")

    async def ler(self):
        return await asyncio.gather(self.asset("a.txt"), self.asset("b.txt"))

    async def dormir(self):
        await asyncio.sleep(60)

    async def negar(self):
        return await self.clipboard.read()

    async def pedir(self):
        return await self.permissions.request("system.notifications", "Para avisar")
'''


async def ask_for_ever(*_: Any) -> Any:
    """Be a person who does not answer."""
    await asyncio.Event().wait()


def test_the_exchange_of_calls_that_wait(run: Any, recording: list[str]) -> None:
    async def main() -> None:
        package = ModulePackage.from_source(
            WAITS, id="espera", optional=["system.notifications"], files={"a.txt": b"um", "b.txt": b"dois"}
        )
        async with ModuleHost(engine="wasm", prompt=ask_for_ever, clock=FixedClock()) as host:
            espera = await host.load(package)
            recording.clear()
            await espera.call("ler")
            with pytest.raises(errors.PermissionDeniedError):
                await espera.call("negar")
            for method in ("dormir", "pedir"):
                call = asyncio.create_task(espera.call(method))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
            recorded.extend(recording)

    recorded: list[str] = []
    run(main())
    check("espera", recorded)


def _rows(heading: str) -> Iterator[str]:
    section = PAGE.partition(f"## {heading}")[2].partition("\n## ")[0]
    yield from re.findall(r"^\| `([^`(\[ ]+)", section, re.MULTILINE)


def test_the_world_is_the_one_that_components_are_built_for() -> None:
    found = re.search(r"```text\n(package plataforma:module.*?)```", PAGE, re.DOTALL)
    assert found is not None
    (world,) = (Path(wasm.__file__).parent / "guest" / "wit").glob("*.wit")
    text = re.sub(r"^ *///.*\n", "", world.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert found[1].split() == text.split()


def test_every_function_of_the_host_is_documented() -> None:
    assert sorted(_rows("Functions of the host")) == sorted(OPERATIONS)


def test_every_function_of_a_module_is_documented() -> None:
    class Context:
        id = "probe"
        runtime: Any = None

    functions = ModuleRuntime(Context())._functions  # type: ignore[arg-type]
    assert sorted(_rows("Functions of the module")) == sorted(functions)


def test_every_error_is_documented() -> None:
    names = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.PlataformaError)
    }
    documented = {name for name in _rows("Errors") if name.endswith("Error")}
    assert documented <= names
    assert {
        "PermissionDeniedError",
        "QuotaExceededError",
        "HostCallError",
        "CodecError",
        "ModuleStateError",
    } <= documented
    for name in documented:
        row = re.search(rf"^\| `{name}` \| (.*?) \|", PAGE, re.MULTILINE)
        assert row is not None
        assert re.findall(r"`(\w+)`", row[1]) == list(getattr(errors, name).fields)


def test_every_import_of_a_core_module_is_documented() -> None:
    section = PAGE.partition("## Core modules")[2].partition("\n## ")[0]
    assert set(WASI_FUNCTIONS) <= set(re.findall(r"`(\w+)`", section))
    assert all(f"plataforma.{name}" in section for name in HOST_FUNCTIONS)
