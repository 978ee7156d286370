"""Compiles a third party's WebAssembly in a process of its own, which ends with its limits.

A compiler is a large program, and what it is given here was written by anybody: so it may take a bounded time and a
bounded memory, and nothing that it breaks is the host's. Run as a script by `_foreign`, with wasmtime alone; it also
holds the engine's configuration, since machine code runs in an engine of the same configuration only.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from wasmtime import Config, Engine, Module, WasmtimeError
from wasmtime.component import Component

__all__ = ["CONFIG_NAME", "GUEST_STACK_BYTES", "MAX_COMPILE_BYTES", "REFUSED", "engine_config"]

GUEST_STACK_BYTES: Final = 1024 * 1024
MAX_COMPILE_BYTES: Final = 4 * 2**30
CONFIG_NAME: Final = f"foreign fuel no-threads no-memory64 no-gc nan-canonical stack={GUEST_STACK_BYTES}"
REFUSED: Final = 3
"""Exit code: the binary is not valid; the reason is on standard error."""

_MAX_REASON_CHARS: Final = 2_000
_ARGUMENTS: Final = 4


def engine_config() -> Config:
    """Return the configuration of the engine that runs modules of other languages.

    No threads: a guest that waits on a shared memory would hold the host's thread, past every limit. No garbage
    collection and what builds on it: its heap is a memory that nobody measures. One bit pattern for NaN, so that a run
    can be repeated on another processor.
    """
    config = Config()
    config.wasm_component_model = True
    config.consume_fuel = True
    config.wasm_threads = False
    config.shared_memory = False
    config.wasm_memory64 = False
    config.wasm_relaxed_simd = False
    config.wasm_gc = False
    config.wasm_exceptions = False
    config.wasm_function_references = False
    config.cranelift_nan_canonicalization = True
    config.max_wasm_stack = GUEST_STACK_BYTES
    return config


def _limit_resources(seconds: int) -> None:
    try:
        import resource
    except ImportError:
        return  # Windows: the host ends this process after its time, and that is all
    resource.setrlimit(resource.RLIMIT_AS, (MAX_COMPILE_BYTES, MAX_COMPILE_BYTES))
    cpu_s = seconds * 2  # of all threads
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main(kind: str, seconds: str, source: str, target: str) -> int:
    _limit_resources(int(seconds))
    engine = Engine(engine_config())
    data = Path(source).read_bytes()
    try:
        compiled = Component(engine, data) if kind == "component" else Module(engine, data)
    except WasmtimeError as error:
        sys.stderr.write(str(error)[:_MAX_REASON_CHARS])
        return REFUSED
    Path(target).write_bytes(compiled.serialize())
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1 : 1 + _ARGUMENTS]))
