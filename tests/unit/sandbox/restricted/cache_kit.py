"""Compiled code in a directory of its own: what the tests of the compile cache share."""

from __future__ import annotations

import hashlib
import marshal
import os
import subprocess
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import attrs

import plataforma_sdk
from plataforma_sdk.sandbox.restricted import CodeStore, compile_source

SOURCE = "def add(a, b):\n    return a + b\nresult = add(20, 22)\n"
OTHER = "result = 'other'\n"
FILE = "m.py"
LIBRARY = Path(plataforma_sdk.__file__).parents[1]


def digest(source: str) -> bytes:
    return hashlib.sha256(source.encode()).digest()


def put(store: CodeStore, source: str = SOURCE, file: str = FILE) -> None:
    """Put a text's code into a store, as the cache does."""
    store.save(digest(source), file, marshal.dumps(compile_source(source, file)))


def get(store: CodeStore, source: str = SOURCE, file: str = FILE) -> CodeType | None:
    """What a store has of a text."""
    found = store.load(digest(source), file)
    return None if found is None else found[0]


def entries(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.code"))


def only_entry(directory: Path) -> Path:
    (path,) = entries(directory)
    return path


@attrs.define
class CountingCompiler:
    """Compiles, and remembers what it was asked for."""

    sources: list[str] = attrs.field(factory=list)

    def __call__(self, source: str, file: str, *, module: str | None = None) -> CodeType:
        self.sources.append(source)
        return compile_source(source, file, module=module)


def start(script: str, *arguments: object, library: Path = LIBRARY, **options: Any) -> subprocess.Popen[str]:
    """Run a script in a new process, which finds this library under `library`."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(library), os.environ.get("PYTHONPATH", "")])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a process, and return what it printed."""
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    return out.strip()
