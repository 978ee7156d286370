"""``plataforma registry sweep``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from plataforma_sdk.cli._say import refuse, say, say_json
from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry.backends import DirectoryBackend
from plataforma_sdk.registry.backends._catalogue import MARK

__all__ = ["sweep"]

_COMMAND: Final = "registry sweep"


def sweep(directory: Path, database: str | None, *, grace_s: float, dry_run: bool, as_json: bool) -> None:
    """Remove blobs that nothing names, and say which."""
    if not (directory / ("registry.sqlite" if database is None else MARK)).exists():
        refuse(
            _COMMAND,
            f"{directory} is no registry with {'its index in it' if database is None else 'an index in PostgreSQL'}: "
            "name the directory that 'registry serve' or dir:PATH uses, and its --database where it has one",
        )
    try:
        gone = asyncio.run(_swept(DirectoryBackend(directory, database=database), grace_s, dry_run))
    except RegistryError as error:
        refuse(_COMMAND, error)
    if as_json:
        say_json({"removed": gone, "bytes": sum(gone.values()), "is_dry_run": dry_run})
        return
    for digest, size in gone.items():
        say(f"{digest}  {size:,} bytes")
    say(f"{len(gone):,} blobs, {sum(gone.values()):,} bytes {'would be removed' if dry_run else 'removed'}")


async def _swept(backend: DirectoryBackend, grace_s: float, dry_run: bool) -> dict[str, int]:
    try:
        return await backend.sweep(grace_s=grace_s, dry_run=dry_run)
    finally:
        await backend.aclose()
