"""`Manifest`: what a module says about itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

import attrs

from plataforma_sdk.errors import ManifestError
from plataforma_sdk.manifest._config import ConfigEntry, ConfigValue, typed_config
from plataforma_sdk.manifest._entry import Entry
from plataforma_sdk.manifest._versions import VersionRange

__all__ = ["LIMIT_NAMES", "TIERS", "Manifest", "ManifestEvents", "ManifestPermissions"]

TIERS: Final = ("trusted", "restricted", "wasm")
"""What ``exclude`` may name."""

LIMIT_NAMES: Final = (
    "max_memory_bytes",
    "max_fuel",
    "max_call_ms",
    "max_step_ms",
    "max_network_requests_per_min",
    "max_storage_bytes",
    "max_host_calls_per_s",
    "max_payload_bytes",
    "max_output_bytes",
    "max_tree_nodes",
    "max_cpu_ms_per_s",
)
"""Names under ``[limits]``: the fields of `ResourceLimits`."""

ANY_VERSION: Final = VersionRange.parse("*")

V = TypeVar("V")


def _frozen(mapping: Mapping[str, V]) -> Mapping[str, V]:
    return MappingProxyType(dict(mapping))


def _mapping() -> Any:
    return attrs.field(factory=dict, converter=_frozen)


@attrs.frozen
class ManifestPermissions:
    """What a module asks for, each with its reason in the words of its author.

    Attributes:
        required: permission -> reason; without one of these the module does not load.
        optional: permission -> reason; these start ungranted.
    """

    required: Mapping[str, str] = _mapping()
    optional: Mapping[str, str] = _mapping()

    @property
    def declared(self) -> tuple[str, ...]:
        """All permissions, required ones first; whatever is not here is refused without a prompt."""
        return (*self.required, *self.optional)


@attrs.frozen
class ManifestEvents:
    """Which events a module knows.

    Attributes:
        published: topics or patterns under ``module.<id>.`` that it emits.
        consumed: topics or patterns that it may receive, if they are granted as well.
    """

    published: tuple[str, ...] = ()
    consumed: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Manifest:
    """What a module says about itself, as in its ``module.toml``. Made by `parse` or `from_data`, which check it.

    Attributes:
        id: the module's id, ``"vendas"`` or ``"acme/vendas"``.
        version: its semantic version.
        entry: where it begins: ``"file:Class"``, ``"file"`` or ``"component.wasm"``; read by `entry_point`.
        name: name for people; the id where none is given.
        description: a sentence or two for people.
        icon: name of one of the elements' icons, which viewers show beside the name; or empty.
        licence: SPDX expression, or empty.
        authors: names, with or without addresses.
        sdk: versions of this library that it runs with.
        permissions: what it asks for, with reasons.
        dependencies: module id -> versions.
        limits: name of a limit -> what it asks for, which only ever lowers the host's own.
        events: what it publishes and consumes.
        endpoints: path -> methods; ``/vendas/*`` stands for every path below, see `allows_endpoint`.
        config: name -> setting.
        excluded_tiers: tiers that it refuses; it never chooses one.
        wheels: path of a pure-Python wheel in the package -> ``"sha256:..."``; `wasm` imports them.
        restart: whether, after a trap, `on_load` runs again in a fresh instance.
        assets: patterns of the files that `asset.read` opens; none means every file of the package.

    >>> manifest = Manifest.parse('id = "vendas"\\nversion = "1.0.0"\\nentry = "vendas:VendasModule"')
    >>> manifest.name, manifest.entry_file, manifest.entry_class
    ('vendas', 'vendas.py', 'VendasModule')
    """

    id: str
    version: str
    entry: str = "module"
    name: str = ""
    description: str = ""
    icon: str = ""
    licence: str = ""
    authors: tuple[str, ...] = ()
    sdk: VersionRange = ANY_VERSION
    permissions: ManifestPermissions = attrs.field(factory=ManifestPermissions)
    dependencies: Mapping[str, VersionRange] = _mapping()
    limits: Mapping[str, int] = _mapping()
    events: ManifestEvents = attrs.field(factory=ManifestEvents)
    endpoints: Mapping[str, tuple[str, ...]] = _mapping()
    config: Mapping[str, ConfigEntry] = _mapping()
    excluded_tiers: tuple[str, ...] = ()
    restart: bool = True
    wheels: Mapping[str, str] = _mapping()
    assets: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, *, source: str = "module.toml", package_files: Collection[str] | None = None) -> Manifest:
        """Read a ``module.toml``.

        Args:
            text: its content, at most 32 KiB.
            source: its name, for messages.
            package_files: paths of the package, so that the entry and the assets are looked for as well.

        Raises:
            ManifestError: with every fault that there is, each with its line where it has one.
        """
        from plataforma_sdk.manifest._parse import read_manifest

        return read_manifest(text, source=source, package_files=package_files).require()

    @classmethod
    def from_data(cls, data: Mapping[str, Any], *, source: str = "module.toml") -> Manifest:
        """Read a manifest from tables in the layout of ``module.toml``.

        Raises:
            ManifestError: as `parse`.
        """
        from plataforma_sdk.manifest._parse import read_tables

        return read_tables(data, source=source).require()

    def to_toml(self) -> str:
        """Write the manifest as a ``module.toml`` that `parse` reads back to an equal manifest."""
        from plataforma_sdk.manifest._write import write_manifest

        return write_manifest(self)

    @property
    def entry_point(self) -> Entry:
        """The entry, read."""
        return Entry.parse(self.entry)

    @property
    def entry_file(self) -> str:
        """Path of the entry inside the package; for ``"pkg"`` as ``pkg/__init__.py`` see `Entry.candidates`."""
        return self.entry_point.candidates[0]

    @property
    def entry_class(self) -> str | None:
        """Name of the entry class, or None for the one that the source defines."""
        return self.entry_point.class_name

    @property
    def is_component(self) -> bool:
        """Whether the entry is a WebAssembly component."""
        return self.entry_point.is_component

    def config_values(self, overrides: Mapping[str, object] | None = None) -> dict[str, ConfigValue]:
        """Return the module's configuration: what the host has set, typed, and defaults for the rest.

        Raises:
            ManifestError: settings that are not declared, do not fit or are missing; all of them.
        """
        return typed_config(self.config, overrides or {}, module=self.id)

    def allows_endpoint(self, path: str, method: str = "GET") -> bool:
        """Whether ``[endpoints]`` lets the module answer `method` at `path`, itself or by a ``/*``."""
        return any(
            method in methods and (path == declared or (declared.endswith("/*") and path.startswith(declared[:-1])))
            for declared, methods in self.endpoints.items()
        )


@attrs.frozen(kw_only=True)
class ManifestReading:
    """What came of reading a manifest, faults and all, so that a package can add its own before it raises.

    Attributes:
        manifest: the manifest, or None where there are faults.
        faults: every fault found, in the order of the file.
        entry: the entry, where that much could be read.
        excluded_tiers: tiers that the module refuses, as far as that could be read.
        source: name of the file, for messages.
        module: the module's id, where that much could be read.
    """

    manifest: Manifest | None
    faults: tuple[Any, ...] = ()
    entry: Entry | None = None
    excluded_tiers: tuple[str, ...] = ()
    source: str = "module.toml"
    module: str | None = None

    def require(self) -> Manifest:
        """Return the manifest.

        Raises:
            ManifestError: there are faults.
        """
        if self.manifest is None or self.faults:
            raise ManifestError(self.faults, module=self.module, source=self.source)
        return self.manifest
