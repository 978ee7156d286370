"""Rewrites the permissions of a ``module.toml`` and leaves everything else as its author wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tomlkit
from tomlkit.items import Comment, Item, KeyType, SingleKey, Table, Whitespace

from plataforma_sdk.cli._needs import DeclarationPlan
from plataforma_sdk.manifest import Manifest
from plataforma_sdk.security import PLACEHOLDER_REASON

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

__all__ = ["declared_in", "rewrite_permissions"]

_KINDS: Final = ("required", "optional")


def declared_in(text: str) -> list[str]:
    """Return the permissions of a manifest as they are written there, required ones first."""
    return [name for kind in _KINDS for name in _reasons(_section(tomlkit.parse(text), kind))]


def rewrite_permissions(text: str, plan: DeclarationPlan) -> str:
    """Change the permissions of a manifest by a plan.

    Comments, reasons, the order and the rest of the file stay; a list of permissions becomes a table. A reason that
    is missing is `PLACEHOLDER_REASON`, which ``plataforma check`` reports.

    Raises:
        ManifestError: the result would not be a manifest, which is a fault of this library.
    """
    document = tomlkit.parse(text)
    for kind in _KINDS:
        added = plan.required if kind == "required" else plan.optional
        old = _section(document, kind)
        if old is not None and (added or any(plan.kept[name] != (name,) for name in _reasons(old))):
            document["permissions"][kind] = _changed(old, plan, added)
        elif old is None and added:
            table = _changed(tomlkit.table(), plan, added)
            is_last = list(document)[-1:] in ([], ["permissions"])
            _permissions(document)[kind] = table if is_last else table.add(tomlkit.nl())
    written = tomlkit.dumps(document)
    Manifest.parse(written)
    return written


def _section(document: TOMLDocument, kind: str) -> Any:
    return document.get("permissions", {}).get(kind)


def _permissions(document: TOMLDocument) -> Any:
    """Return the table of permissions, made at the end of the file where there is none."""
    if "permissions" not in document:
        document["permissions"] = tomlkit.table(is_super_table=True)
    return document["permissions"]


def _reasons(section: Any) -> dict[str, str]:
    if section is None:
        return {}
    if isinstance(section, list):
        pairs = ((item, "") if isinstance(item, str) else (item["name"], item.get("reason", "")) for item in section)
        return {str(name): str(reason) for name, reason in pairs}
    return {str(name): str(reason) for name, reason in section.items()}


def _changed(old: Any, plan: DeclarationPlan, added: tuple[str, ...]) -> Table:
    """Build the table anew, line by line: the library renames no key in its place."""
    new = tomlkit.table()
    body = _body(old)
    end = len(body)
    while end and isinstance(body[end - 1][1], Whitespace):
        end -= 1  # what parts it from the next table stays behind what is added
    for key, item in body[:end]:
        if key is None:
            new.value.append(None, item)
            continue
        for name in plan.kept[key]:
            new.value.append(_quoted(name), item)
    for name in added:
        new.value.append(_quoted(name), tomlkit.string(PLACEHOLDER_REASON))
    for _, item in body[end:]:
        new.value.append(None, item)
    return new


def _body(old: Any) -> list[tuple[str | None, Item]]:
    if isinstance(old, Table):
        return [(None if key is None else key.key, item) for key, item in old.value.body if not _is_null(key, item)]
    return [(name, tomlkit.string(reason or PLACEHOLDER_REASON)) for name, reason in _reasons(old).items()]


def _is_null(key: object, item: object) -> bool:
    return key is None and not isinstance(item, (Comment, Whitespace))


def _quoted(name: str) -> SingleKey:
    return SingleKey(name, KeyType.Basic)
