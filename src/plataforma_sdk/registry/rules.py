"""What every backend decides alike: what may be published, what a yank changes, and what a search finds.

A backend that is added by a plugin uses these too, and so agrees with those that are built in.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping

import attrs

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, VersionConflictError
from plataforma_sdk.registry._records import BlobRef, ModuleIndex, Release, SearchHit, SearchPage, check_id
from plataforma_sdk.registry._verify import digest_of

__all__ = [
    "blobs_of",
    "check_blobs",
    "check_id",
    "check_listed",
    "check_publish",
    "namespace_of",
    "newest_hit",
    "search_hits",
    "set_yanked",
    "words_of",
]


def namespace_of(module_id: str) -> str:
    """Return whose name an id is: ``"acme"`` of ``"acme/vendas"``, and the id itself where it has no namespace."""
    return module_id.partition("/")[0]


def blobs_of(release: Release) -> tuple[BlobRef, ...]:
    """Return every blob that a release names, its archive first."""
    return (release.archive, *release.attachments.values())


def check_blobs(release: Release, blobs: Mapping[str, bytes]) -> None:
    """Make sure that the bytes given are the blobs of the release, all of them and no others.

    Raises:
        IntegrityError: one is missing, is not named by the release, or has other bytes than its digest says.
    """
    named = {blob.digest: blob for blob in blobs_of(release)}
    who = f"{release.id} {release.version}"
    for digest in sorted(named.keys() ^ blobs.keys()):
        raise IntegrityError(f"{who}: the blob {digest} is {'missing' if digest in named else 'not named by it'}")
    for digest, blob in named.items():
        data = blobs[digest]
        if len(data) != blob.size or digest_of(data) != digest:
            raise IntegrityError(
                f"{who}: the {len(data):,} bytes given for {digest} are others ({digest_of(data)}); build it again"
            )


def check_publish(index: ModuleIndex, release: Release, owner: str | None) -> bool:
    """Decide whether a release may be added; return True where the very same one is there already.

    Raises:
        IntegrityError: the namespace belongs to another key, or the release comes yanked.
        VersionConflictError: this version exists with other content.
    """
    if release.yanked is not None:
        raise IntegrityError(f"{release.id} {release.version} comes yanked: publish it first, then yank it")
    if index.owner is not None and owner != index.owner:
        raise IntegrityError(
            f"{release.id}: the namespace {namespace_of(release.id)!r} belongs to the key {index.owner}, and this "
            f"release is signed by {owner or 'nobody'}: publish with the owner's key, with the rotations (--rotations) "
            "by which it passed the name on, or under a name of your own"
        )
    known = index.release(release.version)
    if known is None:
        return False
    if known.is_same(release):
        return True
    raise VersionConflictError(
        f"{release.id} {release.version} is published with other content ({known.digest}); "
        "versions are immutable: raise the version in module.toml"
    )


def set_yanked(index: ModuleIndex, version: str, reason: str | None) -> ModuleIndex:
    """Return the index with a version yanked, or not yanked again.

    Raises:
        PackageNotFoundError: there is no such version.
    """
    known = index.release(version)
    if known is None:
        have = ", ".join(release.version for release in index.releases) or "none"
        raise PackageNotFoundError(f"{index.id} {version} was never published; there are: {have}")
    return index if known.yanked == reason else index.with_release(attrs.evolve(known, yanked=reason))


def check_listed(index: ModuleIndex, version: str, is_right: Callable[[Release], bool]) -> ModuleIndex:
    """Return the index that a store answered after a release was written or marked, if it says so.

    Raises:
        IntegrityError: the release is not listed, or is not as it was written.
    """
    listed = index.release(version)
    if listed is None or not is_right(listed):
        raise IntegrityError(
            f"{index.id} {version}: the registry took it, and then answered an index without it: an old answer, "
            "or somebody wrote in the same moment; try again"
        )
    return index


def newest_hit(index: ModuleIndex) -> SearchHit | None:
    """Return what a search shows of a module: its newest release that is not yanked, prereleases only where alone."""
    usable = [release for release in index.releases if release.yanked is None]
    if not usable:
        return None
    best = next((release for release in reversed(usable) if "-" not in release.version.partition("+")[0]), usable[-1])
    return SearchHit(id=best.id, version=best.version, name=best.name, description=best.description)


def words_of(text: str) -> list[str]:
    """Return the words of a text, without accents and case: ``"Gestão"`` -> ``["gestao"]``."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letter if letter.isalnum() else " " for letter in plain.casefold()).split()


def search_hits(hits: Iterable[SearchHit], query: str, *, limit: int, offset: int) -> SearchPage:
    """Search among hits held in memory: those found by their id come first, then by id."""
    wanted = words_of(query)
    ranked = sorted((place, hit.id, hit) for hit in hits if (place := _place(hit, wanted)) is not None)
    return SearchPage(hits=tuple(hit for _, _, hit in ranked[offset : offset + limit]), total=len(ranked))


def _place(hit: SearchHit, wanted: list[str]) -> int | None:
    """Rank a hit, 0 first: the words are its id, begin words of its id, or stand elsewhere; None where they do not."""
    words = words_of(hit.id)
    if wanted == words:
        return 0
    if _all_begin(wanted, words):
        return 1
    return 2 if _all_begin(wanted, [*words, *words_of(f"{hit.name} {hit.description}")]) else None


def _all_begin(wanted: list[str], words: list[str]) -> bool:
    return all(any(word.startswith(part) for word in words) for part in wanted)
