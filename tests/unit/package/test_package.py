"""Packages: one content, one digest, wherever it came from."""

from __future__ import annotations

import hashlib

import pytest

from plataforma_sdk.errors import HostCallError, IntegrityError, ManifestError
from plataforma_sdk.package import ModulePackage

MANIFEST = b"""id = "vendas"
version = "1.0.0"
entry = "vendas:VendasModule"
"""
SOURCE = b"""from plataforma_sdk import ModuleFramework
class VendasModule(ModuleFramework): ...
"""
FILES = {"module.toml": MANIFEST, "vendas.py": SOURCE, "logo.svg": b"<svg/>", "partes/util.py": b"x = 1\n"}


@pytest.fixture
def directory(tmp_path):
    root = tmp_path / "vendas"
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def test_a_directory_and_its_archive_have_one_digest(directory, tmp_path):
    package = ModulePackage.from_directory(directory)
    archived = ModulePackage.from_archive(package.write(tmp_path / "vendas.zip"))
    assert archived.digest == package.digest
    assert dict(archived.files) == FILES


def test_equal_content_gives_equal_bytes():
    shuffled = dict(reversed(list(FILES.items())))
    assert ModulePackage.from_files(FILES).to_bytes() == ModulePackage.from_files(shuffled).to_bytes()


def test_another_content_gives_another_digest():
    other = {**FILES, "logo.svg": b"<svg> </svg>"}
    assert ModulePackage.from_files(other).digest != ModulePackage.from_files(FILES).digest


def test_content_cannot_slide_into_a_name():
    one = ModulePackage.from_files({**FILES, "a": b"b c"})
    two = ModulePackage.from_files({**FILES, "a b": b"c"})
    assert one.digest != two.digest


def test_hidden_files_and_caches_are_left_out(directory):
    (directory / ".env").write_text("SECRET=1")
    (directory / "__pycache__").mkdir()
    (directory / "__pycache__" / "vendas.cpython-313.pyc").write_bytes(b"")
    assert set(ModulePackage.from_directory(directory).files) == set(FILES)


def test_sources_are_the_python_files():
    assert set(ModulePackage.from_files(FILES).sources) == {"vendas.py", "partes/util.py"}


def test_a_missing_manifest_says_so():
    with pytest.raises(ManifestError, match=r"module\.toml"):
        ModulePackage.from_files({"vendas.py": SOURCE})


def test_a_missing_entry_file_is_a_fault():
    with pytest.raises(ManifestError, match=r"has no vendas\.py"):
        ModulePackage.from_files({"module.toml": MANIFEST})


def test_a_missing_entry_class_is_a_fault():
    with pytest.raises(ManifestError, match="no class 'VendasModule'"):
        ModulePackage.from_files({"module.toml": MANIFEST, "vendas.py": b"x = 1"})


def test_faults_of_manifest_and_sources_come_together():
    with pytest.raises(ManifestError) as caught:
        ModulePackage.from_files({"module.toml": MANIFEST.replace(b"1.0.0", b"one"), "vendas.py": b"\xff"})
    assert len(caught.value.faults) == 2


def test_an_asset_is_read():
    assert ModulePackage.from_files(FILES).read_asset("logo.svg") == b"<svg/>"


@pytest.mark.parametrize("path", ["vendas.py", "module.toml", "../x", "nope"])
def test_what_is_no_asset_is_not(path):
    with pytest.raises(HostCallError, match="no asset"):
        ModulePackage.from_files(FILES).read_asset(path)


def test_a_source_becomes_a_package():
    package = ModulePackage.from_source(
        SOURCE.decode(), id="acme/vendas", permissions=["api.vendas[GET]"], entry="VendasModule"
    )
    assert (package.id, package.version, package.entry_file) == ("acme/vendas", "0.1.0", "module.py")
    assert package.entry_class == "VendasModule"
    assert package.manifest.permissions.required.keys() == {"api.vendas[GET]"}


def test_a_package_of_a_source_survives_its_archive():
    package = ModulePackage.from_source(SOURCE.decode(), id="vendas", permissions=["system.storage"])
    again = ModulePackage.from_archive(package.to_bytes())
    assert again.digest == package.digest
    assert again.manifest.permissions == package.manifest.permissions


def test_a_bad_permission_of_a_source_is_a_fault():
    with pytest.raises(ManifestError, match="Data"):
        ModulePackage.from_source("", id="vendas", permissions=["Data.read"])


def test_a_component_needs_its_manifest_beside_it(tmp_path):
    (tmp_path / "vendas.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    with pytest.raises(ManifestError, match=r"vendas\.toml"):
        ModulePackage.from_path(tmp_path / "vendas.wasm")


def test_a_component_is_read_with_its_manifest(tmp_path):
    (tmp_path / "vendas.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    (tmp_path / "vendas.toml").write_text('id = "vendas"\nversion = "1.0.0"\nentry = "vendas.wasm"\n')
    assert ModulePackage.from_path(tmp_path / "vendas.wasm").is_component


def test_writing_leaves_nothing_beside(directory, tmp_path):
    ModulePackage.from_directory(directory).write(tmp_path / "out.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.zip", "vendas"]


def test_a_directory_that_is_none_is_refused(tmp_path):
    with pytest.raises(IntegrityError, match="no directory"):
        ModulePackage.from_directory(tmp_path / "nowhere")


WHEEL = "w-1-py3-none-any.whl"
WHEEL_DIGEST = f"sha256:{hashlib.sha256(b'w').hexdigest()}"


@pytest.mark.parametrize(
    ("settings", "tiers"),
    [
        ({}, ("trusted", "restricted", "wasm")),
        ({"exclude": ["trusted", "wasm"]}, ("restricted",)),
        ({"wheels": {WHEEL: WHEEL_DIGEST}, "files": {WHEEL: b"w"}}, ("trusted", "wasm")),
    ],
    ids=["any", "excluded", "wheels"],
)
def test_the_tiers_that_it_may_run_in(settings, tiers):
    assert ModulePackage.from_source("class A: ...", id="a", **settings).tiers == tiers
