"""Key-value storage: values, keys, quota, files."""

from __future__ import annotations

import asyncio
import datetime
import os
import stat
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, HostCallError, QuotaExceededError
from plataforma_sdk.services import KeyValueStorage

Run = Callable[[Any], Any]


def use(storage: KeyValueStorage, work: Callable[[KeyValueStorage], Any]) -> Any:
    async def main() -> Any:
        async with storage:
            return await work(storage)

    return asyncio.run(main())


@pytest.mark.parametrize(
    "value",
    [None, True, 0, 1.5, "é", b"\x00", [1, [2]], {"$t": "x"}, Decimal("2328.60"), datetime.date(2024, 2, 29), 2**80],
    ids=repr,
)
def test_value_comes_back_as_it_went(value: Any) -> None:
    async def work(storage: KeyValueStorage) -> Any:
        await storage.set("k", value)
        return await storage.get("k")

    assert use(KeyValueStorage(None, "vendas"), work) == value


def test_missing_key_is_none() -> None:
    assert use(KeyValueStorage(None, "vendas"), lambda storage: storage.get("k")) is None


def test_delete_tells_whether_it_was_there() -> None:
    async def work(storage: KeyValueStorage) -> Any:
        await storage.set("k", 1)
        return [await storage.delete("k"), await storage.delete("k"), await storage.get("k"), storage.used_bytes]

    assert use(KeyValueStorage(None, "vendas"), work) == [True, False, None, 0]


def test_keys_are_ordered_and_filtered() -> None:
    async def work(storage: KeyValueStorage) -> Any:
        for key in ("b", "a/2", "a/1", "a%", "á", "A/3"):
            await storage.set(key, 1)
        return [await storage.keys(), await storage.keys("a/"), await storage.keys("á"), await storage.keys("x")]

    every = ["A/3", "a%", "a/1", "a/2", "b", "á"]
    assert use(KeyValueStorage(None, "vendas"), work) == [every, ["a/1", "a/2"], ["á"], []]


@pytest.mark.parametrize("key", ["", "x" * 257, "é" * 129, "\ud800", 7, None, b"k"], ids=repr)
def test_key_that_is_no_short_text_is_refused(key: Any) -> None:
    with pytest.raises(HostCallError, match="1 to 256 bytes"):
        use(KeyValueStorage(None, "vendas"), lambda storage: storage.set(key, 1))


def test_value_that_does_not_cross_is_refused() -> None:
    with pytest.raises(CodecError):
        use(KeyValueStorage(None, "vendas"), lambda storage: storage.set("k", float("nan")))


def test_used_bytes_count_keys_and_encoded_values() -> None:
    async def work(storage: KeyValueStorage) -> int:
        await storage.set("chave", "é")
        return storage.used_bytes

    assert use(KeyValueStorage(None, "vendas"), work) == len(b"chave") + len('"é"'.encode())


def test_replacing_a_value_counts_once() -> None:
    async def work(storage: KeyValueStorage) -> int:
        await storage.set("k", "x" * 100)
        await storage.set("k", "y")
        return storage.used_bytes

    assert use(KeyValueStorage(None, "vendas"), work) == 4


def test_quota_is_exact_and_leaves_what_was_there() -> None:
    async def work(storage: KeyValueStorage) -> Any:
        await storage.set("k", "x" * 7)  # 1 + 9
        with pytest.raises(QuotaExceededError) as caught:
            await storage.set("k", "x" * 8)
        return caught.value, await storage.get("k"), storage.used_bytes

    error, value, used = use(KeyValueStorage(None, "vendas", max_bytes=10), work)
    assert (error.resource, error.used, error.limit, error.unit, error.module) == ("storage", 11, 10, "bytes", "vendas")
    assert (value, used) == ("x" * 7, 10)


def test_number_of_keys_is_bounded() -> None:
    async def work(storage: KeyValueStorage) -> None:
        await storage.set("a", 1)
        await storage.set("b", 1)
        await storage.set("b", 2)
        await storage.set("c", 1)

    with pytest.raises(QuotaExceededError) as caught:
        use(KeyValueStorage(None, "vendas", max_keys=2), work)
    assert caught.value.resource == "storage_keys"


def test_values_stay_in_the_file(tmp_path: Path) -> None:
    use(KeyValueStorage(tmp_path / "state", "acme/vendas"), lambda storage: storage.set("k", [1]))

    async def work(storage: KeyValueStorage) -> Any:
        return storage.used_bytes, await storage.get("k")

    assert use(KeyValueStorage(tmp_path / "state", "acme/vendas"), work) == (4, [1])


