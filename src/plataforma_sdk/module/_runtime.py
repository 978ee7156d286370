"""One live module, seen from inside: what it registered, and the functions by which the host calls it.

The same class serves every tier. `trusted` and `restricted` run it in the host, the WASM guest runs it behind the
wire; so a call means the same everywhere.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from plataforma_sdk import codec, ui
from plataforma_sdk.errors import CodecError, ModuleError, ModuleLoadError, RenderError
from plataforma_sdk.module._context import ModuleContext
from plataforma_sdk.module._operations import RENDER_SAFE
from plataforma_sdk.module._streams import Streams
from plataforma_sdk.module._values import ModuleClipboard, ModulePermissions, ModuleStorage, ModuleWindow
from plataforma_sdk.types import ApiRequest, Event, Subscription

__all__ = ["ModuleRuntime", "find_entry"]

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


class ModuleRuntime:
    """What one module registered, and how the host calls it.

    Handlers are known to the host by number; the functions themselves never cross.
    """

    def __init__(self, context: ModuleContext) -> None:
        context.runtime = self
        self.context = context
        self.module: Any = None
        self.permissions = ModulePermissions(self)
        self.storage = ModuleStorage(self)
        self.clipboard = ModuleClipboard(self)
        self.windows: dict[str, ModuleWindow] = {}
        self._views: dict[str, Callable[[], Any] | None] = {}
        self._handlers: dict[int, Callable[..., Any]] = {}
        self._methods: dict[str, Callable[..., Any]] = {}
        self.streams = Streams(context.id)
        self._last_id = 0
        self._is_rendering = False
        self._functions: dict[str, Callable[..., Any]] = {
            "@load": lambda: self.module.on_load(),  # noqa: PLW0108 - the module is made later
            "@unload": lambda: self.module.on_unload(),  # noqa: PLW0108
            "@state": self._state,
            "@resume": lambda old_state: self.module.on_reload(old_state),  # noqa: PLW0108
            "@upgrade": lambda from_version: self.module.on_upgrade(from_version),  # noqa: PLW0108
            "@render": self._render,
            "@event": self._on_event,
            "@endpoint": self._on_request,
            "@timer": self._on_timer,
            "@ui": self._on_ui_event,
            "@closed": self._on_closed,
            "@stream": self._open_stream,
            "@next": self._next_item,
            "@close": self.streams.close,
        }

    # --- called by the engine --------------------------------------------------------------------------------------

    def start(self, make: Callable[[ModuleContext], Any]) -> None:
        """Make the module; `make` is the author's class."""
        self.module = make(self.context)

    def dispatch(self, function: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call a public method, or a host function whose name begins with ``@``; return its value or coroutine."""
        return self.function(function)(*args, **kwargs)

    def function(self, name: str) -> Callable[..., Any]:
        """Return a public method, or a host function whose name begins with ``@``; always the same one."""
        return self._functions[name] if name.startswith("@") else self._method(name)

    def _open_stream(self, number: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self.streams.open(number, method, lambda: self._method(method)(*args, **kwargs))

    async def _next_item(self, number: str) -> list[Any]:
        return await self.streams.next(number)

    def _method(self, name: str) -> Callable[..., Any]:
        method = self._methods.get(name)
        if method is None:
            if name not in self.public_names():
                known = ", ".join(sorted(self.public_names())) or "none"
                raise ModuleError(
                    f"Module {self.context.id!r} has no public method {name!r}; it has: {known}", module=self.context.id
                )
            method = self._methods[name] = getattr(self.module, name)
        return method

    def public_names(self) -> set[str]:
        """Names that `handle.call` reaches: methods of the author's classes, no underscore, none of the framework's."""
        from plataforma_sdk.module._framework import FRAMEWORK_NAMES

        return {
            name
            for cls in type(self.module).__mro__[:-1]
            for name, value in vars(cls).items()
            if not name.startswith("_") and name not in FRAMEWORK_NAMES and _is_method(value)
        }

    def _render(self, window_id: str) -> dict[str, Any]:
        view = self._views.get(window_id) or self.module.render
        self._is_rendering = True
        try:
            with ui.node_budget(self.context.max_tree_nodes, module=self.context.id):
                tree = view()
        finally:
            self._is_rendering = False
        if inspect.iscoroutine(tree):
            tree.close()
            raise RenderError(
                f"The view of window {window_id!r} is async; a view never waits: fetch in a handler, then invalidate()",
                module=self.context.id,
            )
        return ui.to_data(tree, max_nodes=self.context.max_tree_nodes, module=self.context.id)

    def _state(self) -> Any:
        get_state = getattr(type(self.module), "__getstate__", None)
        if get_state is not None and get_state is not getattr(object, "__getstate__", None):
            return self.module.__getstate__()
        return {name: value for name, value in vars(self.module).items() if name[0] != "_" and _crosses(value)}

    async def _on_event(self, subscription: int, event: Mapping[str, Any], wants_reply: bool) -> Any:
        handler = self._handlers.get(subscription)
        if handler is None:
            return None
        result = await _settle(handler(Event.from_data(event)))
        return result if wants_reply else None

    async def _on_request(self, endpoint: int, request: Mapping[str, Any]) -> Any:
        return await _settle(self._handlers[endpoint](ApiRequest.from_data(request)))

    async def _on_timer(self, timer: int) -> None:
        handler = self._handlers.get(timer)
        if handler is not None:
            await _settle(handler())

    async def _on_ui_event(
        self, _window_id: str, handler: str, arguments: Sequence[Any], has_value: bool, value: Any
    ) -> None:
        """Call the handler that stood in the tree; the host has checked that it did."""
        method = getattr(self.module, handler)
        await _settle(method(*arguments, value=value) if has_value else method(*arguments))

    def _on_closed(self, window_id: str) -> None:
        """Learn that the person closed a window."""
        self._views.pop(window_id, None)
        window = self.windows.pop(window_id, None)
        if window is not None:
            window.is_open = False

    # --- called by the module, through ModuleFramework ---------------------------------------------------------------

    def call_now(self, method: str, args: list[Any]) -> Any:
        """Ask the host for something immediate."""
        self._check_render(method)
        return self.context.bridge.call_now(method, args)

    async def call(self, method: str, args: list[Any]) -> Any:
        """Ask the host for something awaited."""
        self._check_render(method)
        return await self.context.bridge.call(method, args)

    def emit(self, topic: str, data: Any) -> None:
        """Emit under the module's own namespace."""
        self.call_now("events.emit", [topic, data])

    def subscribe(self, topic: str, handler: Callable[[Event], Any]) -> Subscription:
        """Subscribe a handler; it is known to the host by number."""
        number = self._keep(handler)
        return self._register("events.subscribe", [number, topic], topic, number, "events.unsubscribe")

    def every(self, seconds: float, handler: Callable[[], Any]) -> Subscription:
        """Start a timer."""
        number = self._keep(handler)
        return self._register("timers.start", [number, seconds], "timer", number, "timers.stop")

    def register_endpoint(self, path: str, handler: Callable[[ApiRequest], Any], methods: Sequence[str]) -> None:
        """Register an endpoint."""
        number = self._keep(handler)
        try:
            self.call_now("api.register", [number, path, list(methods)])
        except BaseException:
            del self._handlers[number]
            raise

    def create_window(self, settings: dict[str, Any], view: Callable[[], Any] | None) -> ModuleWindow:
        """Open a window."""
        self.call_now("windows.create", [settings])
        window = ModuleWindow(settings["id"], settings["title"], call_now=self._call_window)
        self.windows[window.id] = window
        self._views[window.id] = view
        return window

    async def api_call(
        self,
        path: str,
        method: str,
        params: Mapping[str, Any] | None,
        json: Any,
        headers: Mapping[str, str] | None,
    ) -> Any:
        """Call an API; options that were not given stay off the wire."""
        options: dict[str, Any] = {"method": method}
        if params is not None:
            options["params"] = dict(params)
        if json is not None:
            options["json"] = json
        if headers is not None:
            options["headers"] = dict(headers)
        return await self.call("api.call", [path, options])

    def translate(self, key: str, args: Mapping[str, Any]) -> str:
        """Fill ``{name}`` by plain replacement: `str.format` would walk attributes."""
        text = self.context.messages.get(key, key)
        return _PLACEHOLDER.sub(lambda found: str(args.get(found[1], found[0])), text)

    def _call_window(self, method: str, args: list[Any]) -> Any:
        result = self.call_now(method, args)
        if method == "windows.close":
            self._on_closed(args[0])
        return result

    def _keep(self, handler: Callable[..., Any]) -> int:
        if not callable(handler):
            raise TypeError(f"a handler is a function, not a {type(handler).__name__}: pass self.method, without ()")
        self._last_id += 1
        self._handlers[self._last_id] = handler
        return self._last_id

    def _register(self, method: str, args: list[Any], topic: str, number: int, undo: str) -> Subscription:
        try:
            self.call_now(method, args)
        except BaseException:
            del self._handlers[number]
            raise

        def cancel() -> None:
            if self._handlers.pop(number, None) is not None:
                self.call_now(undo, [number])

        return Subscription(topic, cancel)

    def _check_render(self, method: str) -> None:
        if self._is_rendering and method not in RENDER_SAFE:
            raise RenderError(
                f"Module {self.context.id!r} called {method!r} while it rendered: a view reads state only; "
                "do this in a handler or in on_load",
                module=self.context.id,
            )


async def _settle(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


def _is_method(value: object) -> bool:
    return inspect.isfunction(value) or isinstance(value, (staticmethod, classmethod))


def _crosses(value: object) -> bool:
    try:
        codec.encode(value)
    except CodecError:
        return False
    return True


def find_entry(namespace: Mapping[str, Any], base: type, name: str | None = None, *, module: str = "") -> type:
    """Find the author's class: the one named, or the one subclass of `base` that `namespace` itself defines.

    Raises:
        ModuleLoadError: there is none, or more than one and no name says which.
    """
    if name is not None:
        found = namespace.get(name)
        if not (isinstance(found, type) and issubclass(found, base)):
            raise ModuleLoadError(
                f"Module {module!r} names the entry {name!r}, which is no ModuleFramework subclass of its source",
                module=module,
            )
        return found
    candidates = [
        value
        for value in namespace.values()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    ]
    leaves = [
        cls for cls in dict.fromkeys(candidates) if not any(c is not cls and issubclass(c, cls) for c in candidates)
    ]
    if len(leaves) != 1:
        names = ", ".join(cls.__name__ for cls in leaves) or "none"
        raise ModuleLoadError(
            f"Module {module!r} defines {len(leaves)} ModuleFramework subclasses ({names}): "
            'define one, or name it in module.toml: entry = "file:Class"',
            module=module,
        )
    return leaves[0]
