"""What the `load` of a guest receives: the package, and what the host says of it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk import codec
from plataforma_sdk.sandbox._protocols import EngineContext

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["bundle_of", "config_of"]

_SEED_BITS: Final = 53
"""As many as JSON has: a longer number is tagged, and has the guest walk through all of its configuration."""


def bundle_of(package: ModulePackage, codes: Mapping[str, str] | None = None) -> bytes:
    """Write what `load` of a guest receives of a package."""
    bundle: dict[str, Any] = {
        "entry": package.entry_file,
        "class": package.entry_class,
        "files": {} if package.is_component else dict(package.sources),
    }
    if codes:
        bundle["codes"] = dict(codes)
    if package.wheels:
        bundle["wheels"] = {name: base64.b64encode(content).decode() for name, content in package.wheels.items()}
    return codec.encode(bundle).encode()


def config_of(context: EngineContext) -> bytes:
    """Write what `load` of a guest receives of the host."""
    return codec.encode(
        {
            "id": context.module_id,
            "version": context.version,
            "config": dict(context.config),
            "locale": context.locale,
            "messages": dict(context.messages),
            "max_tree_nodes": context.limits.max_tree_nodes,
            "seed": secrets.randbits(_SEED_BITS) if context.seed is None else context.seed,
            "now": context.clock.monotonic(),
        }
    ).encode()
