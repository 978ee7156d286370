"""Reads ``module.toml`` and collects every fault, in the order of the file."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from plataforma_sdk.errors import Fault, InvalidPermissionError, ManifestError
from plataforma_sdk.manifest._model import (
    CONFIG_TYPES,
    LIMIT_NAMES,
    TIERS,
    ConfigEntry,
    Manifest,
    ManifestEvents,
    ManifestPermissions,
)
from plataforma_sdk.manifest._versions import Version, VersionRange
from plataforma_sdk.permissions import check_declarable
from plataforma_sdk.types import is_module_id, module_segment

__all__ = ["parse_manifest"]

_KEYS: Final = (
    "id",
    "version",
    "name",
    "description",
    "licence",
    "authors",
    "entry",
    "sdk",
    "exclude",
    "restart",
    "permissions",
    "events",
    "endpoints",
    "config",
    "limits",
    "dependencies",
    "assets",
)
_ENTRY: Final = re.compile(r"[A-Za-z_][\w]*(?:[./][A-Za-z_][\w]*)*(?:\.py)?(?::[A-Za-z_]\w*)?|[\w./-]+\.wasm", re.ASCII)
_LICENCE: Final = re.compile(r"[A-Za-z0-9.+() -]{1,200}", re.ASCII)
_TOPIC: Final = re.compile(r"(?:[a-z0-9_-]+|\*)(?:\.(?:[a-z0-9_-]+|\*)){0,15}", re.ASCII)
_ENDPOINT: Final = re.compile(r"/[a-z0-9_-]+(?:/[A-Za-z0-9._~-]+)*", re.ASCII)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_MAX_TEXT_BYTES: Final = 256 * 1024
_MAX_DESCRIPTION_CHARS: Final = 2_000


def parse_manifest(text: str, source: str) -> Manifest:
    """Read a manifest; see `Manifest.parse`."""
    if len(text) > _MAX_TEXT_BYTES:
        raise ManifestError([Fault(source, "it is larger than 256 KiB", "shorten it")], source=source)
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ManifestError([Fault(source, f"not TOML: {error}", "see toml.io")], source=source) from None
    return _Parser(text, data, source).parse()


class _Parser:
    """One run over one file."""

    def __init__(self, text: str, data: Mapping[str, Any], source: str) -> None:
        self._lines = text.splitlines()
        self._data = data
        self._source = source
        self._faults: list[tuple[int, Fault]] = []

    def parse(self) -> Manifest:
        self._check_keys("", self._data, _KEYS)
        module_id = self._text("id", required=True, check=is_module_id, advice="write 'name' or 'namespace/name'")
        values: dict[str, Any] = {
            "id": module_id,
            "version": self._text("version", required=True, check=_is_version, advice="write semver: '1.0.0'"),
            "name": self._text("name", check=lambda text: len(text) <= 200, advice="write at most 200 characters"),
            "description": self._text(
                "description", check=lambda text: len(text) <= _MAX_DESCRIPTION_CHARS, advice="shorten it"
            ),
            "licence": self._text("licence", check=_matcher(_LICENCE), advice="write an SPDX expression: 'MIT'"),
            "authors": self._texts("authors", self._data.get("authors", []), lambda text: bool(text.strip()), "a name"),
            "entry": self._text(
                "entry", required=True, check=_is_entry, advice="write 'file:Class', such as 'vendas:VendasModule'"
            ),
            "sdk": self._range("sdk", self._data.get("sdk", "*")),
            "excluded_tiers": self._excluded(),
            "restart": self._flag("restart", default=True),
            "permissions": self._permissions(),
            "events": self._events(module_id),
            "endpoints": self._endpoints(module_id),
            "config": self._config(),
            "limits": self._limits(),
            "dependencies": self._dependencies(),
            "assets": self._assets(),
        }
        if self._faults:
            ordered = [fault for _, fault in sorted(self._faults, key=lambda item: item[0])]
            raise ManifestError(ordered, module=module_id or None, source=self._source)
        return Manifest(**values)

    # --- faults ----------------------------------------------------------------------------------------------------

    def _fault(self, key: str, problem: str, advice: str) -> None:
        line = self._line_of(key)
        where = f"{self._source}, line {line}: {key}" if line else f"{self._source}: {key}"
        self._faults.append((line or len(self._lines) + 1, Fault(where, problem, advice)))

    def _line_of(self, key: str) -> int | None:
        """The line of a key: inside the table that its first part names, where there is one."""
        head, _, last = key.partition(".")
        start = next((i for i, line in enumerate(self._lines) if re.match(rf"\s*\[+\s*{re.escape(head)}\b", line)), 0)
        wanted = (last or head).rpartition("]")[2].strip('". ') or head
        wanted = wanted.rsplit(".", 1)[-1] if not last.count('"') else last.split('"')[1]
        for number, line in enumerate(self._lines[start:], start + 1):
            if re.match(rf"""\s*(?:\[+[\w."]*)?["']?{re.escape(wanted)}["']?\s*[=\]]""", line):
                return number
        return start + 1 if start else None

    def _check_keys(self, prefix: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
        names = tuple(known)
        for key in table:
            if key not in names:
                near = difflib.get_close_matches(key, names, 1)
                advice = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(names)}"
                self._fault(f"{prefix}{key}", "there is no such key", advice)

    # --- single values ---------------------------------------------------------------------------------------------

    def _text(self, key: str, *, required: bool = False, check: Callable[[str], bool] = bool, advice: str = "") -> str:
        value = self._data.get(key)
        if value is None:
            if required:
                self._fault(key, "it is missing", advice)
            return ""
        if not isinstance(value, str) or not check(value):
            self._fault(key, f"{str(value)[:80]!r} is not valid", advice)
            return ""
        return value

    def _texts(self, key: str, value: object, check: Callable[[str], bool], what: str) -> tuple[str, ...]:
        if not isinstance(value, list):
            self._fault(key, f"a {type(value).__name__} is not a list", f'write ["{what}"]')
            return ()
        for item in value:
            if not isinstance(item, str) or not check(item):
                self._fault(key, f"{str(item)[:80]!r} is not {what}", f"write {what}")
        return tuple(item for item in value if isinstance(item, str))

    def _range(self, key: str, value: object) -> str:
        try:
            return VersionRange.parse(value if isinstance(value, str) else "").text
        except ValueError as error:
            self._fault(key, str(error), "write a range such as '^1.2' or '>=0.1,<1'")
            return "*"

    def _flag(self, key: str, *, default: bool) -> bool:
        value = self._data.get(key, default)
        if not isinstance(value, bool):
            self._fault(key, f"{value!r} is not true or false", f"write {key} = true")
            return default
        return value

    def _table(self, key: str) -> Mapping[str, Any]:
        value = self._data.get(key, {})
        if not isinstance(value, dict):
            self._fault(key, f"a {type(value).__name__} is not a table", f"write [{key}]")
            return {}
        return value

    # --- tables ----------------------------------------------------------------------------------------------------

    def _excluded(self) -> tuple[str, ...]:
        tiers = self._texts("exclude", self._data.get("exclude", []), TIERS.__contains__, f"one of {', '.join(TIERS)}")
        if set(tiers) >= set(TIERS):
            self._fault("exclude", "it excludes every tier", "leave one that the module can run in")
        return tiers

    def _permissions(self) -> ManifestPermissions:
        table = self._table("permissions")
        self._check_keys("permissions.", table, ("required", "optional"))
        groups = {name: self._reasons(name, table.get(name, {})) for name in ("required", "optional")}
        for name in groups["required"].keys() & groups["optional"].keys():
            self._fault(f'permissions."{name}"', "it is both required and optional", "keep one of them")
        return ManifestPermissions(**groups)

    def _reasons(self, group: str, value: object) -> dict[str, str]:
        if isinstance(value, list):
            value = dict(self._reason(group, item) for item in value)
        if not isinstance(value, dict):
            self._fault(
                f"permissions.{group}", "it is not a table", f'write [permissions.{group}] and "name" = "reason"'
            )
            return {}
        for name, reason in value.items():
            self._check_permission(group, name, reason)
        return {name: reason if isinstance(reason, str) else "" for name, reason in value.items()}

    def _reason(self, group: str, item: object) -> tuple[str, Any]:
        if isinstance(item, dict):
            self._check_keys(f"permissions.{group}.", item, ("name", "reason"))
            return str(item.get("name", "")), item.get("reason", "")
        return str(item), ""

    def _check_permission(self, group: str, name: str, reason: object) -> None:
        key = f'permissions.{group}."{name}"'
        try:
            check_declarable(name)
        except InvalidPermissionError as error:
            self._fault(key, error.problem, "see the grammar of permissions")
        if not isinstance(reason, str):
            self._fault(key, "its reason is not a text", f'write "{name}" = "why the module needs it"')

    def _events(self, module_id: str) -> ManifestEvents:
        table = self._table("events")
        self._check_keys("events.", table, ("published", "consumed"))
        own = f"module.{module_segment(module_id)}."
        published = self._texts(
            "events.published",
            table.get("published", []),
            lambda topic: _is_topic(topic) and (not module_id or topic.startswith(own)),
            f"a topic under '{own}'",
        )
        consumed = self._texts("events.consumed", table.get("consumed", []), _is_topic, "a topic such as 'data.saved'")
        return ManifestEvents(published=published, consumed=consumed)

    def _endpoints(self, module_id: str) -> dict[str, tuple[str, ...]]:
        own = f"/{module_segment(module_id)}/"
        endpoints: dict[str, tuple[str, ...]] = {}
        for path, methods in self._table("endpoints").items():
            key = f'endpoints."{path}"'
            if not _ENDPOINT.fullmatch(path) or (module_id and not (path + "/").startswith(own)):
                self._fault(key, "it is no path of the module's own", f"write a path that begins with '{own}'")
            endpoints[path] = self._texts(key, methods, _METHODS.__contains__, "a method such as 'GET'")
        return endpoints

    def _config(self) -> dict[str, ConfigEntry]:
        entries: dict[str, ConfigEntry] = {}
        for name, value in self._table("config").items():
            entry = self._config_entry(f"config.{name}", name, value)
            if entry is not None:
                entries[name] = entry
        return entries

    def _config_entry(self, key: str, name: str, value: object) -> ConfigEntry | None:
        if not _NAME.fullmatch(name):
            self._fault(key, "the name is not an identifier", "write letters, digits and underscores")
        if not isinstance(value, dict) or value.get("type") not in CONFIG_TYPES:
            self._fault(key, "it has no type", f"write type = one of {', '.join(CONFIG_TYPES)}")
            return None
        self._check_keys(f"{key}.", value, ("type", "default", "description"))
        entry = ConfigEntry(
            type=value["type"], default=value.get("default"), description=str(value.get("description", ""))
        )
        if entry.default is not None and not entry.accepts(entry.default):
            self._fault(f"{key}.default", f"{entry.default!r} is no {entry.type}", f"write a {entry.type}")
        return entry

    def _limits(self) -> dict[str, int]:
        table = self._table("limits")
        self._check_keys("limits.", table, LIMIT_NAMES)
        for name, value in table.items():
            if name in LIMIT_NAMES and (type(value) is not int or value <= 0):
                self._fault(f"limits.{name}", f"{value!r} is no whole number above 0", "write such as 67108864")
        return {name: value for name, value in table.items() if name in LIMIT_NAMES and type(value) is int}

    def _dependencies(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in self._table("dependencies").items():
            key = f'dependencies."{name}"'
            if not is_module_id(name):
                self._fault(key, "it is no module id", "write 'name' or 'namespace/name'")
            found[name] = self._range(key, value)
        return found

    def _assets(self) -> tuple[str, ...]:
        table = self._table("assets")
        self._check_keys("assets.", table, ("include",))
        return self._texts("assets.include", table.get("include", []), bool, "a pattern such as 'assets/*'")


def _matcher(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _is_version(text: str) -> bool:
    try:
        Version.parse(text)
    except ValueError:
        return False
    return True


def _is_entry(text: str) -> bool:
    return _ENTRY.fullmatch(text) is not None and ".." not in text and not text.startswith("/")


def _is_topic(text: str) -> bool:
    return _TOPIC.fullmatch(text) is not None and len(text) <= 256
