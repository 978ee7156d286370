"""The SQL functions that a module may call, and bounded twins of those that SQLite computes in quadratic time.

``instr('aaa...', 'aa...b')`` on one megabyte keeps SQLite 6.5 s in one uninterruptible step (3.40); `str.find` needs
milliseconds. ``replace`` searches the same way, the two-argument ``trim`` compares every character with every other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Final

__all__ = ["ALLOWED_FUNCTIONS", "install_functions"]

ALLOWED_FUNCTIONS: Final = frozenset(
    """
    abs acos asin atan atan2 avg ceil ceiling changes char coalesce cos count cume_dist current_date current_time
    current_timestamp date datetime degrees dense_rank exp first_value floor format glob group_concat hex ifnull iif
    instr json json_array_length json_extract json_quote json_type json_valid julianday lag last_insert_rowid last_value
    lead length like likelihood likely ln log log10 log2 lower ltrim max min mod nth_value ntile nullif percent_rank pi
    pow power printf quote radians random rank replace round row_number rtrim sign sin sqrt strftime string_agg substr
    substring sum tan time timediff total trim trunc typeof unicode unixepoch unlikely upper -> ->>
    """.split()  # noqa: SIM905 - a table of words
)
"""Pure and bounded; missing on purpose: load_extension, randomblob, zeroblob, fts3_tokenizer, table-valued ones."""

MAX_TRIM_CHARS: Final = 128


def install_functions(connection: sqlite3.Connection, *, max_bytes: int) -> None:
    """Put the bounded twins over SQLite's own; `max_bytes` is the longest text that ``replace`` may make."""

    def add(name: str, count: int, function: Callable[..., Any]) -> None:
        connection.create_function(name, count, function, deterministic=True)

    add("instr", 2, _instr)
    add("replace", 3, lambda text, old, new: _replace(text, old, new, max_bytes))
    add("trim", 2, lambda text, chars: _trim(str.strip, text, chars))
    add("ltrim", 2, lambda text, chars: _trim(str.lstrip, text, chars))
    add("rtrim", 2, lambda text, chars: _trim(str.rstrip, text, chars))


def _instr(text: Any, part: Any) -> int | None:
    if text is None or part is None:
        return None
    if isinstance(text, bytes) and isinstance(part, bytes):
        return text.find(part) + 1
    return _text(text).find(_text(part)) + 1


def _replace(text: Any, old: Any, new: Any, max_bytes: int) -> str | None:
    if text is None or old is None or new is None:
        return None
    whole, part, other = _text(text), _text(old), _text(new)
    if not part:
        return whole
    longer = whole.count(part) * (len(other) - len(part))
    if len(whole) + longer > max_bytes:  # before it is made; sqlite3 turns OverflowError into "string too big"
        raise OverflowError
    return whole.replace(part, other)


def _trim(strip: Callable[[str, str], str], text: Any, chars: Any) -> str | None:
    if text is None or chars is None:
        return None
    removed = _text(chars)
    if len(removed) > MAX_TRIM_CHARS:
        raise OverflowError
    return strip(_text(text), removed) if removed else _text(text)


def _text(value: Any) -> str:
    """Read a value as text, as SQLite casts it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        digits = format(value, ".15g")
        return digits if set(digits) & set(".enif") else f"{digits}.0"
    return str(value)
