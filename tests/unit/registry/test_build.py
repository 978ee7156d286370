"""What is published beside a package: the bill of materials, the facts of the build, compressed assets."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import zipfile

import pytest

from plataforma_sdk.registry import _assets
from plataforma_sdk.registry._build import build
from tests.conformance.registry._releases import make_release


def attachment(built, name: str) -> bytes:
    return built.blobs[built.release.attachments[name].digest]


def test_the_same_package_builds_to_the_same_bytes(make_package):
    files = {"assets/a.css": b"a { color: red }\n" * 100}
    first, second = (build(make_package(files=files), {}) for _ in range(2))
    assert first.blobs == second.blobs
    assert first.release == second.release


def test_the_bill_of_materials_names_the_module_its_wheels_and_its_dependencies(make_package):
    needed, _ = make_release("clientes", "1.4.0", licence="MIT", dependencies={"base": "^2"})
    base, _ = make_release("base", "2.0.0")
    package = make_package(id="acme/vendas", more='[dependencies]\nclientes = "^1"')
    bill = json.loads(attachment(build(package, {"clientes": needed, "base": base}), "sbom"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    itself = bill["metadata"]["component"]
    assert itself["purl"] == "pkg:generic/acme/vendas@1.0.0"
    assert itself["licenses"] == [{"expression": "MIT"}]
    assert [(item["name"], item["version"]) for item in bill["components"]] == [
        ("base", "2.0.0"),
        ("clientes", "1.4.0"),
    ]
    edges = {item["ref"]: item["dependsOn"] for item in bill["dependencies"]}
    assert edges == {
        "pkg:generic/acme/vendas@1.0.0": ["pkg:generic/clientes@1.4.0"],
        "pkg:generic/clientes@1.4.0": ["pkg:generic/base@2.0.0"],
        "pkg:generic/base@2.0.0": [],
    }


def test_a_wheel_is_a_component_with_its_digest(make_package):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        wheel.writestr("tiny_thing/__init__.py", "")
        wheel.writestr("tiny_thing-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.2\n")
        wheel.writestr(
            "tiny_thing-1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\nRoot-Is-Purelib: true\n"
        )
        wheel.writestr("tiny_thing-1.2.dist-info/RECORD", "")
    data, path = buffer.getvalue(), "wheels/tiny_thing-1.2-py3-none-any.whl"
    digest = hashlib.sha256(data).hexdigest()
    built = build(make_package(more=f'[wheels]\n"{path}" = "sha256:{digest}"', files={path: data}), {})
    (component,) = json.loads(attachment(built, "sbom"))["components"]
    assert component["purl"] == "pkg:pypi/tiny-thing@1.2"
    assert component["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert built.release.excluded_tiers == ("restricted",)


def test_the_facts_of_a_build_name_the_entry_the_tiers_and_every_asset(make_package):
    text = b"a { color: red }\n" * 100
    facts = json.loads(attachment(build(make_package(files={"a.css": text}), {}), "build"))
    assert facts["entry"] == "vendas.py:Vendas"
    assert facts["tiers"] == ["trusted", "restricted", "wasm"]
    assert facts["assets"]["a.css"]["digest"] == f"sha256:{hashlib.sha256(text).hexdigest()}"


def test_an_asset_is_compressed_where_that_saves_something(make_package, monkeypatch):
    monkeypatch.setattr(_assets, "encoders", lambda: {"gzip": lambda data: gzip.compress(data, 9, mtime=0)})
    text = b"a { color: red }\n" * 100
    built = build(make_package(files={"a.css": text, "noise.bin": hashlib.sha256(b"").digest() * 9, "b.css": b"a"}), {})
    with zipfile.ZipFile(io.BytesIO(attachment(built, "assets"))) as archive:
        copies = {name: archive.read(name) for name in archive.namelist()}
    assert gzip.decompress(copies["gzip/a.css"]) == text
    assert "gzip/b.css" not in copies


@pytest.mark.parametrize(
    ("head", "is_compressed"),
    [pytest.param(0, False, id="dense all over"), pytest.param(9_000, True, id="a stretch of zeros in it")],
)
def test_a_large_asset_is_compressed_in_whole_only_where_samples_promise_something(make_package, head, is_compressed):
    noise = random.Random(7).randbytes(70_000)
    data = noise[:30_000] + bytes(head) + noise[30_000:]
    facts = json.loads(attachment(build(make_package(files={"a.bin": data}), {}), "build"))
    assert ("gzip" in facts["assets"]["a.bin"]["encodings"]) is is_compressed


def test_brotli_is_used_where_it_is_installed(make_package, monkeypatch):
    brotli = pytest.importorskip("brotli")
    text = b"a { color: red }\n" * 100
    table, archive = _assets.compress_assets(make_package(files={"a.css": text}))
    assert set(table["a.css"]["encodings"]) == {"br", "gzip"}
    with zipfile.ZipFile(io.BytesIO(archive)) as copies:
        assert brotli.decompress(copies.read("br/a.css")) == text


def test_no_compiled_code_is_published(make_package):
    built = build(make_package(), {})
    assert set(built.release.attachments) == {"sbom", "build"}
    with zipfile.ZipFile(io.BytesIO(built.blobs[built.release.archive.digest])) as archive:
        assert sorted(archive.namelist()) == ["module.toml", "vendas.py"]
