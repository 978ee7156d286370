"""Where the suite publishes: one entry for each backend."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Final

import attrs
import httpx2
import pytest

from plataforma_sdk.plugins import make_plugin_manager
from plataforma_sdk.registry import RegistryBackend
from plataforma_sdk.registry.backends import (
    DirectoryBackend,
    HttpBackend,
    MemoryBackend,
    ObjectBackend,
    OciBackend,
    WebOptions,
    open_backend,
)

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


def objects_in_memory(_: Path) -> Place:
    store = stores().MemoryStore()
    return Place(name="obstore in memory", open=lambda: ObjectBackend(store, url="s3://bucket"))


def objects_in_files(path: Path) -> Place:
    store = stores().LocalStore(path / "objects", mkdir=True)
    return Place(name="obstore in files", open=lambda: ObjectBackend(store, url="s3://bucket"))


def plugin(path: Path) -> Place:
    """Open the example's backend as an installed plugin is opened."""
    source = Path(__file__).parents[3] / "examples" / "registry-plugin" / "sqlite_registry.py"
    spec = importlib.util.spec_from_file_location(source.stem, source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    plugins = make_plugin_manager([module], entry_points=False)
    return Place(name="plugin", open=lambda: open_backend(f"sqlite:{path / 'modules.db'}", plugins=plugins))


def stores() -> ModuleType:
    return pytest.importorskip("obstore.store", reason="needs the extra s3")


PLACES: Final[dict[str, Callable[[Path], Place]]] = {
    "memory": memory,
    "directory": directory,
    "http": http,
    "oci": oci,
    "objects-memory": objects_in_memory,
    "objects-files": objects_in_files,
    "plugin": plugin,
}
