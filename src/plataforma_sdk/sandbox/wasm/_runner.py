"""Finds the guest runner, and rebuilds it in a source checkout when a file that is baked into it has changed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, Final

import attrs

from plataforma_sdk.errors import StaleRunnerError
from plataforma_sdk.sandbox._private import locked, private_directory, prune
from plataforma_sdk.sandbox.wasm import _build
from plataforma_sdk.sandbox.wasm._progress import Progress, announced

__all__ = ["PACKAGE", "Runner", "find_runner", "locate_runner"]

PACKAGE: Final = Path(__file__).parents[2]
"""The directory ``plataforma_sdk``."""

_KEPT_BUILDS: Final = 3
_BUILD_S: Final = 12.0


@attrs.frozen(kw_only=True)
class Runner:
    """A built runner.

    Attributes:
        path: the component.
        sha256: its digest; builds of the same files differ, so caches, journals and snapshots are keyed by this.
        files: path -> sha256 of each file baked into it.
    """

    path: Path
    sha256: str
    files: dict[str, str] = attrs.field(repr=False)


def find_runner(package: Path = PACKAGE) -> Runner | None:
    """Return the runner that holds the files of this installation, or None where it is not built yet."""
    files = _build.baked_files(package)
    packaged = _read(package / "sandbox" / "wasm")
    if packaged is not None and packaged.files == files:
        return packaged
    cached = _read(private_directory("runner") / _build.recipe_digest(files)[:32])
    return cached if cached is not None and cached.files == files else None


def locate_runner(package: Path = PACKAGE, *, progress: Progress = announced) -> Runner:
    """Return the runner that holds the files of this installation.

    An installed library carries it. In a source checkout it is built at first use, and again whenever a baked-in file
    has changed, into the user's cache; 8-12 s each time.

    Raises:
        StaleRunnerError: there is no such runner, and it cannot be built here.
    """
    found = find_runner(package)
    if found is None:
        return _build_into_cache(package, _build.baked_files(package), progress)
    if not found.path.is_relative_to(package):
        os.utime(found.path.parent)  # used last: the oldest builds are removed
    return found


def _build_into_cache(package: Path, files: dict[str, str], progress: Progress) -> Runner:
    if not _build.can_build():
        raise StaleRunnerError(_stale_message(files, _read(package / "sandbox" / "wasm")))
    builds = private_directory("runner")
    with locked(builds):
        directory = private_directory("runner", _build.recipe_digest(files)[:32])
        runner = _read(directory)
        if runner is not None and runner.files == files:
            return runner  # another process was faster
        for left in directory.glob(".build-*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        try:
            with progress("Building the guest runner from this source checkout, once for each change", _BUILD_S):
                _build.build_runner(package, directory)
        except (RuntimeError, OSError) as error:
            raise StaleRunnerError(f"The guest runner could not be built: {error}") from error
        for old in prune(builds, "[0-9a-f]*", _KEPT_BUILDS):
            shutil.rmtree(old, ignore_errors=True)
    runner = _read(directory)
    if runner is None:
        raise StaleRunnerError(f"The guest runner built in {directory} is not readable; remove the directory")
    return runner


def _read(directory: Path) -> Runner | None:
    path = directory / _build.RUNNER_NAME
    try:
        sidecar: dict[str, Any] = json.loads((directory / _build.SIDECAR_NAME).read_text(encoding="utf-8"))
        if path.stat().st_size != sidecar["size"]:
            return None
        return Runner(path=path, sha256=sidecar["sha256"], files=sidecar["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _stale_message(files: dict[str, str], packaged: Runner | None) -> str:
    advice = "install componentize-py, so that it can be built here, or reinstall plataforma-sdk from a wheel"
    if packaged is None:
        return f"There is no guest runner in this installation: {advice}"
    changed = sorted(
        name for name in files.keys() | packaged.files.keys() if files.get(name) != packaged.files.get(name)
    )
    return f"The guest runner was built from other files ({', '.join(changed[:5])}): {advice}"
