"""Pure-Python wheels, imported from memory; what a wheel holds is unpacked when it is asked for.

A wheel is found after the standard library and the module's own files, so it cannot stand in for either. Nothing of
it is trusted more than the module that carries it: it runs in the same guest.
"""

from __future__ import annotations

import binascii
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.resources.abc
import importlib.util
import io
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType, ModuleType
from typing import Any, Final

from plataforma_sdk.errors import ModuleLoadError

__all__ = ["WheelFinder"]

_SCHEME: Final = "wheel:/"
_BAKED: Final = ("attr", "attrs")
"""What the runner brings for itself, from the index too: a module's own wheel of it comes first."""


class WheelFinder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds the modules, data files and metadata of wheels; empty until `add`."""

    def __init__(self) -> None:
        self._wheels: dict[str, zipfile.ZipFile] = {}
        self._origins: dict[str, str] = {}

    def add(self, wheels: Mapping[str, str], *, module: str) -> None:
        """Make wheels importable.

        Args:
            wheels: file name -> content in base64.
            module: id of the module that carries them, for errors.

        Raises:
            ModuleLoadError: a file is no zip, or holds what another wheel holds.
        """
        for name, text in wheels.items():
            try:
                archive = zipfile.ZipFile(io.BytesIO(binascii.a2b_base64(text)))
            except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
                raise ModuleLoadError(f"Module {module!r}: {name} is no wheel: {error}", module=module) from None
            self._wheels[name] = archive
            self._index(name, archive, module)
        for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] in _BAKED]:
            if self._locate(loaded.partition(".")[0]) is not None:
                del sys.modules[loaded]

    def _index(self, wheel: str, archive: zipfile.ZipFile, module: str) -> None:
        for path in archive.namelist():
            if path.endswith("/"):
                continue
            other = self._origins.setdefault(path, wheel)
            if other != wheel and path.endswith(".py"):
                raise ModuleLoadError(f"Module {module!r}: {path} is in both {other} and {wheel}", module=module)

    # --- modules -----------------------------------------------------------------------------------------------------

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module or a package; a directory without ``__init__.py`` is a namespace package."""
        found = self._locate(fullname)
        if found is None:
            return None
        path, is_package = found
        is_namespace = path.endswith("/")
        origin = None if is_namespace else self._address(path)
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=origin, is_package=is_package)
        spec.has_location = not is_namespace
        if is_package:
            spec.submodule_search_locations = [f"{_SCHEME}{fullname.replace('.', '/')}"]
        return spec

    def _locate(self, fullname: str) -> tuple[str, bool] | None:
        inner = fullname.replace(".", "/")
        for path, is_package in ((f"{inner}/__init__.py", True), (f"{inner}.py", False)):
            if path in self._origins:
                return path, is_package
        if any(path.startswith(f"{inner}/") for path in self._origins):
            return f"{inner}/", True
        return None

    def _address(self, path: str) -> str:
        return f"{_SCHEME}{path}"

    def is_package(self, fullname: str) -> bool:
        """Whether a module of a wheel holds others."""
        found = self._locate(fullname)
        return found is not None and found[1]

    def get_code(self, fullname: str) -> CodeType:
        """Compile a module of a wheel."""
        found = self._locate(fullname)
        if found is None or found[0].endswith("/"):
            return compile("", fullname, "exec")
        return compile(self._read(found[0]), self._address(found[0]), "exec", dont_inherit=True)

    def get_source(self, fullname: str) -> str | None:
        """The source text, for tracebacks and `inspect`."""
        found = self._locate(fullname)
        if found is None or found[0].endswith("/"):
            return None
        return importlib.util.decode_source(self._read(found[0]))

    # --- data and metadata -------------------------------------------------------------------------------------------

    def get_data(self, path: str) -> bytes:
        """Return a file beside a module, for `pkgutil.get_data`.

        Raises:
            FileNotFoundError: the wheels have no such file.
        """
        try:
            return self._read(path.removeprefix(_SCHEME))
        except KeyError:
            raise FileNotFoundError(path) from None

    def get_resource_reader(self, fullname: str) -> importlib.resources.abc.TraversableResources:
        """Return what `importlib.resources.files` reads."""
        return _Resources(self._directory(f"{fullname.replace('.', '/')}/"))

    def find_distributions(self, context: Any = None) -> Iterator[importlib.metadata.Distribution]:
        """Yield the metadata of the wheels, for `importlib.metadata`."""
        wanted = None if context is None or context.name is None else _normal(context.name)
        for path in self._origins:
            directory, _, file = path.partition("/")
            if file == "METADATA" and directory.endswith(".dist-info"):
                distribution = _WheelDistribution(self, directory)
                if wanted is None or _normal(distribution.name) == wanted:
                    yield distribution

    def _directory(self, path: str) -> zipfile.Path:
        wheel = next(wheel for inner, wheel in self._origins.items() if inner.startswith(path))
        return zipfile.Path(self._wheels[wheel], path)

    def _read(self, path: str) -> bytes:
        return self._wheels[self._origins[path]].read(path)


class _Resources(importlib.resources.abc.TraversableResources):
    """The files of one package."""

    def __init__(self, directory: zipfile.Path) -> None:
        self._directory = directory

    def files(self) -> Any:
        return self._directory


class _WheelDistribution(importlib.metadata.Distribution):
    """The metadata of one wheel."""

    def __init__(self, finder: WheelFinder, directory: str) -> None:
        self._finder = finder
        self._inner = directory

    def read_text(self, filename: str) -> str | None:
        try:
            return self._finder.get_data(f"{_SCHEME}{self._inner}/{filename}").decode()
        except FileNotFoundError:
            return None

    def locate_file(self, path: Any) -> Any:
        return zipfile.Path(self._finder._directory(f"{self._inner}/").root, str(path))  # noqa: SLF001


def _normal(name: str) -> str:
    """Source: PyPA, name normalization."""
    return re.sub(r"[-_.]+", "-", name).lower()
