"""What a publish says while it runs, and when it is done."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

__all__ = ["PublishProgress", "PublishResult", "PublishStep"]


class PublishStep(StrEnum):
    """A step of a publish, in their order.

    Source: the specification's ``publishModule``.
    """

    SCAN = "scan"
    RESOLVE = "resolve"
    BUILD = "build"
    STORE = "store"
    DISTRIBUTE = "distribute"
    INDEX = "index"


@attrs.frozen(kw_only=True)
class PublishProgress:
    """One line of progress.

    Attributes:
        step: which step.
        is_done: False when it begins, True when it has ended.
        detail: what came of it, for people.
    """

    step: PublishStep
    is_done: bool = False
    detail: str = ""


@attrs.frozen(kw_only=True)
class PublishResult:
    """What was published. A publish that fails raises; it returns nothing half-done.

    Attributes:
        success: whether the version can be installed; False for a dry run.
        module_id: the module's id.
        version: its version.
        download_url: where it lies: what a distributor says, or the registry's address with ``#id@version``.
        published_at: ISO 8601, UTC; of the first time, where it was published before.
        digest: of the package's content.
        archive: digest of the archive.
        size_bytes: of the archive.
        publisher: fingerprint of the key that signed it, or None.
        is_new: whether it was not published before.
        is_dry_run: whether nothing was stored.
        attachments: names of what lies beside the archive.
        checks: tier -> what its compile check said.
        warnings: what went wrong after the version was stored; publish again to try that again.
    """

    success: bool
    module_id: str
    version: str
    download_url: str
    published_at: str
    digest: str
    archive: str
    size_bytes: int
    publisher: str | None = None
    is_new: bool = True
    is_dry_run: bool = False
    attachments: tuple[str, ...] = ()
    checks: dict[str, str] = attrs.field(factory=dict)
    warnings: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Write the result as plain data."""
        return attrs.asdict(self, value_serializer=lambda _, __, value: list(value) if type(value) is tuple else value)
