"""Opens the journal that a load asks for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from plataforma_sdk.errors import SandboxError

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.wasm import Journal

__all__ = ["open_journal"]


def open_journal(record: str | os.PathLike[str] | Journal | None, tier: str) -> Journal | None:
    """Open the journal of a module that is about to load, or return None where none is wanted.

    Raises:
        SandboxError: the tier cannot be recorded, or the file cannot be written.
        IntegrityError: the file is something else than a journal.
    """
    if record is None:
        return None
    if tier != "wasm":
        raise SandboxError(
            f"record= journals modules of the tier 'wasm', whose runs can be repeated exactly; this one is {tier!r}"
        )
    from plataforma_sdk.sandbox.wasm import Journal

    journal = record if isinstance(record, Journal) else Journal(record)
    journal.open()
    return journal
