"""The module as `ModuleRuntime` sees it: host functions in front of what the sandboxed author wrote."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from plataforma_sdk.errors import CodecError, ModuleError
from plataforma_sdk.module import FRAMEWORK_NAMES, ModuleContext, ModuleFramework, ModuleRuntime
from plataforma_sdk.sandbox.restricted._crossing import Crossing
from plataforma_sdk.sandbox.restricted._names import mangle
from plataforma_sdk.sandbox.restricted._twins import EVENT, REQUEST
from plataforma_sdk.types import ApiRequest, Event

__all__ = ["HostFramework", "RestrictedRuntime", "host_function"]


class HostFramework(ModuleFramework):
    """An original framework that the twins delegate to; the author's own methods are never called through it."""

    async def on_load(self) -> None:
        """Never called."""

    def render(self) -> Any:
        """Never called."""


class _Facade:
    """Stands where `ModuleRuntime` expects the author's object: loads give host functions."""

    def __init__(self, runtime: RestrictedRuntime) -> None:
        self._sdk_runtime = runtime

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._sdk_runtime.method_of_author(name)


class RestrictedRuntime(ModuleRuntime):
    """`ModuleRuntime` over an object that must not be touched by host code: every value passes the crossing."""

    def __init__(self, context: ModuleContext, crossing: Crossing) -> None:
        super().__init__(context)
        self.host = HostFramework(context)
        self.author: Any = None
        self.crossing = crossing

    def adopt(self, author: Any) -> None:
        """Take the author's object, made in the sandbox."""
        self.author = author
        self.module = _Facade(self)

    def method_of_author(self, name: str) -> Callable[..., Any]:
        """Return a host function in front of a method of the author's, named as it was written."""
        method = getattr(self.author, mangle(name), None)
        if method is None or not callable(method):
            raise ModuleError(f"Module {self.context.id!r} has no method {name!r}", module=self.context.id)
        return host_function(method, self.crossing)

    def _open_stream(self, number: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Keep the module's own generator: what it yields crosses one by one."""
        if method not in self.public_names():
            self._method(method)  # raises, and says which there are
        function = getattr(self.author, mangle(method))
        given, named = _arguments(self.crossing, args, kwargs)
        self.streams.open(number, method, lambda: function(*given, **named))

    async def _next_item(self, number: str) -> list[Any]:
        return [self.crossing.outward(item) for item in await self.streams.next(number)]

    def public_names(self) -> set[str]:
        """As in the other tiers: functions of the author's classes, no private ones, none of the framework's."""
        return {
            name
            for cls in type(self.author).__mro__
            if cls.__module__ == "sandbox"
            for name, value in vars(cls).items()
            if not name.startswith(("_", "p0_")) and name not in FRAMEWORK_NAMES and _is_method(value)
        }

    def _state(self) -> Any:
        getter = getattr(type(self.author), "__getstate__", None)
        if isinstance(getter, types.FunctionType):
            return self.crossing.outward(getter(self.author))
        state = {}
        for name, value in vars(self.author).items():
            if not name.startswith(("_", "p0_")):
                try:
                    state[name] = self.crossing.outward(value)
                except CodecError:
                    continue
        return {name: value for name, value in state.items() if not callable(value)}


def host_function(function: Callable[..., Any], crossing: Crossing) -> Callable[..., Any]:
    """Make a host function of a module's function: values are copied, events and requests become their twins.

    A coroutine is handed on as it is, for `Metered` to drive; what it returns is copied where the call ends.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        given, named = _arguments(crossing, args, kwargs)
        result = function(*given, **named)
        return result if inspect.isawaitable(result) else crossing.outward(result)

    name = getattr(function, "__name__", "handler")
    call.__name__ = call.__qualname__ = "_" + name[3:] if name.startswith("p0_") else name
    return call


def _arguments(crossing: Crossing, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    return [_inward(crossing, item) for item in args], {
        mangle(key): _inward(crossing, item) for key, item in kwargs.items()
    }


def _inward(crossing: Crossing, value: Any) -> Any:
    for kind, twin in _RECORDS.items():
        if type(value) is kind:
            fields = value.to_data()  # type: ignore[attr-defined]
            return twin(**{name: crossing.inward(item) for name, item in fields.items()})
    return crossing.inward(value)


def _is_method(value: object) -> bool:
    return inspect.isfunction(value) or isinstance(value, staticmethod | classmethod)


_RECORDS: Final[dict[type, Any]] = {Event: EVENT, ApiRequest: REQUEST}
