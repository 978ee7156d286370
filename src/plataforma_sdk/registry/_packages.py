"""Archives that were fetched before: on disk by their digest, and read and checked packages in memory.

::

    get(digest) -> a package in memory                                              microseconds
                -> a file of the cache, whose digest is checked on every reading     about 2 ms for 100 kB
                -> None: the registry is asked
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Final

import cachetools

from plataforma_sdk.errors import RegistryError, SandboxError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry._records import BlobRef
from plataforma_sdk.registry._verify import digest_of
from plataforma_sdk.sandbox._private import chosen_directory, private_directory, prune, write_aside

__all__ = ["PackageCache", "keep_file", "open_directory"]

_LOG: Final = logger_of("plataforma_sdk.registry")
_KEPT_ARCHIVES: Final = 1_000
_MEMORY_BYTES: Final = 64 << 20

_SHARED: Final[cachetools.LRUCache[str, ModulePackage]] = cachetools.LRUCache(
    _MEMORY_BYTES, getsizeof=lambda package: sum(map(len, package.files.values()))
)
"""Archive digest -> package, for every registry of the process: packages are immutable, and a digest names one only."""
_LOCK: Final = threading.Lock()


def open_directory(chosen: Path | None, name: str) -> Path:
    """Return a private directory of the cache, made with mode 0700.

    Raises:
        RegistryError: it is not safe to load code from, or cannot be made.
    """
    try:
        if chosen is None:
            return private_directory(name)
        chosen_directory(chosen)
        return chosen_directory(chosen / name)
    except SandboxError as error:
        raise RegistryError(error.message) from None


def keep_file(path: Path, data: bytes | bytearray, *, at_most: int | None = None) -> None:
    """Write a file of the cache, and remove those of its kind that were used longest ago.

    Raises:
        RegistryError: it cannot be written.
    """
    try:
        write_aside(path, data)
        for old in () if at_most is None else prune(path.parent, f"*{path.suffix}", at_most):
            old.unlink(missing_ok=True)
    except OSError as error:
        raise RegistryError(f"The cache {path} cannot be written ({error.strerror}): see to its disk") from None


class PackageCache:
    """Keeps archives in a directory that only this user may enter; see `private_directory`.

    Args:
        directory: where; None for ``$XDG_CACHE_HOME/plataforma-sdk``, else under ``~/.cache``.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._chosen = directory

    def get(self, blob: BlobRef) -> ModulePackage | None:
        """Return a package, or None where it is not here, or what is here has other bytes than its digest says."""
        with _LOCK:
            package: ModulePackage | None = _SHARED.get(blob.digest)
        if package is not None:
            return package
        path = self.path(blob)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RegistryError(f"The cache {path} cannot be read ({error.strerror}): see to its mode") from None
        if digest_of(data) != blob.digest:
            _LOG.warning("%s was damaged in the cache; it is fetched anew", blob.digest)
            path.unlink(missing_ok=True)
            return None
        with contextlib.suppress(OSError):
            path.touch()  # used last counts, when room is made
        return self._remember(blob, ModulePackage.from_archive(data))

    def put(self, blob: BlobRef, data: bytes) -> ModulePackage:
        """Keep an archive whose bytes were verified, and return its package.

        Raises:
            IntegrityError: the archive is damaged or hostile.
            ManifestError: the package has faults.
            RegistryError: the cache cannot be written.
        """
        package = ModulePackage.from_archive(data)
        keep_file(self.path(blob), data, at_most=_KEPT_ARCHIVES)
        return self._remember(blob, package)

    def path(self, blob: BlobRef) -> Path:
        """Return where an archive lies, or would.

        Raises:
            RegistryError: as `open_directory`.
        """
        return open_directory(self._chosen, "packages") / f"{blob.digest.removeprefix('sha256:')}.zip"

    def _remember(self, blob: BlobRef, package: ModulePackage) -> ModulePackage:
        with _LOCK, contextlib.suppress(ValueError):  # larger than all of the memory: the disk keeps it
            return _SHARED.setdefault(blob.digest, package)
        return package
