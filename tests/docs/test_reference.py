"""The site builds without a warning, and its reference describes every public name."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import plataforma_sdk

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "api",
    "codec",
    "errors",
    "events",
    "integrations",
    "integrations.django",
    "integrations.fastapi",
    "integrations.flask",
    "logs",
    "manifest",
    "module",
    "package",
    "permissions",
    "plugins",
    "registry",
    "registry.backends",
    "registry.rules",
    "registry.trust",
    "runtime",
    "sandbox",
    "sandbox.restricted",
    "sandbox.restricted.process",
    "sandbox.trusted",
    "sandbox.wasm",
    "security",
    "services",
    "sync",
    "testing",
    "types",
    "ui",
    "windows",
    "web",
    "web.charts",
    "web.desktop",
    "web.registry",
    "workers",
)
BUILD_TIMEOUT_S = 180

pytestmark = pytest.mark.timeout(BUILD_TIMEOUT_S)


def described(site: Path) -> set[str]:
    """Build the site and return the dotted name of every Python object that it describes."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(ROOT / "docs"), str(site)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.stderr == ""
    assert built.returncode == 0
    assert [page.name for page in site.rglob("*.html") if "attr_dict" in page.read_text("utf-8")] == []  # see conf.py
    *_header, packed = (site / "objects.inv").read_bytes().split(b"\n", 4)
    lines = zlib.decompress(packed).decode().splitlines()
    return {line.split()[0] for line in lines if line.split()[1].startswith("py:")}


def is_described(room: str, name: str, found: set[str]) -> bool:
    """Tell whether a name is described in its room, or the very same object among the public names."""
    if f"{room}.{name}" in found:
        return True
    is_public = name in plataforma_sdk.__all__
    same = is_public and getattr(plataforma_sdk, name) is getattr(importlib.import_module(room), name)
    return same and f"plataforma_sdk.{name}" in found


def test_the_site_builds_without_a_warning_and_describes_every_name(tmp_path: Path) -> None:
    """A name without a docstring, or without a string under it, is not described: autodoc leaves it out."""
    pytest.importorskip("sphinx", reason="the session 'docs' has it: nox -s docs")
    found = described(tmp_path)
    absent = {
        f"{room}.{name}"
        for room in (f"plataforma_sdk.{room}" for room in ROOMS)
        for name in importlib.import_module(room).__all__
        if not is_described(room, name, found)
    }
    errors = set(plataforma_sdk.errors.__all__)  # described in their room alone
    public = set(plataforma_sdk.__all__) - errors - {"__version__"}
    absent |= {f"plataforma_sdk.{name}" for name in public if f"plataforma_sdk.{name}" not in found}
    assert sorted(absent) == []


def test_every_room_is_among_those_whose_names_are_looked_for() -> None:
    """A new room has to be described, too."""
    package = Path(plataforma_sdk.__file__).parent
    rooms = {path.parent.name for path in package.glob("[!_]*/__init__.py")}
    files = {path.stem for path in package.glob("[!_]*.py")}
    assert rooms | files <= {*ROOMS, "cli"}  # whose page is written by hand
