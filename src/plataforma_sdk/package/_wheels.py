"""Wheels that a package carries: named in the manifest with their digests, and only those.

The host compares digests and sizes, and never opens a wheel: it is unpacked inside the guest, behind the boundary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from plataforma_sdk.errors import Fault

__all__ = ["MAX_WHEELS", "MAX_WHEEL_BYTES", "wheel_faults"]

MAX_WHEELS: Final = 64
MAX_WHEEL_BYTES: Final = 8 * 2**20
"""Of all wheels of a package together: they cross into the guest as text and stay in its memory."""


def wheel_faults(manifest_file: str, declared: Mapping[str, str], files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Find wheels that the manifest does not name, whose content is another, or that are too many or too large.

    Args:
        manifest_file: its name, for messages.
        declared: ``[wheels]``: path -> digest.
        files: path -> content of the package.
    """
    for name in sorted(files):
        if name.endswith(".whl") and name not in declared:
            yield Fault(
                name, "the manifest does not name it", f'add under [wheels]: "{name}" = "{_digest(files[name])}"'
            )
    for name, digest in declared.items():
        actual = _digest(files[name]) if name in files else digest
        if actual != digest:
            yield Fault(f"{manifest_file}: wheels", f"{name!r} is another file: it has {actual}", "compare both")
    size = sum(len(files.get(name, b"")) for name in declared)
    if len(declared) > MAX_WHEELS or size > MAX_WHEEL_BYTES:
        yield Fault(
            f"{manifest_file}: wheels",
            f"{len(declared)} wheels of {size:,} bytes",
            f"a package carries at most {MAX_WHEELS}, of {MAX_WHEEL_BYTES:,} bytes together",
        )


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
