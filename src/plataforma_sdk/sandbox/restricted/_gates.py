"""Gates: how a sealed function reaches the host. Arguments go out as plain data, results come in as copies.

Every function that a twin offers passes one of the two gates here, `now` or `awaited`, so that each is charged, leaves
the host its own stack and clock, and shows the module a twin of whatever error the host raised.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.sandbox.restricted._crossing import Box, Crossing
from plataforma_sdk.sandbox.restricted._driving import HostAwaitable
from plataforma_sdk.sandbox.restricted._errors import to_twin
from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, SealedMeta
from plataforma_sdk.sandbox.restricted._toll import make_toll

__all__ = ["Gates", "record_class"]

_CALL_UNITS: Final = 20
_FLAT: Final = frozenset({int, float, bool, type(None)})
"""What crosses as it is, without a look inside."""


class Gates:
    """The gates of one sandbox."""

    def __init__(self, meter: Meter, crossing: Crossing) -> None:
        self.meter = meter
        self.crossing = crossing
        self._toll = make_toll(meter, _CALL_UNITS)

    def now(
        self, function: Callable[..., Any], name: str = "function", *, wrap: Callable[[Any], Any] | None = None
    ) -> SealedFunction:
        """Seal an immediate function of the host's; `wrap` makes what the module gets of its result."""
        finish = wrap or self.crossing.inward
        toll, outward = self._toll, self._outward

        def call(*args: Any, **kwargs: Any) -> Any:
            toll()
            for item in args:
                if type(item) not in _FLAT:
                    args, kwargs = outward(args, kwargs)
                    break
            else:
                if kwargs:
                    args, kwargs = outward(args, kwargs)
            try:  # the host's time counts as the module's: the event loop stands still meanwhile
                result = function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001
                failure = to_twin(error)
            else:
                return result if wrap is None and type(result) in _FLAT else finish(result)
            raise failure from None

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
