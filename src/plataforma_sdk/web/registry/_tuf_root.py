"""The root of a registry's TUF metadata: made once, and renewed by whoever keeps its key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry.backends import _catalogue as catalogue
from plataforma_sdk.registry.backends._database import Database
from plataforma_sdk.registry.trust import KeyStore, SigningKey
from plataforma_sdk.web.registry import _tuf_tables as tables
from plataforma_sdk.web.registry._tuf import BINS, KEYS, ONLINE, Pen, online_key
from plataforma_sdk.web.registry._tuf_keys import moment, signer_of

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root

__all__ = ["init_tuf", "open_index", "read_root", "renew_root"]


def open_index(directory: Path, url: str | None = None, *, is_new: bool = False) -> Database:
    """Open the index of a registry; the caller closes it.

    Args:
        directory: of the registry.
        url: address of the database, where the index does not lie in the directory.
        is_new: whether it is made where it is missing.

    Raises:
        RegistryError: there is none, or it cannot be opened.
    """
    if is_new:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif url is None and not (directory / "registry.sqlite").is_file():
        raise RegistryError(
            f"There is no registry in {directory}: name its directory, or serve it once; where its index lies in "
            "PostgreSQL, name that with --database"
        )
    return catalogue.open_index(directory, url)


def init_tuf(database: Database, directory: Path, *, now: float, lifetime_s: float) -> bytes:
    """Make the keys of a registry, ``root.key`` and ``online.key``, and its first metadata; return the root.

    Args:
        database: of its index.
        directory: of the registry.
        now: seconds of the epoch.
        lifetime_s: after this the root has to be renewed.

    Raises:
        RegistryError: there is metadata or a key already, or the extra is missing.
    """
    from plataforma_sdk.registry.trust._freshness import load_tuf

    load_tuf()  # before anything is written
    if tables.has_tables(database):
        raise RegistryError(f"{directory} has TUF metadata already: plataforma registry tuf renew")
    keys = KeyStore(directory / KEYS)
    root_key, online = keys.new("root"), keys.new("online")
    from tuf.api.metadata import Metadata, Root

    root = Metadata(Root(consistent_snapshot=True))
    root.signed.add_key(signer_of(root_key).public_key, "root")
    with database.transaction():
        tables.create_tables(database)
        _write_online(Pen(database, online, now))
        return _write_root(database, root, [root_key], online, expires_at=now + lifetime_s)


def renew_root(
    database: Database,
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
        database: of its index.
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
    with database.transaction():
        root = _parsed(read_root(database, directory))
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
            database.execute("UPDATE tuf_metadata SET renew_at = 0 WHERE renew_at IS NOT NULL")
        else:
            online = online_key(database, directory / KEYS)
        return _write_root(database, root, signers, online, expires_at=now + lifetime_s)


def read_root(database: Database, directory: Path) -> bytes:
    """Return the newest root.

    Raises:
        RegistryError: there is no metadata.
    """
    root = tables.newest(database, "root") if tables.has_tables(database) else None
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
    database: Database,
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
    tables.write(database, "root", root.signed.version, data, renew_at=None)
    return data
