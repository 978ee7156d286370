"""Opens the host of one user, from settings that are the same for all."""

from __future__ import annotations

import atexit
import hashlib
import importlib
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from plataforma_sdk import sync
from plataforma_sdk.api import Transport
from plataforma_sdk.runtime import LoadTarget, ModuleHost

__all__ = ["HostRecipe", "at_exit", "require"]


def require(name: str, install: str) -> Any:
    """Import a framework, or say how to come by it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"plataforma_sdk.integrations needs {install!r} here: pip install {install}", name=error.name
        ) from error


def at_exit(call: Callable[[], object]) -> None:
    """Call it as the process ends, while threads still run: plain `atexit` comes after those of executors have ended.

    A module could not store anything in its `on_unload` then. It is what `concurrent.futures` itself registers with.
    """
    getattr(threading, "_register_atexit", atexit.register)(call)


class HostRecipe:
    """How each user's host is made.

    Args:
        load: what is loaded into it.
        api: makes the transport to the application, unless `settings` hold an ``api``.
        state_dir: directory with one directory for each subject, or None to keep everything in memory.
        settings: further arguments of `ModuleHost`.
    """

    def __init__(
        self,
        load: Iterable[LoadTarget],
        api: Callable[[], Transport],
        state_dir: str | os.PathLike[str] | None,
        settings: dict[str, Any],
    ) -> None:
        if "subject" in settings:
            raise TypeError("subject is a function of the request here")
        self._load = tuple(load)
        self._api = api
        self._state_dir = None if state_dir is None else Path(state_dir).expanduser()
        self._settings = settings

    async def open(self, subject: str) -> ModuleHost:
        """Open the host of a subject; one whose modules do not load is closed again."""
        host = ModuleHost(**self._arguments(subject))
        await host.__aenter__()
        try:
            for target in self._load:
                await host.load(target)
        except BaseException:
            await host.aclose()
            raise
        return host

    def open_blocking(self, subject: str) -> sync.ModuleHost:
        """Do the same, blocking."""
        host = sync.ModuleHost(**self._arguments(subject))
        host.__enter__()
        try:
            for target in self._load:
                host.load(target)
        except BaseException:
            host.close()
            raise
        return host

    def _arguments(self, subject: str) -> dict[str, Any]:
        # A digest: a subject may hold what no file name can, and two of them must not share a directory.
        name = hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        state_dir = None if self._state_dir is None else self._state_dir / name
        return {"api": self._api(), **self._settings, "subject": subject, "state_dir": state_dir}
