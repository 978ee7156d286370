"""Tokens of a registry service, kept as digests: whoever reads the file cannot publish with it.

A token is 256 random bits, so one round of SHA-256 hides it as well as a slow hash would hide a password.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
import secrets
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry.backends._catalogue import check_is_here, open_database
from plataforma_sdk.registry.backends._database import Database
from plataforma_sdk.registry.backends._sqlite import open_file
from plataforma_sdk.web.registry._scopes import Scope

__all__ = ["Token", "create_token", "find_token", "list_tokens", "open_tokens", "revoke_token"]

_FILE: Final = "tokens.sqlite"
_TEXT: Final = re.compile(r"plat_(?P<id>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII)
_KEY: Final = re.compile(r"[a-z0-9-]{1,32}:[0-9A-Za-z+/=]{1,200}", re.ASCII)
_MAX_NAME_CHARS: Final = 100
_TABLES: Final = {
    "sqlite": """
CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, scopes TEXT NOT NULL, keys TEXT NOT NULL,
    created_at REAL NOT NULL, expires_at REAL, revoked_at REAL
) WITHOUT ROWID;
""",
    "postgresql": """
CREATE TABLE IF NOT EXISTS tokens (
    id TEXT COLLATE "C" PRIMARY KEY, name TEXT NOT NULL, digest BYTEA NOT NULL, scopes TEXT NOT NULL,
    keys TEXT NOT NULL, created_at DOUBLE PRECISION NOT NULL, expires_at DOUBLE PRECISION, revoked_at DOUBLE PRECISION
);
""",
}


@attrs.frozen(kw_only=True)
class Token:
    """What is known of a token; its secret is not.

    Attributes:
        id: names it in commands and logs.
        name: for people.
        scopes: what it allows.
        keys: fingerprints of the keys that its holder may claim namespaces with, and publish for.
        created_at: seconds since the Unix epoch.
        expires_at: likewise, or None for never.
        revoked_at: likewise, or None.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    keys: tuple[str, ...] = ()
    created_at: float = 0.0
    expires_at: float | None = None
    revoked_at: float | None = None

    def is_valid(self, now: float) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def allows(self, action: str, module_id: str | None = None) -> bool:
        """Whether one of its scopes allows the action on the module, or on some module where none is named."""
        return any(scope.allows(action, module_id) for scope in self.scopes)


def open_tokens(directory: Path, url: str | None = None) -> Database:
    """Open the tokens of a registry; the directory is made with mode 0700 where it is missing.

    Args:
        directory: of the registry.
        url: address of the database, where the index and the tokens do not lie in the directory.

    Raises:
        RegistryError: they cannot be opened.
    """
    path = directory / _FILE
    try:
        with contextlib.ExitStack() as opened:
            database = _open_file(path) if url is None else open_database(url)
            opened.callback(database.close)
            if not database.has_table("tokens"):
                with database.transaction():
                    database.create(_TABLES)
            opened.pop_all()
    except (OSError, sqlite3.Error) as error:
        raise RegistryError(f"The tokens in {path} cannot be opened ({error}): see to the file and its mode") from None
    return database


def _open_file(path: Path) -> Database:
    check_is_here(path.parent)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open_file(path)


def create_token(
    database: Database,
    name: str,
    scopes: Sequence[Scope],
    *,
    keys: Sequence[str] = (),
    lifetime_s: float | None = None,
) -> tuple[Token, str]:
    """Make a token; its text is returned this once and kept nowhere.

    Raises:
        RegistryError: no scope, or what is no name or no fingerprint.
    """
    if not scopes:
        raise RegistryError("A token that allows nothing is of no use: name at least one scope, such as 'publish'")
    if not name.isprintable() or not 0 < len(name) <= _MAX_NAME_CHARS:
        raise RegistryError(f"{name[:80]!r} is no name of a token: up to {_MAX_NAME_CHARS} characters, on one line")
    for key in keys:
        if _KEY.fullmatch(key) is None:
            raise RegistryError(f"{key[:80]!r} is no fingerprint of a key: it reads 'ed25519:' and its digits")
    token = Token(
        id=secrets.token_hex(6),
        name=name,
        scopes=tuple(scopes),
        keys=tuple(keys),
        created_at=time.time(),
        expires_at=None if lifetime_s is None else time.time() + lifetime_s,
    )
    secret = secrets.token_urlsafe(32)
    database.execute(
        "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            token.id,
            name,
            _digest(secret),
            json.dumps([str(scope) for scope in token.scopes]),
            json.dumps(token.keys),
            token.created_at,
            token.expires_at,
        ),
    )
    return token, f"plat_{token.id}_{secret}"


def find_token(database: Database, text: str) -> Token | None:
    """Return the token of a text, if it is valid; takes as long for one of a known id as for one of an unknown id."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    row = database.execute(f"{_SELECT} WHERE id = ?", (found["id"],)).fetchone()
    digest = row[2] if row else bytes(hashlib.sha256().digest_size)
    if not hmac.compare_digest(digest, _digest(found["secret"])) or row is None:
        return None
    token = _token(row)
    return token if token.is_valid(time.time()) else None


def list_tokens(database: Database) -> tuple[Token, ...]:
    """Return all tokens, oldest first, those that are revoked or expired among them."""
    return tuple(_token(row) for row in database.execute(f"{_SELECT} ORDER BY created_at, id"))


def revoke_token(database: Database, token_id: str) -> None:
    """Make a token worth nothing, from the next request on; a second time changes nothing.

    Raises:
        RegistryError: there is no such token.
    """
    changed = database.execute(
        "UPDATE tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", (time.time(), token_id)
    )
    if not changed.rowcount:
        raise RegistryError(f"There is no token {token_id[:80]!r}: plataforma registry token list shows them")


_SELECT: Final = "SELECT id, name, digest, scopes, keys, created_at, expires_at, revoked_at FROM tokens"


def _token(row: tuple[str, str, bytes, str, str, float, float | None, float | None]) -> Token:
    return Token(
        id=row[0],
        name=row[1],
        scopes=tuple(map(Scope.parse, json.loads(row[3]))),
        keys=tuple(json.loads(row[4])),
        created_at=row[5],
        expires_at=row[6],
        revoked_at=row[7],
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
