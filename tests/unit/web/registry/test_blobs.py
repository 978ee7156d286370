"""The routes of blobs."""

from __future__ import annotations

import asyncio
import errno
import hashlib

import pytest

from plataforma_sdk.registry import digest_of

CONTENT = bytes(range(256)) * 40


def test_a_blob_is_stored_once_and_read_whole(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            statuses = [(await desk.upload(CONTENT)).status_code for _ in range(2)]
            found = await desk.ask("GET", f"/v1/blobs/{digest_of(CONTENT)}")
            assert statuses == [201, 200]
            assert (found.status_code, found.content, found.headers["etag"]) == (
                200,
                CONTENT,
                f'"{digest_of(CONTENT)}"',
            )
            assert desk.incoming == []

    run(main())


def test_a_damaged_blob_is_replaced_by_an_upload(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            await desk.upload(CONTENT)
            desk.service.files.path(digest_of(CONTENT)).write_bytes(b"rotten")
            await desk.upload(CONTENT)
            assert (await desk.ask("GET", f"/v1/blobs/{digest_of(CONTENT)}")).content == CONTENT

    run(main())


def test_other_bytes_than_the_digest_leave_nothing(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            answer = await desk.upload(b"other", digest_of(CONTENT))
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "IntegrityError")
            assert desk.incoming == []
            assert (await desk.ask("HEAD", f"/v1/blobs/{digest_of(CONTENT)}")).status_code == 404

    run(main())


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=4096-", 206, slice(4_096, None)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=10-999999", 206, slice(10, None)),
        ("bytes=-16", 206, slice(len(CONTENT) - 16, None)),
        ("bytes=-999999", 206, slice(0, None)),
        (f"bytes={len(CONTENT)}-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-2", 200, slice(0, None)),
        ("bytes=-", 200, slice(0, None)),
        ("bytes=0-1,4-5", 200, slice(0, None)),
        ("lines=1-2", 200, slice(0, None)),
    ],
)
def test_a_part_of_a_blob_is_read(run, open_desk, asked, status, part):
    async def main():
        async with open_desk("publish") as desk:
            await desk.upload(CONTENT)
            answer = await desk.ask("GET", f"/v1/blobs/{digest_of(CONTENT)}", range=asked)
            assert answer.status_code == status
            if status == 416:
                assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"
                return
            assert answer.content == CONTENT[part]
            assert answer.headers["content-length"] == str(len(CONTENT[part]))
            if status == 206:
                start, stop, _ = part.indices(len(CONTENT))
                assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"

    run(main())


def test_a_part_of_another_blob_is_not_what_was_begun(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            await desk.upload(CONTENT)
            answer = await desk.ask("GET", f"/v1/blobs/{digest_of(CONTENT)}", range="bytes=9-", if_range='"sha256:0"')
            assert (answer.status_code, answer.content) == (200, CONTENT)

    run(main())


def test_the_head_of_a_blob_has_its_size_and_no_bytes(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            await desk.upload(CONTENT)
            answer = await desk.ask("HEAD", f"/v1/blobs/{digest_of(CONTENT)}")
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer.headers["content-length"] == str(len(CONTENT))

    run(main())


def test_a_blob_that_the_client_has_is_not_sent(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            await desk.upload(CONTENT)
            etag = f'"{digest_of(CONTENT)}"'
            answer = await desk.ask("GET", f"/v1/blobs/{digest_of(CONTENT)}", if_none_match=f'"x", W/{etag}')
            assert (answer.status_code, answer.content) == (304, b"")

    run(main())


@pytest.mark.parametrize("digest", ["x", "sha256:0", "..%2F..%2Ftokens.sqlite", "sha256:" + "A" * 64, "%00"])
def test_what_is_no_digest_names_no_file(run, open_desk, digest):
    async def main():
        async with open_desk("publish") as desk:
            for method in ("GET", "PUT"):
                assert (await desk.ask(method, f"/v1/blobs/{digest}", b"x")).status_code in (400, 404)
            assert desk.incoming == []

    run(main())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 411, id="no length"),
        pytest.param({"content-length": "many"}, 411, id="no number"),
        pytest.param({"content-length": "9" * 30}, 411, id="no length of anything"),
        pytest.param({"content-length": "1001"}, 413, id="too large"),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused_unread(run, open_desk, headers, status):
    async def receive():
        raise AssertionError("the body was read")

    async def main():
        async with open_desk("publish", max_blob_bytes=1_000) as desk:
            assert await raw_upload(desk, receive, headers) == status

    run(main())


def test_a_body_that_does_not_come_is_given_up(run, open_desk):
    async def never():
        await asyncio.Event().wait()

    async def main():
        async with open_desk("publish", body_timeout_s=0.01) as desk:
            assert await raw_upload(desk, never, {"content-length": "10"}) == 408
            assert desk.incoming == []

    run(main())


def test_a_connection_that_is_cut_leaves_nothing(run, open_desk):
    messages = [{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}]

    async def receive():
        return messages.pop(0)

    async def main():
        async with open_desk("publish") as desk:
            assert await raw_upload(desk, receive, {"content-length": "8"}) == 400
            assert desk.incoming == []

    run(main())


def test_an_upload_that_is_cancelled_leaves_nothing(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            reached = asyncio.Event()
            messages = [{"type": "http.request", "body": b"x" * 2_000_000, "more_body": True}]

            async def receive():
                if messages:
                    return messages.pop()
                reached.set()
                return await asyncio.Event().wait()

            async with asyncio.TaskGroup() as group:
                task = group.create_task(raw_upload(desk, receive, {"content-length": "3000000"}))
                await reached.wait()
                assert len(desk.incoming) == 1
                task.cancel()
            assert desk.incoming == []

    run(main())


def test_a_large_body_is_written_as_it_arrives(run, open_desk):
    """Ten mebibytes arrive, and no more than about one of them is ever held back."""
    piece = bytes(1 << 16)

    async def main():
        async with open_desk("publish") as desk:
            sent, held = 0, 0

            async def receive():
                nonlocal sent, held
                held = max(held, sent - sum(path.stat().st_size for path in desk.incoming))
                sent += len(piece)
                return {"type": "http.request", "body": piece, "more_body": sent < 160 * len(piece)}

            digest = f"sha256:{hashlib.sha256(piece * 160).hexdigest()}"
            assert await raw_upload(desk, receive, {"content-length": str(160 * len(piece))}, digest) == 201
            assert held <= 1 << 20

    run(main())


def test_a_disk_that_is_full_is_said(run, open_desk, monkeypatch):
    def full(digest, aside):
        raise OSError(errno.ENOSPC, "No space left on device")

    async def main():
        async with open_desk("publish") as desk:
            monkeypatch.setattr(desk.service.files, "keep", full)
            answer = await desk.upload(CONTENT)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
            assert "No space left" in answer.json()["error"]["message"]
            assert desk.incoming == []

    run(main())


async def raw_upload(desk, receive, headers, digest=None):
    """Upload by ASGI alone, and return the status."""
    statuses = []

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    sent = {"authorization": f"Bearer {desk.token}", **headers}
    path = f"/v1/blobs/{digest or digest_of(b'x')}"
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "PUT",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("192.0.2.1", 1),
        "server": ("registry.test", 80),
    }
    await desk.app(scope, receive, send)
    return statuses[0]
