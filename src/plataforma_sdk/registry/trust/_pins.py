"""Which registry and key a client holds each module to: learned at first use, and kept."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from pathlib import Path
from typing import Final, Self

import attrs

from plataforma_sdk.errors import RegistryError

__all__ = ["Pin", "PinStore"]

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS pins (
    id TEXT PRIMARY KEY, registry TEXT NOT NULL, key TEXT, rotations INTEGER NOT NULL, revision INTEGER NOT NULL
) WITHOUT ROWID
"""


@attrs.frozen(kw_only=True)
class Pin:
    """What is known of a module.

    Attributes:
        registry: address of the registry that it comes from.
        key: fingerprint of the key that signs it, or None where it was never signed.
        rotations: number of the last rotation that was followed.
        revision: the highest revision of its index that was seen.
    """

    registry: str
    key: str | None
    rotations: int = 0
    revision: int = 0


class PinStore:
    """Pins in a file, mode 0600, for many processes at once; without a path, in memory. Blocks for a moment."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the file, or make it.

        Raises:
            RegistryError: it cannot be opened, or others can write to it.
        """
        self._path = path
        self._lock = threading.Lock()
        try:
            if path is not None:
                _make_private(path)
            self._connection = sqlite3.connect(
                path or ":memory:", isolation_level=None, check_same_thread=False, timeout=10
            )
        except (OSError, sqlite3.Error) as error:
            raise RegistryError(f"The pins in {path} cannot be read: {error}") from None
        try:
            self._connection.execute(_SCHEMA)
        except sqlite3.Error as error:
            self.close()
            raise RegistryError(f"The pins in {path} cannot be read: {error}; restore them from a copy") from None

    def get(self, module_id: str) -> Pin | None:
        """Return what is known of a module."""
        row = self._run("SELECT registry, key, rotations, revision FROM pins WHERE id = ?", (module_id,)).fetchone()
        return Pin(registry=row[0], key=row[1], rotations=row[2], revision=row[3]) if row else None

    def replace(self, module_id: str, known: Pin | None, pin: Pin) -> bool:
        """Keep a pin, but only in the place of the one known: False where another process was quicker."""
        new = (pin.registry, pin.key, pin.rotations, pin.revision)
        if known is None:
            done = self._run("INSERT OR IGNORE INTO pins VALUES (?, ?, ?, ?, ?)", (module_id, *new))
        else:
            done = self._run(
                "UPDATE pins SET registry = ?, key = ?, rotations = ?, revision = ? "
                "WHERE id = ? AND registry = ? AND key IS ? AND rotations = ? AND revision = ?",
                (*new, module_id, known.registry, known.key, known.rotations, known.revision),
            )
        return done.rowcount == 1

    def forget(self, module_id: str) -> bool:
        """Forget a module, so that the next use is the first; tell whether it was known."""
        return self._run("DELETE FROM pins WHERE id = ?", (module_id,)).rowcount == 1

    def _run(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        """Run a statement; what cannot be kept is not taken.

        Raises:
            RegistryError: the disk is full, the file is damaged, or another process holds it.
        """
        try:
            with self._lock:
                return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise RegistryError(
                f"The pins in {self._path or 'memory'} cannot be used now ({error}), so nothing is taken: see to the "
                "disk and try again"
            ) from None

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
    if os.name == "posix" and path.stat().st_mode & 0o022:
        raise RegistryError(f"Others can write to {path}: chmod 600 it, and see who did")
