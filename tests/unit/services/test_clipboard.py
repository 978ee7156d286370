"""The clipboard in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plataforma_sdk.errors import HostCallError, QuotaExceededError
from plataforma_sdk.services import Clipboard, MemoryClipboard

Run = Callable[[Any], Any]


def test_memory_clipboard_is_a_clipboard() -> None:
    assert isinstance(MemoryClipboard(), Clipboard)


def test_text_comes_back(run: Run) -> None:
    async def main() -> list[str]:
        clipboard = MemoryClipboard()
        before = await clipboard.read()
        await clipboard.write("olá")
        return [before, await clipboard.read()]

    assert run(main()) == ["", "olá"]


def test_large_text_is_a_quota_and_changes_nothing(run: Run) -> None:
    async def main() -> str:
        clipboard = MemoryClipboard(max_bytes=4)
        await clipboard.write("éé")
        with pytest.raises(QuotaExceededError) as caught:
            await clipboard.write("ééé")
        assert (caught.value.used, caught.value.limit) == (6, 4)
        return await clipboard.read()

    assert run(main()) == "éé"


def test_only_text_is_taken(run: Run) -> None:
    with pytest.raises(HostCallError):
        run(MemoryClipboard().write(b"x"))  # type: ignore[arg-type]
