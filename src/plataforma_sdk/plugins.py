"""Extension points, by pluggy: entry-point group ``plataforma_sdk``, or objects given to `ModuleHost(plugins=...)`.

pluggy is synchronous, so a hook is a factory: it returns the object that does the work, which may be async.

>>> class Engines:
...     @hookimpl
...     def plataforma_engine(self, name):
...         return None
>>> manager = make_plugin_manager([Engines()])
>>> manager.hook.plataforma_engine(name="native") is None
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from plataforma_sdk.registry import RegistryBackend
    from plataforma_sdk.runtime import CallObserver
    from plataforma_sdk.sandbox import Engine

__all__ = ["PROJECT", "hookimpl", "hookspec", "make_plugin_manager"]

PROJECT = "plataforma_sdk"
"""Name of the pluggy project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class _Hooks:
    """The hooks that a plugin may implement."""

    @hookspec(firstresult=True)
    def plataforma_engine(self, name: str) -> Engine | None:
        """Return the engine of this name, or None; asked only for names that are not built in."""

    @hookspec(firstresult=True)
    def plataforma_registry_backend(self, url: str) -> RegistryBackend | None:
        """Return a backend for an address, or None; asked only for schemes that are not built in."""

    @hookspec
    def plataforma_services(self) -> Mapping[str, Callable[..., Any]] | None:
        """Return services by method of `module.OPERATIONS`; they take the place of the built-in ones."""

    @hookspec
    def plataforma_call_observer(self, subject: str) -> CallObserver | None:
        """Return what a host tells of each call, or None; asked once for each host."""


def make_plugin_manager(plugins: Iterable[object] = (), *, entry_points: bool = True) -> pluggy.PluginManager:
    """Collect the plugins given and those installed.

    Args:
        plugins: objects or modules whose hooks are marked with `hookimpl`.
        entry_points: whether to load installed plugins of the entry-point group ``plataforma_sdk``.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(_Hooks)
    for plugin in plugins:
        manager.register(plugin)
    if entry_points:
        manager.load_setuptools_entrypoints(PROJECT)
    manager.check_pending()
    return manager
