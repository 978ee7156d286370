"""The server's patches and the page's: what they make of a tree is what the next tree looks like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plataforma_sdk import codec
from tests.e2e.desktop.views.view import View
from tests.e2e.fake.random_trees import RandomTrees

diff = pytest.importorskip("plataforma_sdk.web.desktop._patches", reason="the shell is not built yet").diff


def case(seed: int) -> list[str] | None:
    """Make a tree, the operations of two steps from it, and the last tree; None where a whole tree would be sent."""
    trees = RandomTrees(seed)
    first = trees.tree()
    second = trees.change(first)
    third = trees.change(second)
    steps = [diff(first, second), diff(second, third)]
    return None if None in steps else [codec.encode(part) for part in (first, *steps, third)]


def test_patched_view_is_the_view_of_the_new_tree(open_view: Callable[..., View]) -> None:
    """After any two steps from any tree, whatever came, went, moved or became another element."""
    view = open_view()
    differ = "async (cases) => { const {difference} = await import('/fake/compare.js'); return cases.map(difference); }"

    differences: list[Any] = view.page.evaluate(
        differ, [made for seed in range(150) if (made := case(seed)) is not None]
    )

    assert len(differences) > 100
    assert [found for found in differences if found is not None] == []
