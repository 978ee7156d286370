"""Builds the examples in other languages, each once, where its tools are; elsewhere its tests skip and say why."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from wasmtime import wat2wasm

from plataforma_sdk.runtime import ModuleHandle, ModuleHost

EXAMPLES = Path(__file__).parents[3] / "examples"
BUILD_TIMEOUT_S = 120

Open = Callable[..., AbstractAsyncContextManager[tuple[ModuleHost, ModuleHandle]]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(BUILD_TIMEOUT_S + 60))


def _copy(name: str, directory: Path) -> Path:
    package = directory / name
    package.mkdir()
    shutil.copy(EXAMPLES / name / "module.toml", package)
    return package


def _build(script: Path, target: Path) -> None:
    done = subprocess.run(
        ["sh", str(script), str(target)],
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def wat_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    package = _copy("wat-counter", tmp_path_factory.mktemp("wat"))
    text = (EXAMPLES / "wat-counter" / "contador.wat").read_text(encoding="utf-8")
    (package / "contador.wasm").write_bytes(wat2wasm(text))
    return package


@pytest.fixture(scope="session")
def c_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    missing = [tool for tool in ("clang", "wasm-ld") if shutil.which(tool) is None]
    sysroots = (Path("/usr/include/wasm32-wasi"), Path("/usr/share/wasi-sysroot"), Path("/opt/wasi-sysroot"))
    if missing or not any(path.is_dir() for path in sysroots):
        pytest.skip(f"no C for WebAssembly here ({', '.join(missing) or 'wasi-libc'} is missing); see .ci/run")
    package = _copy("c-estoque", tmp_path_factory.mktemp("c"))
    _build(EXAMPLES / "c-estoque" / "build.sh", package / "estoque.wasm")
    return package


@pytest.fixture(scope="session")
def js_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    installed = EXAMPLES / "js-tarefas" / "node_modules" / ".bin"
    if shutil.which("componentize-qjs", path=f"{installed}{os.pathsep}{os.environ['PATH']}") is None:
        pytest.skip("npm's componentize-qjs is not installed; see .ci/run")
    package = _copy("js-tarefas", tmp_path_factory.mktemp("js"))
    _build(EXAMPLES / "js-tarefas" / "build.sh", package / "tarefas.wasm")
    return package


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Load a package directory with grants: ``async with opened(path, grants=[...]) as (host, handle)``."""

    @contextlib.asynccontextmanager
    async def opening(package: Path, *, grants: Iterable[str], **settings: Any) -> AsyncIterator[Any]:
        async with ModuleHost(engine="wasm", grants=grants, state_dir=tmp_path / "state", **settings) as host:
            yield host, await host.load(package)

    return opening
