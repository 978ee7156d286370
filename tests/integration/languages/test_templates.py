"""The templates of other languages, built with their real tools, pass the tests that they bring."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from .conftest import EXAMPLES


@pytest.fixture(params=["c", "javascript"])
def made(request, tmp_path):
    """A new module, with the tools that the example of its language is built with."""
    request.getfixturevalue({"c": "c_package", "javascript": "js_package"}[request.param])
    target = tmp_path / "vendas"
    options = ("--template", request.param, "--directory", str(target), "--title", 'Olá "você" \\ é', "--yes")
    subprocess.run([sys.executable, "-m", "plataforma_sdk.cli", "new", "acme/minhas-vendas", *options], check=True)
    return target


def test_its_tests_pass_and_its_package_holds_the_binary_alone(made):
    tools = EXAMPLES / "js-tarefas" / "node_modules" / ".bin"
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "plataforma_sdk.cli"]
    done = subprocess.run(
        [*command, "test", made], capture_output=True, text=True, timeout=120, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    packed = subprocess.run([*command, "pack", made, "--json"], capture_output=True, text=True, check=True).stdout
    names = [file["path"] for file in json.loads(packed)["files"]]
    assert names == ["README.md", "minhas_vendas.wasm", "module.toml"]
