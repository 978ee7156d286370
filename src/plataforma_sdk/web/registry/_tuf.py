"""TUF metadata over the indexes of a service: what clients tell an old, a frozen or a mixed state by.

**Source:** The Update Framework, specification 1.0; hashed bins after TAP 15. The target ``modules/acme--vendas`` is
what ``GET /v1/modules/acme--vendas`` answers. There are 256 bins, so a publish changes three small files: one bin, the
snapshot and the timestamp. They are signed when somebody asks for the timestamp, not when somebody publishes: what
changed meanwhile is signed once, and a service that is killed in between has nothing to mend.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.registry import digest_of
from plataforma_sdk.registry._json import to_json
from plataforma_sdk.registry.trust import KeyStore, SigningKey, target_of
from plataforma_sdk.web.registry import _tuf_tables as tables
from plataforma_sdk.web.registry._tuf_keys import moment, signer_of

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root, Targets

    from plataforma_sdk.registry.backends._catalogue import Catalogue
    from plataforma_sdk.registry.backends._database import Database

__all__ = ["BINS", "KEYS", "ONLINE", "Pen", "TufRepository", "online_key"]

KEYS: Final = "tuf"
"""Name of the directory that the keys lie in, below that of the registry."""

ONLINE: Final = ("timestamp", "snapshot", "targets")
"""Roles that the online key signs; and it signs the bins."""
BINS: Final = tuple(f"bin-{number:02x}" for number in range(256))

_LOG: Final = logger_of("plataforma_sdk.web.registry")
_WARNED_DAYS: Final = 30
_BITS: Final = 8
_DAY_S: Final = 86_400
_LIFETIME_S: Final = {"timestamp": _DAY_S, "snapshot": 7 * _DAY_S}
_TARGETS_LIFETIME_S: Final = 365 * _DAY_S
_NAME: Final = re.compile(r"(?:([1-9][0-9]{0,17})\.)?(root|targets|snapshot|timestamp|bin-[0-9a-f]{2})\.json", re.ASCII)


class TufRepository:
    """The metadata of one registry; every method but the constructor runs on the index's thread."""

    def __init__(self, directory: Path, *, now: Callable[[], float] = time.time) -> None:
        """Take the registry's directory, below which the online key lies, and the clock."""
        self._directory = directory / KEYS
        self._now = now

    def file(self, database: Database, catalogue: Catalogue, name: str) -> bytes | None:
        """Return a file as clients ask for it: ``timestamp.json``, or ``4.snapshot.json``; None where there is none.

        Raises:
            RegistryError: it cannot be signed.
        """
        found = _NAME.fullmatch(name)
        if found is None or not tables.has_tables(database):
            return None
        if found[1] is not None:
            return tables.read(database, found[2], int(found[1]))
        if found[2] != "timestamp":
            return None
        self.refresh(database, catalogue)
        return tables.newest(database, "timestamp")

    def check(self, database: Database) -> None:
        """Make sure that what is to be signed can be, and tell in the log where the root is about to expire.

        Raises:
            RegistryError: the online key or the extra is missing.
        """
        if not tables.has_tables(database):
            return
        root, _ = _online(database, self._directory)
        days = (root.expires.timestamp() - self._now()) / _DAY_S
        if days < _WARNED_DAYS:
            _LOG.warning(
                "the TUF root %s, and then clients refuse this registry: plataforma registry tuf renew",
                f"expires in {days:.0f} days" if days > 0 else "has expired",
            )

    def refresh(self, database: Database, catalogue: Catalogue) -> None:
        """Sign what changed, and what half of its time has passed of; at once where there is nothing."""
        if not tables.due_roles(database, self._now()) and not tables.changed_modules(database):
            return
        with database.transaction():
            due, changed = tables.due_roles(database, self._now()), tables.changed_modules(database)
            if not due and not changed:  # another process was faster
                return
            self._sign(database, catalogue, due, changed)
            database.execute("DELETE FROM tuf_changed")

    def _sign(self, database: Database, catalogue: Catalogue, due: Collection[str], changed: Collection[str]) -> None:
        from tuf.api.metadata import MetaFile

        pen = Pen(database, online_key(database, self._directory), self._now())
        versions: dict[str, int] = {}
        if "targets" in due:
            versions["targets"] = pen.renew("targets", pen.delegate)
        by_bin: dict[str, list[str]] = {role: [] for role in due if role.startswith("bin-")}
        for module_id in changed:
            by_bin.setdefault(_bin_of(target_of(module_id)), []).append(module_id)
        for role, ids in by_bin.items():
            files = {target_of(each): to_json(catalogue.index(database, each).to_data()) for each in ids}
            versions[role] = pen.renew(role, _list(files))

        def name_versions(snapshot: Any) -> None:
            snapshot.meta.update({f"{role}.json": MetaFile(number) for role, number in versions.items()})

        if versions or "snapshot" in due:
            pen.renew("snapshot", name_versions)
        number = pen.version("snapshot")
        pen.renew("timestamp", lambda timestamp: setattr(timestamp, "snapshot_meta", MetaFile(number)))


