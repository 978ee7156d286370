"""Reads a package from a directory, under the same rules as an archive."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.package._archive import MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES
from plataforma_sdk.package._names import check_collisions, check_name

__all__ = ["read_directory"]

_SKIPPED: Final = frozenset({"__pycache__", "node_modules"})


def read_directory(root: Path) -> dict[str, bytes]:
    """Read all files but hidden ones and caches; POSIX path -> content.

    Raises:
        IntegrityError: a link, a special file, a bad name, or more than an archive may hold.
    """
    files: dict[str, bytes] = {}
    total = 0
    for path in _walk(root):
        name = check_name(path.relative_to(root).as_posix())
        content = _read(path)
        total += len(content)
        files[name] = content
        if len(files) > MAX_FILES or total > MAX_TOTAL_BYTES:
            raise IntegrityError(
                f"{root} holds more than a package may: {MAX_FILES:,} files, {MAX_TOTAL_BYTES:,} bytes; move assets out"
            )
    check_collisions(files)
    return files


def _walk(root: Path) -> list[Path]:
    found: list[Path] = []
    for folder, directories, names in os.walk(root, followlinks=False):
        directories[:] = sorted(name for name in directories if not _is_skipped(name))
        for name in directories:
            if Path(folder, name).is_symlink():
                raise IntegrityError(f"{Path(folder, name)} is a link; put the directory itself in its place")
        found += [Path(folder, name) for name in sorted(names) if not _is_skipped(name)]
    return found


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name in _SKIPPED or name.endswith((".pyc", ".pyo"))


def _read(path: Path) -> bytes:
    """Open without following a link, then look at what was opened, so that nothing can be swapped in between."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        file = os.open(path, flags)
    except OSError as error:
        raise IntegrityError(f"{path} is a link or cannot be read: {error.strerror}") from None
    with os.fdopen(file, "rb") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise IntegrityError(f"{path} is a special file; a package holds regular files only")
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise IntegrityError(f"{path} is larger than {MAX_FILE_BYTES:,} bytes")
    return content
