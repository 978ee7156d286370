"""Imports inside the module's own package, from memory, relative imports included."""

from __future__ import annotations

import binascii
import functools
import importlib
import importlib.abc
import importlib.machinery
import linecache
import marshal
from collections.abc import Mapping, Sequence
from types import CodeType, ModuleType
from typing import Final

__all__ = ["ROOT", "BundleFinder", "compile_file"]

ROOT: Final = "module_package"
"""The package that a bundle's files live in: ``from .prices import total`` imports ``module_package.prices``."""

_NOTHING: Final = compile("", ROOT, "exec")
"""The code of each directory without an ``__init__.py``, the root among them; to compile it takes 40 µs in a guest."""


def compile_file(path: str, source: str) -> CodeType:
    """Compile a file under its path inside the package."""
    return compile(source, path, "exec", dont_inherit=True)


class BundleFinder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds the files of one bundle; empty until `add`."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._codes: dict[str, str] = {}

    def add(self, files: Mapping[str, str], codes: Mapping[str, str] | None = None) -> None:
        """Make files importable.

        Args:
            files: POSIX path -> source text.
            codes: POSIX path -> code compiled from it by such a guest, marshalled, in base64; a file without it is
                compiled when it is imported.
        """
        self._files.update(files)
        self._codes.update(codes or {})
        for path in files:
            # One element is a promise of lines: they are made for the first traceback that shows them.
            linecache.cache[path] = (functools.partial(self._files.get, path),)

    def run(self, entry: str) -> ModuleType:
        """Import the entry file and return it."""
        name = entry.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return importlib.import_module(f"{ROOT}.{name}")

    def owns(self, filename: str) -> bool:
        """Whether a frame of this file is the author's."""
        return filename in self._files

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module of the bundle only."""
        if fullname == ROOT:
            return self._spec(fullname, None, is_package=True)
        if not fullname.startswith(ROOT + "."):
            return None
        inner = fullname[len(ROOT) + 1 :].replace(".", "/")
        for candidate, is_package in ((f"{inner}/__init__.py", True), (f"{inner}.py", False)):
            if candidate in self._files:
                return self._spec(fullname, candidate, is_package=is_package)
        if any(name.startswith(inner + "/") for name in self._files):
            return self._spec(fullname, None, is_package=True)
        return None

    def _spec(self, name: str, path: str | None, *, is_package: bool) -> importlib.machinery.ModuleSpec:
        return importlib.machinery.ModuleSpec(name, self, origin=path, is_package=is_package)

    def is_package(self, fullname: str) -> bool:
        """Whether a module of the bundle holds others."""
        spec = self.find_spec(fullname)
        return spec is not None and spec.submodule_search_locations is not None

    def get_source(self, fullname: str) -> str | None:
        """The source text, for tracebacks and `inspect`."""
        spec = self.find_spec(fullname)
        return self._files[spec.origin] if spec is not None and spec.origin else None

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code of a file: what was compiled before, else its source compiled now."""
        spec = self.find_spec(fullname)
        if spec is None or not spec.origin:
            return _NOTHING
        made = self._codes.pop(spec.origin, None)
        if made is not None:
            code: CodeType = marshal.loads(binascii.a2b_base64(made))  # noqa: S302 - runs in the guest, as the source would
            return code
        return compile_file(spec.origin, self._files[spec.origin])
