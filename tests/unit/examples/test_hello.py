"""The smallest example: under 20 lines, and the same in every tier."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from plataforma_sdk.sandbox import TIERS
from plataforma_sdk.testing import ModuleTestEnvironment

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "hello"


def test_it_has_fewer_than_20_lines() -> None:
    assert len((EXAMPLE / "hello.py").read_text("utf-8").splitlines()) < 20


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(("written", "shown"), [("Ana", "Olá, Ana!"), ("", "Olá, mundo!")])
def test_it_greets_who_writes_a_name(tier: str, written: str, shown: str) -> None:
    async def main() -> tuple[str, tuple[str, ...]]:
        async with ModuleTestEnvironment(EXAMPLE, tier=tier) as environment:
            await environment.pilot.fill("nome", written)
            return environment.pilot.find("heading").text, environment.permissions.unused_grants

    assert asyncio.run(main()) == (shown, ())
