"""Blobs in an object store, as the service keeps them."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry import digest_of
from plataforma_sdk.web.registry._blob_store import ObjectBlobs

store = pytest.importorskip("obstore.store", reason="needs the extra s3")

CONTENT = bytes(range(256)) * 40_000


async def all_of(blobs, digest, start, end):
    return b"".join([piece async for piece in blobs.read(digest, start, end)])


def test_an_object_has_the_bytes_of_its_file(run, tmp_path):
    path = tmp_path / "blob"
    path.write_bytes(CONTENT)
    digest = digest_of(CONTENT)

    async def main():
        blobs = ObjectBlobs(store.MemoryStore(), url="s3://bucket")
        assert await blobs.size(digest) is None
        await blobs.keep(digest, path)
        assert await blobs.size(digest) == len(CONTENT)
        assert await all_of(blobs, digest, 0, len(CONTENT)) == CONTENT
        assert await all_of(blobs, digest, 5_000_000, 5_000_010) == CONTENT[5_000_000:5_000_010]

    run(main())


class Broken:
    """A store that fails."""

    def head(self, path):
        raise OSError("the connection was reset\nand more")


def test_a_fault_of_the_store_is_one_of_the_registry(run):
    with pytest.raises(RegistryError, match=r"s3://bucket cannot be used \(the connection was reset\)"):
        run(ObjectBlobs(Broken(), url="s3://bucket").size(digest_of(b"")))
