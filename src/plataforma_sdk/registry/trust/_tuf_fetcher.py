"""How python-tuf reaches a registry: by the client that all else goes over; imports python-tuf, so this comes late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface

__all__ = ["Fetcher"]

_NOT_FOUND = 404


class Fetcher(FetcherInterface):
    """Fetches metadata by its name."""

    def __init__(self, fetch: Callable[[str], bytes | None]) -> None:
        self._read = fetch

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = urlsplit(url).path.rpartition("/")[2]
        data = self._read(name)
        if data is None:
            raise DownloadHTTPError(f"{name} is not there", _NOT_FOUND)
        return iter([data])
