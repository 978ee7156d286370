"""What a directory of a module holds beside the module: tests, what building leaves behind, what its author names.

The list of the author is a file, not a key of the manifest: it is about how a package is made, and stays at home.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Final, Self

import attrs

from plataforma_sdk.errors import Fault, ManifestError

__all__ = ["IGNORE_FILE", "IgnoreList"]

IGNORE_FILE: Final = ".plataformaignore"

_LEFTOVERS: Final = ("build/", "dist/", "venv/", "htmlcov/", "*.egg-info/", "/*.zip", "*.o", "*~", "*.orig")
_TESTS: Final = ("tests/", "snapshots/", "test_*.py", "*_test.py", "conftest.py")


@attrs.frozen
class _Rule:
    """One line: parts of a path, or one part for a name at any depth."""

    parts: tuple[str, ...]
    is_anchored: bool
    is_for_directories: bool
    takes_back: bool

    def matches(self, name: str, *, is_directory: bool) -> bool:
        if self.is_for_directories and not is_directory:
            return False
        parts = name.split("/")
        given = parts if self.is_anchored else parts[-1:]
        return len(given) == len(self.parts) and all(map(fnmatch.fnmatchcase, given, self.parts))


@attrs.frozen
class IgnoreList:
    """Rules of which the last one that matches counts, written as in a ``.gitignore``.

    Attributes:
        rules: the built-in ones, then those of the author.

    >>> ignore = IgnoreList.parse("*.c\\n!tests/\\n")
    >>> [ignore.leaves_out(name) for name in ("src/a.c", "build", "module.toml")]
    [True, False, False]
    >>> [ignore.leaves_out(name, is_directory=True) for name in ("build", "tests")]
    [True, False]
    """

    rules: tuple[_Rule, ...]

    @classmethod
    def parse(cls, text: str = "", *, with_tests: bool = False) -> Self:
        """Read the author's list, behind the built-in one.

        Args:
            text: a pattern each line; see the guide to packages.
            with_tests: let the built-in list keep tests and their snapshots.

        Raises:
            ManifestError: patterns that are not understood, all of them.
        """
        built_in = (_rule(pattern) for pattern in (*_LEFTOVERS, *(() if with_tests else _TESTS)))
        lines = list(_patterns(text))
        faults = [
            Fault(f"{IGNORE_FILE}:{number}", f"{pattern[:80]!r} is no pattern", "write one line for each folder")
            for number, pattern in lines
            if "**" in pattern or not pattern.strip("!/")
        ]
        if faults:
            raise ManifestError(faults, source=IGNORE_FILE)
        return cls((*built_in, *(_rule(pattern) for _, pattern in lines)))

    def leaves_out(self, name: str, *, is_directory: bool = False) -> bool:
        """Whether a path stays out; a directory takes all below it along."""
        matching = (rule for rule in reversed(self.rules) if rule.matches(name, is_directory=is_directory))
        last = next(matching, None)
        return last is not None and not last.takes_back


def _patterns(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and pattern; empty lines and comments say nothing."""
    for number, line in enumerate(text.splitlines(), 1):
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            yield number, pattern


def _rule(pattern: str) -> _Rule:
    body = pattern.removeprefix("!")
    path = body.removesuffix("/")
    return _Rule(
        parts=tuple(path.removeprefix("/").split("/")),
        is_anchored="/" in path,
        is_for_directories=body.endswith("/"),
        takes_back=pattern.startswith("!"),
    )
