r"""The manifest of a module: ``module.toml`` read, checked and written; versions and ranges of versions.

>>> from plataforma_sdk.errors import ManifestError
>>> try:
...     Manifest.parse('id = "vendas"\nversion = "1.0"\nentri = "vendas"')
... except ManifestError as error:
...     print(error)
module.toml has 3 faults:
  - module.toml: entry: is missing; add the line entry = "file:Class"
  - module.toml:2: version: '1.0' is no version; write major.minor.patch, such as 1.0.0 or 1.0.0-beta.1
  - module.toml:3: entri: unknown key; did you mean 'entry'?
"""

from plataforma_sdk.manifest._config import CONFIG_TYPES, ConfigEntry, ConfigValue
from plataforma_sdk.manifest._entry import Entry
from plataforma_sdk.manifest._grammar import METHODS
from plataforma_sdk.manifest._locate import locate_keys
from plataforma_sdk.manifest._manifest import (
    LIMIT_NAMES,
    TIERS,
    Manifest,
    ManifestEvents,
    ManifestPermissions,
    ManifestReading,
)
from plataforma_sdk.manifest._order import dependencies_first
from plataforma_sdk.manifest._parse import MAX_MANIFEST_CHARS, read_manifest
from plataforma_sdk.manifest._versions import Version, VersionRange

__all__ = [
    "CONFIG_TYPES",
    "LIMIT_NAMES",
    "MAX_MANIFEST_CHARS",
    "METHODS",
    "TIERS",
    "ConfigEntry",
    "ConfigValue",
    "Entry",
    "Manifest",
    "ManifestEvents",
    "ManifestPermissions",
    "ManifestReading",
    "Version",
    "VersionRange",
    "dependencies_first",
    "locate_keys",
    "read_manifest",
]
