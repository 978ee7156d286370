"""Faults of a package's sources, found without running anything."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterator, Mapping
from typing import Final

from plataforma_sdk.errors import Fault
from plataforma_sdk.manifest import Entry

__all__ = ["entry_faults", "source_faults"]

_WASM_MAGIC: Final = b"\x00asm"
_WASM_VERSIONS: Final = (b"\x01\x00\x00\x00", b"\x0d\x00\x01\x00")
"""Of a core module and of a component. Source: core specification, Binary Format; Component Model, Binary.md."""
_MAX_PARSED_BYTES: Final = 2**17
MAX_SOURCE_BYTES: Final = 2**19
"""Of one Python file; dense source of a few megabytes takes a parser seconds and a gigabyte."""


def source_faults(files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Find the Python files that are not UTF-8, or that claim to be something else."""
    for name, content in files.items():
        if name.endswith(".py") and len(content) > MAX_SOURCE_BYTES:
            yield Fault(name, f"it is larger than {MAX_SOURCE_BYTES:,} bytes", "split it, or keep data in an asset")
        elif name.endswith(".py"):
            try:
                content.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                yield Fault(name, f"it is not UTF-8 at byte {error.start}", "save it as UTF-8")
            else:
                yield from _cookie_faults(name, content)


def _cookie_faults(name: str, content: bytes) -> Iterator[Fault]:
    """A file that is valid in two encodings would be one text for a scanner and another for the interpreter."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError:
        encoding = "an unknown encoding"
    if encoding not in ("utf-8", "utf-8-sig"):
        yield Fault(name, f"its coding line says {encoding}", "remove the line: sources are UTF-8")


def entry_faults(where: str, entry: Entry | None, files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Look into the entry's file; that there is one, the manifest's own reading has checked."""
    path = next((path for path in entry.candidates if path in files), None) if entry is not None else None
    if entry is None or path is None:
        return
    content = files[path]
    if entry.is_component:
        if not content.startswith(_WASM_MAGIC):
            yield Fault(where, f"{path!r} is no WebAssembly", "name a component or a core module, the binary of it")
        elif content[4:8] not in _WASM_VERSIONS:
            version = content[4:8].hex(" ")
            yield Fault(where, f"{path!r} has the unknown version {version}", "build it with a current toolchain")
    elif entry.class_name is not None and not _binds(content, entry.class_name):
        yield Fault(where, f"{path!r} defines no class {entry.class_name!r}", "name a class of that file")


def _binds(content: bytes, name: str) -> bool:
    """Whether a source may bind a name at its top level.

    What does not parse is left to the engine, which names the line: the guest of `wasm` may run a newer Python.
    """
    if len(content) > _MAX_PARSED_BYTES:
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of the module's source are its author's
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return any(bound in (name, "*") for bound in _bound_names(tree.body))


def _bound_names(body: list[ast.stmt]) -> Iterator[str]:
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        else:
            pending.extend(ast.iter_child_nodes(node))
