"""Writes a `Manifest` as ``module.toml``; the standard library reads TOML but does not write it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plataforma_sdk.manifest._model import Manifest

__all__ = ["write_manifest"]


def write_manifest(manifest: Manifest) -> str:
    """Write what differs from the defaults; a JSON string is a TOML basic string."""
    lines = [f"{key} = {_value(value)}" for key, value in _top(manifest) if value not in ("", (), None)]
    for title, table in _tables(manifest):
        if table:
            lines += ["", f"[{title}]", *(f"{_quoted(key)} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _top(manifest: Manifest) -> Iterator[tuple[str, Any]]:
    for key in ("id", "version", "name", "description", "licence", "authors", "entry", "sdk"):
        yield key, getattr(manifest, key)
    yield "exclude", manifest.excluded_tiers
    yield "restart", manifest.restart


def _tables(manifest: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "permissions.required", manifest.permissions.required
    yield "permissions.optional", manifest.permissions.optional
    events = {"published": manifest.events.published, "consumed": manifest.events.consumed}
    yield "events", {key: topics for key, topics in events.items() if topics}
    yield "endpoints", manifest.endpoints or {}
    for name, entry in manifest.config.items():
        known = {"type": entry.type, "default": entry.default, "description": entry.description}
        yield f"config.{name}", {key: value for key, value in known.items() if value not in (None, "")}
    yield "limits", manifest.limits
    yield "dependencies", manifest.dependencies
    yield "assets", {"include": manifest.assets} if manifest.assets else {}


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(item) for item in value)}]"
    # U+007F is legal in JSON and not in TOML
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _quoted(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else _value(key)
