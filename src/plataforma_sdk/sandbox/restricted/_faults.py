"""From whatever ended a module's code to the error that its host sees."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

from plataforma_sdk.errors import GuestError, PlataformaError, ResourceLimitError, SandboxCrashedError, SandboxError
from plataforma_sdk.sandbox.restricted._errors import from_twin
from plataforma_sdk.sandbox.restricted._fuel import Account, LimitReached
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["INTERRUPTED", "Faults"]

INTERRUPTED: Final = "interrupt"
"""Stands in place of a resource where the host itself ended the sandbox."""

_MAX_TEXT: Final = 2_000
_MAX_LINES: Final = 20
_MESSAGE_UNITS: Final = 100_000
_MESSAGE_MS: Final = 50.0


class Faults:
    """Translates the errors of one sandbox."""

    def __init__(self, sandbox: Sandbox, module: str) -> None:
        self._sandbox = sandbox
        self._module = module

    def ended(self) -> SandboxError | None:
        """Return what ended the sandbox, made anew for whoever asks, or None while it lives."""
        tripped = self._sandbox.meter.tripped
        return None if tripped is None else self._written(tripped)

    def translate(self, error: BaseException) -> BaseException:
        """Return what the host sees: what ended the sandbox, a `PlataformaError` as itself, or `GuestError`.

        Running out of stack or memory ends the sandbox here, where no guard has seen it before.
        """
        for kind, resource, unit in _EXHAUSTED:
            if isinstance(error, kind):
                self._sandbox.meter.stop(resource, unit=unit)
        ended = self.ended()
        if ended is not None:
            return ended
        if isinstance(error, PlataformaError):
            error.module = error.module or self._module
            return error
        rebuilt = from_twin(error, self._module)
        if rebuilt is not None:
            return rebuilt
        if isinstance(error, Exception | asyncio.CancelledError):
            return GuestError(
                type(error).__name__, self._text(error), traceback=list(self._lines(error)), module=self._module
            )
        if isinstance(error, KeyboardInterrupt | SystemExit):
            return error
        return SandboxCrashedError(
            f"The sandbox of module {self._module!r} ended by {type(error).__name__}; load the module again",
            module=self._module,
        )

    def _written(self, tripped: LimitReached) -> SandboxError:
        if tripped.resource == INTERRUPTED:
            return SandboxCrashedError(
                f"Module {self._module!r} was interrupted by its host; load the module again", module=self._module
            )
        return ResourceLimitError(
            tripped.resource,
            used=tripped.used,
            limit=tripped.limit,
            unit=tripped.unit or "units",
            module=self._module,
            advice=_ADVICE.get(tripped.resource),
        )

    def _text(self, error: BaseException) -> str:
        """Write the message with the meter on: it may be the module's own ``__str__``, or a repr without end."""
        meter = self._sandbox.meter
        outer = meter.enter(Account(_MESSAGE_UNITS, _MESSAGE_UNITS, _MESSAGE_MS))
        try:
            return self._sandbox.texts.text(error)[:_MAX_TEXT]
        except BaseException:  # noqa: BLE001
            return "(the message could not be written)"
        finally:
            meter.leave(outer)

    def _lines(self, error: BaseException) -> Iterator[str]:
        """The traceback, the module's own frames only; files are named as in the package."""
        frames = list(self._frames(error.__traceback__))
        for file, number, function in frames[-_MAX_LINES:]:
            source = self._sandbox.sources.get(file, "").splitlines()
            shown = f"    {source[number - 1].strip()}\n" if 0 < number <= len(source) else ""
            yield f'  File "{file}", line {number}, in {function}\n{shown}'

    def _frames(self, traceback: TracebackType | None) -> Iterator[tuple[str, int, str]]:
        own = {id(namespace) for namespace in self._sandbox.namespaces.values()}
        while traceback is not None:
            code: Any = traceback.tb_frame.f_code
            if id(traceback.tb_frame.f_globals) in own or code.co_filename in self._sandbox.sources:
                name = code.co_name
                yield code.co_filename, traceback.tb_lineno, "_" + name[3:] if name.startswith("p0_") else name
            traceback = traceback.tb_next


_EXHAUSTED: Final = (
    (RecursionError, "stack", "frames"),
    (MemoryError, "memory", "bytes"),
)
_ADVICE: Final = {
    "stack": "the recursion is too deep; use a loop, or a list as a stack",
    "step_time": "await asyncio.sleep(0) inside long loops, or raise max_step_ms in ResourceLimits",
}
