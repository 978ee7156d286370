"""The second half of docs/tutorial/publish-a-module.md, on Debian's docker-registry, by the commands themselves."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plataforma_sdk.registry import ModuleRegistry
from plataforma_sdk.runtime import ModuleHost
from tests.integration.registry._servers import docker_registry

PAGE = Path(__file__).parents[3] / "docs" / "tutorial" / "publish-a-module.md"
FILE_BLOCK = re.compile(r"^<!-- file: (?P<path>[\w./-]+) -->\n+```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = [
    pytest.mark.skipif(shutil.which("docker-registry") is None, reason="needs docker-registry"),
    pytest.mark.timeout(180),
]


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """Write the module of the page."""
    for block in FILE_BLOCK.finditer(PAGE.read_text("utf-8")):
        path = tmp_path / block["path"]
        path.parent.mkdir(exist_ok=True)
        path.write_text(block["text"], "utf-8")
    return tmp_path / "comissao"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Serve an OCI registry; its address for us."""
    directory = tmp_path / "oci"
    directory.mkdir()
    with docker_registry(directory) as host:
        yield f"oci+http://{host}/modules"


@pytest.fixture
def run(address: str, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command against the registry."""
    env = {**os.environ, "PLATAFORMA_REGISTRY": address, "PYTHONPATH": os.pathsep.join(sys.path)}

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "plataforma_sdk.cli", *arguments, "--state", str(tmp_path / "state")]
        return subprocess.run(line, capture_output=True, text=True, check=False, env=env)

    return command


def test_the_tutorial_holds_on_an_oci_registry(run, address: str, module: Path, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    fingerprint = run("key", "new", "ana").stdout.strip()
    published = run("publish", str(module), "--key", "ana", "--json")
    assert (published.returncode, json.loads(published.stdout)["publisher"]) == (0, fingerprint), published.stderr
    assert "Installed comissao 1.0.0" in run("install", "comissao@^1").stdout
    assert f"signed by {fingerprint}" in run("verify", "comissao").stdout
    assert run("install", "comissao@^1", "--trust", "keys").returncode == 1

    async def load() -> int:
        registry = ModuleRegistry(address, state_dir=tmp_path / "state")
        async with registry, ModuleHost(registry=registry, engine="restricted") as host:
            return await (await host.load("comissao@^1")).call("of", 20_000)

    assert asyncio.run(load()) == 1_000


def test_an_unsigned_module_of_an_oci_registry_is_not_taken(run, module: Path) -> None:
    assert run("publish", str(module)).returncode == 0
    refused = run("install", "comissao@^1")
    assert (refused.returncode, "add --trust any" in refused.stderr) == (1, True)
    assert run("install", "comissao@^1", "--trust", "any").returncode == 0
