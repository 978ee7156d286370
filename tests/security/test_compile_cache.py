"""Poisoning the compile cache: what is not compiled here by this policy from this text is not run.

Source: CWE-502; CVE-2014-1402 and CVE-2014-0012 (Jinja2's bytecode cache trusted what it found in a shared directory).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import marshal
import os
from pathlib import Path

import pytest

from plataforma_sdk.errors import GuestError, PolicyError
from plataforma_sdk.sandbox.restricted import CodeStore, CompileCache, RestrictedEngine
from plataforma_sdk.sandbox.restricted._code_store import VARIABLE
from plataforma_sdk.sandbox.restricted._code_version import code_version
from tests.unit.sandbox.restricted.restricted_kit import make_loader

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and owners are POSIX's")

FILE = "vendas.py"
HONEST = """from plataforma_sdk import ModuleFramework, ui
class Vendas(ModuleFramework):
    async def on_load(self):
        pass
    def render(self):
        return ui.text("x")
    def probe(self):
        return "honest"
"""
EVIL = """import os
from pathlib import Path
Path(os.environ["PWNED"]).write_text("pwned")
""" + HONEST.replace("honest", "evil")


@pytest.fixture
def directory(tmp_path, monkeypatch) -> Path:
    """The engine's cache; `EVIL` leaves a file beside it when it runs."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("PWNED", str(tmp_path / "pwned"))
    return tmp_path / "cache"


def evil_code() -> bytes:
    return marshal.dumps(compile(EVIL, FILE, "exec", dont_inherit=True))


def probe(source: str = HONEST, files: dict[str, str] | None = None) -> object:
    """Load a module in a new engine, as a new process would, and call it."""

    async def load() -> object:
        loaded = await make_loader()(source=source, files=files)
        return await loaded.call("probe")

    return asyncio.run(load())


def entry_of_honest(directory: Path) -> Path:
    probe()
    return max(directory.glob("*.code"), key=lambda path: path.stat().st_size)


def plant(path: Path, secret: bytes) -> None:
    """Put evil code in place of an entry, sealed as one who knows the secret would."""
    payload = evil_code()
    seal = hashlib.blake2b(bytes.fromhex(path.stem) + payload, digest_size=32, key=secret, person=b"entry").digest()
    path.write_bytes(seal + payload)


def seals(key: bytes, payload: bytes) -> dict[str, bytes]:
    """What can be computed without the secret."""
    return {
        "no digest": b"",
        "zeros": bytes(32),
        "plain digest": hashlib.blake2b(key + payload, digest_size=32, person=b"entry").digest(),
        "empty secret": hashlib.blake2b(key + payload, digest_size=32, key=b"", person=b"entry").digest(),
        "secret of zeros": hashlib.blake2b(key + payload, digest_size=32, key=bytes(32), person=b"entry").digest(),
        "the version as secret": hashlib.blake2b(key + payload, digest_size=32, key=code_version()).digest(),
        "hmac of the key": hmac.digest(key, payload, "sha256"),
    }


@pytest.mark.parametrize("forgery", sorted(seals(b"", b"")))
def test_an_entry_cannot_be_forged_without_the_secret(directory, tmp_path, forgery):
    """The key and the file's name are public: they are digests of public things. Source: CVE-2014-1402."""
    path = entry_of_honest(directory)
    payload = evil_code()
    path.write_bytes(seals(bytes.fromhex(path.stem), payload)[forgery] + payload)

    assert probe() == "honest"
    assert not (tmp_path / "pwned").exists()


def test_the_forgery_would_be_run_if_it_had_the_secret(directory, tmp_path):
    """The attack works but for the secret; a test that cannot fail proves nothing."""
    plant(entry_of_honest(directory), (directory / ".secret").read_bytes())
    code = CompileCache(store=CodeStore(directory)).compile(HONEST, FILE)

    assert "PWNED" in code.co_consts


def test_code_under_the_name_of_another_is_not_run(directory):
    """One module's own, true entry put in place of another's. Source: CWE-354."""
    path = entry_of_honest(directory)
    before = set(directory.glob("*.code"))
    probe(HONEST.replace("honest", "other"))
    (other,) = set(directory.glob("*.code")) - before
    path.write_bytes(other.read_bytes())

    assert probe() == "honest"


def test_what_an_older_policy_let_through_is_not_run(directory):
    """After an upgrade that closes a hole, the text is refused, though its code lies there. Source: CVE-2023-37271."""
    refused = HONEST.replace('return "honest"', "return (lambda: 0).__globals__")
    older = CodeStore(directory, version=lambda: b"older")
    digest = hashlib.sha256(refused.encode()).digest()
    older.save(digest, FILE, marshal.dumps(compile(refused, FILE, "exec")))
    assert older.load(digest, FILE) is not None

    with pytest.raises(PolicyError):
        probe(refused)


def test_a_planted_directory_is_not_used(directory, tmp_path):
    """Made beforehand by somebody who knows the name, open to them, and full. Source: CVE-2014-0012."""
    plant(entry_of_honest(directory), bytes(32))
    (directory / ".secret").write_bytes(bytes(32))
    directory.chmod(0o777)

    assert probe() == "honest"
    assert not (tmp_path / "pwned").exists()


def test_a_planted_secret_that_others_may_read_is_not_used(directory, tmp_path):
    """A directory that is ours, with a secret that somebody else knows. Source: CWE-732."""
    plant(entry_of_honest(directory), bytes(32))
    (directory / ".secret").write_bytes(bytes(32))
    (directory / ".secret").chmod(0o644)

    assert probe() == "honest"
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "name",
    ["{stem}.code", "../cache/{stem}.code", "__pycache__/vendas.cpython-313.pyc", ".secret", "{directory}/{stem}.code"],
    ids=["entry", "path to the entry", "pyc", "secret", "absolute"],
)
def test_a_package_supplies_no_entries(directory, tmp_path, name):
    """Its files are texts under their names, whatever the names are. Source: CWE-22."""
    path = entry_of_honest(directory)
    before = {file.name: file.read_bytes() for file in directory.iterdir()}
    files = {name.format(stem=path.stem, directory=directory): evil_code().decode("latin-1")}

    assert probe(files=files) == "honest"
    assert {file.name: file.read_bytes() for file in directory.iterdir()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["cache"]


@pytest.mark.parametrize(
    "name", ["marshal", "plataforma_sdk.sandbox.restricted", "plataforma_sdk.sandbox._private", "importlib"]
)
def test_a_module_cannot_reach_the_cache(directory, name):
    """Neither the engine's nor the store's names can be imported by a module."""
    with pytest.raises(GuestError, match="not available in the restricted tier"):
        probe(f"import {name}\n{HONEST}")


def test_the_engine_is_the_one_that_hosts_make(directory):
    """`RestrictedEngine()` uses the directory that these cases poison."""
    assert RestrictedEngine()._cache._store._directory == directory
