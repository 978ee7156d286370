"""CPython compiled to WebAssembly: the tier for anybody's modules, a memory-safe boundary with hard limits."""

from plataforma_sdk.sandbox.wasm._compiled import compiled_runner
from plataforma_sdk.sandbox.wasm._engine import WasmEngine
from plataforma_sdk.sandbox.wasm._instance import WasmInstance
from plataforma_sdk.sandbox.wasm._journal import Journal
from plataforma_sdk.sandbox.wasm._replay import Difference, ReplayedFault, ReplayReport, replay
from plataforma_sdk.sandbox.wasm._resume import Resumption

__all__ = [
    "Difference",
    "Journal",
    "ReplayReport",
    "ReplayedFault",
    "Resumption",
    "WasmEngine",
    "WasmInstance",
    "compiled_runner",
    "replay",
]
