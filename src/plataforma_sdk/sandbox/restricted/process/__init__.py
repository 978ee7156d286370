"""Process isolation for the `restricted` tier: the same engine, each module in a worker of its own.

A worker is a fresh interpreter without environment, descriptors or privileges, under limits of the kernel
(`plataforma_sdk.workers`, `_spawn`), taken from a pool and used once (`_pool`). Host and worker speak frames over one
socket (`_wire`): the host reads them without blocking and believes none of them (`_channel`, `_talk`, `_requests`), the
worker runs the engine with a bridge that asks the host (`_worker`, `_inside`, `_bridge`, `_link`). Whatever breaks a
rule is killed.

For those who cannot use `wasm`. What it promises, and what not: ``docs/how-to/process-isolation.md``.
"""

from plataforma_sdk.sandbox.restricted.process._engine import ProcessEngine
from plataforma_sdk.sandbox.restricted.process._instance import ProcessInstance
from plataforma_sdk.sandbox.restricted.process._pool import WorkerPool, shared_pool

__all__ = ["ProcessEngine", "ProcessInstance", "WorkerPool", "shared_pool"]
