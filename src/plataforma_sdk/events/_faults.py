"""What is said of a handler that failed: to the log in full, to other modules only what is theirs to know."""

from __future__ import annotations

import logging
from typing import Final

from plataforma_sdk.errors import MAX_MESSAGE_CHARS, GuestError, PlataformaError

__all__ = ["describe_fault", "log_fault"]

_log: Final = logging.getLogger("plataforma_sdk.events")


def describe_fault(error: BaseException, owner: str | None) -> tuple[str, str]:
    """Return type name and bounded text of an error, for an event that `owner` may hear.

    A foreign exception on behalf of a module is the host's own failure, and its text may hold paths of the host.
    """
    if isinstance(error, GuestError):
        name, text = error.type_name, error.text
    elif owner is None or isinstance(error, PlataformaError):
        name, text = type(error).__name__, _text(error)
    else:
        name, text = type(error).__name__, "the host failed while it served the module; see its log"
    return name, text.encode("utf-8", "replace").decode()[:MAX_MESSAGE_CHARS]


def log_fault(error: BaseException, owner: str | None, topic: str) -> None:
    """Log a fault: with its traceback where the code is the host's, quoted where the text is a module's."""
    if owner is None:
        _log.error("A handler of %r failed", topic, exc_info=error)
    else:
        _log.error(
            "Module %r failed in its handler of %r: %s: %.500r", owner, topic, type(error).__name__, _text(error)
        )


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception that cannot be printed must not stop the next handler
        return "(no text)"
