"""Gates: how a sealed function reaches the host. Arguments go out as plain data, results come in as copies.

Every function that a twin offers passes one of the two gates here, `now` or `awaited`, so that each is charged, leaves
the host its own stack and clock, and shows the module a twin of whatever error the host raised.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.sandbox.restricted._crossing import Box, Crossing
from plataforma_sdk.sandbox.restricted._driving import HostAwaitable, check_headroom
from plataforma_sdk.sandbox.restricted._errors import to_twin
from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, SealedMeta

__all__ = ["Gates", "record_class"]

_CALL_UNITS: Final = 20


class Gates:
    """The gates of one sandbox."""

    def __init__(self, meter: Meter, crossing: Crossing) -> None:
        self.meter = meter
        self.crossing = crossing

    def now(
        self, function: Callable[..., Any], name: str = "function", *, wrap: Callable[[Any], Any] | None = None
    ) -> SealedFunction:
        """Seal an immediate function of the host's; `wrap` makes what the module gets of its result."""
        finish = wrap or self.crossing.inward

        def call(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = self._outward(args, kwargs)
            return finish(self._host(function, args, kwargs))

        return SealedFunction(call, name)

    def awaited(self, function: Callable[..., Awaitable[Any]], name: str = "function") -> SealedFunction:
        """Seal an awaited function of the host's."""

        def call(*args: Any, **kwargs: Any) -> HostAwaitable:
            args, kwargs = self._outward(args, kwargs)
            return HostAwaitable(self.meter, lambda: function(*args, **kwargs), self.crossing.inward)

        return SealedFunction(call, name)

    def _outward(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        out = self.crossing.outward
        try:
            return tuple([out(item) for item in args]), {key: out(item) for key, item in kwargs.items()}
        except PlataformaError as error:
            failure = to_twin(error)
        raise failure from None

    def _host(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the host on the module's turn: its time counts, since the host's loop stands still meanwhile."""
        self.meter.charge(_CALL_UNITS)
        check_headroom(self.meter)
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001
            failure = to_twin(error)
        raise failure from None

    def boxed(self, function: Callable[..., Any], name: str) -> SealedFunction:
        """Seal a function whose result is the host's own object."""
        return self.now(function, name, wrap=Box)


def record_class(name: str, fields: tuple[str, ...], methods: Mapping[str, Any] | None = None) -> Any:
    """Make a sealed class whose instances carry `fields`: what a handler receives."""

    def __init__(self: Any, **values: Any) -> None:  # noqa: N807
        for field in fields:
            object.__setattr__(self, field, values[field])

    def refuse(self: Any, *_: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is read-only")

    def __repr__(self: Any) -> str:  # noqa: ARG001, N807
        return f"<{name}>"

    body = {
        "__slots__": fields,
        "__init__": __init__,
        "__setattr__": refuse,
        "__delattr__": refuse,
        "__repr__": __repr__,
        "__module__": "plataforma_sdk",
    }
    return SealedMeta(name, (), {**body, **(methods or {})})
