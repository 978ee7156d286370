"""Imports inside one package, without touching `sys.path`: each loaded module has a package of its own.

Two modules, or two loads of one, never share a `sys.modules` entry: the package is named after a number that is
drawn anew for each load, and its entries are removed when the instance closes.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import linecache
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FrameType, ModuleType
from typing import Final

from plataforma_sdk.errors import ModuleLoadError
from plataforma_sdk.sandbox._protocols import LeftRunning

__all__ = ["PackageImporter"]

_NUMBERS: Final = itertools.count(1)


class PackageImporter(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports the sources of one package from memory, relative imports included.

    Args:
        sources: POSIX path -> source text, as in the package.
        module: id of the module, for messages.
        output: takes what the package prints.
    """

    def __init__(self, sources: Mapping[str, str], *, module: str, output: Callable[[str], None]) -> None:
        self._sources = sources
        self._module = module
        self._output = output
        self.root = f"_plataforma_module_{next(_NUMBERS)}"

    def run(self, entry_file: str) -> ModuleType:
        """Import the entry file and return it."""
        sys.meta_path.append(self)
        name = entry_file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        try:
            return importlib.import_module(f"{self.root}.{name}")
        except SyntaxError as error:
            where = (error.filename or entry_file).removeprefix(self._shown(""))
            raise ModuleLoadError(
                f"Module {self._module!r}: {where}, line {error.lineno}: {error.msg}", module=self._module
            ) from None

    def close(self) -> None:
        """Forget every module that was imported."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name in [name for name in sys.modules if name == self.root or name.startswith(self.root + ".")]:
            del sys.modules[name]
        for path in self._sources:
            linecache.cache.pop(self._shown(path), None)

    def owns(self, coroutine: object) -> bool:
        """Whether a coroutine was written in this package: a task that the module started by itself."""
        return self._owns_frame(getattr(coroutine, "cr_frame", None))

    def threads(self) -> list[LeftRunning]:
        """List the threads that run code of this package; what they only called into does not count."""
        me = threading.get_ident()
        frames = {number: frame for number, frame in sys._current_frames().items() if number != me}  # noqa: SLF001
        return [
            LeftRunning(kind="thread", name=thread.name, where=where, is_there=thread.is_alive)
            for thread in threading.enumerate()
            if (where := self._line_in(frames.get(thread.ident or 0))) is not None
        ]

    def _line_in(self, frame: FrameType | None) -> str | None:
        while frame is not None and not self._owns_frame(frame):
            frame = frame.f_back
        return None if frame is None else f"{frame.f_code.co_filename.rpartition('>/')[2]}:{frame.f_lineno}"

    def _owns_frame(self, frame: FrameType | None) -> bool:
        name = frame.f_globals.get("__name__", "") if frame is not None else ""
        return isinstance(name, str) and name.startswith(self.root + ".")

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the import system's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module of this package only."""
        if fullname == self.root:
            return self._spec(fullname, None, is_package=True)
        if not fullname.startswith(self.root + "."):
            return None
        inner = fullname[len(self.root) + 1 :].replace(".", "/")
        if f"{inner}/__init__.py" in self._sources:
            return self._spec(fullname, f"{inner}/__init__.py", is_package=True)
        if f"{inner}.py" in self._sources:
            return self._spec(fullname, f"{inner}.py", is_package=False)
        if any(name.startswith(inner + "/") for name in self._sources):
            return self._spec(fullname, None, is_package=True)
        return None

    def _spec(self, fullname: str, path: str | None, *, is_package: bool) -> importlib.machinery.ModuleSpec:
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=path, is_package=is_package)
        spec.has_location = False
        return spec

    def is_package(self, fullname: str) -> bool:
        """Whether a module of this package holds others."""
        spec = self.find_spec(fullname)
        return spec is not None and spec.submodule_search_locations is not None

    def get_source(self, fullname: str) -> str | None:
        """The source text, so that tracebacks show lines."""
        spec = self.find_spec(fullname)
        return self._sources[spec.origin] if spec is not None and spec.origin else None

    def exec_module(self, module: ModuleType) -> None:
        """Run a file of this package, its `print` bound to the module's log."""
        vars(module)["print"] = self._print
        super().exec_module(module)

    def _print(self, *values: object, sep: str | None = " ", end: str | None = "\n", **_: object) -> None:
        text = (" " if sep is None else sep).join(map(str, values)) + ("\n" if end is None else end)
        self._output(text.removesuffix("\n"))

    def get_code(self, fullname: str) -> CodeType | None:
        """Compile a file under its name inside the package."""
        spec = self.find_spec(fullname)
        if spec is None or not spec.origin:
            return compile("", fullname, "exec")
        source = self._sources[spec.origin]
        shown = self._shown(spec.origin)
        linecache.cache[shown] = (len(source), None, source.splitlines(keepends=True), shown)
        return compile(source, shown, "exec", dont_inherit=True)

    def _shown(self, path: str) -> str:
        return f"<{self._module}>/{path}"
