"""The example's API: plain ASGI over SQLite."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vendas_api import make_app, missing_tables, write_synthetic


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "synthetic.sqlite"
    write_synthetic(path)
    return path


def ask(database: Path, path: str, method: str = "GET") -> tuple[int, Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(make_app(database)({"type": "http", "method": method, "path": path}, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


def test_rows_have_what_the_module_reads(database: Path) -> None:
    status, clientes = ask(database, "/vendas/clientes")
    _, produtos = ask(database, "/vendas/produtos")
    _, vendas = ask(database, "/vendas/vendas")
    assert (status, len(clientes), len(produtos), len(vendas)) == (200, 24, 120, 180)
    assert set(clientes[0]) == {"id", "nome", "cidade", "pais"}
    assert set(produtos[0]) == {"id", "nome", "genero", "preco"}
    assert set(vendas[0]) == {"id", "data", "cliente", "pais", "total", "generos"}


def test_genres_of_each_sale_sum_to_its_total(database: Path) -> None:
    _, vendas = ask(database, "/vendas/vendas")
    assert [Decimal(venda["total"]) for venda in vendas] == [
        sum(map(Decimal, venda["generos"].values())) for venda in vendas
    ]


def test_money_is_text_with_two_decimals(database: Path) -> None:
    _, vendas = ask(database, "/vendas/vendas")
    assert all(isinstance(venda["total"], str) and venda["total"][-3] == "." for venda in vendas)


def test_sales_come_oldest_first(database: Path) -> None:
    _, vendas = ask(database, "/vendas/vendas")
    assert [venda["data"] for venda in vendas] == sorted(venda["data"] for venda in vendas)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/vendas/segredos", "GET", 404), ("/vendas/vendas", "POST", 405), ("/", "GET", 404)],
    ids=["unknown", "not-get", "root"],
)
def test_anything_else_is_refused(database: Path, path: str, method: str, status: int) -> None:
    assert ask(database, path, method)[0] == status


def test_lifespan_is_answered(database: Path) -> None:
    inbox = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> Any:
        return inbox.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(make_app(database)({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_the_same_seed_gives_the_same_rows(database: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.sqlite"
    write_synthetic(again)
    assert ask(again, "/vendas/vendas") == ask(database, "/vendas/vendas")


def test_made_up_people_say_that_they_are(database: Path) -> None:
    _, clientes = ask(database, "/vendas/clientes")
    assert all(cliente["nome"].startswith("Cliente Fictício ") for cliente in clientes)


def test_missing_tables_are_named(tmp_path: Path, database: Path) -> None:
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE Customer (CustomerId INTEGER)")
    assert missing_tables(other) == ["Genre", "Invoice", "InvoiceLine", "Track"]
    assert missing_tables(database) == []


def test_a_file_that_is_no_database_lacks_every_table(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("not a database, but long enough to be looked at as one" * 40)
    assert len(missing_tables(other)) == 5
