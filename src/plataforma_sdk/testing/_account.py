"""What the tests of a run used of the permissions that manifests declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["GrantAccount"]


class GrantAccount:
    """The union over all tests of a run.

    >>> account = GrantAccount()
    >>> account.add("vendas", ["api.vendas[GET]", "window.create"], ["window.create"])
    >>> account.unused()
    {'vendas': ['api.vendas[GET]']}
    """

    def __init__(self) -> None:
        self._granted: dict[str, set[str]] = {}
        self._used: dict[str, set[str]] = {}

    def add(self, module: str, granted: Iterable[str], used: Iterable[str]) -> None:
        """Take note of one test."""
        self._granted.setdefault(module, set()).update(granted)
        self._used.setdefault(module, set()).update(used)

    def unused(self) -> dict[str, list[str]]:
        """Return module -> grants, one scope each, that no test used."""
        left = {module: sorted(granted - self._used[module]) for module, granted in self._granted.items()}
        return {module: grants for module, grants in left.items() if grants}

    def to_data(self) -> dict[str, Any]:
        """Return plain data, for another process."""
        return {module: [sorted(self._granted[module]), sorted(self._used[module])] for module in self._granted}

    def merge(self, data: Mapping[str, Any]) -> None:
        """Take in what `to_data` of another process returned."""
        for module, (granted, used) in data.items():
            self.add(module, granted, used)
