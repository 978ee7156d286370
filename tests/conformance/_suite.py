"""What a case is: a module, what it may do, and what must come of it; and how it is run in a tier.

A case knows nothing of its tier. Where it says "in each tier the same", it says so by comparing with one literal.
"""

from __future__ import annotations

import asyncio
import contextlib
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHandle, ModuleHost
from plataforma_sdk.sandbox import TIERS, ResourceLimits
from plataforma_sdk.sandbox.wasm import WasmEngine

from ._api import app, make_database

__all__ = [
    "CASES",
    "ISOLATED",
    "MANIFEST",
    "METERED",
    "PLACES",
    "THREADED",
    "TWINS",
    "Case",
    "answering",
    "case",
    "each",
    "evaluating",
    "make_package",
    "manifest_of",
    "module",
    "open_host",
    "returns",
    "write_package",
]

METERED: Final = ("restricted", "wasm")
"""The tiers that enforce the hard limits; `trusted` has a deadline for its calls only."""

ISOLATED: Final = "restricted-process"
"""The `restricted` tier once more, each module in a worker process: whatever holds in process must hold there."""

THREADED: Final = "wasm-threads"
"""The `wasm` tier once more, on wasmtime-py in threads: what it falls back to where its own binding does not run."""

TWINS: Final = {"restricted": ISOLATED, "wasm": THREADED}
"""Tier -> the place where each of its cases runs once more."""

PLACES: Final = (*TIERS, *TWINS.values())

CASE_TIMEOUT_S: Final = 15.0
Check = Callable[[ModuleHost, Any], Awaitable[None]]

CASES: Final[dict[str, Case]] = {}
"""Every case by its name, filled as the files of the suite are imported."""

_IMPORTS: Final = "import asyncio\nfrom plataforma_sdk import ModuleFramework, PermissionDeniedError, ui\n"
_ON_LOAD: Final = "    async def on_load(self):\n        pass\n"
_RENDER: Final = "    def render(self):\n        return ui.text('probe')\n"


@attrs.frozen(kw_only=True)
class Case:
    """A module and its expectation.

    Attributes:
        name: unique in the suite.
        source: the module, one file.
        check: what must hold, given the host and the loaded module; with `is_loaded` False, the host and the package.
        permissions: declared as required.
        grants: what the host grants; all that is declared by default.
        files: further files of the package, path -> text.
        manifest: text of ``module.toml`` in place of one made from `permissions`.
        limits: what the module may use.
        settings: further arguments of `ModuleHost`.
        has_database: whether the host has the small shop of `make_database`.
        tiers: where it runs.
        is_loaded: whether the module is loaded before `check`.
    """

    name: str
    source: str
    check: Check
    permissions: tuple[str, ...] = ()
    grants: tuple[str, ...] | None = None
    files: Mapping[str, str | bytes] = attrs.field(factory=dict)
    manifest: str | None = None
    limits: ResourceLimits | None = None
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    has_database: bool = False
    tiers: tuple[str, ...] = TIERS
    is_loaded: bool = True

    def package(self, directory: Path) -> ModulePackage:
        """Make the package; one with files or a manifest of its own is written to `directory` first."""
        if self.manifest is None and not self.files:
            return make_package(self.source, permissions=self.permissions)
        manifest = self.manifest or manifest_of(self.permissions)
        return write_package(directory, {**self.files, "probe.py": self.source, "module.toml": manifest})

    def run(self, engine: str, directory: Path) -> None:
        """Run the case in a tier, in a loop of its own."""
        asyncio.run(self._run(engine, directory))

    async def _run(self, engine: str, directory: Path) -> None:
        grants = self.permissions if self.grants is None else self.grants
        settings = {"api": app, **self.settings}
        if self.has_database:
            settings["database"] = make_database(directory.with_suffix(".sqlite"))
        async with asyncio.timeout(CASE_TIMEOUT_S):
            async with ModuleHost(**place(engine), grants=grants, limits=self.limits, **settings) as host:
                package = self.package(directory)
                if not self.is_loaded:
                    await self.check(host, package)
                    return
                handle = await host.load(package)
                assert handle.engine == tier_of(engine)
                await self.check(host, handle)


def case(source: str, **settings: Any) -> Callable[[Check], Callable[..., None]]:
    """Make a test of every tier out of a check ``async (host, module)``; its name is the case's name."""

    def decorate(check: Check) -> Callable[..., None]:
        return each([Case(name=check.__name__.removeprefix("test_"), source=source, check=check, **settings)])

    return decorate


