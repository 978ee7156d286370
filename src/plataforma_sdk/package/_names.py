"""Which file names a package may hold, on whatever system it is read.

Source: CWE-22 and Snyk, "Zip Slip"; CVE-2007-4559 (tarfile); Microsoft, "Naming Files, Paths, and Namespaces".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from plataforma_sdk.errors import IntegrityError

__all__ = ["check_collisions", "check_name"]

_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_MAX_NAME_BYTES: Final = 240
_MAX_PARTS: Final = 16


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
    """Refuse names that would be one file on a system that folds case or normalises, and a file used as a directory.

    Raises:
        IntegrityError: two names collide.
    """
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(_folded(name), name)
        if other is not name:
            raise IntegrityError(f"The package holds {other!r} and {name!r}, which are one file on some systems")
    for name in list(seen.values()):
        parts = _folded(name).split("/")
        for end in range(1, len(parts)):
            if "/".join(parts[:end]) in seen:
                raise IntegrityError(f"The package uses {'/'.join(parts[:end])!r} as a file and as a directory")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name.casefold())
