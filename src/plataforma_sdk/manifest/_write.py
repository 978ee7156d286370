"""Writing ``module.toml``; reading it back gives an equal manifest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from plataforma_sdk.manifest._config import ConfigEntry
from plataforma_sdk.manifest._manifest import Manifest

__all__ = ["write_manifest"]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def write_manifest(manifest: Manifest) -> str:
    """Write a manifest; what is empty or as by default is left out."""
    head = {
        "id": manifest.id,
        "version": manifest.version,
        "name": manifest.name if manifest.name != manifest.id else "",
        "description": manifest.description,
        "icon": manifest.icon,
        "licence": manifest.licence,
        "authors": manifest.authors,
        "entry": manifest.entry,
        "sdk": manifest.sdk.text if manifest.sdk.text != "*" else "",
        "exclude": manifest.excluded_tiers,
    }
    lines = _pairs({key: value for key, value in head.items() if value})
    if not manifest.restart:
        lines.append("restart = false")
    for name, table in _tables(manifest).items():
        if table:
            lines += ["", f"[{name}]", *_pairs(table)]
    return "\n".join(lines) + "\n"


def _tables(manifest: Manifest) -> dict[str, Mapping[str, Any]]:
    events = {"published": manifest.events.published, "consumed": manifest.events.consumed}
    return {
        "permissions.required": manifest.permissions.required,
        "permissions.optional": manifest.permissions.optional,
        "events": {key: topics for key, topics in events.items() if topics},
        "endpoints": manifest.endpoints,
        **{f"config.{name}": _setting(entry) for name, entry in manifest.config.items()},
        "limits": manifest.limits,
        "dependencies": {name: versions.text for name, versions in manifest.dependencies.items()},
        "wheels": manifest.wheels,
        "assets": {"include": manifest.assets} if manifest.assets else {},
    }


def _setting(entry: ConfigEntry) -> dict[str, Any]:
    table = {
        "type": entry.type,
        "default": entry.default,
        "description": entry.description or None,
        "options": entry.options or None,
        "minimum": entry.minimum,
        "maximum": entry.maximum,
    }
    return {key: value for key, value in table.items() if value is not None}


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{key if _BARE_KEY.fullmatch(key) else _text(key)} = {_value(value)}" for key, value in table.items()]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(item) for item in value)}]"
    return repr(value)


def _text(text: str) -> str:
    """Write a basic string: JSON's escapes are TOML's, save that TOML wants DEL escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
