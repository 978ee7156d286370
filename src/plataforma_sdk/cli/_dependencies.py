"""Where commands that run a module find what it depends on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from plataforma_sdk.cli._registry_use import DEFAULT_REGISTRY, HOME

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["UsualRegistry"]


class UsualRegistry:
    """The registry of ``PLATAFORMA_REGISTRY``, or the usual one; opened only where something is asked of it."""

    async def fetch_package(self, module_id: str, version_range: str) -> ModulePackage:
        """Return the newest package in the range."""
        return (await self.install({module_id: version_range}))[module_id]

    async def install(self, requirements: Mapping[str, str]) -> Mapping[str, ModulePackage]:
        """Return packages that fit each other, by id."""
        from plataforma_sdk.registry import ModuleRegistry

        address = os.environ.get("PLATAFORMA_REGISTRY", DEFAULT_REGISTRY)
        async with ModuleRegistry(address, state_dir=HOME) as registry:
            return await registry.install(requirements)
