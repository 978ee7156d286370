"""What a host remembers between runs: decisions of people, the audit, storage, and which versions were loaded."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.manifest import Version
from plataforma_sdk.permissions import PermissionManager
from plataforma_sdk.runtime._audit import AuditLog
from plataforma_sdk.runtime._decisions import DecisionKey, DecisionStore
from plataforma_sdk.sandbox._private import is_own
from plataforma_sdk.types import Clock, Subscription

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.permissions import AuditRecord, Prompt

__all__ = ["HostState"]

_KEY_BYTES: Final = 32


class HostState:
    """Files under one directory, readable by their owner only; without a directory everything is in memory.

    ``decisions.sqlite``, ``audit.jsonl``, ``versions.json``, ``snapshot.key``, ``storage/``.
    """

    def __init__(
        self,
        directory: Path | None,
        *,
        subject: str,
        clock: Clock,
        prompt: Prompt | None = None,
        make_manager: Callable[..., PermissionManager] = PermissionManager,
    ) -> None:
        self._prompt = prompt
        self._make_manager = make_manager
        self._directory = directory
        self._subject = subject
        self._clock = clock
        self._decisions: DecisionStore | None = None
        self._audit: AuditLog | None = None
        self._attached: dict[str, dict[PermissionManager, Subscription]] = {}
        self._versions: dict[str, str] = {}
        self._key: bytes | None = None

    def open(self) -> None:
        """Open the files."""
        directory = self._directory
        if directory is not None:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._audit = AuditLog(directory / "audit.jsonl")
        self._decisions = DecisionStore(directory and directory / "decisions.sqlite", clock=self._clock)
        self._versions = self._read_versions()

    @property
    def decisions(self) -> DecisionStore | None:
        """What was decided for ever; None before the files are open."""
        return self._decisions

    @property
    def prompt(self) -> Prompt | None:
        """Who asks a person."""
        return self._prompt

    @prompt.setter
    def prompt(self, prompt: Prompt | None) -> None:
        self._prompt = prompt
        for attached in self._attached.values():
            for manager in attached:
                manager.prompt = prompt

    @property
    def storage_dir(self) -> Path | None:
        """Where modules keep their values."""
        return self._directory and self._directory / "storage"

    def permissions(
        self,
        package: ModulePackage,
        grants: Iterable[str],
        *,
        source: str,
        record: bool,
        tap: Callable[[AuditRecord], None] = lambda _: None,
    ) -> PermissionManager:
        """Make a module's permissions out of the host's grants and what a person has decided for ever.

        Decisions are keyed by subject, module and source, so that a module of the same id from elsewhere, or one that
        wants more than it did, inherits nothing. `tap` hears of denials and prompts, whether there is an audit or not.
        """
        declared = package.manifest.permissions.declared
        manager = self._make_manager(
            grants,
            module=package.id,
            declared=declared,
            prompt=self._prompt,
            clock=self._clock,
            subject=self._subject,
            source=source,
            audit=self._audited(tap),
            record=record,
        )
        key = DecisionKey(subject=self._subject, module=package.id, source=source)
        if self._decisions is not None:
            self._attached.setdefault(package.id, {})[manager] = self._decisions.attach(manager, key, declared)
        return manager

    def _audited(self, tap: Callable[[AuditRecord], None]) -> Callable[[AuditRecord], None]:
        log = self._audit
        if log is None:
            return tap

        def write(record: AuditRecord) -> None:
            tap(record)
            log(record)

        return write

    def seal_key(self) -> bytes:
        """Return the key that this host's snapshots are sealed with; kept in the directory, or for this host's life."""
        if self._key is None:
            self._key = secrets.token_bytes(_KEY_BYTES) if self._directory is None else _kept_key(self._directory)
        return self._key

    def detach(self, module: str) -> None:
        """Stop keeping a module's decisions: it is unloaded."""
        for attached in self._attached.pop(module, {}).values():
            attached.unsubscribe()

    def shed(self, module: str, manager: PermissionManager) -> None:
        """Stop keeping the decisions of one manager: another has taken its place, or it never took one."""
        attached = self._attached.get(module, {}).pop(manager, None)
        if attached is not None:
            attached.unsubscribe()

    def older_version(self, package: ModulePackage) -> str | None:
        """Return the version that was loaded last, where this one is newer: `on_upgrade` is told."""
        last = self._versions.get(package.id)
        return last if last is not None and Version.parse(last) < Version.parse(package.version) else None

    def remember_version(self, package: ModulePackage) -> None:
        """Record that a version has loaded."""
        if self._versions.get(package.id) == package.version:
            return
        self._versions[package.id] = package.version
        if self._directory is not None:
            aside = self._directory / "versions.json.new"
            aside.write_text(json.dumps(self._versions, indent=1), encoding="utf-8")
            aside.chmod(0o600)
            aside.replace(self._directory / "versions.json")

    def close(self) -> None:
        """Close the files; a second call does nothing."""
        for module in list(self._attached):
            self.detach(module)
        if self._decisions is not None:
            self._decisions.close()
        if self._audit is not None:
            self._audit.close()

    def _read_versions(self) -> dict[str, str]:
        path = self._directory and self._directory / "versions.json"
        if path is None or not path.exists():
            return {}
        try:
            found: Any = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return {}
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _kept_key(directory: Path) -> bytes:
    """Read the key, made by whichever process comes first.

    Raises:
        IntegrityError: the file is not a key that this library wrote.
    """
    path = directory / "snapshot.key"
    aside = directory / f".snapshot.key.{secrets.token_hex(8)}"
    try:
        if not path.exists():
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)  # unlike a rename, it never replaces the key of a process that was faster
        key = path.read_bytes()
        if len(key) != _KEY_BYTES or not is_own(path.lstat()):
            raise IntegrityError(f"{path} is no key of this user's alone (mode 0600, 32 bytes); remove it")
    finally:
        aside.unlink(missing_ok=True)
    return key
