"""The keys of a person: their own, to sign with, and those of others, trusted or revoked."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, RegistryError
from plataforma_sdk.registry._files import write_whole
from plataforma_sdk.registry._json import from_json, to_json
from plataforma_sdk.registry.trust._keys import SigningKey, check_fingerprint
from plataforma_sdk.sandbox._private import locked

__all__ = ["KeyStore", "KnownKey"]

_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_MAX_NAME_CHARS: Final = 64
_MAX_BYTES: Final = 4 << 20
_OTHERS: Final = 0o077


@attrs.frozen(kw_only=True)
class KnownKey:
    """A key that the store knows.

    Attributes:
        fingerprint: of the key.
        status: ``"own"``: it can sign; ``"trusted"``; ``"revoked"``, which outweighs both.
        note: its name, whose it is, or why it was revoked.
    """

    fingerprint: str
    status: Literal["own", "trusted", "revoked"]
    note: str = ""


class KeyStore:
    """A directory, mode 0700: ``NAME.key`` for each key of one's own, ``keys.json`` for those of others. May block."""

    def __init__(self, directory: Path) -> None:
        """Take the directory; it is made when something is written."""
        self._directory = directory

    def new(self, name: str) -> SigningKey:
        """Make a key of one's own.

        Raises:
            RegistryError: there is one of this name, the name is none, or the extra is missing.
        """
        path, key = self._path(name), SigningKey.new()
        with self._changing(f"The key {name!r}"):
            if os.path.lexists(path):
                raise RegistryError(f"There is a key {name!r} already: choose another name; keys are never replaced")
            write_whole(path, key.to_text().encode(), mode=0o600)
        return key

    def load(self, name: str) -> SigningKey:
        """Read a key of one's own.

        Raises:
            PackageNotFoundError: there is none of this name.
            IntegrityError: it is damaged, or others can read it.
        """
        path = self._path(name)
        try:
            _check_private(path)
            return SigningKey.from_text(path.read_text("utf-8"))
        except FileNotFoundError:
            raise PackageNotFoundError(f"There is no key {name!r}: plataforma key new {name}") from None
        except (OSError, UnicodeError) as error:
            raise IntegrityError(f"The key {name!r} cannot be read: {error}") from None

    def trust(self, fingerprint: str, note: str = "") -> None:
        """Trust a key.

        Raises:
            IntegrityError: it is no fingerprint, or the key was revoked.
        """
        with self._changing("What is trusted"):
            known = self._read()
            if check_fingerprint(fingerprint) in known["revoked"]:
                raise IntegrityError(
                    f"The key {fingerprint} was revoked, which is for ever: trust the one that follows it"
                )
            self._write({**known, "trusted": {**known["trusted"], fingerprint: note[:200]}})

    def revoke(self, fingerprint: str, reason: str = "") -> None:
        """Refuse whatever a key signs or has signed, from now on and for ever; of one's own keys too."""
        check_fingerprint(fingerprint)
        with self._changing("What is revoked"):
            known = self._read()
            trusted = {key: note for key, note in known["trusted"].items() if key != fingerprint}
            self._write({"trusted": trusted, "revoked": {**known["revoked"], fingerprint: reason[:200]}})

    @property
    def trusted(self) -> frozenset[str]:
        """Keys of others that are trusted; those that were revoked are not among them."""
        return frozenset(self._read()["trusted"])

    @property
    def revoked(self) -> frozenset[str]:
        """Keys that are revoked."""
        return frozenset(self._read()["revoked"])

    def list(self) -> tuple[KnownKey, ...]:
        """Return every key, one's own first."""
        known = self._read()
        own = {self.load(path.stem).fingerprint: path.stem for path in sorted(self._directory.glob("*.key"))}
        keys = [KnownKey(fingerprint=key, status="own", note=name) for key, name in own.items()]
        keys += [KnownKey(fingerprint=key, status="trusted", note=note) for key, note in known["trusted"].items()]
        live = [key for key in keys if key.fingerprint not in known["revoked"]]
        dead = [KnownKey(fingerprint=key, status="revoked", note=note) for key, note in known["revoked"].items()]
        return (*live, *dead)

    # --- the files ---

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None or len(name) > _MAX_NAME_CHARS:
            raise RegistryError(f"{name[:80]!r} is no name of a key: write small letters, digits and hyphens")
        return self._directory / f"{name}.key"

    @contextlib.contextmanager
    def _changing(self, what: str) -> Iterator[None]:
        """Let one process at a time change the files: a revocation is not lost to who writes in the same moment."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_private(self._directory)
            with locked(self._directory):
                yield
        except OSError as error:
            raise RegistryError(f"{what} cannot be written to {self._directory} ({error.strerror})") from None

    def _read(self) -> Mapping[str, Any]:
        path = self._directory / "keys.json"
        try:
            _check_private(path)
            data = from_json(path.read_bytes()[:_MAX_BYTES], what=str(path))
        except FileNotFoundError:
            return {"trusted": {}, "revoked": {}}
        except OSError as error:
            raise IntegrityError(f"{path} cannot be read: {error}") from None
        if not isinstance(data, Mapping) or data.keys() != {"trusted", "revoked"}:
            raise IntegrityError(f"{path} is damaged: what was revoked is not known, so nothing is verified with it")
        for notes in data.values():
            for key, note in notes.items() if isinstance(notes, Mapping) else [(None, None)]:
                if not isinstance(note, str):
                    raise IntegrityError(f"{path} is damaged: restore it from a copy")
                check_fingerprint(key)
        return data

    def _write(self, known: Mapping[str, Any]) -> None:
        write_whole(self._directory / "keys.json", to_json(dict(known)), mode=0o600)


def _check_private(path: Path) -> None:
    """Refuse what others may read or write: a secret that others could read is none, and so is a list of keys."""
    found = path.lstat()
    if os.name != "posix":
        return
    if path.is_symlink() or found.st_uid != os.getuid() or found.st_mode & _OTHERS:
        raise IntegrityError(
            f"{path} is a link, not yours, or open to others: look who put it there, then chmod go= it"
        )
