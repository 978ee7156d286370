"""Cuts single functions out of installed packages, each with what it needs, as one text that stands alone.

``more_itertools.chunked`` becomes the imports, constants, helpers and classes that its code names, at any depth, and
then itself. What other files of the package define is cut out of those files. Annotations are not evaluated, so the
names that only they use are left out.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

__all__ = ["Function", "functions_of"]

_FUTURE: Final = "from __future__ import annotations"
_MAX_STATEMENTS: Final = 60


@attrs.frozen
class Function:
    """A function of a package.

    Attributes:
        package: the package that is installed.
        name: dotted name.
        node: its definition.
        source: a text that defines it and all that it needs.
        examples: docstrings that may show how it is called.
    """

    package: str
    name: str
    node: ast.FunctionDef
    source: str
    examples: tuple[str, ...]


class Clash(Exception):
    """Two files of a package give one name two meanings."""


@attrs.define(eq=False)
class _File:
    """One file of a package: its statements, and which of them bind a name."""

    package: str
    module: str
    is_package: bool
    tree: ast.Module
    binders: dict[str, list[ast.stmt]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.binders = {}
        for statement in self.tree.body:
            for name in _bound(statement):
                self.binders.setdefault(name, []).append(statement)


def functions_of(package: str) -> Iterator[Function]:
    """Every public function at the top level of every file of a package that is installed."""
    files = {file.module: file for file in _files(package)}
    for file in files.values():
        for node in file.tree.body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            source = _Cutter(files).cut(file, node.name)
            if source is not None:
                examples = filter(None, (ast.get_docstring(node), ast.get_docstring(file.tree)))
                yield Function(package, f"{file.module}.{node.name}", node, source, tuple(examples))


def _files(package: str) -> Iterator[_File]:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return
    root = Path(spec.origin)
    if root.name != "__init__.py":
        yield _File(package, package, is_package=False, tree=ast.parse(root.read_text("utf-8")))
        return
    for path in sorted(root.parent.rglob("*.py")):
        parts = [package, *path.relative_to(root.parent).with_suffix("").parts]
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        if "test" not in module:
            yield _File(package, module, is_package=is_package, tree=ast.parse(path.read_text("utf-8")))


class _Cutter:
    """Collects the statements that one function needs."""

    def __init__(self, files: dict[str, _File]) -> None:
        self._files = files
        self._chosen: dict[str, list[ast.stmt]] = {}
        self._owners: dict[str, str] = {}

    def cut(self, file: _File, name: str) -> str | None:
        """Return the text that defines `name`, or None where it would be too long or ambiguous."""
        try:
            self._need(file, name)
        except Clash:
            return None
        lines = [_FUTURE]
        for module, statements in self._chosen.items():
            order = {id(statement): number for number, statement in enumerate(self._files[module].tree.body)}
            lines += [ast.unparse(item) for item in sorted(statements, key=lambda item: order[id(item)])]
        return "\n".join(lines) + "\n" if len(lines) <= _MAX_STATEMENTS else None

    def _need(self, file: _File, name: str) -> None:
        if self._owners.get(name) == file.module:
            return
        statements = file.binders.get(name)
        if statements is None:
            return
        foreign = self._foreign(file, statements, name)
        if foreign is not None:
            self._need(*foreign)
            return
        if name in self._owners:
            raise Clash(name)
        self._owners[name] = file.module
        for statement in statements:
            if any(statement is item for item in self._chosen.get(file.module, ())):
                continue
            for used in sorted(_used(statement)):
                self._need(file, used)
            self._chosen.setdefault(file.module, []).append(statement)

    def _foreign(self, file: _File, statements: list[ast.stmt], name: str) -> tuple[_File, str] | None:
        """Follow ``from .other import name`` into the other file of the package."""
        for statement in statements:
            if isinstance(statement, ast.ImportFrom):
                alias = next((item for item in statement.names if (item.asname or item.name) == name), None)
                other = self._files.get(_resolve(file, statement))
                if other is not None and alias is not None:
                    if alias.asname not in (None, alias.name):
                        raise Clash(name)
                    return other, alias.name
        return None


def _resolve(file: _File, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = file.module.split(".")
    parts = parts[: len(parts) - node.level + (1 if file.is_package else 0)]
    return ".".join([*parts, *((node.module or "").split(".") if node.module else [])])


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top level binds, those inside ``if`` and ``try`` too."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    if isinstance(statement, ast.If | ast.Try | ast.For | ast.With):
        return {
            name for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt) for name in _bound(child)
        }
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _used(statement: ast.AST) -> set[str]:
    """The names that a statement reads, annotations aside."""
    found = {statement.id} if isinstance(statement, ast.Name) else set()
    for field, value in ast.iter_fields(statement):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                found |= _used(child)
    return found
