"""The `restricted` engine: Python in the host's own interpreter, behind a policy and a meter.

Source is checked and instrumented (`_policy_*`, `_compile`), once for each text (`_cache`, `_code_store`); its loops
and calls burn fuel (`_fuel`); operators, builtins and methods of builtin types are sized (`_guards`, `_iterables`,
`_texts`, `_costs`, `_builtins`); and all that a module can hold of the host is a sealed twin (`_sealed`, `_twins`,
`_asyncio`, `_errors`, `_vetted`).

For reviewed code, honest mistakes and quotas. A determined attacker belongs into `wasm`.
"""

from plataforma_sdk.sandbox.restricted._cache import CompileCache
from plataforma_sdk.sandbox.restricted._code_store import CodeStore
from plataforma_sdk.sandbox.restricted._compile import compile_source
from plataforma_sdk.sandbox.restricted._engine import ATTESTED, RestrictedEngine
from plataforma_sdk.sandbox.restricted._instance import DEFAULT_FUEL, RestrictedInstance

__all__ = [
    "ATTESTED",
    "DEFAULT_FUEL",
    "CodeStore",
    "CompileCache",
    "RestrictedEngine",
    "RestrictedInstance",
    "compile_source",
]
