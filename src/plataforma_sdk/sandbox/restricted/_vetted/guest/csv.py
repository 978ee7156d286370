"""`csv` over texts, written in the restricted language itself: `reader`, `DictReader`."""

# ruff: noqa: D103, N802 - written as the original is

from typing import Any


def _cells(line: str, delimiter: str) -> list[str]:
    cells = []
    cell = ""
    is_quoted = False
    for character in line:
        if character == '"':
            is_quoted = not is_quoted
        elif character == delimiter and not is_quoted:
            cells.append(cell)
            cell = ""
        else:
            cell = cell + character
    cells.append(cell)
    return cells


def reader(lines: Any, delimiter: str = ",") -> Any:
    for line in lines:
        yield _cells(line.rstrip("\r\n"), delimiter)


def DictReader(lines: Any, delimiter: str = ",") -> Any:
    names = None
    for cells in reader(lines, delimiter):
        if names is None:
            names = cells
        else:
            yield dict(zip(names, cells, strict=False))
