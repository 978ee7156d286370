"""The example of a registry of one's own; `tests/conformance/registry` runs the expectations of a backend on it."""

from __future__ import annotations

import tomllib
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "examples" / "registry-plugin"


def test_its_entry_point_names_the_file_with_the_hook():
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    (module,) = project["entry-points"]["plataforma_sdk"].values()
    assert "\n@hookimpl\ndef plataforma_registry_backend(" in (EXAMPLE / f"{module}.py").read_text("utf-8")
