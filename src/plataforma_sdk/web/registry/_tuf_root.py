"""The root of a registry's TUF metadata: made once, and renewed by whoever keeps its key."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry.backends._catalogue import open_catalogue
from plataforma_sdk.registry.trust import KeyStore, SigningKey
from plataforma_sdk.web.registry import _tuf_tables as tables
from plataforma_sdk.web.registry._tuf import BINS, KEYS, ONLINE, Pen, online_key
from plataforma_sdk.web.registry._tuf_keys import moment, signer_of

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root

__all__ = ["init_tuf", "open_index", "read_root", "renew_root"]


def open_index(directory: Path, *, is_new: bool = False) -> sqlite3.Connection:
    """Open the index of a registry; the caller closes it.

    Args:
        directory: of the registry.
        is_new: whether it is made where it is missing.

    Raises:
        RegistryError: there is none, or it cannot be opened.
    """
    path = directory / "registry.sqlite"
    if is_new:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif not path.is_file():
        raise RegistryError(f"There is no registry in {directory}: name its directory, or serve it once")
    return open_catalogue(path)


def init_tuf(connection: sqlite3.Connection, directory: Path, *, now: float, lifetime_s: float) -> bytes:
    """Make the keys of a registry, ``root.key`` and ``online.key``, and its first metadata; return the root.

    Args:
        connection: of its index.
        directory: of the registry.
        now: seconds of the epoch.
        lifetime_s: after this the root has to be renewed.

    Raises:
        RegistryError: there is metadata or a key already, or the extra is missing.
    """
    from plataforma_sdk.registry.trust._freshness import load_tuf

    load_tuf()  # before anything is written
    if tables.has_tables(connection):
        raise RegistryError(f"{directory} has TUF metadata already: plataforma registry tuf renew")
    keys = KeyStore(directory / KEYS)
    root_key, online = keys.new("root"), keys.new("online")
    from tuf.api.metadata import Metadata, Root

    root = Metadata(Root(consistent_snapshot=True))
    root.signed.add_key(signer_of(root_key).public_key, "root")
    with tables.transaction(connection):
        tables.create_tables(connection)
        _write_online(Pen(connection, online, now))
        return _write_root(connection, root, [root_key], online, expires_at=now + lifetime_s)


def renew_root(
    connection: sqlite3.Connection,
    directory: Path,
    root_key: SigningKey,
    *,
    now: float,
    lifetime_s: float,
    new_root_key: bool = False,
    new_online_key: bool = False,
) -> bytes:
    """Sign the next root, and return it; with a new online key all other metadata is signed anew, when it is asked for.

    Args:
        connection: of its index.
        directory: of the registry.
        root_key: of the root that is there.
        now: seconds of the epoch.
        lifetime_s: after this it has to be renewed again.
        new_root_key: hand over to another root key, ``root-N.key``.
        new_online_key: go on with another online key, ``online-N.key``.

    Raises:
        IntegrityError: this is not the root's key.
        RegistryError: there is no metadata, or the extra is missing.
    """
    keys, signers = KeyStore(directory / KEYS), [root_key]
    with tables.transaction(connection):
        root = _parsed(read_root(connection, directory))
        known = signer_of(root_key).public_key
        if known.keyid not in root.signed.roles["root"].keyids:
            raise IntegrityError(f"{root_key.fingerprint} is not the key of this root: name the file of that one")
        if new_root_key:
            signers.append(keys.new(f"root-{root.signed.version + 1}"))
            root.signed.revoke_key(known.keyid, "root")
            root.signed.add_key(signer_of(signers[-1]).public_key, "root")
        root.signed.version += 1
        if new_online_key:
            online = keys.new(f"online-{root.signed.version}")
            connection.execute("UPDATE tuf_metadata SET renew_at = 0 WHERE renew_at IS NOT NULL")
        else:
            online = online_key(connection, directory / KEYS)
        return _write_root(connection, root, signers, online, expires_at=now + lifetime_s)


def read_root(connection: sqlite3.Connection, directory: Path) -> bytes:
    """Return the newest root.

    Raises:
        RegistryError: there is no metadata.
    """
    root = tables.newest(connection, "root") if tables.has_tables(connection) else None
    if root is None:
        raise RegistryError(f"{directory} has no TUF metadata: plataforma registry tuf init --directory {directory}")
    return root


def _parsed(data: bytes) -> Metadata[Root]:
    from plataforma_sdk.registry.trust._freshness import load_tuf

    load_tuf()
    from tuf.api.metadata import Metadata

    return Metadata.from_bytes(data)


def _write_online(pen: Pen) -> None:
    """Write what the online key signs, without any module; the first refresh lists those that are there."""
    from tuf.api.metadata import Metadata, MetaFile, Snapshot, Targets, Timestamp

    first: dict[str, Any] = {role: Targets() for role in ("targets", *BINS)}
    pen.delegate(first["targets"])
    first["snapshot"] = Snapshot(meta={f"{role}.json": MetaFile() for role in first})
    first["timestamp"] = Timestamp()
    for role, signed in first.items():
        pen.write(role, Metadata(signed))


def _write_root(
    connection: sqlite3.Connection,
    root: Metadata[Root],
    signers: Sequence[SigningKey],
    online: SigningKey,
    *,
    expires_at: float,
) -> bytes:
    root.signed.expires = moment(expires_at)
    key = signer_of(online).public_key
    for role in ONLINE:
        for old in list(root.signed.roles[role].keyids):
            root.signed.revoke_key(old, role)
        root.signed.add_key(key, role)
    root.signatures.clear()
    for signer in signers:
        root.sign(signer_of(signer), append=True)
    data = root.to_bytes()
    tables.write(connection, "root", root.signed.version, data, renew_at=None)
    return data
