"""The lock file: which release of each module was chosen, by digest, and what was last seen of the registry."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

import attrs

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, RegistryError
from plataforma_sdk.manifest import Version
from plataforma_sdk.registry._candidates import problem_of, range_of
from plataforma_sdk.registry._files import write_whole
from plataforma_sdk.registry._greedy import is_valid
from plataforma_sdk.registry._json import from_json
from plataforma_sdk.registry._records import ModuleIndex, Release, check_id, check_revision
from plataforma_sdk.registry._resolution import Resolution

__all__ = ["EVERYTHING", "Lock", "LockedModule"]

EVERYTHING: Final = "*"
"""What `Resolver.resolve(update=...)` takes for every module; no module has this id."""

_FORMAT: Final = 1
_MAX_BYTES: Final = 16 << 20
_BLANK: Final[Mapping[str, Any]] = {"published_at": "", "yanked": None}
"""Fields of a release that a lock leaves out: its publisher signs all others, so these are kept to verify that."""


def _frozen(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(sorted(mapping.items())))


@attrs.frozen(kw_only=True)
class LockedModule:
    """What a lock says about one module.

    Attributes:
        release: what was chosen, without what a registry adds.
        registry: where.
        revision: of the module's index when it was last seen: the registry may not answer a lower one.
    """

    release: Release
    registry: str
    revision: int

    def to_data(self) -> dict[str, Any]:
        """Write the entry as plain data; the id is its key in the file."""
        data = {key: value for key, value in self.release.to_data().items() if key != "id" and key not in _BLANK}
        return {**data, "registry": self.registry, "revision": self.revision}

    @classmethod
    def from_data(cls, module_id: str, data: Any) -> Self:
        """Read what `to_data` wrote.

        Raises:
            IntegrityError: anything else.
        """
        if not isinstance(data, Mapping) or data.keys() & {"id", *_BLANK}:
            raise IntegrityError(f"{module_id} in module.lock is damaged: take it from your version control")
        fields = dict(data)
        registry, revision = fields.pop("registry", None), fields.pop("revision", None)
        if not isinstance(registry, str):
            raise IntegrityError(f"{module_id} in module.lock names no registry")
        release = Release.from_data({**_BLANK, **fields, "id": module_id})
        return cls(release=release, registry=registry, revision=check_revision(revision, module_id))


def _check_ranges(every: Iterable[Mapping[str, str]]) -> None:
    try:
        for ranges in every:
            for module_id, text in ranges.items():
                check_id(module_id)
                range_of(text)
    except (TypeError, ValueError) as error:
        raise IntegrityError(f"module.lock is damaged: {error}") from None


def _plain(release: Release) -> Release:
    return attrs.evolve(release, published_at="", yanked=None)


@attrs.frozen(kw_only=True)
class Lock:
    """What was resolved, to be resolved again alike: a value; `read` and `write` make it a file.

    Attributes:
        requirements: what was asked for: module id -> range.
        modules: module id -> what was chosen.

    >>> Lock().modules
    mappingproxy({})
    """

    requirements: Mapping[str, str] = attrs.field(factory=dict, converter=_frozen)
    modules: Mapping[str, LockedModule] = attrs.field(factory=dict, converter=_frozen)

    @classmethod
    def of(cls, resolution: Resolution) -> Self:
        """Lock what was resolved."""
        modules = {
            module_id: LockedModule(
                release=_plain(release), registry=resolution.registry, revision=resolution.revisions[module_id]
            )
            for module_id, release in resolution.releases.items()
        }
        return cls(requirements=resolution.requirements, modules=modules)

    # --- what it is good for ---

    def find(self, requirements: Mapping[str, str], *, sdk: Version, tier: str | None = None) -> Resolution | None:
        """Answer from the lock alone, without any registry; None where it does not answer.

        A release that has been yanked since is still found: that is what a lock is for.
        """
        releases = self._closure(requirements)
        if not is_valid(requirements, releases):
            return None
        places = {self.modules[module_id].registry for module_id in releases}
        if len(places) > 1:
            return None
        if any(problem_of(release, sdk=sdk, tier=tier) for release in releases.values()):
            return None
        return Resolution(
            requirements=requirements,
            releases=releases,
            registry=places.pop() if places else "",
            revisions={module_id: self.modules[module_id].revision for module_id in releases},
        )

    def _closure(self, requirements: Mapping[str, str]) -> dict[str, Release]:
        found: dict[str, Release] = {}
        waiting = list(requirements)
        while waiting:
            module_id = waiting.pop()
            if module_id in self.modules and module_id not in found:
                found[module_id] = self.modules[module_id].release
                waiting.extend(found[module_id].dependencies)
        return found

    def check_index(self, index: ModuleIndex, registry: str) -> None:
        """Make sure that what a registry answers follows what was locked.

        Raises:
            IntegrityError: another registry than the locked one, an older index, or a locked release that changed.
        """
        locked = self.modules.get(index.id)
        if locked is None:
            return
        if locked.registry != registry:
            raise IntegrityError(
                f"{index.id} is locked to {locked.registry}, and this is {registry}: a module does not move between "
                "registries by itself; remove it from module.lock if it shall come from here",
                module=index.id,
            )
        if index.revision < locked.revision:
            raise IntegrityError(
                f"{index.id}: {registry} answered revision {index.revision}, and module.lock has seen "
                f"{locked.revision}: this is an old index, replayed or restored; tell whoever runs the registry",
                module=index.id,
            )
        now = index.release(locked.release.version)
        if now is None or _plain(now) != locked.release:
            raise IntegrityError(
                f"{index.id} {locked.release.version}: {registry} {'lost' if now is None else 'changed'} the release "
                f"that module.lock names ({locked.release.digest}); versions are immutable: tell whoever runs the "
                "registry",
                module=index.id,
            )

    # --- the file ---

    def to_text(self) -> str:
        """Write the lock as JSON: equal locks give equal text, a line for each value, so that a change can be read."""
        modules = {module_id: module.to_data() for module_id, module in self.modules.items()}
        data = {"lock": _FORMAT, "requirements": dict(self.requirements), "modules": modules}
        return json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_text(cls, text: str | bytes) -> Self:
        """Read what `to_text` wrote, from whoever it comes.

        Raises:
            IntegrityError: anything else, or a lock of a later version of this library.
        """
        if len(text) > _MAX_BYTES:
            raise IntegrityError(f"module.lock has more than {_MAX_BYTES:,} bytes")
        data = from_json(text, what="module.lock")
        if not isinstance(data, Mapping) or set(data) != {"lock", "requirements", "modules"}:
            raise IntegrityError("module.lock is damaged: make it anew, or take it from your version control")
        if data["lock"] != _FORMAT:
            raise IntegrityError(f"module.lock has format {str(data['lock'])[:20]}, and this library reads {_FORMAT}")
        requirements, modules = data["requirements"], data["modules"]
        if not isinstance(requirements, Mapping) or not isinstance(modules, Mapping):
            raise IntegrityError("module.lock is damaged: its requirements and modules are no objects")
        read = {check_id(name): LockedModule.from_data(name, item) for name, item in modules.items()}
        lock = cls(requirements=requirements, modules=read)
        _check_ranges([lock.requirements, *(module.release.dependencies for module in read.values())])
        return lock

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a lock file; may block.

        Raises:
            IntegrityError: it is damaged.
            PackageNotFoundError: there is none.
        """
        try:
            return cls.from_text(path.read_bytes())
        except FileNotFoundError:
            raise PackageNotFoundError(f"There is no {path}: resolve once with the registry to make it") from None

    def write(self, path: Path) -> bool:
        """Write the file whole; tell whether it changed. May block.

        Raises:
            RegistryError: it cannot be written; what was there stays.
        """
        text = self.to_text().encode()
        try:
            with contextlib.suppress(FileNotFoundError):
                if path.read_bytes() == text:
                    return False
            write_whole(path, text)
        except OSError as error:
            raise RegistryError(f"{path} cannot be written ({error.strerror}): see to its directory") from None
        return True
