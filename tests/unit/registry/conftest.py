"""Packages to publish, and registries to publish them into."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry.trust import SigningKey

TOML = """
id = "{id}"
version = "{version}"
name = "Vendas"
description = "Sells, and says so."
licence = "MIT"
authors = ["Ana"]
entry = "vendas:Vendas"
{more}
"""
SOURCE = """
from plataforma_sdk import ModuleFramework, ui


class Vendas(ModuleFramework):
    async def on_load(self):
        self.total = 0

    def render(self):
        return ui.text("Vendas")

    def which(self):
        return self.version
"""


@pytest.fixture
def make_key() -> Callable[[], SigningKey]:
    """Make a publisher's key; skips where the extra ``trust`` is missing."""
    pytest.importorskip("cryptography")
    return SigningKey.new


@pytest.fixture
def make_package() -> Callable[..., ModulePackage]:
    """Make a package; `more` is further TOML, `files` further files."""

    def make(
        id: str = "vendas",  # noqa: A002
        version: str = "1.0.0",
        *,
        source: str = SOURCE,
        more: str = "",
        files: dict[str, bytes] | None = None,
    ) -> ModulePackage:
        toml = TOML.format(id=id, version=version, more=more)
        return ModulePackage.from_files({"module.toml": toml.encode(), "vendas.py": source.encode(), **(files or {})})

    return make
