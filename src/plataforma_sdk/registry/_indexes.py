"""What a registry last said about each module: kept for the next process, to notice what goes back, and to go on alone.

Of a registry of this machine nothing is kept: only its user writes there, and it is there when the network is not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.registry._packages import open_directory
from plataforma_sdk.registry._protocol import RegistryBackend
from plataforma_sdk.registry._records import ModuleIndex
from plataforma_sdk.registry._verify import check_succession
from plataforma_sdk.registry.trust import Freshness
from plataforma_sdk.sandbox._private import write_aside
from plataforma_sdk.types import module_segment

__all__ = ["Indexes"]

_LOG: Final = logger_of("plataforma_sdk.registry")
_TRIES: Final = 4


class Indexes:
    """Asks a backend for indexes, holds them against the last ones seen, and answers with those where it is offline.

    An `IndexSource`, as a `Resolver` needs it.

    Attributes:
        url: the registry's address.
    """

    def __init__(
        self, backend: RegistryBackend, directory: Path | None, freshness: Callable[[], Freshness | None] = lambda: None
    ) -> None:
        self._backend = backend
        self._freshness = freshness
        self._chosen = directory
        self.url = backend.url

    async def versions(self, module_id: str) -> ModuleIndex:
        """Return the index of a module.

        Raises:
            IntegrityError: it goes back behind what was seen, rewrites a release, or is not the one that the registry's
                TUF metadata lists.
            RegistryError: the registry cannot be reached, and nothing was seen of this module before.
        """
        if self._backend.is_local:
            return await self._backend.versions(module_id)
        seen = self._read(module_id)
        try:
            now = await self._newest(module_id)
        except RegistryError as error:
            if type(error) is not RegistryError or seen is None:  # what is wrong with the answer is no lack of one
                raise
            _LOG.warning("%s; going on with what it said about %s before", error.message, module_id)
            return seen
        self.accept(now, seen)
        return now

    async def metadata(self, module_id: str) -> str | None:
        """Ask for an index anew, and say what shows that it is the newest; raises as `versions`, also offline."""
        if self._backend.is_local:
            return None
        await self._newest(module_id)
        freshness = self._freshness()
        return None if freshness is None else await freshness.describe()

    async def _newest(self, module_id: str) -> ModuleIndex:
        """Return an index that is the newest by the registry's metadata; both may change between two requests."""
        freshness = self._freshness()
        for _ in range(_TRIES):
            now = await self._backend.versions(module_id)
            if freshness is None or await freshness.agrees(now):
                return now
        raise IntegrityError(
            f"{self.url} answers another index of {module_id} than its TUF metadata lists: an old one, or one that "
            "somebody on the way has changed; tell whoever runs the registry",
            module=module_id,
        )

    def accept(self, now: ModuleIndex, seen: ModuleIndex | None = None) -> None:
        """Hold an index against the last one seen, and keep it."""
        if self._backend.is_local or (seen is None and not now.releases):
            return
        if seen is not None:
            try:
                check_succession(seen, now)
            except IntegrityError as error:
                advice = f"if the registry was made anew on purpose, remove {self._path(now.id)}"
                raise IntegrityError(f"{error.message}; {advice}", module=now.id) from None
        if now != seen:
            write_aside(self._path(now.id), json.dumps(now.to_data()).encode())

    def _read(self, module_id: str) -> ModuleIndex | None:
        try:
            return ModuleIndex.from_data(json.loads(self._path(module_id).read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, OSError, IntegrityError) as error:
            raise IntegrityError(
                f"What was seen of {module_id} at {self.url} cannot be read ({error}): remove {self._path(module_id)}",
                module=module_id,
            ) from None

    def _path(self, module_id: str) -> Path:
        registry = hashlib.sha256(self.url.encode()).hexdigest()[:32]
        return open_directory(self._chosen, "indexes") / f"{registry}-{module_segment(module_id)}.json"
