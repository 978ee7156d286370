"""Leaving ``with``: no traceback in the module's hands, no limit swallowed, whatever stands behind ``__exit__``."""

# ruff: noqa: E501 - modules and expressions read best on one line

from __future__ import annotations

import pytest

from plataforma_sdk.sandbox.restricted._fuel import LimitReached
from tests.unit.sandbox.restricted.restricted_kit import Runner

ENTER = "    def __enter__(self):\n        return self\n"

EXITS = {
    "method": "    def __exit__(self, kind, error, traceback):\n        seen.append((kind, traceback))\n        return True\n",
    "decorated": "    @lambda _: leave\n    def __exit__(self, kind, error, traceback):\n        pass\n",
    "static": (
        "    @staticmethod\n    def __exit__(kind, error, traceback):\n"
        "        return leave(None, kind, error, traceback)\n"
    ),
}
LEAVE = "seen = []\ndef leave(self, kind, error, traceback):\n    seen.append((kind, traceback))\n    return True\n"


@pytest.mark.parametrize("kind", EXITS)
def test_exit_gets_no_traceback(kind):
    """However ``__exit__`` came into the class body, it is told the error and handed no traceback."""
    source = f"{LEAVE}class C:\n{ENTER}{EXITS[kind]}with C():\n    raise ValueError('x')\n"

    assert Runner().run(source)["seen"] == [(ValueError, None)]


@pytest.mark.parametrize("kind", EXITS)
def test_exit_swallows_no_limit(kind):
    """A true result of ``__exit__`` hides an error, and never a limit."""
    source = f"{LEAVE}class C:\n{ENTER}{EXITS[kind]}with C():\n    while True:\n        pass\nseen.append('ran on')\n"

    with pytest.raises(LimitReached):
        Runner().run(source, fuel=10_000)


def test_a_coroutine_of_exit_swallows_no_limit():
    """The coroutine of an ``async def __exit__`` is true, and swallows the limit no more than a plain result."""
    body = "    async def __exit__(self, kind, error, traceback):\n        pass\n"
    source = f"class C:\n{ENTER}{body}with C():\n    while True:\n        pass\n"

    with pytest.raises(LimitReached), pytest.warns(RuntimeWarning, match="never awaited"):
        Runner().run(source, fuel=10_000)


def test_an_abstract_exit_stays_abstract():
    """``@abstractmethod`` over ``__exit__`` holds, although the engine wraps the method."""
    source = (
        "from abc import ABC, abstractmethod\nclass C(ABC):\n    @abstractmethod\n    def __exit__(self, a, b, c):\n"
        "        pass\nC()\n"
    )

    with pytest.raises(TypeError, match="abstract"):
        Runner().run(source)


REPLACED = """
def deep(n):
    return deep(n + 1)
def fail():
    try:
        deep(0)
    finally:
        raise ValueError('another')
"""


def test_a_limit_that_an_error_replaced_is_the_limit():
    """Running out of stack cannot be caught, not as the `ValueError` that a ``finally`` raised in its place either."""
    with pytest.raises(LimitReached, match="stack"):
        Runner().run(REPLACED + "try:\n    fail()\nexcept ValueError:\n    pass\n")


def test_chained_errors_are_bounded():
    """A few errors may stand behind one another; a chain without end crashes CPython when it is freed."""
    loop = "x = None\nfor i in range({}):\n    try:\n        raise OSError() from x\n    except OSError as e:\n        x = e\n"
    Runner().run(loop.format(100))

    with pytest.raises(LimitReached, match="stack"):
        Runner().run(loop.format(1_000))
