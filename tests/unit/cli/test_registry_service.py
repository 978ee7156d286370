"""`plataforma registry token`, and what `registry serve` refuses; `tests/unit/web` serves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging

import pytest
from typer.testing import CliRunner

from plataforma_sdk.cli._app import app
from plataforma_sdk.registry import digest_of
from plataforma_sdk.registry.backends import DirectoryBackend
from plataforma_sdk.registry.backends._sqlite import open_catalogue
from plataforma_sdk.web.registry import open_tokens
from plataforma_sdk.web.registry._tokens import find_token


def run(*words):
    return CliRunner().invoke(app, ["registry", *map(str, words)])


def create(directory, *words):
    return run("token", "create", "ana", "--directory", directory, *words)


def find(directory, text):
    with contextlib.closing(open_tokens(directory)) as tokens:
        return find_token(tokens, text)


def test_a_token_is_printed_once(tmp_path):
    result = create(tmp_path, "--allow", "publish:acme/*", "--key", "ed25519:aa", "--days", "2")
    text, hint = result.stdout.removesuffix("\n"), result.stderr
    token = find(tmp_path, text)
    assert (token.name, [str(scope) for scope in token.scopes], token.keys) == (
        "ana",
        ["publish:acme/*"],
        ("ed25519:aa",),
    )
    assert token.expires_at - token.created_at == pytest.approx(2 * 86_400, abs=1)
    assert token.id in hint
    listed = run("token", "list", "--directory", tmp_path).stdout
    assert listed.startswith(f"{token.id}  ana: publish:acme/*; keys ed25519:aa; expires ")
    assert text.rpartition("_")[2] not in listed


def test_a_revoked_token_is_worth_nothing(tmp_path):
    made = json.loads(create(tmp_path, "--allow", "read", "--json").stdout)
    assert find(tmp_path, made["token"]) is not None
    result = run("token", "revoke", made["id"], "--directory", tmp_path, "--json")
    assert json.loads(result.stdout) == {"revoked": made["id"]}
    assert find(tmp_path, made["token"]) is None
    (listed,) = json.loads(run("token", "list", "--directory", tmp_path, "--json").stdout)["tokens"]
    assert listed["revoked_at"] is not None
    assert "token" not in listed


def test_a_registry_without_tokens_says_how_to_make_one(tmp_path):
    result = run("token", "list", "--directory", tmp_path)
    assert "token create NAME --allow publish" in result.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["token", "create", "ana", "--allow", "delete"], 2, "'delete' allows nothing"),
        (["token", "create", "ana", "--allow", "publish", "--key", "maria"], 1, "no fingerprint"),
        (["token", "revoke", "nada"], 1, "no token 'nada'"),
        (["token", "list", "--directory", "nowhere"], 1, "there is no registry in nowhere"),
        (["serve", "--certificate", "file"], 2, "needs its key"),
        (["serve", "--blobs", "ftp://files"], 1, "ftp://files"),
        (["serve", "--host", "203.0.113.1"], 1, "cannot be listened on"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, monkeypatch, words, code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "registry").mkdir()
    if "ftp://files" in words:
        pytest.importorskip("obstore", reason="needs the extra s3")
    result = run(*words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in " ".join(result.stderr.split())
    assert logging.getLogger("plataforma_sdk").handlers == []  # as before: whoever else logs in this process goes on


def test_a_sweep_says_what_is_gone(tmp_path):
    async def make():
        backend = DirectoryBackend(tmp_path)
        await backend.health()
        await backend.aclose()

    asyncio.run(make())
    (tmp_path / "blobs" / "sha256" / ("0" * 64)).write_bytes(b"left")
    report = json.loads(run("sweep", tmp_path, "--grace", "0", "--dry-run", "--json").stdout)
    assert report == {"removed": {f"sha256:{'0' * 64}": 4}, "bytes": 4, "is_dry_run": True}
    assert "0 blobs, 0 bytes removed" in run("sweep", tmp_path).stdout  # a day of grace
    assert "1 blobs, 4 bytes removed" in run("sweep", tmp_path, "--grace", "0").stdout


def test_a_directory_that_is_no_registry_is_not_swept(tmp_path):
    result = run("sweep", tmp_path)
    assert (result.exit_code, "is no registry" in result.stderr, list(tmp_path.iterdir())) == (1, True, [])


# --- TUF ---


@pytest.fixture
def tuf(tmp_path):
    """Run a command of `registry tuf` on one directory."""
    pytest.importorskip("tuf")
    return lambda *words: run("tuf", *words, "--directory", tmp_path / "registry")


def test_the_keys_and_the_first_root_are_made(tuf, tmp_path):
    result = tuf("init")
    assert result.exit_code == 0, result.stderr
    kept = tmp_path / "registry" / "tuf"
    assert sorted(path.name for path in kept.glob("*.key")) == ["online.key", "root.key"]
    assert f"Move {kept / 'root.key'} to where no server can read it" in result.stdout
    root = tuf("root").stdout
    assert json.loads(root)["signed"]["version"] == 1
    assert f"Root 1 is signed: {digest_of(root.rstrip().encode())}" in result.stdout
    again = tuf("init")
    assert (again.exit_code, "has TUF metadata already" in again.stderr) == (1, True)


def test_the_next_root_is_signed_with_the_key_that_was_taken_away(tuf, tmp_path):
    tuf("init")
    offline = (tmp_path / "registry" / "tuf" / "root.key").rename(tmp_path / "root.key")
    renewed = json.loads(tuf("renew", "--root-key", offline, "--new-online-key", "--json").stdout)
    assert (renewed["root"], renewed["online_key"].endswith("online-2.key")) == (2, True)
    handed = tuf("renew", "--root-key", offline, "--new-root-key")
    assert "root-3.key to where no server can read it" in handed.stdout
    refused = tuf("renew", "--root-key", offline)
    assert (refused.exit_code, "is not the key of this root" in refused.stderr) == (1, True)


def test_a_registry_without_metadata_says_how_to_make_some(tuf, tmp_path):
    assert "There is no registry in" in tuf("root").stderr
    create(tmp_path / "registry", "--allow", "read")
    open_catalogue(tmp_path / "registry" / "registry.sqlite").close()
    result = tuf("root")
    assert (result.exit_code, "plataforma registry tuf init --directory" in result.stderr) == (1, True)


def test_a_key_that_is_none_is_said(tuf, tmp_path):
    tuf("init")
    (tmp_path / "key").write_text("no key", "utf-8")
    result = tuf("renew", "--root-key", tmp_path / "key")
    assert (result.exit_code, "This is no signing key of plataforma" in result.stderr) == (1, True)
