"""``plataforma registry sweep``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from plataforma_sdk.cli._say import refuse, say, say_json
from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry.backends import DirectoryBackend

__all__ = ["sweep"]

_COMMAND: Final = "registry sweep"


def sweep(directory: Path, *, grace_s: float, dry_run: bool, as_json: bool) -> None:
    """Remove blobs that nothing names, and say which."""
    if not (directory / "registry.sqlite").exists():
        refuse(_COMMAND, f"{directory} is no registry: name the directory that 'registry serve' or dir:PATH uses")
    try:
        gone = asyncio.run(_swept(directory, grace_s, dry_run))
    except RegistryError as error:
        refuse(_COMMAND, error)
    if as_json:
        say_json({"removed": gone, "bytes": sum(gone.values()), "is_dry_run": dry_run})
        return
    for digest, size in gone.items():
        say(f"{digest}  {size:,} bytes")
    say(f"{len(gone):,} blobs, {sum(gone.values()):,} bytes {'would be removed' if dry_run else 'removed'}")


async def _swept(directory: Path, grace_s: float, dry_run: bool) -> dict[str, int]:
    backend = DirectoryBackend(directory)
    try:
        return await backend.sweep(grace_s=grace_s, dry_run=dry_run)
    finally:
        await backend.aclose()
