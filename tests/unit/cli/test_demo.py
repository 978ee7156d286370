"""The demo's own parts, in the tier that needs no engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plataforma_sdk import PermissionDeniedError, PermissionRequest
from plataforma_sdk.cli._demo import AskOnce, run_demo
from plataforma_sdk.cli._example import example_path, sales_api


def request(permission: str) -> PermissionRequest:
    return PermissionRequest(
        subject="ana", module="vendas", permission=permission, reason="", source=None, requested_at=0.0
    )


class Person:
    """Answers as told and remembers what it was asked."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.asked: list[str] = []

    async def ask(self, wanted: PermissionRequest) -> bool:
        self.asked.append(wanted.permission)
        return wanted.permission not in self.refused


async def demo_of(prompt: Any, steps: list[str] | None = None) -> Any:
    with sales_api(None) as api:
        return await run_demo(
            "trusted",
            example_path("vendas"),
            api,
            prompt=prompt,
            grant_declared=False,
            progress=(steps if steps is not None else []).append,
        )


def test_a_question_is_put_once_for_all_tiers(run: Callable[..., Any]) -> None:
    person = Person("window.create")
    once = AskOnce(person)

    async def ask_twice() -> list[Any]:
        names = ("window.create", "api.vendas", "window.create", "api.vendas")
        return [await once.ask(request(name)) for name in names]

    assert run(ask_twice()) == [False, True, False, True]
    assert person.asked == ["window.create", "api.vendas"]


def test_it_asks_for_what_is_declared_and_for_nothing_else(run: Callable[..., Any]) -> None:
    person = Person()
    result = run(demo_of(person))
    assert person.asked[:2] == ["api.vendas[GET]", "window.create"]
    assert "system.clipboard" not in person.asked
    assert result.denied == ("system.clipboard",)


def test_a_refused_requirement_ends_the_load(run: Callable[..., Any]) -> None:
    with pytest.raises(PermissionDeniedError, match=r"window\.create"):
        run(demo_of(Person("window.create")))


def test_a_refused_option_does_not(run: Callable[..., Any]) -> None:
    assert run(demo_of(Person("system.notifications"))).rows["vendas"] == 180


def test_it_says_what_it_does(run: Callable[..., Any]) -> None:
    steps: list[str] = []
    run(demo_of(Person(), steps))
    assert steps == ["loading vendas 1.0.0", "sending events", "using the window"]


def test_made_up_sales_vanish_with_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with sales_api(None):
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []
