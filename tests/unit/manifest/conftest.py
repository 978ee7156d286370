"""A manifest with every key."""

from __future__ import annotations

import pytest

FULL = """\
id = "acme/vendas"
version = "1.0.0-rc.1"
name = "Vendas"
description = "Vendas, clientes e produtos."
licence = "MIT OR (Apache-2.0 AND GPL-2.0-only WITH GCC-exception-2.0)"
authors = ["Ana <ana@example.com>", "Bia"]
entry = "vendas:VendasModule"
sdk = ">=0.1,<1"
exclude = ["trusted"]
restart = false

[permissions.required]
"api.vendas[GET]" = "Lê clientes, produtos e vendas"
[permissions.optional]
"system.notifications" = "Avisa de novas vendas"

[events]
published = ["module.acme--vendas.*"]
consumed = ["user.login", "data.vendas.updated"]

[endpoints]
"/acme--vendas/resumo" = ["GET"]
"/acme--vendas/dados/*" = ["GET", "POST"]

[config.moeda]
type = "string"
default = "BRL"
options = ["BRL", "EUR"]

[limits]
max_memory_bytes = 67108864

[dependencies]
"acme/base" = "^1.2"

[assets]
include = ["assets/*"]
"""


@pytest.fixture
def full_text() -> str:
    """The text of a manifest with every key."""
    return FULL
