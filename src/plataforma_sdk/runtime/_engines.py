"""The engines of one host, each made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plataforma_sdk.sandbox import TIERS, Engine, make_engine

if TYPE_CHECKING:
    from pluggy import PluginManager

__all__ = ["HostEngines"]


class HostEngines:
    """Makes and keeps a host's engines.

    Args:
        engine: the one of modules that are loaded without one.
        isolation: of the tier `restricted`, where a load does not say otherwise.
        plugins: may serve further names.

    Raises:
        SandboxError: no such engine or isolation, or it does not run here.
    """

    def __init__(self, engine: str | Engine, isolation: str | None, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._isolation = isolation
        self._engines: dict[tuple[str, str | None], Engine] = {}
        self._default = self._get(engine, isolation)

    def choose(self, engine: str | Engine | None, isolation: str | None) -> Engine:
        """Return the engine of one load: what it does not name is the host's."""
        if engine is None and isolation is None:
            return self._default
        if engine == "restricted" and isolation is None:
            isolation = self._isolation
        return self._get(self._default.name if engine is None else engine, isolation)

    async def close(self) -> None:
        """Close them all."""
        for engine in self._engines.values():
            await engine.close()
        self._engines.clear()

    def _get(self, engine: str | Engine, isolation: str | None) -> Engine:
        isolation = None if isolation == "none" else isolation
        key = (engine if isinstance(engine, str) else engine.name, isolation)
        if key not in self._engines:
            from_plugin = None
            if isinstance(engine, str) and engine not in TIERS and isolation is None:
                from_plugin = self._plugins.hook.plataforma_engine(name=engine)
            self._engines[key] = from_plugin or make_engine(engine, isolation=isolation)
        return self._engines[key]
