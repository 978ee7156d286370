"""Reading ``module.toml``: all faults at once, each with its line and what to write instead."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeVar

from plataforma_sdk.errors import Fault, InvalidPermissionError
from plataforma_sdk.manifest._config import read_config
from plataforma_sdk.manifest._entry import Entry
from plataforma_sdk.manifest._grammar import (
    check_asset_pattern,
    check_endpoint,
    check_icon,
    check_licence,
    check_methods,
    check_topic,
    check_wheel,
    check_wheel_digest,
)
from plataforma_sdk.manifest._locate import MAX_KEY_PARTS, KeyPath, has_long_key, locate_keys
from plataforma_sdk.manifest._manifest import (
    ANY_VERSION,
    LIMIT_NAMES,
    TIERS,
    Manifest,
    ManifestEvents,
    ManifestPermissions,
    ManifestReading,
)
from plataforma_sdk.manifest._reader import Reader, kind_of, listing, nearest, text_problem
from plataforma_sdk.manifest._unfit import UnfitError
from plataforma_sdk.manifest._versions import Version, VersionRange
from plataforma_sdk.types import is_module_id, module_segment

__all__ = ["MAX_MANIFEST_CHARS", "read_manifest", "read_tables"]

MAX_MANIFEST_CHARS: Final = 32_768
"""Of a ``module.toml``, in characters."""

_MAX_REASON_CHARS: Final = 200
_MAX_LIMIT: Final = 2**53
_KEYS: Final = (
    "id",
    "version",
    "name",
    "description",
    "icon",
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
    "wheels",
    "assets",
)
_AT_LINE: Final = re.compile(r"(.*) \(at line (\d+), column \d+\)", re.DOTALL)
_ID_ADVICE: Final = "write a-z, 0-9 and single hyphens, as 'vendas' or 'acme/vendas', at most 64 bytes"

T = TypeVar("T")


def read_manifest(
    text: str, *, source: str = "module.toml", package_files: Collection[str] | None = None
) -> ManifestReading:
    """Read the text of a manifest; see `Manifest.parse`. Raises nothing: the faults are in what it returns."""
    fault = _text_fault(text, source)
    if fault is None:
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            fault = _syntax_fault(error, source)
        except (RecursionError, ValueError) as error:  # nested without end; a date or number that Python refuses
            problem = "nests too deep" if isinstance(error, RecursionError) else f"is no TOML: {error}"
            fault = Fault(source, problem[:200], "write the value more simply")
    if fault is not None:
        return ManifestReading(manifest=None, faults=(fault,), source=source)
    return read_tables(data, source=source, lines=locate_keys(text), package_files=package_files)


def _text_fault(text: str, source: str) -> Fault | None:
    if len(text) > MAX_MANIFEST_CHARS:
        return Fault(source, f"has {len(text):,} characters", f"at most {MAX_MANIFEST_CHARS:,} are read")
    if has_long_key(text):
        return Fault(source, f"has a key of more than {MAX_KEY_PARTS} parts", "no key of a manifest has")
    return None


def _syntax_fault(error: tomllib.TOMLDecodeError, source: str) -> Fault:
    found = _AT_LINE.fullmatch(str(error))
    where = f"{source}:{found[2]}" if found else source
    return Fault(where, f"is no TOML: {found[1] if found else error}", "texts stand in quotes, tables in [brackets]")


def read_tables(
    data: Mapping[str, Any],
    *,
    source: str = "module.toml",
    lines: Mapping[KeyPath, int] | None = None,
    package_files: Collection[str] | None = None,
) -> ManifestReading:
    """Read tables in the layout of ``module.toml``; see `read_manifest`."""
    reader = Reader(source, lines or {})
    reader.unknown(data, (), _KEYS)
    module_id = _required(reader, data, "id", _check_id, 'id = "vendas"')
    version = _required(reader, data, "version", _check_version, 'version = "1.0.0"')
    entry = _required(reader, data, "entry", Entry.parse, 'entry = "file:Class"')
    excluded = _read_excluded(reader, data, entry)
    values: dict[str, Any] = {
        "name": reader.text(data, ("name",), max_chars=80) or module_id or "",
        "description": reader.text(data, ("description",), max_chars=1_000, lines=True),
        "icon": reader.checked(data, ("icon",), check_icon, ""),
        "licence": reader.checked(data, ("licence",), check_licence, ""),
        "authors": reader.texts(data, ("authors",)),
        "sdk": reader.checked(data, ("sdk",), VersionRange.parse, ANY_VERSION),
        "permissions": _read_permissions(reader, data),
        "events": _read_events(reader, data, module_id),
        "endpoints": _read_endpoints(reader, data, module_id),
        "config": read_config(reader, data),
        "limits": _read_limits(reader, data),
        "dependencies": _read_dependencies(reader, data, module_id),
        "wheels": _read_wheels(reader, data, package_files),
        "assets": _read_assets(reader, data, package_files),
        "restart": reader.flag(data, ("restart",), default=True),
    }
    _check_entry_file(reader, entry, package_files)
    manifest = None
    if module_id and version and entry and not reader.faults:
        manifest = Manifest(id=module_id, version=version, entry=data["entry"], excluded_tiers=excluded, **values)
    return ManifestReading(
        manifest=manifest,
        faults=reader.faults,
        entry=entry,
        excluded_tiers=excluded,
        source=source,
        module=module_id,
    )


def _required(reader: Reader, data: Mapping[str, Any], key: str, check: Callable[[str], T], example: str) -> T | None:
    if key not in data:
        reader.fault((key,), "is missing", f"add the line {example}")
        return None
    return reader.checked(data, (key,), check, None)


def _check_id(text: str) -> str:
    if not is_module_id(text):
        raise UnfitError(f"{text[:80]!r} is no module id", _ID_ADVICE)
    return text


def _check_version(text: str) -> str:
    return str(Version.parse(text)) and text


def _read_excluded(reader: Reader, data: Mapping[str, Any], entry: Entry | None) -> tuple[str, ...]:
    excluded = reader.texts(data, ("exclude",))
    for tier in excluded:
        if tier not in TIERS:
            reader.fault(("exclude",), f"{tier!r} is no tier", f"write some of {listing(TIERS)}")
    if set(TIERS) <= set(excluded):
        reader.fault(("exclude",), "excludes every tier", "leave at least one in which the module may run")
    elif "wasm" in excluded and entry is not None and entry.is_component:
        reader.fault(("exclude",), "excludes 'wasm', the only tier of a component", "leave 'wasm' out of the list")
    return excluded


# --- permissions ---------------------------------------------------------------------------------------------------


def _read_permissions(reader: Reader, data: Mapping[str, Any]) -> ManifestPermissions:
    table = reader.table(data, ("permissions",))
    for key in table:
        if key not in ("required", "optional"):
            reader.fault(
                ("permissions", key), "unknown key", "move it to [permissions.required] or [permissions.optional]"
            )
    required = _read_permission_list(reader, table, ("permissions", "required"))
    optional = _read_permission_list(reader, table, ("permissions", "optional"))
    for name in required.keys() & optional.keys():
        reader.fault(
            ("permissions", "optional", name), "stands under required as well", "leave it out of one of the two"
        )
    return ManifestPermissions(required, optional)


def _read_permission_list(reader: Reader, table: Mapping[str, Any], path: KeyPath) -> dict[str, str]:
    value = table.get(path[-1], {})
    if isinstance(value, list):
        pairs = [_permission_item(reader, path, item) for item in value]
    else:
        pairs = list(reader.table(table, path).items())
    result: dict[str, str] = {}
    for name, reason in filter(None, pairs):
        canonical = _check_permission(reader, path, name, reason)
        if canonical in result:
            reader.fault((*path, name), "stands there twice", "leave one of them out")
        elif canonical is not None:
            result[canonical] = reason
    return result


def _permission_item(reader: Reader, path: KeyPath, item: Any) -> tuple[Any, Any] | None:
    if isinstance(item, str):
        return item, ""
    if isinstance(item, dict) and "name" in item and item.keys() <= {"name", "reason"}:
        return item["name"], item.get("reason", "")
    reader.fault(
        path, f"holds {kind_of(item)}", 'write "name" or { name = "name", reason = "why the module needs it" }'
    )
    return None


def _check_permission(reader: Reader, path: KeyPath, name: Any, reason: Any) -> str | None:
    from plataforma_sdk.permissions import check_declarable

    where = (*path, str(name)[:256])
    problem = text_problem(reason, _MAX_REASON_CHARS)
    if problem is not None:
        reader.fault(where, f"its reason {problem}", "write in a sentence why the module needs it")
    try:
        return str(check_declarable(name)) if problem is None else None
    except InvalidPermissionError as error:
        reader.fault(where, "is no permission that a module may ask for", error.problem)
        return None


# --- events, endpoints, limits, dependencies, wheels, assets -------------------------------------------------------


def _read_events(reader: Reader, data: Mapping[str, Any], module_id: str | None) -> ManifestEvents:
    table = reader.table(data, ("events",))
    reader.unknown(table, ("events",), ("published", "consumed"))
    own = f"module.{module_segment(module_id)}." if module_id else ""
    lists = []
    for key in ("published", "consumed"):
        topics = reader.texts(table, ("events", key), max_chars=256)
        lists.append(topics)
        for topic in topics:
            try:
                check_topic(topic)
            except UnfitError as error:
                reader.unfit(("events", key), error)
                continue
            if key == "published" and not topic.startswith(own):
                advice = f"a module emits under {own!r} only: write '{own}*' or '{own}saved'"
                reader.fault(("events", key), f"{topic!r} lies outside the module's own topics", advice)
    return ManifestEvents(*lists)


def _read_endpoints(reader: Reader, data: Mapping[str, Any], module_id: str | None) -> dict[str, tuple[str, ...]]:
    endpoints = {}
    for path, methods in reader.table(data, ("endpoints",)).items():
        segment = module_segment(module_id) if module_id else path.strip("/").split("/")[0]
        try:
            check_endpoint(path, segment)
            endpoints[path] = check_methods(methods)
        except UnfitError as error:
            reader.unfit(("endpoints", path), error)
    return endpoints


def _read_limits(reader: Reader, data: Mapping[str, Any]) -> dict[str, int]:
    table = reader.table(data, ("limits",))
    reader.unknown(table, ("limits",), LIMIT_NAMES)
    limits = {}
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MAX_LIMIT:
            shown = value if isinstance(value, int) and not isinstance(value, bool) else kind_of(value)
            reader.fault(("limits", name), f"is {shown!s:.40}", "write a whole number above 0")
        else:
            limits[name] = value
    return limits


def _read_dependencies(reader: Reader, data: Mapping[str, Any], module_id: str | None) -> dict[str, VersionRange]:
    table = reader.table(data, ("dependencies",))
    found = {}
    for name in table:
        path = ("dependencies", name)
        if not is_module_id(name):
            reader.fault(path, f"{name[:80]!r} is no module id", _ID_ADVICE)
        elif name == module_id:
            reader.fault(path, "is the module itself", "leave it out")
        else:
            found[name] = reader.checked(table, path, VersionRange.parse, None)
    return {name: versions for name, versions in found.items() if versions is not None}


def _read_wheels(reader: Reader, data: Mapping[str, Any], package_files: Collection[str] | None) -> dict[str, str]:
    table = reader.table(data, ("wheels",))
    wheels = {}
    for name, digest in table.items():
        path = ("wheels", name)
        try:
            check_wheel(name)
            wheels[name] = check_wheel_digest(digest)
        except UnfitError as error:
            reader.unfit(path, error)
            continue
        if package_files is not None and name not in package_files:
            reader.fault(path, "is no file of the package", "put the wheel there, or leave the line out")
    return wheels


def _read_assets(reader: Reader, data: Mapping[str, Any], package_files: Collection[str] | None) -> tuple[str, ...]:
    table = reader.table(data, ("assets",))
    reader.unknown(table, ("assets",), ("include",))
    patterns = reader.texts(table, ("assets", "include"), max_chars=256)
    for pattern in patterns:
        try:
            check_asset_pattern(pattern)
        except UnfitError as error:
            reader.unfit(("assets", "include"), error)
            continue
        if package_files is not None and not any(fnmatch.fnmatchcase(path, pattern) for path in package_files):
            reader.fault(("assets", "include"), f"{pattern!r} matches no file of the package", "add the file")
    return patterns


def _check_entry_file(reader: Reader, entry: Entry | None, package_files: Collection[str] | None) -> None:
    if entry is None or package_files is None or any(path in package_files for path in entry.candidates):
        return
    kind = ".wasm" if entry.is_component else ".py"
    files = [path for path in package_files if path.endswith(kind)]
    near = nearest(entry.candidates[0], files)
    missing = "no .wasm file: build it first" if entry.is_component else "no .py file"
    advice = f"did you mean {near!r}?" if near else f"the package has {listing(sorted(files)[:10]) or missing}"
    reader.fault(("entry",), f"the package has no {' or '.join(entry.candidates)}", advice)
