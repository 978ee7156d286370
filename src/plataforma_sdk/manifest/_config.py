"""``[config]``: what a host may set for a module, typed, each with a default."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import attrs

from plataforma_sdk.errors import ManifestError
from plataforma_sdk.manifest._locate import KeyPath
from plataforma_sdk.manifest._reader import Reader, kind_of, listing, text_problem
from plataforma_sdk.manifest._unfit import UnfitError

__all__ = ["CONFIG_TYPES", "ConfigEntry", "ConfigValue", "read_config", "typed_config"]

ConfigValue: TypeAlias = str | int | float | bool
"""What a module finds in ``self.config``."""

CONFIG_TYPES: Final = ("string", "integer", "number", "boolean")
"""What ``type`` may say in ``[config.<name>]``."""
MAX_TEXT_CHARS: Final = 4_096

_KEYS: Final = ("type", "default", "description", "options", "minimum", "maximum")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_SECRET: Final = re.compile(
    r"(?i)(?:.*_)?(?:passwords?|passwd|senhas?|secrets?|segredos?|token|credentials?|(?:api|private|access)_?key)"
)
_ADVICE: Final = "secrets never enter a module; the host attaches them to its calls through api_auth"
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@attrs.frozen(kw_only=True)
class ConfigEntry:
    """One setting that a host may choose.

    Attributes:
        type: ``"string"``, ``"integer"``, ``"number"`` or ``"boolean"``.
        default: its value where the host sets none; None where the host must set it.
        description: what it is for.
        options: the only values it may have, or empty for any.
        minimum: the least number, or None.
        maximum: the greatest number, or None.
    """

    type: str
    default: ConfigValue | None = None
    description: str = ""
    options: tuple[ConfigValue, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    def check(self, value: object) -> ConfigValue:
        """Return a value in the entry's type.

        Raises:
            UnfitError: the value is of another type, out of range or none of the options.
        """
        typed = _typed(self.type, value)
        if self.options and typed not in self.options:
            raise UnfitError(f"is {typed!r:.80}", f"write one of {listing(map(str, self.options))}")
        if isinstance(typed, (int, float)):
            low, high = self.minimum, self.maximum
            if (low is not None and typed < low) or (high is not None and typed > high):
                raise UnfitError(
                    f"is {typed}", f"it lies in {'' if low is None else low}..{'' if high is None else high}"
                )
        return typed


def _typed(type_name: str, value: object) -> ConfigValue:
    is_bool = isinstance(value, bool)
    if not isinstance(value, _TYPES[type_name]) or (is_bool and type_name != "boolean"):
        raise UnfitError(f"is {kind_of(value)}", f"write a value of type {type_name!r}")
    if type_name == "number":
        return _finite(value)
    if isinstance(value, str):
        problem = text_problem(value, MAX_TEXT_CHARS, lines=True)
        if problem:
            raise UnfitError(problem, "write a printable text")
    return value  # type: ignore[return-value]


def _finite(value: Any) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UnfitError("is not a finite number", "write a number such as 1.5")
    return number


def typed_config(
    entries: Mapping[str, ConfigEntry], overrides: Mapping[str, object], *, module: str
) -> dict[str, ConfigValue]:
    """Fill the defaults in and check what the host has set.

    Raises:
        ManifestError: settings that the module does not have, that do not fit or that are missing; all of them.
    """
    reader = Reader("config", {})
    reader.unknown(overrides, (), entries)
    values: dict[str, ConfigValue] = {}
    for name, entry in entries.items():
        value = overrides.get(name, entry.default)
        if value is None:
            reader.fault((name,), "must be set", entry.description or f"it has no default; give it a {entry.type}")
            continue
        try:
            values[name] = entry.check(value)
        except UnfitError as error:
            reader.unfit((name,), error)
    if reader.faults:
        raise ManifestError(reader.faults, module=module, source=f"the configuration of {module!r}")
    return values


def read_config(reader: Reader, table: Mapping[str, Any]) -> dict[str, ConfigEntry]:
    """Read ``[config]``."""
    entries = {}
    for name, value in reader.table(table, ("config",)).items():
        path = ("config", name)
        if not _NAME.fullmatch(name):
            reader.fault(path, "is no name of a setting", "write letters, digits and _, a letter first")
        elif _SECRET.fullmatch(name):
            reader.fault(path, "looks like a secret", _ADVICE)
        elif not isinstance(value, dict):
            reader.fault(path, f"is {kind_of(value)}", f'write [config.{name}] with type = "string" and a default')
        else:
            entry = _read_entry(reader, path, value)
            if entry is not None:
                entries[name] = entry
    return entries


def _read_entry(reader: Reader, path: KeyPath, table: Mapping[str, Any]) -> ConfigEntry | None:
    reader.unknown(table, path, _KEYS)
    type_name = table.get("type")
    if type_name == "secret":
        reader.fault((*path, "type"), "is 'secret'", _ADVICE)
        return None
    if type_name not in CONFIG_TYPES:
        reader.fault(
            (*path, "type"),
            f"is {type_name!r:.80}" if "type" in table else "is missing",
            f"write one of {listing(CONFIG_TYPES)}",
        )
        return None
    bare = ConfigEntry(
        type=type_name,
        description=reader.text(table, (*path, "description"), max_chars=500),
        options=_read_options(reader, path, table, type_name),
        minimum=_read_bound(reader, (*path, "minimum"), table, type_name),
        maximum=_read_bound(reader, (*path, "maximum"), table, type_name),
    )
    if "default" not in table:
        return bare
    try:
        return attrs.evolve(bare, default=bare.check(table["default"]))
    except UnfitError as error:
        reader.unfit((*path, "default"), error)
        return bare


def _read_options(reader: Reader, path: KeyPath, table: Mapping[str, Any], type_name: str) -> tuple[ConfigValue, ...]:
    options = table.get("options", [])
    if not isinstance(options, list):
        reader.fault((*path, "options"), f"is {kind_of(options)}", "write a list")
        return ()
    try:
        return tuple(_typed(type_name, option) for option in options)
    except UnfitError as error:
        reader.unfit((*path, "options"), error)
        return ()


def _read_bound(reader: Reader, path: KeyPath, table: Mapping[str, Any], type_name: str) -> float | None:
    value = table.get(path[-1])
    if value is None:
        return None
    if type_name not in ("integer", "number"):
        reader.fault(path, f"bounds a {type_name}", "only integers and numbers have bounds")
        return None
    try:
        return _typed(type_name, value)  # type: ignore[return-value]
    except UnfitError as error:
        reader.unfit(path, error)
        return None
