"""Tokens and their scopes."""

from __future__ import annotations

import contextlib

import pytest

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.web.registry import Scope, create_token, list_tokens, open_tokens, revoke_token
from plataforma_sdk.web.registry._tokens import find_token


@pytest.fixture
def tokens(tmp_path):
    with contextlib.closing(open_tokens(tmp_path / "registry")) as connection:
        yield connection


@pytest.mark.parametrize(
    ("scope", "action", "module_id", "allowed"),
    [
        ("publish", "publish", "acme/vendas", True),
        ("publish", "yank", "acme/vendas", False),
        ("publish:vendas", "publish", "vendas", True),
        ("publish:vendas", "publish", "vendas-online", False),
        ("publish:vendas", "publish", "acme/vendas", False),
        ("publish:acme/*", "publish", "acme/vendas", True),
        ("publish:acme/*", "publish", "acme", False),
        ("publish:acme/*", "publish", "acme-corp/vendas", False),
        ("publish:acme/vendas", "publish", "acme/vendas", True),
        ("publish:acme/vendas", "publish", None, True),
        ("yank:acme/*", "publish", None, False),
    ],
)
def test_a_scope_allows_an_action_on_modules(scope, action, module_id, allowed):
    assert Scope.parse(scope).allows(action, module_id) is allowed
    assert str(Scope.parse(scope)) == scope


@pytest.mark.parametrize(
    "text",
    ["", "delete", "publish:", "publish:*/vendas", "publish:ac*", "publish:../*", "publish:acme/*/x", "read:vendas"],
)
def test_a_scope_that_is_none_is_refused(text):
    with pytest.raises(RegistryError, match="write"):
        Scope.parse(text)


def test_a_token_is_found_by_its_text_alone(tokens):
    token, text = create_token(tokens, "ci", [Scope("publish", "acme/*"), Scope("yank")], keys=["ed25519:aa"])
    assert find_token(tokens, text) == token
    for other in (
        "",
        text[:-1],
        text[:-1] + ("A" if text[-1] != "A" else "B"),
        f"{text}x",
        "plat_" + "0" * 12 + text[17:],
    ):
        assert find_token(tokens, other) is None


def test_the_file_holds_no_token(tokens, tmp_path):
    _, text = create_token(tokens, "ci", [Scope("publish")])
    secret = text.rpartition("_")[2] if text.count("_") == 2 else text[18:]
    tokens.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert secret.encode() not in (tmp_path / "registry" / "tokens.sqlite").read_bytes()
    assert (tmp_path / "registry" / "tokens.sqlite").stat().st_mode & 0o077 == 0


def test_a_revoked_token_is_found_no_more(tokens):
    token, text = create_token(tokens, "ci", [Scope("publish")])
    revoke_token(tokens, token.id)
    first = list_tokens(tokens)
    revoke_token(tokens, token.id)
    assert find_token(tokens, text) is None
    assert list_tokens(tokens) == first
    assert first[0].revoked_at is not None


def test_an_expired_token_is_found_no_more(tokens):
    _, late = create_token(tokens, "late", [Scope("publish")], lifetime_s=-1)
    _, valid = create_token(tokens, "valid", [Scope("publish")], lifetime_s=3_600)
    assert find_token(tokens, late) is None
    assert find_token(tokens, valid) is not None


def test_a_token_that_was_never_made_cannot_be_revoked(tokens):
    with pytest.raises(RegistryError, match="no token 'nada'"):
        revoke_token(tokens, "nada")


@pytest.mark.parametrize(
    ("name", "scopes", "keys", "problem"),
    [
        ("ci", [], [], "allows nothing"),
        ("", [Scope("publish")], [], "no name"),
        ("two\nlines", [Scope("publish")], [], "no name"),
        ("ci", [Scope("publish")], ["maria"], "no fingerprint"),
    ],
)
def test_what_makes_no_token_is_refused(tokens, name, scopes, keys, problem):
    with pytest.raises(RegistryError, match=problem):
        create_token(tokens, name, scopes, keys=keys)
    assert list_tokens(tokens) == ()
