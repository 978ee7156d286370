"""What is said of a handler that failed: to the log in full, to modules only what is theirs to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from plataforma_sdk.errors import MAX_MESSAGE_CHARS, PlataformaError, error_to_data
from plataforma_sdk.logs import logger_of

__all__ = ["OwnerLog", "describe_fault", "log_fault", "log_of_owner"]

OwnerLog: TypeAlias = Callable[..., None]
"""Writes an error about a module to the log: ``(owner, text, *args)``."""

_log: Final = logger_of("plataforma_sdk.events")


def describe_fault(error: BaseException, owner: str | None) -> dict[str, Any]:
    """Describe an error, as `error_to_data` does, in an event that `owner` may hear.

    A foreign exception on behalf of a module is the host's own failure, and its text may hold paths of the host.
    """
    if isinstance(error, PlataformaError):
        return error_to_data(error)
    text = _text(error) if owner is None else "the host failed while it served the module; see its log"
    return {"type": type(error).__name__, "message": text[:MAX_MESSAGE_CHARS]}


def log_of_owner(owner: str, text: str, *args: Any) -> None:
    """Write it as it comes; a host, which knows the module, counts how much it writes."""
    _log.error(text, *args, extra={"module_id": owner})


def log_fault(error: BaseException, owner: str | None, topic: str, log: OwnerLog = log_of_owner) -> None:
    """Log a fault: with its traceback where the code is the host's, quoted where the text is a module's."""
    if owner is None:
        _log.error("A handler of %r failed", topic, exc_info=error)
        return
    text = "Module %r failed in its handler of %r: %s: %.500r"
    log(owner, text, owner, topic, type(error).__name__, _text(error))


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception that cannot be printed must not stop the next handler
        return "(no text)"
