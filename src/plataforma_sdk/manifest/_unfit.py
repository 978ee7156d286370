"""The error of one value, before it becomes a fault with a place."""

from __future__ import annotations

__all__ = ["UnfitError"]


class UnfitError(ValueError):
    """A value that does not fit.

    Attributes:
        problem: what is wrong.
        advice: what to write instead.
    """

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(f"{problem}; {advice}")
        self.problem = problem
        self.advice = advice
