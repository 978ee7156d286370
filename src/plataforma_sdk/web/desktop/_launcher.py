"""Which modules there are, and how one that is not loaded is."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import attrs

from plataforma_sdk.errors import ModuleStateError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.permissions import clean_text

if TYPE_CHECKING:
    from plataforma_sdk.manifest import Manifest
    from plataforma_sdk.runtime import ModuleHandle, ModuleHost

__all__ = ["Launchable", "Launcher", "shown_name"]

_OWN_ICONS: Final = frozenset({"shield", "gear", "cpu", "lock", "key"})
"""Those of the desktop's own windows and dialogs, which a module is not to be taken for."""

_OWN_NAMES: Final = frozenset({"sistema", "system"})
"""What stands in the chip of the desktop's own windows, in any language of the page."""


@attrs.frozen(kw_only=True)
class Launchable:
    """A module that a person may start from the desktop.

    Attributes:
        package: the module.
        engine: its tier; None for the host's.
        grants: what it holds beside the host's grants; None for nothing.
    """

    package: ModulePackage
    engine: str | None = None
    grants: tuple[str, ...] | None = None


class Launcher:
    """Lists the modules of a host and those that could be loaded.

    Args:
        host: loads them.
        modules: what may be loaded, beside what was: a module that a person unloads may be started again.
    """

    def __init__(self, host: ModuleHost, modules: Iterable[ModulePackage | Launchable] = ()) -> None:
        self._host = host
        known = [each if isinstance(each, Launchable) else Launchable(package=each) for each in modules]
        self._known = {each.package.id: each for each in known}
        self._starting: set[str] = set()
        self._closed: set[str] = set()

    def list(self) -> list[dict[str, Any]]:
        """Describe every module, as the message ``modules`` does."""
        self._remember()
        handles = self._host.modules
        return [_entry(known, handles.get(name), name in self._starting) for name, known in self._known.items()]

    def note_closed(self, module_id: str) -> None:
        """Take note that a module had a window: one that never has any is not loaded anew for one."""
        self._closed.add(module_id)

    def _remember(self) -> None:
        for name, handle in self._host.modules.items():
            known = self._known.get(name)
            if known is None:
                self._known[name] = Launchable(package=handle.package, engine=handle.engine)
            elif known.package is not handle.package:
                self._known[name] = attrs.evolve(known, package=handle.package)

    async def show(self, module_id: str) -> str:
        """Bring a module to the screen: load it where it is not loaded, or anew where all its windows were closed.

        Returns:
            Its state.

        Raises:
            ModuleStateError: there is none of this id, or it is being loaded.
            PlataformaError: it does not load, as `ModuleHost.load` says.
        """
        self._remember()
        known, handle = self._known.get(module_id), self._host.modules.get(module_id)
        if handle is not None:
            has_closed = not handle.windows and module_id in self._closed and handle.state in {"active", "parked"}
            if handle.state == "failed" or has_closed:
                await handle.reload(handle.package)  # only `on_load` knows which windows it opens
            return handle.state
        if known is None:
            raise ModuleStateError(f"There is no module {module_id[:64]!r} on this desktop", module=module_id[:64])
        with self._reserve(module_id):
            loaded = await self._host.load(known.package, engine=known.engine, grants=known.grants)
        return loaded.state

    @contextlib.contextmanager
    def _reserve(self, module_id: str) -> Any:
        if module_id in self._starting:
            raise ModuleStateError(f"Module {module_id!r} is being loaded already", module=module_id)
        self._starting.add(module_id)
        try:
            yield
        finally:
            self._starting.discard(module_id)


def shown_name(manifest: Manifest) -> str:
    """Return the name for people; the id where the name is the desktop's own, or no letter of it can be seen."""
    name = clean_text(manifest.name)
    letters = "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum())
    return name if letters and letters not in _OWN_NAMES else manifest.id


def _entry(known: Launchable, handle: ModuleHandle | None, is_starting: bool) -> dict[str, Any]:
    manifest: Manifest = known.package.manifest if handle is None else handle.manifest
    absent = "loading" if is_starting else "unloaded"
    return {
        "id": manifest.id,
        "name": shown_name(manifest),
        "version": manifest.version,
        "description": clean_text(manifest.description),
        "icon": None if manifest.icon in _OWN_ICONS else manifest.icon or None,
        "engine": known.engine if handle is None else handle.engine,
        "state": absent if handle is None else handle.state,
        "windows": [] if handle is None else list(handle.windows),
    }