class Pen:
    """Reads, changes and signs metadata, one role at a time."""

    def __init__(self, database: Database, key: SigningKey, now: float) -> None:
        self._database = database
        self._now = now
        self._signer = signer_of(key)

    def version(self, role: str) -> int:
        """Return the newest version of a role."""
        return int(self._load(role).signed.version)

    def renew(self, role: str, change: Callable[[Any], None]) -> int:
        """Change metadata, and sign it as its next version; return that."""
        metadata = self._load(role)
        metadata.signed.version += 1
        change(metadata.signed)
        return self.write(role, metadata)

    def delegate(self, targets: Targets) -> None:
        """Let the targets be listed in bins, which the same key signs."""
        from tuf.api.metadata import Delegations, SuccinctRoles

        key = self._signer.public_key
        bins = SuccinctRoles([key.keyid], 1, _BITS, "bin")
        targets.delegations = Delegations({key.keyid: key}, succinct_roles=bins)

    def write(self, role: str, metadata: Metadata[Any]) -> int:
        """Sign metadata and keep it; return its version."""
        lifetime_s = _LIFETIME_S.get(role, _TARGETS_LIFETIME_S)
        metadata.signed.expires = moment(self._now + lifetime_s)
        metadata.sign(self._signer)
        number, data = int(metadata.signed.version), metadata.to_bytes()
        tables.write(self._database, role, number, data, renew_at=self._now + lifetime_s / 2)
        return number

    def _load(self, role: str) -> Metadata[Any]:
        from tuf.api.metadata import Metadata

        data = tables.newest(self._database, role)
        if data is None:
            raise RegistryError(f"The TUF metadata of {role!r} is gone: restore the index from a copy")
        return Metadata.from_bytes(data)


def online_key(database: Database, directory: Path) -> SigningKey:
    """Return the key that the newest root names for what is signed by the service itself.

    Raises:
        RegistryError: it does not lie in the directory, or the extra is missing.
    """
    return _online(database, directory)[1]


def _online(database: Database, directory: Path) -> tuple[Root, SigningKey]:
    """Return the newest root, and the key that it names for what the service signs."""
    from plataforma_sdk.registry.trust._freshness import load_tuf

    load_tuf()
    from tuf.api.metadata import Metadata

    root: Metadata[Root] = Metadata.from_bytes(tables.newest(database, "root") or b"")
    named = root.signed.roles["timestamp"].keyids
    for path in sorted(directory.glob("online*.key"), reverse=True):
        key = KeyStore(directory).load(path.stem)
        if signer_of(key).public_key.keyid in named:
            return root.signed, key
    raise RegistryError(
        f"The online key that the TUF root names is not in {directory}: put it back, or make another one with "
        "plataforma registry tuf renew --new-online-key"
    )


def _list(files: dict[str, bytes]) -> Callable[[Any], None]:
    """List files in a bin."""
    from tuf.api.metadata import TargetFile

    def change(targets: Any) -> None:
        for path, data in files.items():
            hashes = {"sha256": digest_of(data).removeprefix("sha256:")}
            targets.targets[path] = TargetFile(len(data), hashes, path)

    return change


def _bin_of(path: str) -> str:
    """Return the bin of a target, as `SuccinctRoles` finds it: the first bits of the digest of its path."""
    return f"bin-{digest_of(path.encode()).removeprefix('sha256:')[: _BITS // 4]}"
