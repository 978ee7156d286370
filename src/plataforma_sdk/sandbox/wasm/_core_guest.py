"""What the host functions of a core module work on: its memory, its host, its output."""

from __future__ import annotations

from typing import Final

from plataforma_sdk import codec
from plataforma_sdk.errors import HostCallError, QuotaExceededError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm import _binding
from plataforma_sdk.sandbox.wasm._binding import Pointer
from plataforma_sdk.sandbox.wasm._core_binding import GuestMemory, HostTrapError
from plataforma_sdk.sandbox.wasm._fiber_store import YIELD_INTERVAL
from plataforma_sdk.sandbox.wasm._host import error_text
from plataforma_sdk.sandbox.wasm._wasi import InterruptibleHost

__all__ = ["CoreGuest", "LineLog"]

_CALLS_PER_SLICE: Final = 64
"""A host function costs a guest a few units of fuel and the host microseconds: after so many, the guest yields."""

_MAX_METHOD_BYTES: Final = 200
_PREFIX_BYTES: Final = 32
_MAX_LINE_CHARS: Final = 8_192
_MAX_LINES: Final = 32


class LineLog:
    """Lines that a guest writes to a descriptor: whole ones go to the host's log, the rest when its turn is over.

    Args:
        host: serves ``log``.
        level: of each line.
    """

    def __init__(self, host: InterruptibleHost, level: str) -> None:
        self._host = host
        self._level = level
        self._rest = ""

    @property
    def has_rest(self) -> bool:
        """Whether something has no line end yet."""
        return bool(self._rest)

    def write(self, data: bytes) -> bool:
        """Log the lines that `data` completes; false when the output quota is used up."""
        *lines, self._rest = (self._rest + data.decode("utf-8", "replace")).split("\n")
        if len(lines) > _MAX_LINES:  # each is a call of the host: a text of line ends alone must not be thousands
            lines[_MAX_LINES:] = ["\n".join(lines[_MAX_LINES:])]
        is_kept = all(self._log(line) for line in lines)
        if len(self._rest) > _MAX_LINE_CHARS:
            is_kept = self.end_turn() and is_kept
        return is_kept

    def end_turn(self) -> bool:
        """Log what has no line end yet."""
        rest, self._rest = self._rest, ""
        return not rest or self._log(rest)

    def _log(self, line: str) -> bool:
        payload = f"0 {codec.encode([self._level, line, {}])}"
        return self._host.serve_now(b"log", payload.encode())[0]


class CoreGuest:
    """One core module's side of its host functions.

    Args:
        host: serves immediate calls.
        limits: bound what is copied.
        context: the store's context.
        module: id of the module, for errors.

    Attributes:
        memory: the guest's memory.
        host: as given.
        outputs: descriptor -> log, 1 and 2.
    """

    def __init__(self, host: InterruptibleHost, limits: ResourceLimits, context: Pointer, *, module: str) -> None:
        self.memory = GuestMemory()
        self.host = host
        self.outputs = {1: LineLog(host, "info"), 2: LineLog(host, "warning")}
        self._limit = limits.max_payload_bytes
        self._context = context
        self._module = module
        self._answer = b""
        self._calls = 0

    # --- memory ----------------------------------------------------------------------------------------------------

    def read(self, position: int, size: int) -> bytes:
        """Copy bytes out of the guest; a range outside ends it."""
        try:
            return self.memory.read(position, size)
        except IndexError as error:
            raise HostTrapError(f"a pointer outside the memory: {error}") from None

    def write(self, position: int, data: bytes) -> None:
        """Copy bytes into the guest; a range outside ends it."""
        try:
            self.memory.write(position, data)
        except IndexError as error:
            raise HostTrapError(f"a pointer outside the memory: {error}") from None

    # --- plataforma.* ----------------------------------------------------------------------------------------------

    def host_call(self, method_at: int, method_size: int, payload_at: int, payload_size: int) -> int:
        """Serve an immediate call and keep its answer: ``is_error << 31 | length``."""
        refusal = self._refusal(method_size, payload_size)
        if refusal is not None:
            is_ok, answer = False, error_text(refusal).encode()
        else:
            method, payload = self.read(method_at, method_size), self.read(payload_at, payload_size)
            is_ok, answer = self.host.serve_now(method, payload)
        self._answer = answer
        return len(answer) if is_ok else 1 << 31 | len(answer)

    def host_answer(self, position: int) -> None:
        """Copy the answer of the last call to where the guest has room for it."""
        answer, self._answer = self._answer, b""
        self.write(position, answer)

    def _refusal(self, method_size: int, payload_size: int) -> HostCallError | QuotaExceededError | None:
        """Say why a call is not even read: its size is checked before it is copied."""
        if method_size > _MAX_METHOD_BYTES:
            return HostCallError("UnknownMethod", "this host has no function of so long a name", module=self._module)
        if payload_size > self._limit + _PREFIX_BYTES:
            return QuotaExceededError(
                "payload", used=payload_size, limit=self._limit, unit="bytes", module=self._module
            )
        return None

    # --- turns -----------------------------------------------------------------------------------------------------

    def count_call(self) -> None:
        """Count a host function; after many in one slice the guest yields as soon as it runs on."""
        if not self.memory.is_known:
            raise HostTrapError("a host function was called by the start function; do this in load")
        self._calls += 1
        if self._calls == _CALLS_PER_SLICE:
            _binding.set_yield_interval(self._context, 1)

    def end_slice(self) -> None:
        """The guest has yielded or ended."""
        if self._calls >= _CALLS_PER_SLICE:
            _binding.set_yield_interval(self._context, YIELD_INTERVAL)
        self._calls = 0

    def end_turn(self) -> None:
        """Log what was written without a line end."""
        for output in self.outputs.values():
            if output.has_rest:
                output.end_turn()
