"""Which engine serves which trust tier; each is imported when it is first asked for."""

from __future__ import annotations

from typing import Final

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox._protocols import Engine

__all__ = ["TIERS", "make_engine"]

TIERS: Final = ("trusted", "restricted", "wasm")


def make_engine(engine: str | Engine) -> Engine:
    """Return the engine of a tier, or the engine itself where one is given.

    Raises:
        SandboxError: no such tier, or the tier does not run here.
    """
    if not isinstance(engine, str):
        return engine
    if engine == "trusted":
        from plataforma_sdk.sandbox.trusted import TrustedEngine

        return TrustedEngine()
    if engine == "restricted":
        from plataforma_sdk.sandbox.restricted import RestrictedEngine

        return RestrictedEngine()
    if engine == "wasm":
        from plataforma_sdk.sandbox.wasm import WasmEngine

        return WasmEngine()
    raise SandboxError(f"There is no engine {engine!r}; choose one of {', '.join(TIERS)}")
