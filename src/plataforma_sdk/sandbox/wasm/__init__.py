"""CPython compiled to WebAssembly: the tier for anybody's modules, a memory-safe boundary with hard limits."""

from plataforma_sdk.sandbox.wasm._compiled import compiled_runner
from plataforma_sdk.sandbox.wasm._engine import WasmEngine
from plataforma_sdk.sandbox.wasm._instance import WasmInstance

__all__ = ["WasmEngine", "WasmInstance", "compiled_runner"]
