"""Which module runs, and in which call: what log records, counts and spans are about."""

from __future__ import annotations

import contextvars
from typing import Any, Final

import attrs

__all__ = ["CURRENT_CALL", "ModuleCall", "ModuleInfo", "call_fields", "info_fields"]


@attrs.frozen(kw_only=True)
class ModuleInfo:
    """A loaded module, by its names.

    Attributes:
        id: the module's id.
        version: its version.
        engine: the tier that it runs in.
        subject: the user or tenant of its host.
    """

    id: str
    version: str
    engine: str
    subject: str


@attrs.define(eq=False)  # frozen would cost 0.3 µs a call, which the trusted tier would notice
class ModuleCall:
    """One call into a module; read it, change nothing.

    Attributes:
        id: number of the call in its host, from 1.
        module: the module called.
        function: the public method; ``@render``, ``@event``, ``@timer``, ``@endpoint``, ``@ui`` where the host calls.
        parent: the call of a module that led to this one, or None.
        started_ns: when it began, by `time.perf_counter_ns`.
    """

    id: int
    module: ModuleInfo
    function: str
    parent: ModuleCall | None
    started_ns: int = 0


CURRENT_CALL: Final[contextvars.ContextVar[ModuleCall | None]] = contextvars.ContextVar(
    "plataforma_module_call", default=None
)
"""The call that is being served here; engines serve what a module asks in the context of the call that asks."""


def call_fields(module: str | None = None) -> dict[str, Any]:
    """Return `RECORD_FIELDS` of the current call; of a record about another module, its id alone."""
    call = CURRENT_CALL.get()
    if call is None or (module is not None and call.module.id != module):
        return {"module_id": module, "module_version": None, "engine": None, "call_id": None, "subject": None}
    return info_fields(call.module, call.id)


def info_fields(info: ModuleInfo, call_id: int | None = None) -> dict[str, Any]:
    """Return `RECORD_FIELDS` of a module."""
    return {
        "module_id": info.id,
        "module_version": info.version,
        "engine": info.engine,
        "call_id": call_id,
        "subject": info.subject,
    }
