"""A new module from a template: real files of this package, in which names in double braces are filled in."""

from __future__ import annotations

import json
import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs

from plataforma_sdk.cli._example import example_path
from plataforma_sdk.manifest import Manifest
from plataforma_sdk.types import module_segment

__all__ = ["NewModule", "make_files", "write_files"]

_HERE: Final = Path(__file__).resolve().parent
_SUFFIX: Final = ".tmpl"
"""Keeps linters, type checkers and pytest away from files that are none until they are filled in."""
_PLACEHOLDER: Final = re.compile(r"\{\{([a-z_]+)\}\}")


@attrs.frozen(kw_only=True)
class NewModule:
    """What a template is filled in with.

    Attributes:
        id: the module's id.
        name: its name for people.
        description: a sentence for people.
        author: who writes it.
        licence: SPDX expression.

    >>> module = NewModule(id="acme/minhas-vendas", name="Vendas", description="", author="Ana", licence="MIT")
    >>> module.stem, module.class_name
    ('minhas_vendas', 'MinhasVendasModule')
    """

    id: str
    name: str
    description: str
    author: str
    licence: str

    @property
    def stem(self) -> str:
        """Name of its main file: one that Python can import and that hides nothing of the standard library."""
        stem = self._short.replace("-", "_")
        is_free = stem.isidentifier() and not keyword.iskeyword(stem) and stem not in sys.stdlib_module_names
        return stem if is_free else f"module_{stem}"

    @property
    def class_name(self) -> str:
        """Name of its class."""
        words = self.stem.split("_")
        return "".join(word.capitalize() for word in words) + "Module"

    @property
    def directory(self) -> str:
        """Name of its directory, where none is given."""
        return self._short

    @property
    def _short(self) -> str:
        return self.id.rpartition("/")[2]

    def values(self) -> dict[str, str]:
        """Return placeholder -> text; those in quotes are literals of TOML, Python, JavaScript and C alike."""
        plain = {"id": self.id, "name": self.name, "description": self.description, "author": self.author}
        quoted = {f"quoted_{name}": json.dumps(text, ensure_ascii=False) for name, text in plain.items()}
        names = {"file": self.stem, "class": self.class_name, "segment": module_segment(self.id)}
        return {**plain, **quoted, **names, "quoted_licence": json.dumps(self.licence), "directory": self.directory}


def make_files(template: str, module: NewModule) -> dict[str, bytes]:
    """Fill a template in; path -> content. Nothing is written.

    Raises:
        ManifestError: what was given makes no manifest.
        ModuleLoadError: this installation lacks files.
    """
    values = module.values()
    root = _HERE / "_templates" / template
    files: dict[str, bytes] = {}
    for path in sorted(root.rglob(f"*{_SUFFIX}")):
        name = path.relative_to(root).as_posix().removesuffix(_SUFFIX).replace("FILE", module.stem)
        text = _PLACEHOLDER.sub(lambda found: values[found[1]], path.read_text(encoding="utf-8"))
        files[name.replace("dot_", ".")] = text.encode()
    Manifest.parse(files["module.toml"].decode())
    return {**files, **{name: path.read_bytes() for name, path in _copied(template)}}


def _copied(template: str) -> Iterator[tuple[str, Path]]:
    """Yield what other languages build with: the same files as of the examples and of the engine."""
    if template == "c":
        yield "plataforma.h", example_path("c-estoque") / "plataforma.h"
    elif template == "javascript":
        yield "plataforma.js", example_path("js-tarefas") / "plataforma.js"
        yield "wit/module.wit", _HERE.parent / "sandbox" / "wasm" / "guest" / "wit" / "module.wit"


def write_files(files: Mapping[str, bytes], target: Path) -> None:
    """Write the files into a new directory, or into one that is empty.

    Raises:
        FileExistsError: there is something.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(target)
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
