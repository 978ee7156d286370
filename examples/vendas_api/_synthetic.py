"""Made-up sales under Chinook's table names: the same rows on every machine, and nobody's."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

_SCHEMA = """
    CREATE TABLE Genre (GenreId INTEGER PRIMARY KEY, Name TEXT);
    CREATE TABLE Track (TrackId INTEGER PRIMARY KEY, Name TEXT NOT NULL, GenreId INTEGER REFERENCES Genre,
                        UnitPrice NUMERIC(10,2) NOT NULL);
    CREATE TABLE Customer (CustomerId INTEGER PRIMARY KEY, FirstName TEXT NOT NULL, LastName TEXT NOT NULL,
                           City TEXT, Country TEXT);
    CREATE TABLE Invoice (InvoiceId INTEGER PRIMARY KEY, CustomerId INTEGER NOT NULL REFERENCES Customer,
                          InvoiceDate TEXT NOT NULL, BillingCountry TEXT, Total NUMERIC(10,2) NOT NULL);
    CREATE TABLE InvoiceLine (InvoiceLineId INTEGER PRIMARY KEY, InvoiceId INTEGER NOT NULL REFERENCES Invoice,
                              TrackId INTEGER NOT NULL REFERENCES Track, UnitPrice NUMERIC(10,2) NOT NULL,
                              Quantity INTEGER NOT NULL);
"""
_GENRES = ("Gênero A", "Gênero B", "Gênero C", "Gênero D", "Gênero E")
_PLACES = (("Brasil", "Recife"), ("Portugal", "Porto"), ("Angola", "Luanda"), ("Chile", "Valparaíso"))
_PRICES = (99, 149, 199)
_FIRST_DAY = date(2024, 1, 1)
_DAYS = 730


def write_synthetic(
    path: Path, *, customers: int = 24, tracks: int = 120, invoices: int = 180, seed: int = 20_240_101
) -> None:
    """Write a new SQLite file of made-up sales; the same seed gives the same rows."""
    draw = random.Random(seed)  # noqa: S311 - repeatable sample data, no secret
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(_SCHEMA)
        connection.executemany("INSERT INTO Genre VALUES (?, ?)", enumerate(_GENRES, 1))
        connection.executemany(
            "INSERT INTO Track VALUES (?, ?, ?, ?)",
            (
                (number, f"Faixa sintética {number:03}", draw.randint(1, len(_GENRES)), draw.choice(_PRICES) / 100)
                for number in range(1, tracks + 1)
            ),
        )
        connection.executemany(
            "INSERT INTO Customer VALUES (?, 'Cliente', ?, ?, ?)",
            (
                (number, f"Fictício {number:02}", city, country)
                for number, (country, city) in enumerate(draw.choices(_PLACES, k=customers), 1)
            ),
        )
        for number, day in enumerate(sorted(draw.choices(range(_DAYS), k=invoices)), 1):
            _write_invoice(connection, draw, number, draw.randint(1, customers), _FIRST_DAY + timedelta(days=day))


def _write_invoice(connection: sqlite3.Connection, draw: random.Random, number: int, customer: int, day: date) -> None:
    bought = draw.choices(connection.execute("SELECT TrackId, UnitPrice FROM Track").fetchall(), k=draw.randint(1, 8))
    total = sum(round(price * 100) for _, price in bought) / 100
    connection.execute(
        "INSERT INTO Invoice SELECT ?, CustomerId, ?, Country, ? FROM Customer WHERE CustomerId = ?",
        (number, day.isoformat(), total, customer),
    )
    connection.executemany(
        "INSERT INTO InvoiceLine (InvoiceId, TrackId, UnitPrice, Quantity) VALUES (?, ?, ?, 1)",
        ((number, track, price) for track, price in bought),
    )
