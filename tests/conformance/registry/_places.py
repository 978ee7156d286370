"""Where the suite publishes: one entry for each backend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import httpx2

from plataforma_sdk.registry import RegistryBackend
from plataforma_sdk.registry.backends import DirectoryBackend, HttpBackend, MemoryBackend, OciBackend, WebOptions

from ._oci_registry import OciRegistry
from ._service import Service


@attrs.frozen(kw_only=True)
class Place:
    """One store that backends are opened on.

    Attributes:
        name: for people.
        open: opens a backend on this store; all of them see the same releases.
        has_compare_and_set: whether two publishers of one version are told apart while they race.
    """

    name: str
    open: Callable[[], RegistryBackend]
    has_compare_and_set: bool = True


def memory(_: Path) -> Place:
    backend = MemoryBackend()
    return Place(name="memory", open=lambda: backend)


def directory(path: Path) -> Place:
    return Place(name="directory", open=lambda: DirectoryBackend(path / "registry"))


def http(_: Path) -> Place:
    service = Service()

    def open_backend() -> RegistryBackend:
        options = WebOptions(transport=httpx2.ASGITransport(service), first_wait_s=0)
        return HttpBackend("https://registry.test/base", options=options)

    return Place(name="http", open=open_backend)


def oci(_: Path) -> Place:
    options = WebOptions(transport=OciRegistry(), first_wait_s=0)
    return Place(
        name="OCI", open=lambda: OciBackend("oci://registry.test/acme", options=options), has_compare_and_set=False
    )


PLACES: Final[dict[str, Callable[[Path], Place]]] = {
    "memory": memory,
    "directory": directory,
    "http": http,
    "oci": oci,
}
