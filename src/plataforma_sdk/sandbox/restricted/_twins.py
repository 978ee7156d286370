"""Sealed twins of the authoring layer: `ModuleFramework`, `ui`, `PERMISSIONS`, the values handlers receive.

Generated for each sandbox from the tables below; a test compares the tables with the originals, so that a method that
the authoring layer gains is missing here for no longer than until the next run of the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import attrs

from plataforma_sdk import ui
from plataforma_sdk.module import ModuleRuntime
from plataforma_sdk.permissions import PERMISSIONS
from plataforma_sdk.sandbox.restricted._crossing import Box
from plataforma_sdk.sandbox.restricted._errors import TWINS
from plataforma_sdk.sandbox.restricted._gates import Gates, record_class
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta, SealedMethod, namespace, seal_type
from plataforma_sdk.types import ApiRequest, Event

__all__ = ["AWAITED", "IMMEDIATE", "LIFECYCLE", "OBJECTS", "PROPERTIES", "FrameworkTwin"]

LIFECYCLE: Final = ("on_load", "render", "on_unload", "on_reload", "on_upgrade")
PROPERTIES: Final = ("id", "version", "config", "locale")
OBJECTS: Final[Mapping[str, Mapping[str, bool]]] = {
    "permissions": {"has": False, "require": False, "request": True},
    "storage": {"get": True, "set": True, "delete": True, "keys": True},
    "clipboard": {"read": True, "write": True},
}
"""Object of the framework -> its methods -> whether the method is awaited."""

IMMEDIATE: Final = ("emit", "subscribe", "register_endpoint", "create_window", "invalidate", "every", "log", "t")
AWAITED: Final = ("api_call", "query", "execute", "notify", "request", "asset")
_EVENT_FIELDS: Final = tuple(field.name for field in attrs.fields(Event))
_REQUEST_FIELDS: Final = tuple(field.name for field in attrs.fields(ApiRequest))

EVENT: Final = record_class("Event", _EVENT_FIELDS)
REQUEST: Final = record_class("ApiRequest", _REQUEST_FIELDS)


class FrameworkTwin:
    """The twins of one sandbox.

    Args:
        gates: the sandbox's way to the host.
        host: an original `ModuleFramework`, whose methods the twins delegate to.
        runtime: what it is bound to.
        export: lets the module derive from a class.
    """

    def __init__(self, gates: Gates, host: Any, runtime: ModuleRuntime, export: Callable[[type], None]) -> None:
        self._gates = gates
        self._host = host
        self._runtime = runtime
        self._windows: dict[str, Any] = {}
        self.cls = self._make_class()
        export(self.cls)

    # --- ModuleFramework -------------------------------------------------------------------------------------------

    def _make_class(self) -> Any:
        body: dict[str, Any] = {
            "__module__": "plataforma_sdk",
            "__doc__": None,
            "__init__": SealedMethod(_take_context),
        }
        body |= {name: property(self._reader(name)) for name in PROPERTIES}
        body |= {name: property(_constant(self._object(name, methods))) for name, methods in OBJECTS.items()}
        body["windows"] = property(lambda _: MappingProxyType(self._open_windows()))
        body |= {name: _method(self._immediate(name), name) for name in IMMEDIATE}
        body |= {name: _method(self._gates.awaited(getattr(self._host, name), name), name) for name in AWAITED}
        body |= dict.fromkeys(("on_unload", "on_reload", "on_upgrade"), SealedMethod(_nothing))
        body |= {"on_load": _abstract("on_load"), "render": _abstract("render")}
        return SealedMeta("ModuleFramework", (), body)

    def _reader(self, name: str) -> Callable[[Any], Any]:
        inward, host = self._gates.crossing.inward, self._host
        if name == "config":
            return lambda _: MappingProxyType(inward(getattr(host, name)))
        return lambda _: inward(getattr(host, name))

    def _object(self, name: str, methods: Mapping[str, bool]) -> Any:
        original = getattr(self._host, name)
        members = {
            method: (self._gates.awaited if is_awaited else self._gates.now)(getattr(original, method), method)
            for method, is_awaited in methods.items()
        }
        return namespace(name, members, f"<{name}>")

    def _immediate(self, name: str) -> Any:
        wrap = {"subscribe": self._subscription, "every": self._subscription, "create_window": self._window}.get(name)
        return self._gates.now(getattr(self._host, name), name, wrap=wrap)

    # --- what its methods return ---------------------------------------------------------------------------------

    def _subscription(self, original: Any) -> Any:
        end = self._gates.now(original.unsubscribe, "unsubscribe")
        methods = {
            "is_active": property(lambda _: original.is_active),
            "__enter__": _itself,
            "__exit__": lambda *_: end() and None,
        }
        return record_class("Subscription", ("topic", "unsubscribe"), methods)(topic=original.topic, unsubscribe=end)

    def _window(self, original: Any) -> Any:
        members = {
            "id": original.id,
            "update": self._gates.now(original.update, "update"),
            "close": self._gates.now(original.close, "close"),
        }
        reads = {"title": property(lambda _: original.title), "is_open": property(lambda _: original.is_open)}
        made = record_class("Window", tuple(members), reads)(**members)
        self._windows[original.id] = made
        return made

    def _open_windows(self) -> dict[str, Any]:
        return {key: self._windows[key] for key in self._runtime.windows if key in self._windows}

    # --- the package `plataforma_sdk` ----------------------------------------------------------------------------

    def ui(self) -> Any:
        """The builders: elements are boxes."""
        members: dict[str, Any] = {}
        for name in ui.__all__:
            original = getattr(ui, name)
            if name in _UI_HIDDEN or name.startswith("_"):
                continue
            if isinstance(original, type):
                members[name] = seal_type(original, self._gates.boxed(original, name))
            elif callable(original):
                members[name] = self._gates.boxed(original, name)
        return namespace("plataforma_sdk.ui", members)

    def libraries(self) -> dict[str, Callable[[Any], Any]]:
        """The modules under `plataforma_sdk` that a module may import."""
        return {
            "plataforma_sdk": lambda sandbox: namespace("plataforma_sdk", self._top(sandbox)),
            "plataforma_sdk.ui": lambda _: self.ui(),
            "plataforma_sdk.errors": lambda _: namespace("plataforma_sdk.errors", TWINS),
            "plataforma_sdk.permissions": lambda _: namespace("plataforma_sdk.permissions", {"PERMISSIONS": _names()}),
            "plataforma_sdk.module": lambda _: namespace("plataforma_sdk.module", self._module_names()),
            "plataforma_sdk.types": lambda _: namespace("plataforma_sdk.types", _type_names()),
        }

    def _module_names(self) -> dict[str, Any]:
        return {"ModuleFramework": self.cls, "ModuleContext": seal_type(Box, _not_made)}

    def _top(self, sandbox: Any) -> dict[str, Any]:
        return (
            TWINS
            | self._module_names()
            | _type_names()
            | {
                "ui": sandbox.library("plataforma_sdk.ui"),
                "errors": sandbox.library("plataforma_sdk.errors"),
                "PERMISSIONS": _names(),
            }
        )


def _take_context(self: Any, context: Any = None) -> None:
    """Stand for `ModuleFramework.__init__`."""


def _nothing(self: Any, *_: Any) -> Any:  # noqa: ARG001
    """Stand for a lifecycle method that the author left out.

    The coroutine holds no argument: nobody counts it, and a chain of such crashes CPython when it is freed.
    """
    return _rest()


async def _rest() -> None:
    """Do nothing."""


def _itself(value: Any) -> Any:
    return value


def _constant(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def _method(function: Any, name: str) -> Any:
    """Make a method of a sealed function: it does not need ``self``."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG001
        return function(*args, **kwargs)

    method.__name__ = method.__qualname__ = name
    return SealedMethod(method)


def _abstract(name: str) -> Any:
    def method(self: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} defines no {name}()")

    method.__name__ = method.__qualname__ = name
    return SealedMethod(method, is_abstract=True)


def _not_made(*_: Any, **__: Any) -> Any:
    raise TypeError("the host makes these")


def _names() -> Any:
    return namespace("PERMISSIONS", {name: str(member.value) for name, member in PERMISSIONS.__members__.items()})


def _type_names() -> dict[str, Any]:
    return {"Event": seal_type(EVENT, _not_made), "ApiRequest": seal_type(REQUEST, _not_made)}


_UI_HIDDEN: Final = frozenset({"node_budget", "to_data", "from_data", "CATALOGUE"})
