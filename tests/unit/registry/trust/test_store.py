"""Keys on the disk, and the command that keeps them."""

from __future__ import annotations

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("cryptography")

from plataforma_sdk.cli._app import app
from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, RegistryError
from plataforma_sdk.registry.trust import KeyStore, Pin, PinStore, SigningKey, read_rotations

KEY = "ed25519:" + "a1" * 32


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


def test_a_key_is_made_and_read_again(store: KeyStore, tmp_path: Path) -> None:
    made = store.new("maria")
    assert store.load("maria").fingerprint == made.fingerprint
    assert (tmp_path / "keys" / "maria.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_a_key_shows_no_secret(store: KeyStore) -> None:
    made = store.new("maria")
    assert made.to_text().split()[-1] not in repr(made)


def test_a_key_is_never_replaced(store: KeyStore) -> None:
    store.new("maria")
    with pytest.raises(RegistryError, match="There is a key 'maria' already"):
        store.new("maria")


@pytest.mark.parametrize("name", ["", "../maria", "a/b", "Maria", "a" * 65, "a\n"])
def test_a_name_that_is_none_is_refused(store: KeyStore, name: str) -> None:
    with pytest.raises(RegistryError, match="is no name of a key"):
        store.new(name)


def test_a_key_that_is_not_there_says_how_to_make_it(store: KeyStore) -> None:
    with pytest.raises(PackageNotFoundError, match="plataforma key new maria"):
        store.load("maria")


def test_a_key_that_others_can_read_is_not_used(store: KeyStore, tmp_path: Path) -> None:
    store.new("maria")
    (tmp_path / "keys" / "maria.key").chmod(0o644)
    with pytest.raises(IntegrityError, match="open to others"):
        store.load("maria")


def test_a_link_in_the_place_of_a_key_is_not_followed(store: KeyStore, tmp_path: Path) -> None:
    store.new("maria")
    (tmp_path / "keys" / "rui.key").symlink_to(tmp_path / "keys" / "maria.key")
    with pytest.raises(IntegrityError, match="is a link"):
        store.load("rui")


def test_revocations_of_one_moment_are_all_kept(tmp_path: Path) -> None:
    keys = [f"ed25519:{number:064x}" for number in range(16)]
    with ThreadPoolExecutor(len(keys)) as pool:  # a store each: the lock of the directory holds between processes
        list(pool.map(lambda key: KeyStore(tmp_path / "keys").revoke(key), keys))
    assert KeyStore(tmp_path / "keys").revoked == frozenset(keys)


def full_disk(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_no_half_of_a_key(store: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", full_disk)
        with pytest.raises(RegistryError, match=r"'maria' cannot be written to .* .No space left on device"):
            store.new("maria")
    assert not list((tmp_path / "keys").glob("*maria*"))
    assert store.new("maria").fingerprint == store.load("maria").fingerprint


def test_a_full_disk_leaves_what_was_revoked(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.revoke(KEY)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", full_disk)
        with pytest.raises(RegistryError, match="What is trusted cannot be written"):
            store.trust("ed25519:" + "b2" * 32)
    assert store.revoked == {KEY}


@pytest.mark.parametrize("text", ["", "plataforma-signing-key ed25519 00\n", "-----BEGIN PRIVATE KEY-----"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError, match="no signing key of plataforma"):
        SigningKey.from_text(text)


def test_a_revoked_key_is_never_trusted_again(store: KeyStore) -> None:
    store.trust(KEY, "Rui")
    assert store.trusted == {KEY}
    store.revoke(KEY, "stolen")
    assert (store.trusted, store.revoked) == (frozenset(), {KEY})
    with pytest.raises(IntegrityError, match="was revoked, which is for ever"):
        store.trust(KEY)


def test_every_key_is_listed(store: KeyStore) -> None:
    own, gone = store.new("maria"), store.new("old")
    store.trust(KEY, "Rui")
    store.revoke(gone.fingerprint, "stolen")
    assert [(key.status, key.note) for key in store.list()] == [
        ("own", "maria"),
        ("trusted", "Rui"),
        ("revoked", "stolen"),
    ]
    assert store.list()[0].fingerprint == own.fingerprint


@pytest.mark.parametrize("text", ["", "{}", '{"trusted":[],"revoked":{}}', '{"trusted":{"x":""},"revoked":{}}'])
def test_a_damaged_list_trusts_nobody_and_forgets_nobody(store: KeyStore, tmp_path: Path, text: str) -> None:
    store.trust(KEY)
    (tmp_path / "keys" / "keys.json").write_text(text)
    with pytest.raises(IntegrityError):
        _ = store.revoked


# --- the command ---


def run(*arguments: str, state: Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["key", *arguments, "--state", str(state)])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_makes_trusts_revokes_and_lists(tmp_path: Path) -> None:
    code, made, _ = run("new", "maria", state=tmp_path)
    assert (code, made.strip()) == (0, KeyStore(tmp_path / "keys").load("maria").fingerprint)
    assert run("trust", KEY, "--note", "Rui", state=tmp_path)[0] == 0
    assert run("revoke", made.strip(), "--reason", "stolen", state=tmp_path)[0] == 0
    code, listed, _ = run("list", "--json", state=tmp_path)
    assert code == 0
    assert [(key["status"], key["note"]) for key in json.loads(listed)] == [("trusted", "Rui"), ("revoked", "stolen")]


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    code, out, err = run("trust", "maria", state=tmp_path)
    assert (code, out) == (1, "")
    assert "'maria' is no fingerprint of a key" in err


def test_an_empty_list_says_what_to_do(tmp_path: Path) -> None:
    assert run("list", state=tmp_path)[1] == "No keys. Make one: plataforma key new NAME\n"


def test_the_command_passes_a_namespace_on(tmp_path: Path) -> None:
    file = tmp_path / "rotations.json"
    for name in ("one", "two", "three"):
        run("new", name, state=tmp_path)
    assert run("rotate", "acme", "one", "two", "--file", str(file), state=tmp_path)[0] == 0
    assert run("rotate", "acme", "two", "three", "--file", str(file), state=tmp_path)[0] == 0
    assert len(read_rotations(file.read_bytes(), namespace="acme")) == 2
    assert run("rotate", "acme", "one", "two", "--file", str(file), state=tmp_path)[0] == 1


def test_a_full_disk_leaves_earlier_rotations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rotations.json"
    for name in ("one", "two", "three"):
        run("new", name, state=tmp_path)
    assert run("rotate", "acme", "one", "two", "--file", str(file), state=tmp_path)[0] == 0
    before = file.read_bytes()
    monkeypatch.setattr(os, "fsync", full_disk)
    assert run("rotate", "acme", "two", "three", "--file", str(file), state=tmp_path)[0] == 1
    assert file.read_bytes() == before


def test_the_command_forgets_a_module(tmp_path: Path) -> None:
    with PinStore(tmp_path / "pins.sqlite") as pins:
        pins.replace("vendas", None, Pin(registry="memory:", key=None))
    assert run("forget", "vendas", state=tmp_path)[0] == 0
    assert run("forget", "vendas", state=tmp_path)[0] == 1


def test_a_pin_that_cannot_be_kept_is_a_fault_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "pins.sqlite"
    with PinStore(path) as pins:
        assert pins.replace("vendas", None, Pin(registry="https://registry.example", key=KEY))
        path.write_bytes(b"\xff" * path.stat().st_size)
        with pytest.raises(RegistryError, match="nothing is taken: see to the disk"):
            pins.replace("base", None, Pin(registry="https://registry.example", key=KEY))
