"""Machine code for modules that are WebAssembly themselves: compiled apart under limits, once, and kept.

Each binary is compiled in a process of its own (see `_foreign_compiler`) into the private cache, keyed by all that its
machine code depends on; what lies there is code, and nothing else is ever loaded as such.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

import attrs
from wasmtime import Engine, Module
from wasmtime.component import Component

from plataforma_sdk.errors import ModuleLoadError, SandboxError
from plataforma_sdk.sandbox._private import locked, private_directory, prune
from plataforma_sdk.sandbox.wasm import _foreign_compiler as compiler
from plataforma_sdk.sandbox.wasm._binary import read_shape
from plataforma_sdk.sandbox.wasm._binding import set_async_stack_size
from plataforma_sdk.sandbox.wasm._core_binding import check_layout
from plataforma_sdk.sandbox.wasm._machine_code import FIBER_STACK_BYTES, check_process, code_key, map_code
from plataforma_sdk.sandbox.wasm._selftest import fibers_refusal

__all__ = ["COMPILE_S", "ROOM", "CompiledForeign", "compile_foreign", "find_compiled", "foreign_engine"]

COMPILE_S: Final = 60
"""How long one binary may take to compile; 31 MB of CPython take 8 s, QuickJS 2 s."""

ROOM: Final = "foreign"
"""The room of the private cache that this fills: a directory for each binary, with its own lock."""

_KEPT_ARTEFACTS: Final = 64
_ARTEFACT: Final = "code.cwasm"
_LOCK: Final = threading.Lock()
_PATH_SEPARATOR: Final = "\n"
_BOOT: Final = (
    "import runpy, sys; sys.path[:0] = sys.argv.pop().split('\\n'); script = sys.argv[1]; del sys.argv[0]; "
    "runpy.run_path(script, run_name='__main__')"
)


@attrs.frozen(eq=False, kw_only=True)
class CompiledForeign:
    """One compiled binary.

    Attributes:
        sha256: digest of the binary.
        artefact: the file that its machine code is mapped from.
        code: the compiled component or core module.
        memories: how many memories it defines.
        pid: the process that it belongs to.
    """

    sha256: str
    artefact: Path
    code: Component | Module = attrs.field(repr=False)
    memories: int
    pid: int

    def check_process(self) -> None:
        """Refuse to go on in a forked child; see `_machine_code`.

        Raises:
            SandboxError: this process is a fork of the one that loaded the code.
        """
        check_process(self.pid)


@functools.cache
def foreign_engine() -> Engine:
    """Return the process's engine for modules of other languages.

    Raises:
        SandboxError: this platform, Python or wasmtime does not pass the self-test.
    """
    refusal = fibers_refusal()
    if refusal is not None:
        raise SandboxError(f"{refusal}; modules in other languages need fibers")
    check_layout()
    config = compiler.engine_config()
    set_async_stack_size(config, FIBER_STACK_BYTES)
    return Engine(config)


def find_compiled(data: bytes, *, module: str) -> CompiledForeign | None:
    """Return the machine code of a binary that was compiled before, mapped in 2 ms, or None.

    Raises:
        ModuleLoadError: not WebAssembly, damaged, or larger than the caps.
        SandboxError: this platform cannot run the engine.
    """
    return _find(_described(data, module))


def compile_foreign(data: bytes, *, module: str) -> CompiledForeign:
    """Return the machine code of a binary, compiled where it is missing. Blocks for up to `COMPILE_S`.

    Raises:
        ModuleLoadError: as `find_compiled`; or not valid, or not compiled within its limits.
        SandboxError: as `find_compiled`.
    """
    binary = _described(data, module)
    found = _find(binary)
    if found is not None:
        return found
    with locked(binary.artefact.parent):  # of this binary alone: a slow one keeps nobody else waiting
        found = _find(binary)
        if found is None:
            _compile(binary, data, module)
            for old in prune(private_directory(ROOM), "[0-9a-f]*", _KEPT_ARTEFACTS):
                shutil.rmtree(old, ignore_errors=True)
            found = _find(binary)
    if found is None:
        raise SandboxError(f"The compiled module {binary.artefact} cannot be loaded; remove it and try again")
    return found


@attrs.frozen(kw_only=True)
class _Binary:
    kind: str
    sha256: str
    memories: int
    artefact: Path


def _described(data: bytes, module: str) -> _Binary:
    shape = read_shape(data, module=module)
    sha256 = hashlib.sha256(data).hexdigest()
    kind = "component" if shape.is_component else "module"
    artefact = private_directory(ROOM, _key(kind, sha256)) / _ARTEFACT
    return _Binary(kind=kind, sha256=sha256, memories=shape.memories, artefact=artefact)


def _find(binary: _Binary) -> CompiledForeign | None:
    with _LOCK:
        engine = foreign_engine()
    code = _map(engine, binary.kind, binary.artefact)
    if code is None:
        return None
    return CompiledForeign(
        sha256=binary.sha256, artefact=binary.artefact, code=code, memories=binary.memories, pid=os.getpid()
    )


def _map(engine: Engine, kind: str, path: Path) -> Component | Module | None:
    if kind == "component":
        return map_code(Component.deserialize_file, engine, path, entry=path.parent)
    return map_code(Module.deserialize_file, engine, path, entry=path.parent)


def _compile(binary: _Binary, data: bytes, module: str) -> None:
    if not sys.executable:
        raise SandboxError(
            "Compiling a .wasm module starts sys.executable, which this embedded interpreter does not know; "
            "set it to a python of the same version"
        )
    directory = binary.artefact.parent
    for left in directory.glob(".compile-*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".compile-", dir=directory, ignore_cleanup_errors=True) as scratch:
            source, target = Path(scratch, "module.wasm"), Path(scratch, _ARTEFACT)
            source.write_bytes(data)
            reason = _run(binary.kind, source, target)
            if reason is not None or not target.is_file():
                raise ModuleLoadError(f"Module {module!r}: its .wasm cannot be compiled: {reason}", module=module)
            target.chmod(0o600)
            target.replace(binary.artefact)
    except OSError as error:
        raise SandboxError(f"Compiling a .wasm module in {directory} failed: {error}; is there room?") from None


def _run(kind: str, source: Path, target: Path) -> str | None:
    """Run the compiler and return why it failed, or None. Isolated: no hooks, no environment, no input."""
    script = str(Path(compiler.__file__))
    paths = _PATH_SEPARATOR.join(path for path in sys.path if path)
    arguments = ("-I", "-S", "-c", _BOOT, script, kind, str(COMPILE_S), str(source), str(target), paths)
    keep = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, arguments of our own
            (sys.executable, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMPILE_S,
            check=False,
            cwd=source.parent,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {COMPILE_S} s; split it, or build it for size"
    if done.returncode == 0:
        return None
    if done.returncode == compiler.REFUSED:
        return "".join(letter if letter.isprintable() else " " for letter in " ".join(done.stderr.split()))
    said = done.stderr.strip().rsplit("\n", 1)[-1][:300]
    return f"the compiler ended with {done.returncode} ({said or 'out of memory or time'}); build it for size"


def _key(kind: str, sha256: str) -> str:
    return code_key(f"{compiler.CONFIG_NAME} {kind}", sha256)
