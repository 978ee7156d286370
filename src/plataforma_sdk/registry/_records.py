"""What a registry says about a module: its releases, and the blobs that they are made of.

Every record is plain data of a stable form, `to_data` and `from_data`: backends store it, the service sends it, the
lock file and a client's memory of what it saw compare it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Self

import attrs

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.manifest import Version
from plataforma_sdk.types import is_module_id

__all__ = [
    "BackendHealth",
    "BlobRef",
    "ModuleIndex",
    "Release",
    "SearchHit",
    "SearchPage",
    "check_id",
    "check_revision",
]

ARCHIVE_TYPE: Final = "application/vnd.plataforma.module.v1+zip"
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_MAX_BLOB_BYTES: Final = 1 << 30
_MAX_REVISION: Final = (1 << 53) - 1
"""What every reader of JSON reads alike, and every database of a client keeps."""


def _frozen(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


def _check_digest(_: object, field: attrs.Attribute[str], digest: str) -> None:
    if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
        raise IntegrityError(f"{field.name} {str(digest)[:80]!r} is no digest: it reads 'sha256:' and 64 hex digits")


def check_id(module_id: Any) -> str:
    """Return a module id, which is then safe in a path, a name of a repository and a key.

    Raises:
        IntegrityError: it is none.
    """
    if not isinstance(module_id, str) or not is_module_id(module_id):
        raise IntegrityError(f"{str(module_id)[:80]!r} is no module id: it reads 'name' or 'namespace/name'")
    return module_id


def _check_version(release: Release, _: object, version: Any) -> None:
    try:
        Version.parse(version)
    except (TypeError, ValueError):
        raise IntegrityError(f"{str(version)[:80]!r} of {release.id} is no version") from None


def check_revision(revision: Any, module_id: Any) -> int:
    """Return the revision of an index.

    Raises:
        IntegrityError: it is none.
    """
    if type(revision) is not int or not 0 <= revision <= _MAX_REVISION:
        raise IntegrityError(f"the index of {str(module_id)[:80]!r} is damaged: its revision is none")
    return revision


def _check_names(release: Release, _: object, attachments: Mapping[str, Any]) -> None:
    for name in attachments:
        if _NAME.fullmatch(name) is None:
            raise IntegrityError(f"{name[:80]!r} of {release.id} is no name of an attachment: write a-z, 0-9, . _ -")


@attrs.frozen
class BlobRef:
    """What identifies a blob: whoever holds this can check every byte of it.

    Attributes:
        digest: ``"sha256:..."`` of its bytes.
        size: in bytes.
        media_type: what it is.
    """

    digest: str = attrs.field(validator=_check_digest)
    size: int = attrs.field()
    media_type: str = ARCHIVE_TYPE

    @size.validator
    def _check_size(self, _: object, size: int) -> None:
        if type(size) is not int or not 0 <= size <= _MAX_BLOB_BYTES:
            raise IntegrityError(f"a blob of {size!r} bytes: 0 to {_MAX_BLOB_BYTES:,} can be stored")

    def to_data(self) -> dict[str, Any]:
        """Write the reference as plain data."""
        return {"digest": self.digest, "size": self.size, "media_type": self.media_type}

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Read what `to_data` wrote.

        Raises:
            IntegrityError: anything else.
        """
        fields = _fields(data, {"digest", "size", "media_type"}, "a blob")
        return cls(fields["digest"], fields["size"], _text(fields, "media_type"))


