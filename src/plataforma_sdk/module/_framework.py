"""`ModuleFramework`: the class that a module's author subclasses."""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

from plataforma_sdk.module._context import ModuleContext
from plataforma_sdk.module._runtime import ModuleRuntime
from plataforma_sdk.module._values import ModuleClipboard, ModulePermissions, ModuleStorage, ModuleWindow
from plataforma_sdk.types import ApiRequest, Event, Subscription
from plataforma_sdk.ui import Element

__all__ = ["FRAMEWORK_NAMES", "ModuleFramework"]


class ModuleFramework(abc.ABC):
    """What a module is made of: subclass it, write `on_load` and `render`.

    The same source runs in all three tiers. Whatever a module registers belongs to it and is disposed with it.

    >>> from plataforma_sdk.module import ModuleContext
    >>> from plataforma_sdk import ui
    >>> class Hello(ModuleFramework):
    ...     async def on_load(self) -> None:
    ...         self.name = self.config.get("name", "world")
    ...     def render(self) -> ui.Element:
    ...         return ui.text(f"Hello, {self.name}")
    >>> module = Hello(ModuleContext.fake())
    >>> module.id
    'fake'
    """

    _runtime: ModuleRuntime

    def __new__(cls, context: ModuleContext, *_: Any, **__: Any) -> Self:
        """Bind the context here, so that an author's `__init__` need not call ``super().__init__``."""
        self = super().__new__(cls)
        self._runtime = context.runtime or ModuleRuntime(context)
        self._runtime.module = self
        return self

    def __init__(self, context: ModuleContext) -> None:  # noqa: B027 - optional, like the hooks below
        """Override to set attributes; nothing of the host may be called before `on_load`."""

    # --- lifecycle -------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    async def on_load(self) -> None:
        """Begin: fetch data, subscribe, register endpoints, create windows."""

    @abc.abstractmethod
    def render(self) -> Element:
        """Return the tree of a window; called again after every call into the module. Never waits."""

    async def on_unload(self) -> None:  # noqa: B027
        """Say good-bye; has a deadline of its own and is skipped after a trap."""

    async def on_reload(self, old_state: Any) -> None:  # noqa: B027
        """Take over from the instance that this one replaces.

        Args:
            old_state: what its `__getstate__` returned, or its public attributes as far as they are plain data.
        """

    async def on_upgrade(self, from_version: str) -> None:  # noqa: B027
        """Bring stored data up to date; runs before `on_load` where an older version was loaded last."""

    # --- who it is -------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The module's id."""
        return self._runtime.context.id

    @property
    def version(self) -> str:
        """The module's version."""
        return self._runtime.context.version

    @property
    def config(self) -> Mapping[str, Any]:
        """Configuration, typed by ``[config]`` in the manifest."""
        return MappingProxyType(dict(self._runtime.context.config))

    @property
    def locale(self) -> str:
        """BCP 47 tag of the person's language: ``"pt-BR"``."""
        return self._runtime.context.locale

    @property
    def windows(self) -> Mapping[str, ModuleWindow]:
        """The module's windows by id."""
        return MappingProxyType(self._runtime.windows)

    @property
    def permissions(self) -> ModulePermissions:
        """What the module may do: `has`, `require`, `request`."""
        return self._runtime.permissions

    @property
    def storage(self) -> ModuleStorage:
        """Key-value storage of the module's own. Needs ``system.storage``."""
        return self._runtime.storage

    @property
    def clipboard(self) -> ModuleClipboard:
        """The person's clipboard. Needs ``system.clipboard``."""
        return self._runtime.clipboard

    # --- immediate -------------------------------------------------------------------------------------------------

    def emit(self, topic: str, data: Any = None) -> None:
        """Emit an event under ``module.<id>.``: ``emit("saved")`` is ``module.<id>.saved``. Needs ``events.emit``."""
        self._runtime.emit(topic, data)

    def subscribe(self, topic: str, handler: Callable[[Event], Any]) -> Subscription:
        """Receive the events of a topic or pattern. Needs ``events.subscribe[topic]``, declared as consumed."""
        return self._runtime.subscribe(topic, handler)

    def register_endpoint(
        self, path: str, handler: Callable[[ApiRequest], Awaitable[Any]], *, methods: Sequence[str] = ("GET",)
    ) -> None:
        """Answer API calls to a path that begins with the module's id and stands under ``[endpoints]``."""
        self._runtime.register_endpoint(path, handler, methods)

    def create_window(
        self,
        *,
        title: str,
        id: str = "main",  # noqa: A002 - the specification's name
        width: int = 800,
        height: int = 600,
        modal: bool = False,
        view: Callable[[], Element] | None = None,
    ) -> ModuleWindow:
        """Open a window that shows `view` (default `render`). Needs ``window.create``, a modal ``window.modal`` too."""
        settings = {"id": id, "title": title, "width": width, "height": height, "modal": modal}
        return self._runtime.create_window(settings, view)

    def invalidate(self, window_id: str | None = None) -> None:
        """Ask for a new render of one window, or of all."""
        self._runtime.call_now("windows.invalidate", [window_id])

    def every(self, seconds: float, handler: Callable[[], Any]) -> Subscription:
        """Call `handler` again and again; ends with the subscription returned, or with the module."""
        return self._runtime.every(seconds, handler)

    def log(self, level: str, message: str, **fields: Any) -> None:
        """Write to the host's log. `level` is debug, info, warning or error; counts as output."""
        self._runtime.call_now("log", [level, message, fields])

    def t(self, key: str, **args: Any) -> str:
        """Translate: the text of `key` in the module's locale, ``{name}`` replaced by arguments; else the key."""
        return self._runtime.translate(key, args)

    # --- awaited ---------------------------------------------------------------------------------------------------

    async def api_call(
        self,
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call an API: a path needs ``api.<first segment>[METHOD]``, an https URL ``api.external[host]``.

        Raises:
            ApiStatusError: the answer's status is 400 or more.
            TransportError: no answer, or a path that is refused.
        """
        return await self._runtime.api_call(path, method, params, json, headers)

    async def query(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
        """Read rows from the host's database. Needs ``database.read[Table]``."""
        return list(await self._runtime.call("database.query", [sql, _parameters(params)]))

    async def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        """Change rows and return how many. Needs ``database.write[Table]``."""
        return int(await self._runtime.call("database.execute", [sql, _parameters(params)]))

    async def notify(self, title: str, body: str = "") -> None:
        """Show the person a notification. Needs ``system.notifications``."""
        await self._runtime.call("system.notify", [title, body])

    async def request(self, topic: str, data: Any = None, *, timeout_s: float) -> Any:
        """Ask the owner of a topic and wait for its reply. Needs ``events.emit[topic]``."""
        return await self._runtime.call("events.request", [topic, data, timeout_s])

    async def asset(self, path: str) -> bytes:
        """Read a file of the module's own package."""
        return bytes(await self._runtime.call("asset.read", [path]))


def _parameters(params: Sequence[Any] | Mapping[str, Any]) -> Any:
    return dict(params) if isinstance(params, Mapping) else list(params)


FRAMEWORK_NAMES = frozenset(name for name in dir(ModuleFramework) if not name.startswith("_"))
"""The framework's own public names: a host cannot reach them by `handle.call`."""
