"""What the launcher tells of modules: names and icons that are theirs, and not the desktop's."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from plataforma_sdk import ModuleHost, ModulePackage
from plataforma_sdk.web.desktop._launcher import Launcher

PLAIN = ModulePackage.from_source("class Loja: pass", id="acme/loja")


def shown(tmp_path: Path, **manifest: str) -> tuple[str, str | None]:
    """Return the name and the icon that a page is told of a module."""
    directory = tmp_path / "loja"
    directory.mkdir()
    (directory / "module.py").write_text("class Loja: pass")
    changed = attrs.evolve(PLAIN.manifest, **manifest)
    (directory / "module.toml").write_text(changed.to_toml())
    (entry,) = Launcher(ModuleHost(), [ModulePackage.from_directory(directory)]).list()
    return entry["name"], entry["icon"]


def test_a_module_is_shown_with_the_icon_of_its_manifest(tmp_path: Path) -> None:
    assert shown(tmp_path, name="Loja", icon="cart") == ("Loja", "cart")


def test_a_module_without_an_icon_has_none(tmp_path: Path) -> None:
    assert shown(tmp_path, name="Loja") == ("Loja", None)


@pytest.mark.parametrize("icon", ["shield", "gear", "cpu", "lock", "key"])
def test_no_module_wears_an_icon_of_the_desktop(tmp_path: Path, icon: str) -> None:
    assert shown(tmp_path, name="Loja", icon=icon) == ("Loja", None)


@pytest.mark.parametrize("name", ["Sistema", "SYSTEM", " S y s t e m ", "Ｓｙｓｔｅｍ", "· · ·"])
def test_no_module_goes_by_the_name_of_the_desktop(tmp_path: Path, name: str) -> None:
    assert shown(tmp_path, name=name)[0] == "acme/loja"
