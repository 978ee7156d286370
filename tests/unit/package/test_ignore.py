"""What a directory holds beside the module stays out of the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from plataforma_sdk import ManifestError, ModulePackage

MANIFEST = 'id = "shop"\nversion = "1.0.0"\nentry = "shop"\n'
SOURCE = "from plataforma_sdk import ModuleFramework\n"
BESIDE = [
    "tests/test_shop.py",
    "tests/data/rows.json",
    "snapshots/test_shop.txt",
    "sub/snapshots/a.txt",
    "test_shop.py",
    "conftest.py",
    "build/shop.o",
    "dist/shop-1.0.0.zip",
    "shop.egg-info/PKG-INFO",
    "__pycache__/shop.pyc",
    "node_modules/x/index.js",
    ".env",
    "shop.py~",
]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name in ("shop.py", "sub/__init__.py", "data/rows.json", *BESIDE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SOURCE)
    (tmp_path / "module.toml").write_text(MANIFEST)
    return tmp_path


def test_only_the_module_is_in_its_package(shop: Path) -> None:
    package = ModulePackage.from_directory(shop)
    assert sorted(package.files) == ["data/rows.json", "module.toml", "shop.py", "sub/__init__.py"]


def test_tests_come_along_where_they_are_asked_for(shop: Path) -> None:
    files = ModulePackage.from_directory(shop, with_tests=True).files
    assert {"tests/test_shop.py", "snapshots/test_shop.txt", "conftest.py"} <= set(files)
    assert not {"build/shop.o", ".env", "__pycache__/shop.pyc"} & set(files)


def test_the_author_leaves_more_out_and_takes_some_back(shop: Path) -> None:
    (shop / ".plataformaignore").write_text("# data is fetched\n/data/\n!build/\n!*.o\n")
    files = ModulePackage.from_directory(shop).files
    assert "data/rows.json" not in files
    assert "build/shop.o" in files


def test_patterns_that_are_not_understood_are_faults_with_their_lines(shop: Path) -> None:
    (shop / ".plataformaignore").write_text("data/**\nshop.py\n!\n")
    with pytest.raises(ManifestError) as caught:
        ModulePackage.from_directory(shop)
    assert [fault.where for fault in caught.value.faults] == [".plataformaignore:1", ".plataformaignore:3"]


def test_the_digest_does_not_change_with_the_tests(shop: Path) -> None:
    before = ModulePackage.from_directory(shop).digest
    (shop / "tests" / "test_more.py").write_text(SOURCE)
    assert ModulePackage.from_directory(shop).digest == before
