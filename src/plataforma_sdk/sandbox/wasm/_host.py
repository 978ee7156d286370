"""What the guest reaches of its host: immediate calls, the clock, randomness. Runs on the guest's fiber."""

from __future__ import annotations

import contextvars
import os
import random
from collections.abc import Callable
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, HostCallError, PlataformaError, error_to_data
from plataforma_sdk.logs import logger_of
from plataforma_sdk.sandbox._protocols import EngineContext

__all__ = ["STEP", "InstanceHost", "error_text"]

STEP: Final = b"@step"
"""The immediate call by which a guest says that the next step begins."""

_LOG: Final = logger_of("plataforma_sdk.sandbox.wasm")


def error_text(error: Exception) -> str:
    """Write an error for the guest; of an unexpected one its class only, since its text may name what is the host's."""
    if not isinstance(error, PlataformaError):
        _LOG.error("The host failed while it served a module", exc_info=error)
        error = HostCallError(type(error).__name__, "")
    return codec.encode(error_to_data(error))


class InstanceHost:
    """The host of one instance.

    Args:
        context: bridge, clock, monitor and seed.
        context_of_call: number of a call -> the context variables to serve it in; None for those of the caller.
        on_step: called when the guest begins another step.

    Attributes:
        clock: the guest's time.
        interrupt: an exception that is no error, such as `KeyboardInterrupt`, caught on the fiber, where it must not
            pass; whoever polled raises it.
    """

    def __init__(
        self,
        context: EngineContext,
        *,
        context_of_call: Callable[[int], contextvars.Context | None],
        on_step: Callable[[], None],
    ) -> None:
        self.clock = context.clock
        self.interrupt: BaseException | None = None
        self._bridge = context.bridge
        self._monitor = context.monitor
        self._context_of_call = context_of_call
        self._on_step = on_step
        self._random = None if context.seed is None else random.Random(context.seed)  # noqa: S311 - to repeat a run

    def random_bytes(self, count: int) -> bytes:
        """Return entropy, or the next bytes of the seeded generator."""
        return os.urandom(count) if self._random is None else self._random.randbytes(count)

    def serve_now(self, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        """Serve an immediate call: ``"<call> [args]"``."""
        if method == STEP:
            self._on_step()
            return True, b""
        try:
            result = self._serve(method.decode(), payload)
            return True, b"null" if result is None else codec.encode(result).encode()
        except Exception as error:  # noqa: BLE001 - nothing may leave a callback
            return False, error_text(error).encode()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever polls
            self.interrupt = error
            return False, error_text(HostCallError(type(error).__name__, "")).encode()

    def _serve(self, method: str, payload: bytes) -> Any:
        number, _, text = payload.partition(b" ")
        if not number.isdigit():
            raise CodecError("An immediate call begins with the number of the call that it serves")
        self._monitor.check_payload(len(text))
        args = codec.decode(text.decode())
        context = self._context_of_call(int(number))
        if context is None:
            return self._bridge.call_now(method, args)
        return context.copy().run(self._bridge.call_now, method, args)
