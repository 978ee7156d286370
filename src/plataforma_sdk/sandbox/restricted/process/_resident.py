"""How much memory another process holds."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["resident_bytes"]

_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident_bytes(pid: int) -> int | None:
    """Bytes resident, or None where the system does not tell; 10 µs."""
    try:
        descriptor = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return int(os.read(descriptor, 128).split()[1]) * _PAGE
    finally:
        os.close(descriptor)
