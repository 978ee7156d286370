"""What a guest's words mean where they tell of its end, or are no words of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, PlataformaError, ResourceLimitError, SandboxCrashedError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm._calls import guest_error
from plataforma_sdk.sandbox.wasm._outbox import MAX_ERROR_CHARS
from plataforma_sdk.sandbox.wasm._traps import limit_error

__all__ = ["GuestFaults"]

_MAX_REASON_CHARS: Final = 120


class GuestFaults:
    """Makes the errors of one module.

    Args:
        module: its id.
        limits: what it may use.
    """

    def __init__(self, module: str, limits: ResourceLimits) -> None:
        self._module = module
        self._limits = limits

    def told(self, data: Mapping[str, Any], memory_bytes: int) -> PlataformaError:
        """Return the error that the guest described; `memory_bytes` is what it holds, 0 where that is unknown."""
        resource = data.get("limit")
        if resource in ("stack", "memory"):
            return limit_error(str(resource), module=self._module, limits=self._limits, used=memory_bytes or None)
        return guest_error(data, self._module)

    def of_runner(self, text: bytes, memory_bytes: int) -> PlataformaError:
        """Explain an error of `pump` itself: out of memory while it wrote the outbox, or a runner tampered with."""
        error = self.told(codec.decode(text[:MAX_ERROR_CHARS]), memory_bytes)
        return error if isinstance(error, ResourceLimitError) else self.broken()

    def answer_of_load(self, is_ok: bool, text: bytes, memory_bytes: int) -> dict[str, Any]:
        """Read what `load` returned.

        Raises:
            PlataformaError: what the guest raised, or that it is no answer.
        """
        try:
            data = codec.decode(text)
        except CodecError as error:
            raise self.broken(f"load answered {error}") from None
        if not isinstance(data, dict):
            raise self.broken("load answered no object")
        if not is_ok:
            raise self.told(data, memory_bytes)
        return data

    def broken(self, why: str = "not an answer") -> SandboxCrashedError:
        """Say that the guest wrote no message."""
        return SandboxCrashedError(
            f"Module {self._module!r} broke the wire ({why[:_MAX_REASON_CHARS]}): what its guest wrote is no message, "
            "see docs/reference/wire.md; its instance is ended",
            module=self._module,
        )

    def late(self, used_ms: float) -> ResourceLimitError:
        """Say that a step took too long."""
        return limit_error("step_time", module=self._module, limits=self._limits, used=used_ms)
