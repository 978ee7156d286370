"""What a package may hold: file names that are safe on whatever system reads them, how many, and how large.

**Source:** CWE-22 and Snyk, "Zip Slip"; CVE-2007-4559 (tarfile); Microsoft, "Naming Files, Paths, and Namespaces".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from plataforma_sdk.errors import IntegrityError

__all__ = [
    "MAX_COMPONENT_BYTES",
    "MAX_FILES",
    "MAX_FILE_BYTES",
    "MAX_TOTAL_BYTES",
    "check_amount",
    "check_collisions",
    "check_name",
    "is_skipped",
    "max_bytes",
]

MAX_FILES: Final = 2_000
"""Files of one package."""
MAX_FILE_BYTES: Final = 16 * 2**20
"""Of one file that is no ``.wasm``, unpacked."""
MAX_COMPONENT_BYTES: Final = 48 * 2**20
"""Of a ``.wasm`` file: one that brings a Python interpreter has about 30 MiB."""
MAX_TOTAL_BYTES: Final = 64 * 2**20
"""Of all files of one package together, unpacked."""

_SKIPPED: Final = frozenset({"__pycache__", "__MACOSX", "node_modules"})
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_MAX_NAME_BYTES: Final = 240
_MAX_PARTS: Final = 16


def max_bytes(name: str) -> int:
    """Return how large a file of this name may be."""
    return MAX_COMPONENT_BYTES if name.endswith(".wasm") else MAX_FILE_BYTES


def check_amount(files: Mapping[str, bytes], source: str) -> None:
    """Refuse too many files, or too much in them.

    Raises:
        IntegrityError: more than a package may hold.
    """
    total = sum(map(len, files.values()))
    if len(files) > MAX_FILES or total > MAX_TOTAL_BYTES:
        raise IntegrityError(
            f"{source} holds more than a package may: {MAX_FILES:,} files, {MAX_TOTAL_BYTES:,} bytes; move assets out"
        )


def is_skipped(name: str) -> bool:
    """Whether a path is left out of a package: hidden files, caches, and compiled code, which no package supplies."""
    parts = name.split("/")
    return any(part.startswith(".") or part in _SKIPPED for part in parts) or name.endswith((".pyc", ".pyo"))


def check_name(name: str) -> str:
    """Return a name that is safe everywhere.

    Raises:
        IntegrityError: absolute, with ``..``, with what some system reads as something else, or not NFC.
    """
    problem = _problem(name)
    if problem:
        raise IntegrityError(f"The package holds a file named {ascii(name)[:120]}, which {problem}; rename it")
    return name


def _problem(name: str) -> str | None:
    parts = name.split("/")
    if not name or name.startswith("/") or _FORBIDDEN.search(name):
        return "is absolute, or has a character that some system does not allow"
    if len(parts) > _MAX_PARTS or len(name.encode("utf-8", "replace")) > _MAX_NAME_BYTES:
        return "is too long or too deep"
    if any(part in ("", ".", "..") or part != part.strip(" ").rstrip(".") for part in parts):
        return "leaves the package, or has an empty part or one that ends in a dot or a space"
    if any(_DEVICES.fullmatch(part) for part in parts):
        return "is a device on Windows"
    if unicodedata.normalize("NFC", name) != name or not name.isprintable():
        return "is not in Unicode normal form C, or holds invisible characters"
    return None


def check_collisions(names: Iterable[str]) -> None:
    """Refuse names that would be one file, or files of one directory, on a system that folds case or normalises.

    Raises:
        IntegrityError: two names collide, or one is used as a file and as a directory.
    """
    files: dict[str, str] = {}
    directories: dict[str, str] = {}
    for name in names:
        _claim(files, name)
        parts = name.split("/")
        for end in range(1, len(parts)):
            _claim(directories, "/".join(parts[:end]), is_shared=True)
    for folded in files.keys() & directories.keys():
        raise IntegrityError(f"The package uses {files[folded]!r} as a file and as a directory")


def _claim(seen: dict[str, str], name: str, *, is_shared: bool = False) -> None:
    other = seen.setdefault(_folded(name), name)
    if other != name or (other is not name and not is_shared):
        raise IntegrityError(f"The package holds {other!r} and {name!r}, which are one file on some systems")


def _folded(name: str) -> str:
    """Fold as the most lenient system does: case, compatibility forms, and case again of what those become."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.casefold()).casefold())