def test_lowered_quota_lets_a_module_shrink(tmp_path: Path) -> None:
    use(KeyValueStorage(tmp_path, "vendas"), lambda storage: storage.set("k", "x" * 100))

    async def work(storage: KeyValueStorage) -> int:
        await storage.set("k", "x" * 50)
        return storage.used_bytes

    assert use(KeyValueStorage(tmp_path, "vendas", max_bytes=10), work) == 53


def test_modules_have_files_of_their_own(tmp_path: Path) -> None:
    for module in ("vendas", "acme/vendas", "con"):
        use(KeyValueStorage(tmp_path, module), lambda storage: storage.set("k", 1))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["storage-acme--vendas.sqlite", "storage-con.sqlite", "storage-vendas.sqlite"]


@pytest.mark.parametrize("module", ["../x", "a/b/c", "", "A", "x\x00", "a--b", "/etc/passwd"])
def test_module_id_that_is_none_makes_no_file(tmp_path: Path, module: str) -> None:
    with pytest.raises(ValueError, match="module id"):
        KeyValueStorage(tmp_path, module)


@pytest.mark.skipif(os.name != "posix", reason="file modes of POSIX")
def test_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "storage-vendas.sqlite").touch(0o644)

    async def work(storage: KeyValueStorage) -> set[int]:
        await storage.set("k", 1)
        return {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert use(KeyValueStorage(tmp_path, "vendas"), work) == {0o600}


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="needs O_NOFOLLOW")
def test_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "storage-vendas.sqlite").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HostCallError) as caught:
        use(KeyValueStorage(tmp_path, "vendas"), lambda storage: storage.set("k", 1))
    assert not (tmp_path / "elsewhere").exists()
    assert str(tmp_path) not in str(caught.value)


def test_broken_file_does_not_tell_its_path(tmp_path: Path) -> None:
    (tmp_path / "storage-vendas.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(HostCallError) as caught:
        use(KeyValueStorage(tmp_path, "vendas"), lambda storage: storage.get("k"))
    assert str(tmp_path) not in str(caught.value)


def test_closed_storage_refuses(run: Run) -> None:
    async def main() -> None:
        storage = KeyValueStorage(None, "vendas")
        await storage.aclose()
        await storage.aclose()
        await storage.get("k")

    with pytest.raises(HostCallError, match="closed"):
        run(main())


def test_many_changes_are_one_that_can_be_undone() -> None:
    async def work(storage: KeyValueStorage) -> Any:
        await storage.set("a", 1)
        await storage.set("b", 2)
        used = storage.used_bytes
        undo = await storage.apply({b"a": b'"other"', b"b": None, b"c": b"3"})
        changed = {key: await storage.get(key) for key in await storage.keys()}
        await storage.apply(undo)
        values = {key: await storage.get(key) for key in await storage.keys()}
        return changed, values, storage.used_bytes == used

    expected = ({"a": "other", "c": 3}, {"a": 1, "b": 2}, True)
    assert use(KeyValueStorage(None, "vendas"), work) == expected


def test_changes_that_do_not_fit_change_nothing() -> None:
    async def work(storage: KeyValueStorage) -> Any:
        await storage.set("a", 1)
        with pytest.raises(QuotaExceededError):
            await storage.apply({b"a": None, b"b": b'"0123456789"', b"c": b'"0123456789"'})
        return await storage.keys(), storage.used_bytes

    assert use(KeyValueStorage(None, "vendas", max_bytes=20), work) == (["a"], 2)


STEP = st.tuples(st.sampled_from(["a", "b", "ç"]), st.none() | st.text(max_size=12) | st.integers())


@given(st.lists(STEP, max_size=12))
def test_storage_behaves_like_a_dict(steps: list[tuple[str, Any]]) -> None:
    """None deletes; the account always equals the sum over the entries."""
    model: dict[str, Any] = {}

    async def work(storage: KeyValueStorage) -> Any:
        for key, value in steps:
            if value is None:
                assert await storage.delete(key) == (model.pop(key, None) is not None)
            else:
                model[key] = value
                await storage.set(key, value)
        return {key: await storage.get(key) for key in await storage.keys()}, storage.used_bytes

    found, used = use(KeyValueStorage(None, "vendas"), work)
    assert found == model
    assert used == sum(len(key.encode()) + len(codec.encode(value).encode()) for key, value in model.items())
