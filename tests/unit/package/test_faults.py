"""Faults of sources, found without running anything; and the bytes of an archive."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from plataforma_sdk.errors import IntegrityError, ManifestError
from plataforma_sdk.package import MAX_FILE_BYTES, MAX_FILES, ModulePackage
from plataforma_sdk.package._faults import source_faults

HEAD = 'id = "vendas"\nversion = "1.0.0"\n'


def package(source: bytes, files: Mapping[str, bytes] | None = None, *, entry: str = "vendas:Vendas") -> ModulePackage:
    toml = f'{HEAD}entry = "{entry}"\n'.encode()
    return ModulePackage.from_files({"module.toml": toml, "vendas.py": source, **(files or {})})


@pytest.mark.parametrize(
    "source",
    [
        b"class Vendas: ...",
        b"from .telas import Vendas",
        b"from telas import Loja as Vendas",
        b"from .telas import *",
        b"Vendas = make()",
        b"try:\n    class Vendas: ...\nexcept ImportError:\n    pass",
        b"if True:\n    from a import Vendas",
        b"class Vendas",
        b"\xef\xbb\xbfclass Vendas: ...",
        b"x = '\\d'\nclass Vendas: ...",
    ],
    ids=["class", "import", "alias", "star", "assigned", "try", "if", "syntax error", "mark", "warning"],
)
def test_an_entry_class_that_may_be_bound_is_accepted(source: bytes) -> None:
    """What does not parse is left to the engine, which names the line: the guest may run a newer Python."""
    assert package(source).entry_class == "Vendas"


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"def make():\n    class Vendas: ...",
        b"class Loja:\n    class Vendas: ...",
        b"print(Vendas)",
        b"# class Vendas",
    ],
    ids=["empty", "in a function", "in a class", "used", "comment"],
)
def test_an_entry_class_that_is_not_bound_is_a_fault(source: bytes) -> None:
    with pytest.raises(ManifestError, match="no class 'Vendas'"):
        package(source)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"x = '\xe9'", "not UTF-8 at byte 5"),
        (b"# -*- coding: latin-1 -*-\n", "coding line says iso-8859-1"),
        (b"# coding: utf-7\n", "coding line says"),
        (b"# coding: nonsense\n", "coding line says an unknown encoding"),
    ],
)
def test_a_source_in_another_encoding_is_a_fault(content: bytes, problem: str) -> None:
    """One text for a scanner and another for the interpreter. Source: PEP 263."""
    with pytest.raises(ManifestError, match=problem):
        package(b"class Vendas: ...", {"util.py": content})


def test_a_byte_order_mark_is_no_part_of_a_source() -> None:
    assert package(b"\xef\xbb\xbfclass Vendas: ...").sources["vendas.py"] == "class Vendas: ..."


@pytest.mark.parametrize("content", [b"(" * 100_000, b"-" * 200_000 + b"1", b"x\0y"], ids=["brackets", "signs", "nul"])
def test_a_source_that_breaks_the_parser_does_not_break_the_package(content: bytes) -> None:
    assert package(content).entry_file == "vendas.py"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\0asm\2\0\0\0", "the unknown version 02 00 00 00"),
        (b"\0asm\x0a\0\1\0", "the unknown version 0a 00 01 00"),
        (b"\0asm", "the unknown version"),
        (b"MZ", "is no WebAssembly"),
        (b"", "is no WebAssembly"),
    ],
)
def test_an_entry_of_webassembly_is_one(content: bytes, problem: str) -> None:
    with pytest.raises(ManifestError, match=problem):
        package(b"", {"vendas.wasm": content}, entry="vendas.wasm")


@pytest.mark.parametrize("content", [b"\0asm\1\0\0\0", b"\0asm\x0d\0\1\0"], ids=["core", "component"])
def test_an_entry_may_be_a_core_module_or_a_component(content: bytes) -> None:
    assert package(b"", {"vendas.wasm": content}, entry="vendas.wasm").is_component


def test_an_entry_may_be_a_package_of_python() -> None:
    files = {"vendas/__init__.py": b"class Vendas: ...", "module.toml": f'{HEAD}entry = "vendas:Vendas"'.encode()}
    assert ModulePackage.from_files(files).entry_file == "vendas/__init__.py"


def test_a_manifest_one_directory_too_deep_is_pointed_out() -> None:
    with pytest.raises(ManifestError, match=r"there is 'vendas/module\.toml'"):
        ModulePackage.from_files({"vendas/module.toml": HEAD.encode()})


def test_faults_of_manifest_entry_and_sources_come_together() -> None:
    toml = b'id = "Vendas"\nversion = "1"\nentry = "vendas:Vendas"\nlicense = "MIT"\n'
    with pytest.raises(ManifestError) as caught:
        ModulePackage.from_files({"module.toml": toml, "vendas.py": b"", "util.py": b"\xff"})
    assert len(caught.value.faults) == 5


def test_too_many_files_are_refused() -> None:
    with pytest.raises(IntegrityError, match="more than a package may"):
        package(b"class Vendas: ...", {f"f{number}": b"" for number in range(MAX_FILES)})


def test_a_file_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "module.toml").write_text('id = "vendas"\nversion = "1.0.0"\n')
    with (tmp_path / "big.bin").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(IntegrityError, match="larger than"):
        ModulePackage.from_directory(tmp_path)


def test_an_archive_is_the_same_bytes_on_every_python() -> None:
    """Stored, sorted, without times: nothing depends on the version of zlib or on the clock."""
    archive = package(b"class Vendas: ...\n", {"a.txt": b"a"}).to_bytes()
    assert hashlib.sha256(archive).hexdigest() == "e5fb10d5ec950d6a0c196cfbd251df86a9b2388fe6aeba8b88dca87f8a120bb3"


def test_a_digest_is_the_same_for_ever() -> None:
    """Registries are addressed by it: changing it is a new format."""
    assert (
        package(b"class Vendas: ...\n").digest
        == "sha256:3320158bc897017789c6326ffc762f9dc6df67dec36b459ef6fff12bbb96621a"
    )


def test_a_source_that_is_too_large_is_a_fault() -> None:
    """CWE-400: 2.6 MB of dense source took a parser eleven seconds and more than a gigabyte."""
    faults = list(source_faults({"vendas.py": b"a = 1\n" * 100_000}))
    assert [(fault.where, fault.advice) for fault in faults] == [("vendas.py", "split it, or keep data in an asset")]
