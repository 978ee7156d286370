"""Where a module declares a permission, and where it uses it."""

from __future__ import annotations

import ast

import attrs

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.permissions import is_within, parse_permission
from plataforma_sdk.security import uses_of

__all__ = ["InModule", "look_into"]


@attrs.frozen(kw_only=True)
class InModule:
    """What a module has to do with a permission.

    Attributes:
        module: its id.
        declared: the declarations that cover it, or parts of it.
        uses: ``file:line`` of what needs it, as far as the source says so literally.
    """

    module: str
    declared: tuple[str, ...]
    is_declared: bool
    uses: tuple[str, ...]


def look_into(package: ModulePackage, permission: str) -> InModule:
    """Find declarations and uses; a use of a part of what is asked about counts, and so does one of the whole."""
    uses: list[str] = []
    for path, text in package.sources.items():
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # `check` says so
        asked = (
            use for use in uses_of(tree, package.id) if any(_is_about(name, permission) for name in use.alternatives)
        )
        uses += [f"{path}:{use.line}" for use in asked]
    declared = package.manifest.permissions.declared
    return InModule(
        module=package.id,
        declared=tuple(name for name in declared if _is_about(name, permission)),
        is_declared=is_within([permission], declared),
        uses=tuple(dict.fromkeys(uses)),
    )


def _is_about(name: str, permission: str) -> bool:
    """Whether one lies within the other; a service that looks at scopes itself is found by its bare name."""
    return is_within([name], [permission]) or is_within([permission], [name]) or _shares_a_scope(name, permission)


def _shares_a_scope(name: str, permission: str) -> bool:
    one, other = parse_permission(name), parse_permission(permission)
    return one.name == other.name and bool({*one.parts} & {*other.parts})
