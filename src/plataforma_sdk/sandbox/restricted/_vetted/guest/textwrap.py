"""`textwrap`, written in the restricted language itself."""

# ruff: noqa: D103 - written as the original is

from typing import Any


def wrap(text: str, width: int = 70) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = ""
        line = word if not line else line + " " + word
        while len(line) > width:
            lines.append(line[:width])
            line = line[width:]
    if line:
        lines.append(line)
    return lines


def fill(text: str, width: int = 70) -> str:
    return "\n".join(wrap(text, width))


def shorten(text: str, width: int, placeholder: str = " [...]") -> str:
    words = text.split()
    short = " ".join(words)
    if len(short) <= width:
        return short
    while words and len(" ".join(words)) + len(placeholder) > width:
        words.pop()
    return " ".join(words) + placeholder


def indent(text: str, prefix: str, predicate: Any = None) -> str:
    lines = text.splitlines(True)
    return "".join([prefix + line if (predicate(line) if predicate else line.strip()) else line for line in lines])


def dedent(text: str) -> str:
    lines = text.split("\n")
    margins = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    margin = min(margins, default=0)
    return "\n".join([line[margin:] if line.strip() else "" for line in lines])
