"""Three endpoints over a SQLite file with Chinook's tables: plain ASGI, no framework.

Money leaves as text with two decimals, so that nobody sums it as floating point.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]
Row: TypeAlias = dict[str, Any]

_TABLES = ("Customer", "Genre", "Invoice", "InvoiceLine", "Track")

_CLIENTES = """
    SELECT CustomerId AS id, FirstName || ' ' || LastName AS nome,
           coalesce(City, '') AS cidade, coalesce(Country, 'Sem país') AS pais
    FROM Customer ORDER BY CustomerId
"""
_PRODUTOS = """
    SELECT TrackId AS id, Track.Name AS nome, coalesce(Genre.Name, 'Sem gênero') AS genero,
           printf('%.2f', UnitPrice) AS preco
    FROM Track LEFT JOIN Genre USING (GenreId) ORDER BY TrackId
"""
_VENDAS = """
    SELECT InvoiceId AS id, date(InvoiceDate) AS data, CustomerId AS cliente,
           coalesce(BillingCountry, 'Sem país') AS pais, printf('%.2f', Total) AS total
    FROM Invoice ORDER BY InvoiceDate, InvoiceId
"""
_GENEROS = """
    SELECT InvoiceId AS id, coalesce(Genre.Name, 'Sem gênero') AS genero,
           printf('%.2f', sum(InvoiceLine.UnitPrice * Quantity)) AS total
    FROM InvoiceLine JOIN Track USING (TrackId) LEFT JOIN Genre USING (GenreId)
    GROUP BY InvoiceId, Genre.GenreId ORDER BY InvoiceId, genero
"""


def make_app(database: Path) -> App:
    """Serve ``/vendas/clientes``, ``/vendas/produtos`` and ``/vendas/vendas`` from a file, which is only read."""
    routes: dict[str, Callable[[Path], list[Row]]] = {
        "/vendas/clientes": lambda path: _rows(path, _CLIENTES),
        "/vendas/produtos": lambda path: _rows(path, _PRODUTOS),
        "/vendas/vendas": _vendas,
    }

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        read = routes.get(scope["path"])
        if read is None:
            await _answer(send, 404, {"erro": "caminho desconhecido"})
        elif scope["method"] != "GET":
            await _answer(send, 405, {"erro": "somente GET"})
        else:
            await _answer(send, 200, await asyncio.to_thread(read, database))

    return app


def missing_tables(database: Path) -> list[str]:
    """Name the tables that a file lacks; all of them where it is no SQLite file."""
    try:
        found = {
            row["name"] for row in _rows(database, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        }
    except sqlite3.DatabaseError:
        found = set()
    return [table for table in _TABLES if table not in found]


def _rows(path: Path, sql: str) -> list[Row]:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql)]


def _vendas(path: Path) -> list[Row]:
    """Read the sales, each with its revenue by genre."""
    generos: dict[int, dict[str, str]] = {}
    for row in _rows(path, _GENEROS):
        generos.setdefault(row["id"], {})[row["genero"]] = row["total"]
    return [{**venda, "generos": generos.get(venda["id"], {})} for venda in _rows(path, _VENDAS)]


async def _answer(send: Send, status: int, body: object) -> None:
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
