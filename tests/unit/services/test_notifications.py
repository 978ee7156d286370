"""Notifications: bounded texts, rate, callbacks."""

from __future__ import annotations

import logging

import pytest

from plataforma_sdk.errors import QuotaExceededError
from plataforma_sdk.services import Notification, NotificationCenter
from plataforma_sdk.types import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_000.0)


def test_notification_reaches_the_callback(clock: FakeClock) -> None:
    seen: list[Notification] = []
    center = NotificationCenter(clock=clock)
    center.on_notify(seen.append)
    center.notify("vendas", "Nova venda", "R$ 10,00\nBrazil")
    assert seen == [Notification(1, "vendas", "Nova venda", "R$ 10,00\nBrazil", 1_000.0)]


def test_ended_subscription_hears_nothing(clock: FakeClock) -> None:
    seen: list[Notification] = []
    center = NotificationCenter(clock=clock)
    with center.on_notify(seen.append):
        center.notify("vendas", "a")
    center.notify("vendas", "b")
    assert [one.title for one in seen] == ["a"]


def test_same_callback_may_listen_twice(clock: FakeClock) -> None:
    seen: list[Notification] = []
    center = NotificationCenter(clock=clock)
    first, _ = center.on_notify(seen.append), center.on_notify(seen.append)
    first.unsubscribe()
    center.notify("vendas", "a")
    assert len(seen) == 1


def test_failing_callback_stops_nobody(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Notification) -> None:
        raise RuntimeError("no screen")

    seen: list[Notification] = []
    center = NotificationCenter(clock=clock)
    center.on_notify(fail)
    center.on_notify(seen.append)
    with caplog.at_level(logging.ERROR):
        center.notify("vendas", "a")
    assert len(seen) == 1
    assert "no screen" in caplog.text


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("  a  ", "a"),
        ("x" * 300, "x" * 199 + "…"),
        ("line\nbreak", "line break"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\x00\x1b[31mb", "a  [31mb"),
        ("\ud800a", "a"),
    ],
)
def test_title_is_one_short_plain_line(clock: FakeClock, title: str, shown: str) -> None:
    assert NotificationCenter(clock=clock).notify("vendas", title).title == shown


def test_body_is_cut(clock: FakeClock) -> None:
    assert len(NotificationCenter(clock=clock).notify("vendas", "a", "x" * 100_000).body) == 2_000


def test_only_the_latest_are_kept(clock: FakeClock) -> None:
    center = NotificationCenter(keep=2, clock=clock)
    for title in "abc":
        center.notify("vendas", title)
    assert [(one.id, one.title) for one in center.recent()] == [(2, "b"), (3, "c")]


def test_rate_is_per_module_and_minute(clock: FakeClock) -> None:
    center = NotificationCenter(max_per_minute=2, clock=clock)
    center.notify("vendas", "a")
    clock.advance(30)
    center.notify("vendas", "b")
    with pytest.raises(QuotaExceededError) as caught:
        center.notify("vendas", "c")
    center.notify("painel", "d")
    clock.advance(30)
    center.notify("vendas", "e")
    assert (caught.value.resource, caught.value.used, caught.value.limit) == ("notifications", 3, 2)
    assert [one.title for one in center.recent("vendas")] == ["a", "b", "e"]


def test_forgetting_a_module_keeps_its_rate(clock: FakeClock) -> None:
    center = NotificationCenter(max_per_minute=1, clock=clock)
    center.notify("vendas", "a")
    center.notify("painel", "b")
    center.forget("vendas")
    with pytest.raises(QuotaExceededError):
        center.notify("vendas", "c")
    assert [one.module for one in center.recent()] == ["painel"]
