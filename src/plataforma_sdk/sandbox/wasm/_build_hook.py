"""Hatch build hook: puts the guest runner into the wheel, so that an installed library needs no build tool.

An editable install has no wheel to put it in; there the runner is built at first use, into the user's cache.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_INSIDE = "plataforma_sdk/sandbox/wasm"
_HERE = f"src/{_INSIDE}"


class GuestRunnerHook(BuildHookInterface[Any]):
    """Builds the runner into ``build/`` and includes it as package data."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless this is an editable install or the runner of the same recipe is there."""
        if self.target_name != "wheel" or version == "editable":
            return
        builder = self._load_builder()
        package = Path(self.root, "src", "plataforma_sdk")
        target = Path(self.root, "build", "runner")
        target.mkdir(parents=True, exist_ok=True)
        self.app.display_info("Building the guest runner (CPython as WebAssembly), about 10 s ...")
        sidecar = builder.build_runner(package, target)
        self.app.display_info(f"Guest runner: {sidecar['size'] / 1e6:.1f} MB, sha256 {sidecar['sha256'][:16]}")
        for name in (builder.RUNNER_NAME, builder.SIDECAR_NAME):
            build_data["force_include"][str(target / name)] = f"{_INSIDE}/{name}"
        for name, text in builder.licence_files().items():
            build_data["force_include"][str(text)] = f"{_INSIDE}/licences/{name}"

    def _load_builder(self) -> ModuleType:
        """Load `_build` by its path: the library is not installed where it is being built."""
        spec = importlib.util.spec_from_file_location("_plataforma_build", Path(self.root, _HERE, "_build.py"))
        if spec is None or spec.loader is None:
            raise RuntimeError(f"{_HERE}/_build.py is missing from the source tree")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
