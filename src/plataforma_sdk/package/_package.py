"""`ModulePackage`: a module's manifest and files, wherever they came from."""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

import attrs

from plataforma_sdk.errors import Fault, HostCallError, IntegrityError, ManifestError
from plataforma_sdk.manifest import (
    METHODS,
    TIERS,
    ConfigEntry,
    Manifest,
    ManifestEvents,
    ManifestPermissions,
    read_manifest,
)
from plataforma_sdk.package._archive import MAX_ARCHIVE_BYTES, read_archive, write_archive
from plataforma_sdk.package._directory import read_directory, read_file
from plataforma_sdk.package._faults import entry_faults, source_faults
from plataforma_sdk.package._ignore import IGNORE_FILE, IgnoreList
from plataforma_sdk.package._names import (
    MAX_COMPONENT_BYTES,
    MAX_FILE_BYTES,
    check_amount,
    check_collisions,
    check_name,
    is_skipped,
)
from plataforma_sdk.package._wheels import wheel_faults
from plataforma_sdk.types import module_segment

__all__ = ["ModulePackage"]

MANIFEST_FILE: Final = "module.toml"
_MAX_IGNORE_BYTES: Final = 65_536


def _frozen_files(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return MappingProxyType(dict(files))


@attrs.frozen(slots=False, eq=False)
class ModulePackage:
    """A module's manifest and files. Made by the ``from_`` methods, which check everything.

    Attributes:
        manifest: what ``module.toml`` says.
        files: POSIX path -> content, ``module.toml`` included.

    >>> package = ModulePackage.from_source("from plataforma_sdk import ModuleFramework", id="hello")
    >>> package.entry_file
    'module.py'
    """

    manifest: Manifest
    files: Mapping[str, bytes] = attrs.field(converter=_frozen_files, repr=False)

    # --- making ----------------------------------------------------------------------------------------------------

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], *, source: str = "the package") -> Self:
        """Make a package of files in memory; hidden files and caches are left out, as everywhere.

        Raises:
            ManifestError: faults of the manifest and of the sources, all of them.
            IntegrityError: a file name that is not safe everywhere.
        """
        for name in files:
            check_name(name)
        check_collisions(files)
        check_amount(files, source)
        kept = {name: content for name, content in files.items() if not is_skipped(name)}
        raw = kept.get(MANIFEST_FILE)
        if raw is None:
            raise _missing_manifest(kept, source)
        return cls(_manifest_of(raw, kept), kept)

    @classmethod
    def from_directory(cls, path: str | os.PathLike[str], *, with_tests: bool = False) -> Self:
        """Read a directory; links are refused.

        Hidden files, caches, tests, leftovers of a build and what its ``.plataformaignore`` names stay out, so that
        what is run from a directory is what is packed from it.

        Args:
            path: the directory that holds ``module.toml``.
            with_tests: let the package carry its tests and their snapshots.

        Raises:
            ManifestError: as `from_files`, and patterns of ``.plataformaignore`` that are not understood.
            IntegrityError: as `from_files`.
        """
        root = Path(path)
        if not root.is_dir():
            raise IntegrityError(f"{root} is no directory")
        if not (root / MANIFEST_FILE).exists():  # said before a whole home directory is read, links and all
            raise _missing_manifest([f"{path.parent.name}/{path.name}" for path in _nearby(root)], str(root))
        file = root / IGNORE_FILE
        text = read_file(file, _MAX_IGNORE_BYTES).decode("utf-8-sig", "replace") if file.exists() else ""
        ignore = IgnoreList.parse(text, with_tests=with_tests)
        return cls.from_files(read_directory(root, ignore), source=str(root))

    @classmethod
    def from_archive(cls, path: str | os.PathLike[str] | bytes) -> Self:
        """Read a zip, from a path or its bytes; nothing is written to disk.

        Raises:
            IntegrityError: the archive is damaged or hostile.
            ManifestError: as `from_files`.
        """
        if isinstance(path, bytes):
            return cls.from_files(read_archive(path), source="the archive")
        data = read_file(Path(path), MAX_ARCHIVE_BYTES, follow=True)
        try:
            files = read_archive(data)
        except IntegrityError as error:
            raise IntegrityError(f"{path}: {error}") from None
        return cls.from_files(files, source=str(path))

    @classmethod
    def from_component(cls, path: str | os.PathLike[str]) -> Self:
        """Read a ``.wasm``, component or core module; its manifest lies beside it: ``vendas.wasm`` and ``vendas.toml``.

        Raises:
            ManifestError: there is no manifest beside it, or it has faults.
        """
        file = Path(path)
        beside = file.with_suffix(".toml")
        if not beside.is_file():
            raise ManifestError(
                [Fault(str(beside), "it is missing", f"write the manifest of {file.name} there, with id and version")]
            )
        files = {
            MANIFEST_FILE: read_file(beside, MAX_FILE_BYTES, follow=True),
            file.name: read_file(file, MAX_COMPONENT_BYTES, follow=True),
        }
        return cls.from_files(files, source=str(file))

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> Self:
        """Read a directory, a ``.zip`` or a ``.wasm``, whichever `path` is."""
        found = Path(path)
        if found.is_dir():
            return cls.from_directory(found)
        return cls.from_component(found) if found.suffix == ".wasm" else cls.from_archive(found)

    @classmethod
    def from_source(
        cls,
        text: str,
        *,
        id: str,  # noqa: A002 - the manifest's name
        version: str = "0.1.0",
        permissions: Iterable[str] = (),
        entry: str | None = None,
        optional: Iterable[str] = (),
        config: Mapping[str, ConfigEntry] | None = None,
        limits: Mapping[str, int] | None = None,
        exclude: Iterable[str] = (),
        restart: bool = True,
        wheels: Mapping[str, str] | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> Self:
        """Make a package of one source text, for tests and embedding.

        It may subscribe to whatever it is granted and serve whatever lies under its own segment.

        Args:
            text: the source, ``module.py`` in the package.
            id: the module's id.
            version: its version.
            permissions: what it declares as required.
            entry: name of its class, ``"Class"`` or ``"module:Class"``; None for the one that the source defines.
            optional: what it declares as optional.
            config: name -> `ConfigEntry`.
            limits: limits that it lowers for itself.
            exclude: tiers that it refuses.
            restart: whether `on_load` may run again after a trap.
            wheels: path in `files` of a pure-Python wheel -> ``"sha256:..."``.
            files: further files, path -> content.

        Raises:
            ManifestError: all faults of what was given.
        """
        segment = module_segment(id)
        manifest = Manifest(
            id=id,
            version=version,
            entry=_entry(entry),
            permissions=ManifestPermissions(
                required=dict.fromkeys(map(str, permissions), ""),
                optional=dict.fromkeys(map(str, optional), ""),
            ),
            events=ManifestEvents(consumed=("*",)),
            endpoints={f"/{segment}": tuple(METHODS), f"/{segment}/*": tuple(METHODS)},
            config=config or {},
            limits=limits or {},
            excluded_tiers=tuple(exclude),
            restart=restart,
            wheels=wheels or {},
        )
        written = {**(files or {}), "module.py": text.encode(), MANIFEST_FILE: manifest.to_toml().encode()}
        return cls.from_files(written, source="the source")

    # --- reading ---------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The module's id."""
        return self.manifest.id

    @property
    def version(self) -> str:
        """Its version."""
        return self.manifest.version

    @cached_property
    def entry_file(self) -> str:
        """Path of the entry: ``"vendas.py"``."""
        candidates = self.manifest.entry_point.candidates
        return next((path for path in candidates if path in self.files), candidates[0])

    @property
    def entry_class(self) -> str | None:
        """Name of the entry class, or None for the one that the source defines."""
        return self.manifest.entry_point.class_name

    @property
    def is_component(self) -> bool:
        """Whether the entry is WebAssembly itself: a component or a core module."""
        return self.manifest.entry_point.is_component

    @property
    def tiers(self) -> tuple[str, ...]:
        """The tiers that it may run in: `wasm` alone for WebAssembly, no `restricted` with wheels, none it excludes."""
        unfit = {*self.manifest.excluded_tiers, *(("restricted",) if self.manifest.wheels else ())}
        return tuple(tier for tier in TIERS if tier not in unfit and (tier == "wasm" or not self.is_component))

    @cached_property
    def sources(self) -> Mapping[str, str]:
        """Path -> text of the Python files."""
        return MappingProxyType(
            {name: raw.decode("utf-8-sig") for name, raw in self.files.items() if name.endswith(".py")}
        )

    @property
    def wheels(self) -> Mapping[str, bytes]:
        """File name -> content of the wheels that it carries."""
        return {path.rpartition("/")[2]: self.files[path] for path in self.manifest.wheels}

    @cached_property
    def digest(self) -> str:
        """``"sha256:..."`` over names, lengths and contents: equal for a directory and a zip of the same files."""
        whole = hashlib.sha256(b"plataforma-package-1\n")
        for name in sorted(self.files):
            content = self.files[name]
            whole.update(f"{len(name.encode())} {name} {len(content)} ".encode())
            whole.update(hashlib.sha256(content).digest())
        return f"sha256:{whole.hexdigest()}"

    def read_asset(self, path: str) -> bytes:
        """Return a file of the package that its manifest counts among its assets.

        Raises:
            HostCallError: there is no such asset.
        """
        patterns = self.manifest.assets
        is_asset = path in self.files and (
            any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)
            if patterns
            else path != MANIFEST_FILE and not path.endswith((".py", ".wasm", ".whl"))
        )
        if not is_asset:
            raise HostCallError("FileNotFoundError", f"the package has no asset {path[:200]!r}", module=self.id)
        return self.files[path]

    # --- writing ---------------------------------------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        """Write the archive; equal content gives equal bytes."""
        return write_archive(self.files)

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the archive to `path`, aside and then renamed, so that no half of it is ever seen."""
        target = Path(path)
        aside = target.with_name(f".{target.name}.{secrets.token_hex(8)}.new")
        try:
            aside.write_bytes(self.to_bytes())
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        return target


def _entry(entry: str | None) -> str:
    if entry is None:
        return "module"
    return entry if ":" in entry else f"module:{entry}"


def _manifest_of(raw: bytes, files: Mapping[str, bytes]) -> Manifest:
    """Read the manifest and look at the sources; report the faults of both together."""
    try:
        reading = read_manifest(raw.decode("utf-8-sig"), source=MANIFEST_FILE, package_files=files)
    except UnicodeDecodeError:
        fault = Fault(MANIFEST_FILE, "it is not UTF-8", "save it as UTF-8")
        raise ManifestError([fault, *source_faults(files)]) from None
    entry_key = f"{MANIFEST_FILE}: entry"
    faults = (
        *reading.faults,
        *source_faults(files),
        *entry_faults(entry_key, reading.entry, files),
        *(() if reading.manifest is None else wheel_faults(MANIFEST_FILE, reading.manifest.wheels, files)),
    )
    return attrs.evolve(reading, faults=faults).require()


def _nearby(root: Path) -> list[Path]:
    """Find manifests one folder down."""
    with contextlib.suppress(OSError):
        return sorted(root.glob(f"*/{MANIFEST_FILE}"))
    return []


def _missing_manifest(files: Iterable[str], source: str) -> ManifestError:
    inner = next((name for name in sorted(files) if name.endswith(f"/{MANIFEST_FILE}")), None)
    advice = "write one, with id, version and entry"
    if inner is not None:
        advice = f"there is {inner!r}: give the directory that holds it, or archive its content without the directory"
    return ManifestError([Fault(source, f"it holds no {MANIFEST_FILE}", advice)], source=source)
