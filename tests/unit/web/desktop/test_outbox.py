"""What waits for a page."""

from __future__ import annotations

from typing import Any

import pytest

from plataforma_sdk.web.desktop._outbox import Outbox
from plataforma_sdk.web.desktop._protocol import Bye


async def _all(outbox: Outbox) -> list[str]:
    return [text for _ in range(len(outbox)) for text in await outbox.next()]


def test_texts_leave_in_order_and_the_newest_of_a_name_alone(run: Any) -> None:
    outbox = Outbox(1_000)
    for text, name in (("a", None), ("old", "x"), ("b", None), ("new", "x"), ("c", None)):
        outbox.put(text, replaces=name)
    outbox.put("first", is_first=True)

    assert run(_all(outbox)) == ["first", "a", "b", "new", "c"]
    assert outbox.waiting_bytes == 0


def test_a_frame_waits_once_and_is_written_when_it_leaves(run: Any) -> None:
    outbox = Outbox(1_000)
    shown = ["old"]
    for _ in range(3):
        outbox.put_frame("main", lambda: list(shown))
    shown[0] = "new"

    assert run(_all(outbox)) == ["new"]


def test_a_text_and_a_frame_of_one_name_do_not_meet(run: Any) -> None:
    outbox = Outbox(1_000)
    outbox.put("text", replaces="main")
    outbox.put_frame("main", lambda: ["frame"])

    assert run(_all(outbox)) == ["text", "frame"]


def test_more_than_may_wait_gives_the_page_up_and_keeps_nothing(run: Any) -> None:
    outbox = Outbox(10)
    outbox.put("x" * 6)
    outbox.put("y" * 6)
    outbox.put("z")

    assert (outbox.has_overflowed, outbox.waiting_bytes, len(outbox)) == (True, 0, 0)
    with pytest.raises(Bye, match="slow"):
        run(outbox.next())
