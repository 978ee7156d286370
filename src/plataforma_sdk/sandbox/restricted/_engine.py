"""The `restricted` engine: a module's code in the host's own interpreter, behind a policy, metered.

Reviewed code, honest mistakes, quotas. It is no security boundary against a determined attacker: that is `wasm`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from plataforma_sdk.errors import ModuleLoadError, SandboxError
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.restricted._cache import CompileCache
from plataforma_sdk.sandbox.restricted._code_store import default_store
from plataforma_sdk.sandbox.restricted._instance import RestrictedInstance

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["ATTESTED", "RestrictedEngine"]

ATTESTED: Final = ((3, 11), (3, 12), (3, 13))
"""Python versions on which the security tests pass; another may have syntax, types or C code unknown to the policy."""


class RestrictedEngine:
    """Runs modules under the restricted policy.

    >>> engine = RestrictedEngine()
    >>> engine.name
    'restricted'
    """

    name = "restricted"

    def __init__(self, cache: CompileCache | None = None) -> None:
        """Compiled code is kept in `cache`, by default one for each engine, before the user's `CodeStore` on disk."""
        self._cache = cache or CompileCache(store=default_store())

    async def load(self, package: ModulePackage, context: EngineContext) -> RestrictedInstance:
        """Compile, instrument and make the module.

        Raises:
            SandboxError: this Python is not one on which the engine's security tests pass.
            PolicyError: the source is refused, with every fault.
            ModuleLoadError: a WebAssembly component, or no entry class.
            GuestError: the module's top-level code failed.
            ResourceLimitError: it did not end, or took too much.
        """
        _check_python()
        if package.is_component:
            raise ModuleLoadError(
                f"Module {package.id!r} is a WebAssembly component: load it with engine='wasm'", module=package.id
            )
        instance = RestrictedInstance(package.sources, context, self._cache)
        instance.start(package.entry_file, package.entry_class)
        return instance

    async def close(self) -> None:
        """Nothing is held beside the instances."""


def _check_python() -> None:
    if sys.version_info[:2] not in ATTESTED:
        known = ", ".join(f"{major}.{minor}" for major, minor in ATTESTED)
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SandboxError(
            f"The restricted engine is attested on Python {known}, not on {here}; use engine='wasm', or one of these"
        )
