"""Worker processes for work that the host does not trust: started bare, confined by the kernel, kept ready.

A worker is a fresh interpreter without environment or descriptors (`spawn`), which gives up what its work does not need
(`confine` and the bounds beside it, called inside). A pool keeps some ready (`WorkerPool`). What a worker does, and how
it is spoken to over its one socket, is its user's: modules under ``isolation="process"``, and the drawing of charts.
"""

from plataforma_sdk.workers._confine import (
    SPARE_DESCRIPTORS,
    bound_cpu,
    bound_data,
    bound_memory,
    confine,
    forbid_processes,
    seal_descriptors,
    take_socket,
)
from plataforma_sdk.workers._pool import WorkerPool
from plataforma_sdk.workers._spawn import WorkerProcess, has_workers, spawn

__all__ = [
    "SPARE_DESCRIPTORS",
    "WorkerPool",
    "WorkerProcess",
    "bound_cpu",
    "bound_data",
    "bound_memory",
    "confine",
    "forbid_processes",
    "has_workers",
    "seal_descriptors",
    "spawn",
    "take_socket",
]
