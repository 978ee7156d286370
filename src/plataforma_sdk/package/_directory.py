"""Reads a package from a directory, under the same rules as an archive."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.package._ignore import IgnoreList
from plataforma_sdk.package._names import (
    MAX_TOTAL_BYTES,
    check_amount,
    check_collisions,
    check_name,
    is_skipped,
    max_bytes,
)

__all__ = ["read_directory", "read_file"]

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0)


def read_directory(root: Path, ignore: IgnoreList | None = None) -> dict[str, bytes]:
    """Read all files but hidden ones, caches and what `ignore` names; POSIX path -> content.

    Raises:
        IntegrityError: a link, a special file, a bad name, or more than an archive may hold.
    """
    files: dict[str, bytes] = {}
    room = MAX_TOTAL_BYTES
    for path in _walk(root, ignore or IgnoreList(())):
        name = check_name(path.relative_to(root).as_posix())
        files[name] = read_file(path, min(max_bytes(name), room + 1))
        room -= len(files[name])
        check_amount(files, str(root))
    check_collisions(files)
    return files


def read_file(path: Path, limit: int, *, follow: bool = False) -> bytes:
    """Read one regular file; what was opened is looked at, so that nothing can be swapped in between.

    Opened without waiting: a named pipe would hang the host.

    Raises:
        IntegrityError: a link (unless `follow`), a special file, larger than `limit`, or not readable.
    """
    try:
        file = os.open(path, _FLAGS | (0 if follow else _NO_LINKS))
    except OSError as error:
        if path.is_symlink() and not follow:
            raise IntegrityError(f"{path} is a link; put the file itself in its place") from None
        raise IntegrityError(f"{path} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise IntegrityError(f"{path} is a special file or a directory; a regular file belongs here")
    with os.fdopen(file, "rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise IntegrityError(f"{path} is larger than {limit:,} bytes")
    return content


def _walk(root: Path, ignore: IgnoreList) -> Iterator[Path]:
    def is_kept(path: Path, *, is_directory: bool) -> bool:
        inside = path.relative_to(root).as_posix()
        return not (is_skipped(path.name) or ignore.leaves_out(inside, is_directory=is_directory))

    for folder, directories, names in os.walk(root, followlinks=False):
        directories[:] = sorted(name for name in directories if is_kept(Path(folder, name), is_directory=True))
        for name in directories:
            if _is_link(Path(folder, name)):
                raise IntegrityError(f"{Path(folder, name)} is a link; put the directory itself in its place")
        paths = (Path(folder, name) for name in sorted(names))
        yield from (path for path in paths if is_kept(path, is_directory=False))


def _is_link(path: Path) -> bool:
    is_junction = getattr(path, "is_junction", None)  # Windows' links of directories, which Python 3.11 does not know
    return path.is_symlink() or (is_junction is not None and is_junction())
