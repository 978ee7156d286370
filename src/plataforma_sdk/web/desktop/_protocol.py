"""The words of the socket: what a client may send, and the limits. All of it in ``docs/reference/desktop-wire.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, GuestError, PlataformaError, error_to_data
from plataforma_sdk.permissions import clean_text

__all__ = [
    "SUBPROTOCOL",
    "Bye",
    "WireLimits",
    "checked_locale",
    "error_fields",
    "module_window",
    "read_message",
]

SUBPROTOCOL: Final = "plataforma.desktop.v1"

MAX_TEXT_CHARS: Final = 500
_MAX_LOCALE_CHARS: Final = 35
_LOCALE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)

_FIELDS: Final[Mapping[str, Mapping[str, type | tuple[type, ...]]]] = {
    "hello": {"token": str, "resume": (str, type(None)), "seen": dict, "locale": str},
    "event": {"seq": int, "module": str, "event": dict},
    "close": {"seq": int, "module": str, "window": str},
    "show": {"seq": int, "module": str},
    "resync": {"module": str, "window": str},
    "size": {"module": str, "window": str, "width": int},
    "watch": {"topic": str, "on": bool},
    "answer": {"seq": int, "prompt": str, "answer": str},
    "permission": {"seq": int, "module": str, "permission": str, "action": str},
    "task": {"seq": int, "module": str, "action": str},
    "locale": {"locale": str},
    "theme": {"theme": str},
    "ping": {"at": (int, float)},
}
"""Type of a client's message -> what it must have. Features check what else is theirs."""


class Bye(Exception):  # noqa: N818 - no error of the library's: how a connection ends
    """Ends a connection: the client is told the reason, then the socket is closed.

    Attributes:
        reason: ``"rate"``, ``"size"``, ``"slow"``, ``"protocol"``, ``"replaced"``, ``"unauthorized"``, ``"shutdown"``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@attrs.frozen(kw_only=True)
class WireLimits:
    """What one page may send, and how long it is waited for.

    Attributes:
        max_message_bytes: of one message.
        max_messages_per_s: on average.
        max_burst_messages: at once.
        max_running: events of one page whose handlers still run; one more is refused, not queued.
        max_waiting_bytes: of messages that wait for a page that does not read.
        hello_timeout_s: how long a new socket may say nothing.
        send_timeout_s: how long a page may take to read one message.
        grace_s: how long a page may be gone and still come back as the same.
        max_sessions: pages of one subject, those included that may come back.
        recheck_s: how often it is asked again who an open page is: one who has signed out is shown no more.
    """

    max_message_bytes: int = 256 << 10
    max_messages_per_s: float = 60.0
    max_burst_messages: int = 600
    max_running: int = 64
    max_waiting_bytes: int = 8 << 20
    hello_timeout_s: float = 10.0
    send_timeout_s: float = 20.0
    grace_s: float = 60.0
    max_sessions: int = 64
    recheck_s: float = 60.0


def read_message(text: str, limits: WireLimits) -> dict[str, Any]:
    """Read a message of a client.

    Raises:
        Bye: it is too large, or none: a page of ours does not send such, so nothing further is believed.
    """
    if len(text) > limits.max_message_bytes or len(text.encode(errors="replace")) > limits.max_message_bytes:
        raise Bye("size")
    try:
        message = codec.decode(text)
    except CodecError:
        raise Bye("protocol") from None
    kind = message.get("type") if isinstance(message, dict) else None
    expected = _FIELDS.get(kind) if isinstance(kind, str) else None
    if expected is None or not all(_is_a(message.get(name), wanted) for name, wanted in expected.items()):
        raise Bye("protocol")
    return dict(message)


def _is_a(value: object, kinds: type | tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return kinds is bool
    return isinstance(value, kinds)


def checked_locale(text: object, default: str = "en") -> str:
    """Return a language tag if it reads like one."""
    is_tag = isinstance(text, str) and len(text) <= _MAX_LOCALE_CHARS and _LOCALE.fullmatch(text) is not None
    return str(text) if is_tag else default


def module_window(name: object) -> tuple[str, str] | None:
    """Read ``"module/window"``; the id of a module may hold a slash, that of a window does not."""
    module, slash, window = name.rpartition("/") if isinstance(name, str) else ("", "", "")
    return (module, window) if slash else None


def error_fields(error: PlataformaError) -> dict[str, Any]:
    """Write an error for a person: a code, a text and, where the error has any, advice."""
    text = str(error_to_data(error)["message"])
    if isinstance(error, GuestError):
        text = text.partition("\n")[0]  # its traceback is for the log and the module's author
    advice = str(getattr(error, "advice", None) or "")
    return {"code": type(error).__name__, "text": clean_text(text, MAX_TEXT_CHARS), "advice": advice}
