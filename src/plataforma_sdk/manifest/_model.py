"""`Manifest`: what ``module.toml`` says, checked."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import attrs

from plataforma_sdk.errors import Fault, ManifestError

__all__ = ["LIMIT_NAMES", "TIERS", "ConfigEntry", "Manifest", "ManifestEvents", "ManifestPermissions"]

TIERS: Final = ("trusted", "restricted", "wasm")

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

CONFIG_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def _frozen(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


@attrs.frozen(kw_only=True)
class ManifestPermissions:
    """What a module asks for, each with its reason, in the words of its author.

    Attributes:
        required: name -> reason; asked for at load, and without them the module does not load.
        optional: name -> reason; not granted at first, the module may request them.
    """

    required: Mapping[str, str] = attrs.field(factory=dict, converter=_frozen)
    optional: Mapping[str, str] = attrs.field(factory=dict, converter=_frozen)

    @property
    def declared(self) -> tuple[str, ...]:
        """All names, required ones first."""
        return (*self.required, *(name for name in self.optional if name not in self.required))


@attrs.frozen(kw_only=True)
class ManifestEvents:
    """Topics and patterns.

    Attributes:
        published: what the module emits, under ``module.<id>.``.
        consumed: what it may subscribe to, where granted.
    """

    published: tuple[str, ...] = ()
    consumed: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ConfigEntry:
    """One setting.

    Attributes:
        type: ``"string"``, ``"integer"``, ``"number"`` or ``"boolean"``.
        default: its value where the host gives none; None is no default.
        description: what it is for.
    """

    type: str
    default: Any = None
    description: str = ""

    def accepts(self, value: object) -> bool:
        """Whether a value is of the entry's type; a boolean is no number."""
        kinds = CONFIG_TYPES[self.type]
        return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


@attrs.frozen(kw_only=True)
class Manifest:
    """What ``module.toml`` says. Made by `Manifest.parse`, which reports every fault at once.

    Attributes:
        id: ``name`` or ``namespace/name``.
        version: semver.
        name: what people read.
        description: one or two sentences.
        licence: an SPDX expression.
        authors: their names.
        entry: ``"file:Class"``, ``"file"`` or ``"name.wasm"``.
        sdk: range of this library's versions.
        permissions: what it asks for.
        dependencies: id of another module -> range.
        limits: limits that it lowers for itself.
        events: topics published and consumed.
        endpoints: path -> methods; None for whatever lies under its own segment (`ModulePackage.from_source` only).
        config: name -> `ConfigEntry`.
        excluded_tiers: tiers that it refuses to run in.
        restart: whether `on_load` may run again in a fresh instance after a trap.
        assets: glob patterns of files that are assets; empty for all that are no source.
    """

    id: str
    version: str
    name: str = ""
    description: str = ""
    licence: str = ""
    authors: tuple[str, ...] = ()
    entry: str = "module"
    sdk: str = "*"
    permissions: ManifestPermissions = attrs.field(factory=ManifestPermissions)
    dependencies: Mapping[str, str] = attrs.field(factory=dict, converter=_frozen)
    limits: Mapping[str, int] = attrs.field(factory=dict, converter=_frozen)
    events: ManifestEvents = attrs.field(factory=ManifestEvents)
    endpoints: Mapping[str, tuple[str, ...]] | None = attrs.field(factory=dict)
    config: Mapping[str, ConfigEntry] = attrs.field(factory=dict, converter=_frozen)
    excluded_tiers: tuple[str, ...] = ()
    restart: bool = True
    assets: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, *, source: str = "module.toml") -> Manifest:
        """Read ``module.toml``.

        Raises:
            ManifestError: it has faults; all of them, each with its line, and what to write instead.

        >>> Manifest.parse('id = "vendas"\\nversion = "1.0.0"\\nentry = "vendas:VendasModule"').entry_file
        'vendas.py'
        """
        from plataforma_sdk.manifest._parser import parse_manifest

        return parse_manifest(text, source)

    def to_toml(self) -> str:
        """Write the manifest as ``module.toml``; `parse` reads it back."""
        from plataforma_sdk.manifest._writer import write_manifest

        return write_manifest(self)

    @property
    def is_component(self) -> bool:
        """Whether the entry is a WebAssembly component."""
        return self.entry.endswith(".wasm")

    @property
    def entry_file(self) -> str:
        """Path of the entry inside the package: ``"vendas.py"``."""
        if self.is_component:
            return self.entry
        file = self.entry.partition(":")[0]
        return file if file.endswith(".py") else file.replace(".", "/") + ".py"

    @property
    def entry_class(self) -> str | None:
        """Name of the entry class, or None for the one that the source defines."""
        return None if self.is_component else self.entry.partition(":")[2] or None

    def config_values(self, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Put the host's values over the defaults.

        Raises:
            ManifestError: a value that is not declared, of another type, or missing; all such faults.
        """
        faults = [
            Fault(
                f"config.{name}", "the module declares no such setting", f"it has: {', '.join(self.config) or 'none'}"
            )
            for name in overrides
            if name not in self.config
        ]
        values: dict[str, Any] = {}
        for name, entry in self.config.items():
            value = overrides.get(name, entry.default)
            if value is None:
                faults.append(Fault(f"config.{name}", "it has no default", f"give it a {entry.type}"))
            elif not entry.accepts(value):
                faults.append(Fault(f"config.{name}", f"{value!r} is no {entry.type}", f"give it a {entry.type}"))
            values[name] = value
        if faults:
            raise ManifestError(faults, module=self.id, source=f"the configuration of {self.id!r}")
        return values
