"""Results that are longer than one payload: generators that the host reads item by item."""

from __future__ import annotations

from collections.abc import Callable
from types import AsyncGeneratorType, GeneratorType
from typing import Any, Final

from plataforma_sdk.errors import ModuleError, ModuleStateError, QuotaExceededError

__all__ = ["Streams"]

MAX_STREAMS: Final = 64
"""What the host may have open at once in one module; each holds a generator that waits."""


class Streams:
    """The generators of one module that the host is reading.

    Args:
        module: id of the module, for errors.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._open: dict[str, Any] = {}

    def open(self, number: str, method: str, make: Callable[[], Any]) -> None:
        """Begin to read what a method yields; nothing of it runs yet.

        Args:
            number: the host's name for the stream; an instance that was replaced does not know it.
            method: name of the method, for errors.
            make: calls it.

        Raises:
            ModuleError: the method is no generator.
            QuotaExceededError: too many are open.
        """
        if len(self._open) >= MAX_STREAMS:
            raise QuotaExceededError(
                "streams", used=len(self._open) + 1, limit=MAX_STREAMS, unit="streams", module=self._module
            )
        generator = make()
        if type(generator) not in (GeneratorType, AsyncGeneratorType):
            close = getattr(generator, "close", None)  # of a coroutine that would warn that nobody awaited it
            if callable(close):
                close()
            raise ModuleError(
                f"Module {self._module!r}: {method!r} does not stream: write 'yield' in it, or call it",
                module=self._module,
            )
        self._open[number] = generator

    async def next(self, number: str) -> list[Any]:
        """Return the next item in a list, or an empty list at the end."""
        generator = self._open.get(number)
        if generator is None:
            raise ModuleStateError(
                f"Module {self._module!r} was replaced while it was read; begin the stream anew", module=self._module
            )
        try:
            if type(generator) is AsyncGeneratorType:
                return [await generator.__anext__()]
            return [next(generator)]
        except (StopIteration, StopAsyncIteration):
            del self._open[number]
            return []
        except BaseException:
            self._open.pop(number, None)
            raise

    async def close(self, number: str) -> None:
        """Stop reading: the generator ends at its ``yield``, its ``finally`` blocks run."""
        generator = self._open.pop(number, None)
        if type(generator) is AsyncGeneratorType:
            await generator.aclose()
        elif generator is not None:
            generator.close()

    def take_all(self) -> list[Any]:
        """Forget the open generators and return them, for who ends a module that answers no more."""
        generators = list(self._open.values())
        self._open.clear()
        return generators