@attrs.frozen(kw_only=True)
class Release:
    """One published version of a module. Immutable, but for `yanked`.

    Attributes:
        id: the module's id.
        version: its semantic version.
        digest: of the package's content, `ModulePackage.digest`.
        archive: the blob that holds the package.
        name: for people.
        description: a sentence or two.
        licence: SPDX expression, or empty.
        authors: names.
        sdk: versions of this library that it runs with, a range.
        excluded_tiers: tiers that its manifest refuses.
        dependencies: module id -> range.
        attachments: name -> blob: ``"sbom"``, ``"scan"``, ``"attestation"`` ...
        publisher: fingerprint of the key that signed it, or None.
        published_at: ISO 8601, UTC.
        yanked: why it is no longer to be chosen anew, or None; a lock that names it still gets it.
    """

    id: str = attrs.field(validator=lambda _, __, value: check_id(value))
    version: str = attrs.field(validator=_check_version)
    digest: str = attrs.field(validator=_check_digest)
    archive: BlobRef
    name: str = ""
    description: str = ""
    licence: str = ""
    authors: tuple[str, ...] = ()
    sdk: str = "*"
    excluded_tiers: tuple[str, ...] = ()
    dependencies: Mapping[str, str] = attrs.field(factory=dict, converter=_frozen)
    attachments: Mapping[str, BlobRef] = attrs.field(factory=dict, converter=_frozen, validator=_check_names)
    publisher: str | None = None
    published_at: str = ""
    yanked: str | None = None

    def is_same(self, other: Release) -> bool:
        """Whether both are the same content of the same version: publishing it again changes nothing."""
        return (self.id, self.version, self.digest) == (other.id, other.version, other.digest)

    def to_data(self) -> dict[str, Any]:
        """Write the release as plain data."""
        data = attrs.asdict(self, recurse=False)
        data["archive"] = self.archive.to_data()
        data["authors"] = list(self.authors)
        data["excluded_tiers"] = list(self.excluded_tiers)
        data["dependencies"] = dict(self.dependencies)
        data["attachments"] = {name: blob.to_data() for name, blob in self.attachments.items()}
        return data

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Read what `to_data` wrote, from whoever it comes.

        Raises:
            IntegrityError: anything else.
        """
        fields = _fields(data, {field.name for field in attrs.fields(cls)}, "a release")
        attachments = _mapping(fields, "attachments")
        return cls(
            id=fields["id"],
            version=fields["version"],
            digest=fields["digest"],
            archive=BlobRef.from_data(fields["archive"]),
            authors=tuple(_texts(fields["authors"], "authors")),
            excluded_tiers=tuple(_texts(fields["excluded_tiers"], "excluded_tiers")),
            dependencies=dict(
                zip(
                    _mapping(fields, "dependencies"),
                    _texts(list(fields["dependencies"].values()), "dependencies"),
                    strict=True,
                )
            ),
            attachments={name: BlobRef.from_data(blob) for name, blob in attachments.items()},
            publisher=_optional(fields, "publisher"),
            yanked=_optional(fields, "yanked"),
            **{name: _text(fields, name) for name in ("name", "description", "licence", "sdk", "published_at")},
        )


@attrs.frozen(kw_only=True)
class ModuleIndex:
    """All that a registry says about one module.

    Attributes:
        id: the module's id.
        revision: grows by one with every publish and yank: a lower one than was seen before is an old index.
        owner: fingerprint of the key that owns the module's namespace, or None.
        releases: oldest version first.
    """

    id: str
    revision: int = attrs.field(default=0, validator=lambda index, _, revision: check_revision(revision, index.id))
    owner: str | None = None
    releases: tuple[Release, ...] = ()

    def release(self, version: str) -> Release | None:
        """Return the release of a version, or None."""
        return next((release for release in self.releases if release.version == version), None)

    def with_release(self, release: Release) -> ModuleIndex:
        """Return the index with a release added or replaced, one revision later."""
        others = [known for known in self.releases if known.version != release.version]
        releases = sorted([*others, release], key=lambda item: Version.parse(item.version))
        return attrs.evolve(self, releases=tuple(releases), revision=self.revision + 1)

    def to_data(self) -> dict[str, Any]:
        """Write the index as plain data."""
        releases = [release.to_data() for release in self.releases]
        return {"id": self.id, "revision": self.revision, "owner": self.owner, "releases": releases}

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Read what `to_data` wrote.

        Raises:
            IntegrityError: anything else, a release of another module among it too.
        """
        fields = _fields(data, {"id", "revision", "owner", "releases"}, "an index")
        if not isinstance(fields["releases"], list):
            raise IntegrityError(f"the index of {str(fields['id'])[:80]!r} is damaged")
        releases = tuple(Release.from_data(item) for item in fields["releases"])
        if any(release.id != fields["id"] for release in releases):
            raise IntegrityError(f"the index of {str(fields['id'])[:80]!r} lists releases of another module")
        if len({release.version for release in releases}) < len(releases):
            raise IntegrityError(f"the index of {str(fields['id'])[:80]!r} lists a version twice")
        return cls(id=fields["id"], revision=fields["revision"], owner=_optional(fields, "owner"), releases=releases)


@attrs.frozen(kw_only=True)
class SearchHit:
    """One module that a search found.

    Attributes:
        id: the module's id.
        version: its newest version that is not yanked.
        name: for people.
        description: a sentence or two.
    """

    id: str
    version: str
    name: str = ""
    description: str = ""


@attrs.frozen(kw_only=True)
class SearchPage:
    """A page of what a search found.

    Attributes:
        hits: best first.
        total: how many there are on all pages.
    """

    hits: tuple[SearchHit, ...] = ()
    total: int = 0


@attrs.frozen(kw_only=True)
class BackendHealth:
    """Whether a backend can be used.

    Attributes:
        is_ready: whether it answers.
        detail: what it is, or what is wrong with it.
    """

    is_ready: bool
    detail: str = ""


# --- reading data of unknown origin ---------------------------------------------------------------------------------


def _fields(data: Any, known: set[str], what: str) -> Mapping[str, Any]:
    """Return the fields of an object that has exactly the known ones."""
    if not isinstance(data, Mapping) or set(data) != known:
        raise IntegrityError(
            f"{what} of the registry is damaged: it does not have the fields {', '.join(sorted(known))}"
        )
    return data


def _mapping(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields[name]
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise IntegrityError(f"{name} of a release is damaged: it is no object")
    return value


def _texts(values: Any, name: str) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise IntegrityError(f"{name} of a release is damaged: it is no list of texts")
    return values


def _text(fields: Mapping[str, Any], name: str) -> str:
    if not isinstance(fields[name], str):
        raise IntegrityError(f"{name} of the registry's answer is damaged: it is no text")
    return str(fields[name])


def _optional(fields: Mapping[str, Any], name: str) -> str | None:
    return None if fields[name] is None else _text(fields, name)
