"""Records as JSON lines."""

from __future__ import annotations

import datetime
import json
import logging
from typing import Any, Final

from plataforma_sdk.logs._records import MAX_TEXT_CHARS, RECORD_FIELDS, clean_line

__all__ = ["JsonLinesFormatter"]

_MAX_FIELDS_CHARS: Final = 8_192


class JsonLinesFormatter(logging.Formatter):
    """Writes a record as one JSON object on one line, ASCII only; fit for any handler and any logger.

    Keys: ``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, those of `RECORD_FIELDS` that are known,
    ``fields`` (what a module passed to its `log`, apart, so that it can replace no other key), ``exception``.

    >>> record = logging.LogRecord("shop", logging.INFO, "shop.py", 1, "sold %d", (3,), None)
    >>> json.loads(JsonLinesFormatter().format(record))["message"]
    'sold 3'
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": at,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage()[: 2 * MAX_TEXT_CHARS],
        }
        for name in RECORD_FIELDS:
            value = getattr(record, name, None)
            if value is not None:
                line[name] = value
        fields = getattr(record, "fields", None)
        if fields:
            line["fields"] = _bounded(fields)
        if record.exc_info or record.exc_text:
            line["exception"] = record.exc_text or self.formatException(record.exc_info)  # type: ignore[arg-type]
        return json.dumps(line, default=str)


def _bounded(fields: Any) -> Any:
    try:
        text = json.dumps(fields, default=str)
    except (TypeError, ValueError, RecursionError):
        return {"unreadable": clean_line(type(fields).__name__)}
    return fields if len(text) <= _MAX_FIELDS_CHARS else {"truncated": text[:_MAX_FIELDS_CHARS]}