def each(cases: Iterable[Case]) -> Callable[..., None]:
    """Make one test of many cases, each in every tier that it names."""
    cases = list(cases)
    for item in cases:
        if item.name in CASES:
            raise ValueError(f"two cases are named {item.name!r}")
        CASES[item.name] = item
    pairs = [pytest.param(item, tier, id=f"{tier}-{item.name}") for item in cases for tier in places(item)]

    @pytest.mark.parametrize(("item", "engine"), pairs, indirect=["engine"])
    def test(item: Case, engine: str, tmp_path: Path) -> None:
        item.run(engine, tmp_path / "probe")

    return test


def places(item: Case) -> tuple[str, ...]:
    """Where a case runs: its tiers, and once more in the twins of those that have one."""
    return (*item.tiers, *(twin for tier, twin in TWINS.items() if tier in item.tiers))


def tier_of(place: str) -> str:
    """The tier whose cases run there."""
    return next((tier for tier, twin in TWINS.items() if twin == place), place)


def place(name: str) -> dict[str, Any]:
    """The arguments of a host that runs its modules there."""
    if name == THREADED:
        return {"engine": WasmEngine(mode="threads")}
    return {"engine": "restricted", "isolation": "process"} if name == ISOLATED else {"engine": name}


def module(body: str, *, head: str = "") -> str:
    """Write a module around methods: imports, the class, and an `on_load` and `render` where the body has none."""
    methods = textwrap.indent(textwrap.dedent(body), "    ")
    on_load = "" if "def on_load" in body else _ON_LOAD
    render = "" if "def render" in body else _RENDER
    return f"{_IMPORTS}{textwrap.dedent(head)}\n\nclass Probe(ModuleFramework):\n{on_load}{render}{methods}"


def answering(statements: str, head: str) -> str:
    """Write a module whose ``probe`` is a few statements; ``_bump`` adds one to the private ``_secret``."""
    body = textwrap.indent(textwrap.dedent(statements).strip("\n"), "    ")
    return module(f"async def probe(self):\n{body}\n\ndef _bump(self):\n    self._secret += 1\n", head=head)


def evaluating(expressions: Iterable[str], head: str = "") -> str:
    """Write a module whose ``probe`` returns the value of each expression."""
    return answering("return [\n" + "".join(f"    {text},\n" for text in expressions) + "]", head)


def returns(expected: Any, *arguments: Any, method: str = "probe") -> Check:
    """Make the check that a call returns exactly this value."""

    async def check(_: ModuleHost, handle: ModuleHandle) -> None:
        actual = await handle.call(method, *arguments)
        assert actual == expected
        assert repr(actual) == repr(expected)  # types within containers, the order of keys, the sign of zero

    return check


def make_package(
    source: str,
    *,
    id: str = "probe",  # noqa: A002 - the same name as in `from_source`
    version: str = "1.0.0",
    permissions: Iterable[str] = (),
) -> ModulePackage:
    """Make a package of one file, its permissions required."""
    return ModulePackage.from_source(source, id=id, version=version, permissions=tuple(permissions))


def write_package(directory: Path, files: Mapping[str, str | bytes]) -> ModulePackage:
    """Write files and read them as a package."""
    for path, content in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return ModulePackage.from_directory(directory)


@contextlib.asynccontextmanager
async def open_host(
    engine: str, source: str, *, permissions: Iterable[str] = (), grants: Iterable[str] | None = None, **settings: Any
) -> AsyncIterator[tuple[ModuleHost, ModuleHandle]]:
    """Open a host with one module, for a test that is more than a case."""
    package = make_package(source, permissions=permissions)
    async with asyncio.timeout(CASE_TIMEOUT_S):
        held = package.manifest.permissions.declared if grants is None else grants
        async with ModuleHost(**place(engine), grants=held, **{"api": app, **settings}) as host:
            yield host, await host.load(package)


def manifest_of(permissions: Iterable[str]) -> str:
    """Write a manifest that requires permissions and consumes every topic."""
    required = "".join(f'"{name}" = "for the test"\n' for name in permissions)
    return MANIFEST + f'[permissions.required]\n{required}[events]\nconsumed = ["*"]\n'


MANIFEST: Final = """\
id = "probe"
version = "1.0.0"
name = "Probe"
description = "A module of the conformance suite."
licence = "MIT"
authors = ["The suite"]
entry = "probe:Probe"
sdk = ">=0.1,<1"
"""
"""What every manifest of the suite begins with."""
