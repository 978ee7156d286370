"""From whatever ended a module's code to the error that its host sees."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

from plataforma_sdk.errors import GuestError, PlataformaError, ResourceLimitError, SandboxCrashedError
from plataforma_sdk.sandbox.restricted._errors import from_twin
from plataforma_sdk.sandbox.restricted._fuel import Account, LimitReached
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["Faults"]

_MAX_TEXT: Final = 2_000
_MAX_LINES: Final = 20
_MESSAGE_UNITS: Final = 100_000


class Faults:
    """Translates the errors of one sandbox."""

    def __init__(self, sandbox: Sandbox, module: str) -> None:
        self._sandbox = sandbox
        self._module = module

    def is_hard(self, error: BaseException) -> bool:
        """Whether `error` is a hard limit, after which the sandbox is of no more use."""
        return isinstance(error, LimitReached | RecursionError | MemoryError) or self._sandbox.meter.tripped is not None

    def translate(self, error: BaseException) -> BaseException:
        """Return what the host sees: a limit, a `PlataformaError` as itself, or `GuestError`."""
        limit = self._limit(error)
        if limit is not None:
            return limit
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

    def _limit(self, error: BaseException) -> ResourceLimitError | None:
        tripped = self._sandbox.meter.tripped
        if tripped is None and isinstance(error, LimitReached):
            tripped = error
        if tripped is None and isinstance(error, RecursionError):
            tripped = LimitReached("stack", unit="frames")
        if tripped is None and isinstance(error, MemoryError):
            tripped = LimitReached("memory", unit="bytes")
        if tripped is None:
            return None
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
        outer = meter.enter(Account(_MESSAGE_UNITS, _MESSAGE_UNITS, 10.0))
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


_ADVICE: Final = {
    "stack": "the recursion is too deep; use a loop, or a list as a stack",
    "step_time": "await asyncio.sleep(0) inside long loops, or raise max_step_ms in ResourceLimits",
}
