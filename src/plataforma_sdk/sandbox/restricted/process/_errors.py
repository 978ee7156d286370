"""Errors on the wire between host and worker. What a worker writes is read field by field: it may write anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import (
    CodecError,
    Fault,
    GuestError,
    HostCallError,
    PlataformaError,
    PolicyError,
    ResourceLimitError,
    SandboxCrashedError,
    error_from_data,
    error_to_data,
)
from plataforma_sdk.sandbox.restricted.process._wire import BreachError

__all__ = ["error_text", "read_error", "rebuilt"]

_MAX_TEXT: Final = 20_000
_MAX_ITEMS: Final = 200
_PARTS: Final = 3


def error_text(error: BaseException) -> bytes:
    """Write an error; of one that is not ours, its class only, since its text may name what is the host's."""
    if not isinstance(error, PlataformaError):
        error = HostCallError(type(error).__name__, "")
    data = error_to_data(error)
    if isinstance(error, PolicyError):  # `error_to_data` cuts the message, and leaves the faults out
        data["text"] = error.message[:_MAX_TEXT]
        data["faults"] = [list(fault) for fault in error.faults[:_MAX_ITEMS]]
    try:
        return codec.encode(data).encode()
    except CodecError:  # a field that does not cross, such as a body with NaN in it
        return codec.encode({**data, "fields": {"module": error.module}}).encode()


def read_error(payload: bytes, module: str) -> PlataformaError:
    """Rebuild an error that the other side wrote.

    Raises:
        BreachError: it is no error of the codec.
    """
    try:
        data = codec.decode(payload)
    except CodecError as error:
        raise BreachError(f"no error: {error.message}") from None
    if not isinstance(data, dict) or not isinstance(data.get("message"), str):
        raise BreachError("no error: no message")
    fields = data.get("fields")
    fields = _checked(fields) if isinstance(fields, dict) else {}
    rebuild = _REBUILD.get(str(data.get("code")), _any_error)
    found = rebuild(data, fields, module)
    if found.module is None or isinstance(found, _OWN):
        found.module = module  # it cannot say that another module failed
    return found


def rebuilt(error: PlataformaError) -> PlataformaError:
    """Copy an error, so that each of several callers has its own to annotate."""
    return read_error(error_text(error), error.module or "")


def _any_error(data: Mapping[str, Any], fields: Mapping[str, Any], _module: str) -> PlataformaError:
    return error_from_data({**data, "fields": fields})


def _guest_error(_data: Mapping[str, Any], fields: Mapping[str, Any], module: str) -> PlataformaError:
    """By its constructor, which writes the traceback into the message: `error_from_data` would cut it."""
    name, text = fields.get("type_name") or "Exception", fields.get("text") or ""
    return GuestError(name, text, traceback=fields.get("traceback") or (), module=module)


def _policy_error(data: Mapping[str, Any], fields: Mapping[str, Any], module: str) -> PlataformaError:
    faults = data.get("faults")
    items = faults[:_MAX_ITEMS] if isinstance(faults, list) else []
    shaped = [item for item in items if isinstance(item, list) and len(item) == _PARTS]
    return PolicyError(
        str(data.get("text", data["message"]))[:_MAX_TEXT],
        module=module,
        line=fields.get("line"),
        rule=fields.get("rule"),
        file=fields.get("file"),
        faults=[Fault(*(str(part)[:_MAX_TEXT] for part in item)) for item in shaped],
    )


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what has another type than its field: the host formats and compares them."""
    return {name: value for name, value in fields.items() if _FIELDS.get(name, _is_anything)(value)}


def _is_anything(_: object) -> bool:
    return True


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_TEXT


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and len(value) <= _MAX_ITEMS and all(map(_is_text, value))


_OWN: Final = (GuestError, ResourceLimitError, PolicyError, SandboxCrashedError)
_REBUILD: Final[dict[str, Callable[[Mapping[str, Any], Mapping[str, Any], str], PlataformaError]]] = {
    "GuestError": _guest_error,
    "PolicyError": _policy_error,
}
_FIELDS: Final[dict[str, Callable[[object], bool]]] = {
    **dict.fromkeys(("module", "permission", "reason", "problem", "state", "rule", "file"), _is_text),
    **dict.fromkeys(("resource", "unit", "type_name", "text"), _is_text),
    **dict.fromkeys(("used", "limit", "status"), _is_number),
    "line": lambda value: _is_text(value) or _is_number(value),
    "replaced": lambda value: isinstance(value, bool),
    "traceback": _is_texts,
}
"""Name of a field -> whether a value may stand in it."""
