"""The calls of OCI distribution 1.1 that a registry of modules takes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urljoin

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, RegistryError
from plataforma_sdk.permissions import clean_text
from plataforma_sdk.registry._json import from_json, to_json
from plataforma_sdk.registry._records import BlobRef
from plataforma_sdk.registry._verify import digest_of
from plataforma_sdk.registry.backends._oci_auth import OciAuth
from plataforma_sdk.registry.backends._oci_layout import INDEX_TYPE, MANIFEST_TYPE, descriptor
from plataforma_sdk.registry.backends._urls import origin_of
from plataforma_sdk.registry.backends._web import Answer, WebClient, WebOptions

__all__ = ["OciClient"]

_MAX_MANIFEST_BYTES: Final = 4 << 20
_MAX_TAG_PAGES: Final = 1_000
_MAX_PUSHES: Final = 4
_NEXT: Final = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
_OK, _CREATED, _ACCEPTED, _BAD_REQUEST, _NOT_FOUND = 200, 201, 202, 400, 404


class OciClient:
    """Pushes and pulls by digest, and verifies manifests; blobs are the caller's to verify as they stream.

    **Source:** OCI distribution specification 1.1.
    """

    def __init__(self, origin: str, credentials: tuple[str, str] | None, options: WebOptions | None) -> None:
        self._origin = origin
        self._auth = OciAuth(origin, credentials, options)
        self._web = WebClient(origin, options, explain=self._explain, authorize=self._auth.authorize)

    async def ping(self) -> None:
        """Make sure that a registry answers."""
        await self._web.request("GET", f"{self._origin}/v2/", expect=(_OK,))

    async def tags(self, repository: str) -> list[str]:
        """List the tags of a repository, which may not exist."""
        found: list[str] = []
        url = f"{self._repository(repository)}/tags/list?n=1000"
        for _ in range(_MAX_TAG_PAGES):
            answer = await self._web.request(
                "GET", url, expect=(_OK, _NOT_FOUND), max_bytes=_MAX_MANIFEST_BYTES, scope=_scope(repository)
            )
            if answer.status == _NOT_FOUND:
                return []
            found += _tags(answer, f"the tags of {self._origin}/{repository}")
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return found
            url = self._same_origin(urljoin(url, following[1]))
        raise IntegrityError(f"{self._origin}/{repository} never ends to list its tags")

    async def manifest(self, repository: str, reference: str) -> bytes | None:
        """Return the manifest under a tag or digest, or None.

        Raises:
            IntegrityError: its bytes are not those of the digest that the registry names.
        """
        answer = await self._web.request(
            "GET",
            f"{self._repository(repository)}/manifests/{reference}",
            expect=(_OK, _NOT_FOUND),
            max_bytes=_MAX_MANIFEST_BYTES,
            headers={"accept": f"{MANIFEST_TYPE}, {INDEX_TYPE}"},
            scope=_scope(repository),
        )
        if answer.status == _NOT_FOUND:
            return None
        named = reference if ":" in reference else answer.headers.get("docker-content-digest")
        if named is not None and named != digest_of(answer.body):
            raise IntegrityError(f"{self._origin}/{repository}:{reference} is not the manifest of {named[:80]}")
        return answer.body

    async def push_manifest(self, repository: str, data: bytes, tag: str | None = None) -> Answer:
        """Store a manifest under its digest, or under a tag, which would take whatever arrives.

        Debian's registry answers 400 to one of two who write the same at once, so that is tried again too.

        Raises:
            IntegrityError: the registry keeps receiving something else.
            RegistryError: it keeps refusing.
        """
        for _ in range(_MAX_PUSHES):
            answer = await self._web.request(
                "PUT",
                f"{self._repository(repository)}/manifests/{tag or digest_of(data)}",
                expect=(_OK, _CREATED, _BAD_REQUEST),
                headers={"content-type": from_json(data, what="a manifest")["mediaType"]},
                body=data,
                scope=_scope(repository, "pull,push"),
            )
            is_taken = answer.status != _BAD_REQUEST
            if is_taken and answer.headers.get("docker-content-digest", digest_of(data)) == digest_of(data):
                return answer
        if not is_taken:
            raise self._explain(answer)
        raise IntegrityError(f"{self._origin}/{repository} receives another manifest than was sent: publish it again")

    async def push_referrer(self, repository: str, data: bytes, subject: str) -> None:
        """Store a manifest that refers to another; where the registry has no referrers API, list it under a tag."""
        answer = await self.push_manifest(repository, data)
        if "oci-subject" in answer.headers:
            return
        tag = subject.replace(":", "-")
        listed = await self.manifest(repository, tag)
        entries = from_json(listed, what=tag)["manifests"] if listed else []
        read = from_json(data, what="a manifest")
        entry = descriptor(data, MANIFEST_TYPE) | {name: read[name] for name in ("artifactType", "annotations")}
        if entry not in entries:
            index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [*entries, entry]}
            await self.push_manifest(repository, to_json(index), tag)

    async def push_blob(self, repository: str, data: bytes) -> None:
        """Store a blob, if it is not there."""
        digest, scope = digest_of(data), _scope(repository, "pull,push")
        url = self._repository(repository)
        held = await self._web.request("HEAD", f"{url}/blobs/{digest}", expect=(_OK, _NOT_FOUND), scope=scope)
        if held.status == _OK:
            return
        begun = await self._web.request("POST", f"{url}/blobs/uploads/", expect=(_ACCEPTED,), scope=scope)
        where = self._same_origin(urljoin(f"{url}/blobs/uploads/", begun.headers.get("location", "")))
        headers = {"content-type": "application/octet-stream", "content-length": str(len(data))}
        target = f"{where}{'&' if '?' in where else '?'}digest={digest}"
        try:
            await self._web.request("PUT", target, expect=(_CREATED,), body=data, headers=headers, scope=scope)
        except PackageNotFoundError:  # the session ended with a first try whose answer was lost
            held = await self._web.request("HEAD", f"{url}/blobs/{digest}", expect=(_OK, _NOT_FOUND), scope=scope)
            if held.status != _OK:
                raise

    async def blob(self, repository: str, blob: BlobRef) -> AsyncIterator[bytes]:
        """Yield a blob in pieces, as they come."""
        url = f"{self._repository(repository)}/blobs/{blob.digest}"
        async for piece in self._web.download(url, size=blob.size, scope=_scope(repository)):
            yield piece

    async def aclose(self) -> None:
        """Close all connections."""
        await self._web.aclose()

    def _repository(self, repository: str) -> str:
        return f"{self._origin}/v2/{repository}"

    def _same_origin(self, url: str) -> str:
        if origin_of(url) != self._origin:
            raise RegistryError(f"{self._origin} sends an upload or a list to {origin_of(url)}: nothing was sent there")
        return url

    def _explain(self, answer: Answer) -> RegistryError:
        try:
            error = from_json(answer.body, what="")["errors"][0]
            words = f"{error['code']}: {error.get('message', '')}"
        except (IntegrityError, TypeError, KeyError, IndexError, AttributeError):
            words = "no more was said"
        cls = PackageNotFoundError if answer.status == _NOT_FOUND else RegistryError
        return cls(f"{self._origin} answered {answer.status} ({clean_text(words)})")


def _scope(repository: str, actions: str = "pull") -> str:
    return f"repository:{repository}:{actions}"


def _tags(answer: Answer, what: str) -> list[str]:
    data = from_json(answer.body, what=what)
    tags = data.get("tags") if isinstance(data, dict) else None
    if tags is None and isinstance(data, dict) and "name" in data:  # a repository without tags says null
        return []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise IntegrityError(f"{what} are damaged: they are no list of texts")
    return tags
