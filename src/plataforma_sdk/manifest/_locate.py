"""On which line does a key of a TOML text stand? For messages only: a text that fools it is told a wrong line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

__all__ = ["MAX_KEY_PARTS", "KeyPath", "has_long_key", "locate_keys"]

KeyPath: TypeAlias = tuple[str, ...]

MAX_KEY_PARTS: Final = 16
_MAX_LINE_CHARS: Final = 2_000
_PART: Final = re.compile(r"[ \t]*(?:([A-Za-z0-9_-]+)|\"((?:[^\"\\]|\\.)*)\"|'([^']*)')[ \t]*")


def has_long_key(text: str) -> bool:
    """Whether a line begins with a key of more than `MAX_KEY_PARTS` parts.

    The standard library's parser takes time quadratic in the parts of a dotted key: 38 s for one line of 64 kB.
    """
    return any(len(_key_at(line, _start_of_key(line))[0]) > MAX_KEY_PARTS for line in text.split("\n"))


def locate_keys(text: str) -> Mapping[KeyPath, int]:
    """Find the line, from 1, of every table and key; where one stands twice, the first."""
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    inside = ""  # the quotes of a multi-line text, while inside it
    for number, line in enumerate(text.split("\n"), 1):
        if not inside and len(line) <= _MAX_LINE_CHARS:
            start = _start_of_key(line)
            path, end = _key_at(line, start)
            if path and line.lstrip().startswith("["):
                table = path
                lines.setdefault(table, number)
            elif path and line[end : end + 1] == "=":
                lines.setdefault(table + path, number)
        inside = _multi_line_state(line, inside)
    return lines


def _start_of_key(line: str) -> int:
    stripped = line.lstrip()
    return len(line) - len(stripped.lstrip("["))


def _key_at(line: str, position: int) -> tuple[KeyPath, int]:
    """Read a dotted key; stops after one part too many, so that it costs no more than is needed to refuse it."""
    parts: list[str] = []
    while len(parts) <= MAX_KEY_PARTS:
        found = _PART.match(line, position)
        if found is None:
            break
        parts.append(found[1] or found[2] or found[3] or "")
        position = found.end()
        if line[position : position + 1] != ".":
            break
        position += 1
    return tuple(parts), position


def _multi_line_state(line: str, inside: str) -> str:
    for quotes in ('"""', "'''"):
        if inside in ("", quotes) and line.count(quotes) % 2:
            return "" if inside else quotes
    return inside
