"""Loggers whose records say which module they are about, and whose text stays on its line.

Source: CWE-117, improper output neutralization for logs.
"""

from __future__ import annotations

import logging
import unicodedata
from typing import Any, Final

from plataforma_sdk.logs._calls import call_fields

__all__ = ["MAX_TEXT_CHARS", "RECORD_FIELDS", "clean_line", "logger_of"]

RECORD_FIELDS: Final = ("module_id", "module_version", "engine", "call_id", "subject")
"""Attributes of every record of the library; None where unknown."""

MAX_TEXT_CHARS: Final = 4_000
"""A text of a record is cut here."""

_MAX_EXCEPTION_LINES: Final = 200
_HARMLESS: Final = (int, float, bool, type(None))
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control, format (bidi among them) and surrogate characters, line and paragraph separators."""

_STANDARD: Final = logging.Formatter()


def clean_line(text: str, *, max_chars: int = MAX_TEXT_CHARS) -> str:
    r"""Write a text on one line: escape what moves a cursor or turns a line around, and cut it.

    >>> clean_line("ok\n2026-01-01 ERROR forged")
    'ok\\n2026-01-01 ERROR forged'
    """
    cut = len(text) - max_chars
    if cut > 0:
        text = text[:max_chars]
    if not text.isprintable():
        text = "".join(map(_escaped, text))
    return f"{text}... ({cut} more characters)" if cut > 0 else text


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    return character.encode("unicode_escape").decode("ascii")


class _ModuleFilter(logging.Filter):
    """Completes a record; never drops one."""

    def filter(self, record: logging.LogRecord) -> bool:
        known = call_fields(getattr(record, "module_id", None))
        for name, value in known.items():
            if getattr(record, name, None) is None:
                setattr(record, name, value)
        if isinstance(record.args, tuple):
            record.args = tuple(map(_clean_argument, record.args))
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            record.exc_text = _indented(_STANDARD.formatException(record.exc_info))
        return True


def _clean_argument(value: Any) -> Any:
    if isinstance(value, _HARMLESS):
        return value
    try:
        return clean_line(str(value))
    except Exception:  # noqa: BLE001 - an exception that cannot be printed must not hide what it is about
        return f"({type(value).__name__} without text)"


def _indented(traceback: str) -> str:
    """Set a traceback off from the lines of the log: the text of an exception may look like one of them."""
    lines = traceback.splitlines()
    left_out = len(lines) - _MAX_EXCEPTION_LINES
    if left_out > 0:
        lines = [f"... ({left_out} lines left out)", *lines[-_MAX_EXCEPTION_LINES:]]
    return "\n".join(f"  | {clean_line(line)}" for line in lines)


_FILTER: Final = _ModuleFilter()


def logger_of(name: str) -> logging.Logger:
    """Return the logger of this name, completing its records; asking again changes nothing."""
    logger = logging.getLogger(name)
    logger.addFilter(_FILTER)
    return logger
