"""`plataforma registry token`, and what `registry serve` refuses; `tests/unit/web` serves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging

import pytest
from typer.testing import CliRunner

from plataforma_sdk.cli._app import app
from plataforma_sdk.registry.backends import DirectoryBackend
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
    text, _, hint = result.stdout.partition("\n")
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
