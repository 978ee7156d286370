"""How a registry service is run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import attrs

__all__ = ["MAX_BLOB_BYTES", "ServiceOptions"]

MAX_BLOB_BYTES: Final = 1 << 30
"""More than this no blob may have, whatever a service allows."""


def _directory(path: str | os.PathLike[str]) -> Path:
    return Path(path).expanduser().absolute()


@attrs.frozen(kw_only=True)
class ServiceOptions:
    """What a service keeps where, and what it allows.

    Attributes:
        directory: of the registry, as ``dir:PATH`` opens it; the tokens lie in it too.
        database: address of a PostgreSQL database for the index, the tokens and the TUF metadata, in place of the
            directory; ``postgresql://USER:PASSWORD@HOST:PORT/NAME``. Not shown where this is printed.
        blobs: address of an object store for the blobs, ``s3://bucket/prefix``; None keeps them in the directory.
        is_private: whether reading needs a token too.
        max_blob_bytes: a larger upload is refused.
        max_requests_per_s: of one client, in the mean; ten times as many at once. 0 sets no limit.
        body_timeout_s: for each piece of an upload; the whole has a second more for each 16 KiB.
    """

    directory: Path = attrs.field(converter=_directory)
    database: str | None = attrs.field(default=None, repr=False)
    blobs: str | None = None
    is_private: bool = False
    max_blob_bytes: int = attrs.field(
        default=256 << 20, validator=[attrs.validators.ge(1), attrs.validators.le(MAX_BLOB_BYTES)]
    )
    max_requests_per_s: float = attrs.field(default=50.0, validator=attrs.validators.ge(0))
    body_timeout_s: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
