"""Which engine serves which trust tier; each is imported when it is first asked for."""

from __future__ import annotations

from typing import Final

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox._protocols import Engine

__all__ = ["ISOLATIONS", "TIERS", "make_engine"]

TIERS: Final = ("trusted", "restricted", "wasm")
"""The built-in engines, from the one that trusts most to the one that trusts nobody."""
ISOLATIONS: Final = ("none", "process")
"""Where `restricted` runs: in the host's process, or each module in one of its own."""


def make_engine(engine: str | Engine, *, isolation: str | None = None) -> Engine:
    """Return the engine of a tier, or the engine itself where one is given.

    Args:
        engine: a tier or an engine.
        isolation: ``"process"`` runs each module of `restricted` in a worker process; ``"none"`` and None do not.

    Raises:
        SandboxError: no such tier or isolation, or it does not run here.
    """
    if isolation not in (None, *ISOLATIONS):
        raise SandboxError(f"There is no isolation {isolation!r}; choose one of {', '.join(ISOLATIONS)}")
    if isolation == "process":
        return _isolated(engine)
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


def _isolated(engine: str | Engine) -> Engine:
    if engine != "restricted":
        name = engine if isinstance(engine, str) else type(engine).__name__
        raise SandboxError(
            f"isolation='process' is for engine='restricted', not for {name!r}: "
            "'wasm' is a boundary in itself, and 'trusted' needs none"
        )
    from plataforma_sdk.sandbox.restricted.process import ProcessEngine

    return ProcessEngine()
