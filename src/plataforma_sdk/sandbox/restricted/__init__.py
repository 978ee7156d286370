"""The `restricted` engine: Python in the host's own interpreter, behind a policy and a meter.

Source is checked and instrumented (`_policy_*`, `_compile`), its loops and calls burn fuel (`_fuel_source`, `_fuel`),
operators, builtins and methods of builtin types are sized (`_guards`, `_iterables`, `_texts`, `_costs`, `_builtins`),
and all that a module can hold of the host is a sealed twin (`_sealed`, `_twins`, `_asyncio`, `_errors`, `_vetted`).
What it holds itself is measured (`_memory`, `_reach`); where the process fills, the largest account ends (`_breaker`).

For reviewed code, honest mistakes and quotas. A determined attacker belongs into `wasm`.
"""

from plataforma_sdk.sandbox.restricted._breaker import MemoryBreaker
from plataforma_sdk.sandbox.restricted._compile import CompileCache, compile_source
from plataforma_sdk.sandbox.restricted._engine import ATTESTED, RestrictedEngine
from plataforma_sdk.sandbox.restricted._instance import DEFAULT_FUEL, RestrictedInstance

__all__ = [
    "ATTESTED",
    "DEFAULT_FUEL",
    "CompileCache",
    "MemoryBreaker",
    "RestrictedEngine",
    "RestrictedInstance",
    "compile_source",
]
