"""Wheels that a package carries: named, compared, counted."""

from __future__ import annotations

import hashlib

import pytest

from plataforma_sdk.errors import ManifestError
from plataforma_sdk.manifest import Manifest
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.package import _wheels as wheels

SOURCE = "from plataforma_sdk import ModuleFramework\n"
NAME = "wheels/colours-1.0-py3-none-any.whl"
HEAD = 'id = "m"\nversion = "1.0.0"\nentry = "module"\n'


def digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def package(files, declared):
    return ModulePackage.from_source(SOURCE, id="m", files=files, wheels=declared)


def test_a_named_wheel_is_carried_under_its_file_name():
    made = package({NAME: b"zip"}, {NAME: digest(b"zip")})
    assert made.wheels == {"colours-1.0-py3-none-any.whl": b"zip"}
    assert Manifest.parse(made.manifest.to_toml()) == made.manifest
    assert ModulePackage.from_archive(made.to_bytes()).digest == made.digest


def test_a_wheel_is_no_asset():
    made = package({NAME: b"zip"}, {NAME: digest(b"zip")})
    with pytest.raises(Exception, match="no asset"):
        made.read_asset(NAME)


@pytest.mark.parametrize(
    ("files", "declared", "problem"),
    [
        pytest.param({NAME: b"zip"}, {}, digest(b"zip"), id="not named: the line to add is printed"),
        pytest.param({NAME: b"zip"}, {NAME: digest(b"zap")}, "is another file", id="another content"),
        pytest.param({}, {NAME: digest(b"zip")}, "no file of the package", id="missing"),
        pytest.param({NAME: b"zip"}, {NAME: "sha256:12"}, "sha256sum", id="no digest"),
    ],
)
def test_faults_are_told(files, declared, problem):
    with pytest.raises(ManifestError, match=problem):
        package(files, declared)


@pytest.mark.parametrize(
    "name",
    [
        "wheels/colours-1.0-cp313-cp313-manylinux_2_28_x86_64.whl",
        "wheels/colours-1.0-py2-none-any.whl",
        "wheels/colours-1.0-cp313-none-any.whl",
        "wheels/colours-1.0.tar.gz",
        "../colours-1.0-py3-none-any.whl",
        "wheels/colours.whl",
    ],
)
def test_only_pure_python_is_named(name):
    with pytest.raises(ManifestError, match="pure Python"):
        Manifest.parse(f'{HEAD}[wheels]\n"{name}" = "{digest(b"")}"')


@pytest.mark.parametrize("name", ["six-1.17.0-py2.py3-none-any.whl", "a/b/x-1.0-1-py3-none-any.whl"])
def test_the_names_of_the_index_are_admitted(name):
    assert Manifest.parse(f'{HEAD}[wheels]\n"{name}" = "{digest(b"")}"').wheels == {name: digest(b"")}


def test_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(wheels, "MAX_WHEEL_BYTES", 2)
    with pytest.raises(ManifestError, match="at most 64, of 2 bytes"):
        package({NAME: b"zip"}, {NAME: digest(b"zip")})
