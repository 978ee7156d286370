"""A client of our own registry service. What it sends stands in ``docs/reference/registry-http.md``."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import attrs
from cachetools import LRUCache

from plataforma_sdk import errors
from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.permissions import clean_text
from plataforma_sdk.registry._json import from_json, to_json
from plataforma_sdk.registry._records import (
    BackendHealth,
    BlobRef,
    ModuleIndex,
    Release,
    SearchHit,
    SearchPage,
    check_id,
)
from plataforma_sdk.registry._verify import IndexMemory, digest_of
from plataforma_sdk.registry.backends._tries import WebOptions
from plataforma_sdk.registry.backends._urls import parse_base
from plataforma_sdk.registry.backends._web import Answer, WebClient
from plataforma_sdk.registry.rules import blobs_of, check_blobs, check_listed
from plataforma_sdk.types import module_segment

__all__ = ["HttpBackend"]

_OK, _CREATED, _NOT_MODIFIED, _NOT_FOUND, _UNAVAILABLE = 200, 201, 304, 404, 503
_MAX_INDEX_BYTES: Final = 1 << 24
_MAX_METADATA_BYTES: Final = 5 << 20
_MAX_MESSAGE_CHARS: Final = 2_000
_MAX_CACHED: Final = 1_024
_CLASSES: Final = {
    cls.__name__: cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, RegistryError)
}


class HttpBackend:
    """A registry service over HTTP; see `RegistryBackend`. Needs the extra ``http``.

    Plain ``http://`` reaches this machine alone. The token goes to the service's own origin and nowhere else.

    >>> HttpBackend("https://registry.example/modules/").url
    'https://registry.example/modules'
    """

    is_local = False

    def __init__(self, url: str, *, token: str | None = None, options: WebOptions | None = None) -> None:
        """Name the service.

        Raises:
            RegistryError: the address is none, is not encrypted, or holds credentials; the token can be none; or httpx2
                is not installed.
        """
        base = parse_base(url)
        if token and not (token.isascii() and token.isprintable()):
            raise RegistryError(f"The token for {base.origin} has characters that no token has: copy it again")
        self.url = base.origin + base.path
        self._token = token
        self._client = WebClient(base.origin, options, explain=self._explain, authorize=self._authorize)
        self._memory = IndexMemory()
        self._cached: LRUCache[str, tuple[str, ModuleIndex]] = LRUCache(_MAX_CACHED)

    async def publish(self, release: Release, blobs: Mapping[str, bytes], *, owner: str | None = None) -> ModuleIndex:
        """See `RegistryBackend.publish`."""
        check_blobs(release, blobs)
        last = self._memory.last(release.id)
        for blob in blobs_of(release):
            await self._upload(blob.digest, blobs[blob.digest])
        url = f"{self._module(release.id)}/{quote(release.version, safe='')}"
        body = {"release": release.to_data(), "owner": owner}
        index = await self._index("PUT", url, last, expect=(_OK, _CREATED), body=body)
        return check_listed(index, release.version, release.is_same)

    async def fetch(self, module_id: str, blob: BlobRef) -> AsyncIterator[bytes]:
        """See `RegistryBackend.fetch`."""
        check_id(module_id)  # blobs are named by their digest alone
        async for piece in self._client.download(self._blob(blob.digest), size=blob.size):
            yield piece

    async def versions(self, module_id: str) -> ModuleIndex:
        """See `RegistryBackend.versions`; asks for what changed since the last time."""
        last = self._memory.last(module_id)
        etag, cached = self._cached.get(module_id, ("", last))
        headers = {"if-none-match": etag} if etag else {}
        answer = await self._client.request(
            "GET",
            self._module(module_id),
            expect=(_OK, _NOT_MODIFIED) if etag else (_OK,),
            max_bytes=_MAX_INDEX_BYTES,
            headers=headers,
        )
        if answer.status == _NOT_MODIFIED:
            return self._memory.accept(cached, last)
        index = self._memory.accept(ModuleIndex.from_data(self._data(answer)), last)
        self._cached[module_id] = answer.headers["etag"], index
        return index

    async def search(self, query: str, *, limit: int = 20, offset: int = 0) -> SearchPage:
        """See `RegistryBackend.search`."""
        words = urlencode({"q": query.encode(errors="replace"), "limit": limit, "offset": offset})
        answer = await self._client.request(
            "GET", f"{self.url}/v1/search?{words}", expect=(_OK,), max_bytes=_MAX_INDEX_BYTES
        )
        data = self._data(answer)
        try:
            return SearchPage(hits=tuple(_hit(hit) for hit in data["hits"]), total=int(data["total"]))
        except (TypeError, KeyError, ValueError, AttributeError):
            raise IntegrityError(f"{self.url} answered a search with something else than a page of hits") from None

    async def yank(self, module_id: str, version: str, reason: str | None) -> ModuleIndex:
        """See `RegistryBackend.yank`."""
        last = self._memory.last(module_id)
        url = f"{self._module(module_id)}/{quote(version, safe='')}/yank"
        index = await self._index("POST", url, last, expect=(_OK,), body={"reason": reason})
        return check_listed(index, version, lambda release: release.yanked == reason)

    async def tuf_file(self, name: str) -> bytes | None:
        """See `MetadataSource.tuf_file`; python-tuf verifies what comes."""
        url = f"{self.url}/v1/tuf/{quote(name, safe='')}"
        answer = await self._client.request("GET", url, expect=(_OK, _NOT_FOUND), max_bytes=_MAX_METADATA_BYTES)
        return answer.body if answer.status == _OK else None

    async def health(self) -> BackendHealth:
        """See `RegistryBackend.health`."""
        try:
            answer = await self._client.request("GET", f"{self.url}/ready", expect=(_OK, _UNAVAILABLE))
            detail = str(self._data(answer)["detail"])
        except (RegistryError, TypeError, KeyError) as error:
            return BackendHealth(is_ready=False, detail=str(error))
        return BackendHealth(is_ready=answer.status == _OK, detail=clean_text(detail))

    async def aclose(self) -> None:
        """See `RegistryBackend.aclose`."""
        await self._client.aclose()

    def _module(self, module_id: str) -> str:
        return f"{self.url}/v1/modules/{module_segment(module_id)}"

    def _blob(self, digest: str) -> str:
        return f"{self.url}/v1/blobs/{digest}"

    async def _upload(self, digest: str, data: bytes) -> None:
        url = self._blob(digest)
        held = await self._client.request("HEAD", url, expect=(_OK, _NOT_FOUND))
        if held.status == _NOT_FOUND:
            headers = {"content-type": "application/octet-stream", "content-length": str(len(data))}
            await self._client.request("PUT", url, expect=(_OK, _CREATED), body=data, headers=headers)

    async def _index(
        self, method: str, url: str, last: ModuleIndex, *, expect: Collection[int], body: Any
    ) -> ModuleIndex:
        text = to_json(body)
        digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
        answer = await self._client.request(
            method,
            url,
            expect=expect,
            max_bytes=_MAX_INDEX_BYTES,
            headers={"content-type": "application/json", "content-digest": f"sha-256=:{digest}:"},
            body=text,
        )
        return self._memory.accept(ModuleIndex.from_data(self._data(answer)), last)

    def _data(self, answer: Answer) -> Any:
        """Read an answer whose body is what its digest says: else something on the way has damaged it."""
        if answer.headers.get("etag") != f'"{digest_of(answer.body)}"':
            raise IntegrityError(
                f"{self.url} answered a body that does not fit its ETag: something on the way changes answers, "
                "or this is no registry"
            )
        return from_json(answer.body, what=f"the answer of {self.url}")

    async def _authorize(self, _scope: str, _challenge: str | None) -> str | None:
        return f"Bearer {self._token}" if self._token else None

    def _explain(self, answer: Answer) -> RegistryError:
        """Rebuild the error that the service answered; the words are its own, made harmless."""
        try:
            error = from_json(answer.body, what="")["error"]
            cls, message = _CLASSES.get(error["code"], RegistryError), error["message"]
        except (IntegrityError, TypeError, KeyError):
            cls, message = RegistryError, "no registry, or one that says no more"
        return cls(f"{self.url} answered {answer.status}: {clean_text(str(message), _MAX_MESSAGE_CHARS)}")


def _hit(data: Any) -> SearchHit:
    fields = {field.name: data[field.name] for field in attrs.fields(SearchHit)}
    if not all(isinstance(value, str) for value in fields.values()):
        raise TypeError("a hit holds text")
    return SearchHit(**fields)
