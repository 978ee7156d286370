"""Reading untyped tables into typed values, fault by fault: nothing is raised, everything is collected."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeVar

from plataforma_sdk.errors import Fault
from plataforma_sdk.manifest._locate import KeyPath
from plataforma_sdk.manifest._unfit import UnfitError

__all__ = ["Reader", "listing", "nearest"]

MAX_ITEMS: Final = 256
"""Items of one table or list of a manifest."""

T = TypeVar("T")


class Reader:
    """Collects the faults of one manifest while its values are read.

    A value that is at fault is read as its default, so that one fault never hides another.
    """

    def __init__(self, source: str, lines: Mapping[KeyPath, int]) -> None:
        self.source = source
        self._lines = lines
        self._faults: list[tuple[int, Fault]] = []

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All faults so far, in the order of the file; those of what is missing come first."""
        return tuple(fault for _, fault in sorted(self._faults, key=lambda numbered: numbered[0]))

    def fault(self, path: KeyPath, problem: str, advice: str = "") -> None:
        """Note a fault of the key at `path`."""
        line = self._line(path)
        where = f"{self.source}:{line}" if line else self.source
        shown = ".".join(part if part.replace("-", "_").isidentifier() else f'"{part}"' for part in path)
        self._faults.append((line, Fault(f"{where}: {shown[:200]}" if shown else where, problem, advice)))

    def _line(self, path: KeyPath) -> int:
        """The key's own line, or that of the table around it: an inline table has one line for all its keys."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return 0

    def unknown(self, table: Mapping[str, Any], path: KeyPath, known: Collection[str]) -> None:
        """Note a fault for every key that is not known."""
        for key in table:
            if key not in known:
                near = nearest(key, known)
                advice = f"did you mean {near!r}?" if near else f"known keys are {listing(known)}"
                self.fault((*path, key), "unknown key", advice)

    def text(
        self, table: Mapping[str, Any], path: KeyPath, *, default: str = "", max_chars: int = 200, lines: bool = False
    ) -> str:
        """Read a printable text; `lines` admits line ends."""
        value = table.get(path[-1], default)
        problem = text_problem(value, max_chars, lines=lines)
        if problem is None:
            return str(value)
        self.fault(path, problem, 'write a text in quotes, such as "Vendas"')
        return default

    def checked(self, table: Mapping[str, Any], path: KeyPath, check: Callable[[str], T], default: T) -> T:
        """Read a text by a check that raises `UnfitError`."""
        if path[-1] not in table:
            return default
        value = table[path[-1]]
        if not isinstance(value, str):
            self.fault(path, f"is {kind_of(value)}, not a text", "write it in quotes")
            return default
        try:
            return check(value)
        except UnfitError as error:
            self.unfit(path, error)
            return default

    def unfit(self, path: KeyPath, error: UnfitError) -> None:
        """Note a value that does not fit."""
        self.fault(path, error.problem, error.advice)

    def flag(self, table: Mapping[str, Any], path: KeyPath, *, default: bool) -> bool:
        """Read true or false."""
        value = table.get(path[-1], default)
        if isinstance(value, bool):
            return value
        self.fault(path, f"is {kind_of(value)}", "write true or false")
        return default

    def texts(self, table: Mapping[str, Any], path: KeyPath, *, max_chars: int = 200) -> tuple[str, ...]:
        """Read a list of texts, none of them twice."""
        value = table.get(path[-1], [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(path, f"is {kind_of(value)}, not a list of texts", 'write ["one", "two"]')
            return ()
        if len(value) > MAX_ITEMS:
            self.fault(path, f"has {len(value):,} items", f"at most {MAX_ITEMS} are read")
            return ()
        for item in value:
            problem = text_problem(item, max_chars)
            if problem is not None:
                self.fault(path, problem, "write a short printable text")
                return ()
        for item in sorted({item for item in value if value.count(item) > 1}):
            self.fault(path, f"names {item!r} twice", "leave one of them out")
        return tuple(dict.fromkeys(value))

    def table(self, table: Mapping[str, Any], path: KeyPath) -> Mapping[str, Any]:
        """Read a table."""
        value = table.get(path[-1], {})
        if not isinstance(value, dict):
            self.fault(path, f"is {kind_of(value)}, not a table", f"write [{'.'.join(path)}] and its keys below")
            return {}
        if len(value) > MAX_ITEMS:
            self.fault(path, f"has {len(value):,} keys", f"at most {MAX_ITEMS} are read")
            return {}
        return value


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like this one, if any is."""
    found = difflib.get_close_matches(name[:80], list(known), n=1)
    return found[0] if found else None


def listing(names: Iterable[str]) -> str:
    """Write names for a message."""
    return ", ".join(repr(name) for name in names)


def text_problem(value: object, max_chars: int, *, lines: bool = False) -> str | None:
    """Say what is wrong with a text, or None. Not printable: controls, direction marks, lone surrogates."""
    if not isinstance(value, str):
        return f"is {kind_of(value)}, not a text"
    if len(value) > max_chars:
        return f"has {len(value):,} characters, at most {max_chars:,} are read"
    if not (value.replace("\n", " ") if lines else value).isprintable():
        return "holds a character that cannot be printed"
    return None


def kind_of(value: object) -> str:
    """Name the TOML type of a value."""
    names = {
        bool: "a boolean",
        int: "a whole number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(value), f"a {type(value).__name__}")
