"""What a version stores before it takes over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.errors import HostCallError, QuotaExceededError
from plataforma_sdk.services import KeyValueStorage, StagedStorage


async def contents(storage: KeyValueStorage | StagedStorage) -> dict[str, Any]:
    return {key: await storage.get(key) for key in await storage.keys()}


def test_nobody_else_sees_it_before_the_commit(run):
    async def main():
        async with KeyValueStorage(None, "m") as storage:
            await storage.set("old", 1)
            staged = StagedStorage(storage)
            await staged.set("new", 2)
            await staged.delete("old")
            return await contents(storage), await contents(staged)

    assert run(main()) == ({"old": 1}, {"new": 2})


def test_what_the_old_version_stores_meanwhile_stays(run):
    async def main():
        async with KeyValueStorage(None, "m") as storage:
            staged = StagedStorage(storage)
            await staged.set("new", 2)
            await storage.set("old", 1)
            await staged.commit()
            return await contents(storage)

    assert run(main()) == {"new": 2, "old": 1}


def test_after_the_commit_it_is_the_storage(run):
    async def main():
        async with KeyValueStorage(None, "m") as storage:
            staged = StagedStorage(storage)
            await staged.commit()
            await staged.set("a", 1)
            await staged.set("b", 2)
            return await staged.delete("a"), await contents(storage)

    assert run(main()) == (True, {"b": 2})


def test_more_than_the_storage_holds_is_refused_at_once(run):
    async def main():
        async with KeyValueStorage(None, "m", max_bytes=10) as storage:
            staged = StagedStorage(storage)
            with pytest.raises(QuotaExceededError):
                await staged.set("k", "0123456789")
            await staged.set("k", "0")
            await staged.set("k", "01234")
            return await contents(staged)

    assert run(main()) == {"k": "01234"}


def test_more_keys_than_the_storage_holds_are_refused(run):
    async def main():
        async with KeyValueStorage(None, "m", max_keys=1) as storage:
            staged = StagedStorage(storage)
            await staged.set("a", 1)
            await staged.set("b", 1)

    with pytest.raises(QuotaExceededError, match="storage_keys"):
        run(main())


def test_a_commit_that_does_not_fit_stores_nothing(run):
    async def main():
        async with KeyValueStorage(None, "m", max_bytes=10) as storage:
            await storage.set("a", 1234)
            staged = StagedStorage(storage)
            await staged.set("b", 1234567)
            await staged.set("c", 1)
            with pytest.raises(QuotaExceededError):
                await staged.commit()
            return await contents(storage)

    assert run(main()) == {"a": 1234}


class SlowStorage(KeyValueStorage):
    """Tells when a transaction has begun, and ends it when told."""

    def __init__(self) -> None:
        super().__init__(None, "m")
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def apply(self, changes):
        self.begun.set()
        await self.go.wait()
        return await super().apply(changes)


def test_a_commit_that_is_cancelled_puts_back_what_was_stored(run):
    async def main():
        async with SlowStorage() as storage:
            await storage.set("a", 1)
            staged = StagedStorage(storage)
            await staged.set("a", 2)
            await staged.set("b", 2)
            commit = asyncio.create_task(staged.commit())
            await storage.begun.wait()
            commit.cancel()
            storage.go.set()
            with pytest.raises(asyncio.CancelledError):
                await commit
            return await contents(storage)

    assert run(main()) == {"a": 1}


def test_a_key_that_is_none_is_refused(run):
    async def main():
        async with KeyValueStorage(None, "m") as storage:
            await StagedStorage(storage).set("", 1)

    with pytest.raises(HostCallError, match="1 to 256"):
        run(main())


KEYS = st.sampled_from(["a", "ab", "b", "ç"])
STEPS = st.lists(st.tuples(st.sampled_from(["set", "delete", "keys"]), KEYS, st.integers()), max_size=12)


@given(stored=st.dictionaries(KEYS, st.integers()), steps=STEPS)
def test_it_answers_as_the_storage_itself_would(stored, steps):
    async def outcome(staged: bool) -> Any:
        async with KeyValueStorage(None, "m") as storage:
            for key, value in stored.items():
                await storage.set(key, value)
            seen: Any = StagedStorage(storage) if staged else storage
            answers = [
                await (seen.set(key, value) if name == "set" else getattr(seen, name)(key))
                for name, key, value in steps
            ]
            if staged:
                await seen.commit()
            return answers, await contents(storage), storage.used_bytes

    assert asyncio.run(outcome(staged=True)) == asyncio.run(outcome(staged=False))
