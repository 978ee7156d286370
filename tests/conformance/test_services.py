"""Storage, database, notifications, clipboard, assets, log and clock."""

from __future__ import annotations

import datetime
import logging
from decimal import Decimal

import pytest

from plataforma_sdk.errors import HostCallError, PermissionDeniedError, PlataformaError

from ._suite import case, make_package, module, open_host

STORAGE = ("system.storage",)
STORES = module(
    """
    async def set(self, key, value):
        await self.storage.set(key, value)

    async def get(self, key):
        return await self.storage.get(key)

    async def delete(self, key):
        return await self.storage.delete(key)

    async def keys(self, prefix=""):
        return await self.storage.keys(prefix)
    """
)


@case(STORES, permissions=STORAGE)
async def test_storage_keeps_what_crosses(host, handle):
    value = {"total": Decimal("9.90"), "at": datetime.date(2024, 1, 1), "raw": b"\x00", "$t": [None, 2**60]}
    await handle.call("set", "draft/1", value)
    assert await handle.call("get", "draft/1") == value
    assert await handle.call("get", "gone") is None


@case(STORES, permissions=STORAGE)
async def test_storage_lists_and_deletes(host, handle):
    for key in ("b/2", "a/1", "b/1"):
        await handle.call("set", key, key)
    assert await handle.call("keys") == ["a/1", "b/1", "b/2"]
    assert await handle.call("keys", "b/") == ["b/1", "b/2"]
    assert [await handle.call("delete", "a/1"), await handle.call("delete", "a/1")] == [True, False]
    assert await handle.call("keys") == ["b/1", "b/2"]
    assert handle.usage.storage_bytes > 0


@case(STORES, permissions=STORAGE)
async def test_storage_is_the_modules_own_and_outlives_a_reload(host, handle):
    await handle.call("set", "k", "mine")
    other = await host.load(make_package(STORES, id="other", permissions=STORAGE))
    assert await other.call("get", "k") is None
    await handle.reload()
    assert await handle.call("get", "k") == "mine"


SQL = module(
    """
    async def read(self, sql, *params):
        return await self.query(sql, params)

    async def named(self, sql, **params):
        return await self.query(sql, params)

    async def write(self, sql, *params):
        return await self.execute(sql, params)
    """
)
DATABASE = ("database.read", "database.write[Customer]")


@case(SQL, permissions=DATABASE, has_database=True)
async def test_rows_are_read_with_parameters(host, handle):
    sql = "SELECT name, sum(total) AS total FROM Customer JOIN Invoice ON customer = Customer.id WHERE Customer.id = "
    assert await handle.call("read", sql + "?", 1) == [{"name": "Ana", "total": 42.5}]
    assert await handle.call("named", sql + ":id", id=2) == [{"name": "Zoë", "total": 7.5}]
    assert await handle.call("read", "SELECT name FROM Customer WHERE id > 100") == []


@case(SQL, permissions=DATABASE, has_database=True)
async def test_rows_are_written_and_counted(host, handle):
    assert await handle.call("write", "INSERT INTO Customer VALUES (?, ?)", 3, "Rui") == 1
    assert await handle.call("write", "UPDATE Customer SET name = upper(name)") == 3
    assert (await handle.call("read", "SELECT name FROM Customer WHERE id = 3"))[0]["name"] == "RUI"
    with pytest.raises(PermissionDeniedError, match=r"database\.write\[Invoice\]"):
        await handle.call("write", "DELETE FROM Invoice")


@case(SQL, permissions=DATABASE, has_database=True)
async def test_reading_never_writes_and_nothing_else_is_allowed(host, handle):
    forbidden = (
        "DELETE FROM Customer",
        "ATTACH DATABASE '/tmp/other.db' AS other",
        "PRAGMA table_info(Customer)",
        "SELECT * FROM sqlite_master",
        "CREATE TABLE Mine (id)",
        "BEGIN",
        "SELECT load_extension('x')",
        "SELECT 1; SELECT 2",
    )
    for sql in forbidden:
        with pytest.raises(PlataformaError):
            await handle.call("read", sql)
    assert len(await handle.call("read", "SELECT * FROM Customer")) == 2


@case(SQL, permissions=DATABASE, has_database=True)
async def test_a_fault_in_sql_says_what_and_shows_no_host_path(host, handle):
    with pytest.raises(PlataformaError, match="Nowhere") as caught:
        await handle.call("read", "SELECT * FROM Nowhere")
    assert ".sqlite" not in str(caught.value)


@case(SQL, permissions=DATABASE)
async def test_a_host_without_a_database_says_so(host, handle):
    with pytest.raises(PlataformaError, match="database"):
        await handle.call("read", "SELECT 1")


@case(
    module("async def probe(self, title, body):\n    await self.notify(title, body)"),
    permissions=("system.notifications",),
)
async def test_notifications_reach_the_host(host, handle):
    await handle.call("probe", "Vendas", "3 novas")
    shown = list(host.notifications.recent("probe"))
    assert [(item.title, item.body) for item in shown] == [("Vendas", "3 novas")]


@case(
    module(
        """
        async def probe(self, text):
            await self.clipboard.write(text)
            return await self.clipboard.read()
        """
    ),
    permissions=("system.clipboard",),
)
async def test_the_clipboard_is_written_and_read(host, handle):
    assert await handle.call("probe", "olá\n") == "olá\n"


@case(
    module("async def probe(self, path):\n    return await self.asset(path)"),
    files={"assets/logo.bin": b"\x00\xffPNG", "assets/deep/a.txt": "text"},
)
async def test_assets_are_read_and_nothing_beside_the_package(host, handle):
    assert await handle.call("probe", "assets/logo.bin") == b"\x00\xffPNG"
    assert await handle.call("probe", "assets/deep/a.txt") == b"text"
    for path in ("assets/gone", "../probe/module.toml", "/etc/passwd", "assets/../../x", ""):
        with pytest.raises((HostCallError, PlataformaError)):
            await handle.call("probe", path)


LOGS = module(
    """
    def probe(self):
        self.log("warning", "low stock", product=7)
        self.log("nonsense", "still said")
        print("printed", 1, sep="-")
        print("two\\nlines")
    """
)


def test_the_log_carries_level_module_and_fields(engine, run, caplog):
    async def main():
        async with open_host(engine, LOGS) as (_, handle):
            await handle.call("probe")
            return handle.usage.output_bytes

    with caplog.at_level(logging.DEBUG, logger="plataforma_sdk.module"):
        assert run(main()) > 0
    records = [record for record in caplog.records if record.name == "plataforma_sdk.module"]
    first = records[0]
    assert (first.levelname, first.getMessage(), first.module_id) == ("WARNING", "probe: low stock", "probe")
    assert first.fields == {"product": 7}
    text = "\n".join(record.getMessage().removeprefix("probe: ") for record in records)
    assert all(record.getMessage().isprintable() for record in records)  # a line each: a module forges none
    assert text.replace("\\n", "\n") == "low stock\nstill said\nprinted-1\ntwo\nlines"


@case(
    module(
        """
        def probe(self):
            now = datetime.datetime.now(datetime.timezone.utc)
            return [now, datetime.date.today()]
        """,
        head="import datetime",
    )
)
async def test_a_module_knows_the_time(host, handle):
    now, today = await handle.call("probe")
    real = datetime.datetime.now(datetime.UTC)
    assert abs(now - real) < datetime.timedelta(minutes=1)
    assert abs(today - real.date()) <= datetime.timedelta(days=1)
