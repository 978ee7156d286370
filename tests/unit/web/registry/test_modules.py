"""The routes of indexes, releases and searches."""

from __future__ import annotations

import base64
import hashlib

import pytest

from plataforma_sdk.registry import digest_of
from plataforma_sdk.registry._json import to_json
from tests.conformance.registry._releases import MARIA, RUI, make_release


def error_of(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_a_release_is_listed_once_its_blobs_are_there(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            first = await desk.publish("acme/vendas", "1.0.0+build.7")
            again = await desk.publish("acme/vendas", "1.0.0+build.7")
            assert (first.status_code, again.status_code) == (201, 200)
            assert first.content == again.content
            assert (await desk.index("acme/vendas")).revision == 1

    run(main())


def test_a_release_whose_blobs_are_missing_is_refused_by_their_digests(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            release, _ = make_release(attachments={"sbom": b"{}"})
            await desk.upload(b"{}")
            answer = await desk.list_release(release)
            assert error_of(answer) == (422, "RegistryError")
            assert release.archive.digest in answer.json()["error"]["message"]
            assert digest_of(b"{}") not in answer.json()["error"]["message"]
            assert (await desk.index()).releases == ()

    run(main())


def test_a_release_that_names_another_size_is_refused(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            release, _ = make_release()
            await desk.upload(b"vendas 1.0.0")
            answer = await desk.list_release(release, archive={**release.archive.to_data(), "size": 9})
            assert error_of(answer) == (422, "RegistryError")

    run(main())


@pytest.mark.parametrize(
    "changed",
    [
        {"yanked": "broken"},
        {"version": "1.0.1"},
        {"id": "clientes"},
        {"surprise": 1},
        {"digest": "md5:0"},
        {"dependencies": []},
        {"authors": "Ana"},
        {"authors": None},
        {"archive": None},
        {"attachments": {"sbom": {"digest": "x"}}},
    ],
)
def test_a_release_that_is_malformed_is_refused(run, open_desk, changed):
    async def main():
        async with open_desk("publish") as desk:
            release, _ = make_release()
            await desk.upload(b"vendas 1.0.0")
            assert error_of(await desk.list_release(release, **changed)) == (400, "IntegrityError")
            assert (await desk.index()).releases == ()

    run(main())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"release": null}',
        b'{"release": 1, "owner": null, "x": 1}',
        b"\xff",
        b'"\\ud800"',
        b"[" * 9_999,
    ],
)
def test_a_body_of_another_shape_is_refused(run, open_desk, body):
    async def main():
        async with open_desk("publish") as desk:
            answer = await desk.ask("PUT", "/v1/modules/vendas/1.0.0", body, content_length=str(len(body)))
            assert answer.status_code == 400

    run(main())


def test_other_content_of_a_version_is_a_conflict(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            await desk.publish()
            assert error_of(await desk.publish(content=b"other")) == (409, "VersionConflictError")

    run(main())


def test_a_body_that_was_changed_on_the_way_is_refused(run, open_desk):
    async def main():
        async with open_desk("publish", "yank") as desk:
            await desk.publish()
            for body, status in ((b'{"reason":"x"}', 200), (b'{"reason":"y"}', 400)):
                digest = base64.b64encode(hashlib.sha256(b'{"reason":"x"}').digest()).decode()
                answer = await desk.ask(
                    "POST", "/v1/modules/vendas/1.0.0/yank", body, content_digest=f"sha-256=:{digest}:"
                )
                assert answer.status_code == status
            assert (await desk.index()).releases[0].yanked == "x"

    run(main())


def test_an_index_that_the_client_has_is_not_sent(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            await desk.publish()
            first = await desk.ask("GET", "/v1/modules/vendas")
            assert first.headers["etag"] == f'"{digest_of(first.content)}"'
            second = await desk.ask("GET", "/v1/modules/vendas", if_none_match=first.headers["etag"])
            assert (second.status_code, second.content, second.headers["etag"]) == (304, b"", first.headers["etag"])
            await desk.publish(version="1.1.0")
            third = await desk.ask("GET", "/v1/modules/vendas", if_none_match=first.headers["etag"])
            assert third.status_code == 200

    run(main())


@pytest.mark.parametrize("segment", ["Vendas", "..", "acme%2Fvendas", "a--b--c", "vendas%00", "v" * 65, "%C3%A9"])
def test_what_is_no_id_names_no_module(run, open_desk, segment):
    async def main():
        async with open_desk() as desk:
            assert (await desk.ask("GET", f"/v1/modules/{segment}")).status_code in (400, 404, 405)

    run(main())


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "offset=-1", "offset=9999999999", "page=2", "q=a&q=b"]
)
def test_a_query_that_is_malformed_is_refused(run, open_desk, query):
    async def main():
        async with open_desk() as desk:
            assert error_of(await desk.ask("GET", f"/v1/search?{query}")) == (400, "RegistryError")

    run(main())


# --- who may ----------------------------------------------------------------------------------------------------


WRITES = [
    ("PUT", f"/v1/blobs/{digest_of(b'x')}", b"x"),
    ("PUT", "/v1/modules/vendas/1.0.0", {"release": None, "owner": None}),
    ("POST", "/v1/modules/vendas/1.0.0/yank", {"reason": None}),
]
READS = [
    ("GET", "/v1/modules/vendas", None),
    ("GET", f"/v1/blobs/{digest_of(b'x')}", None),
    ("HEAD", f"/v1/blobs/{digest_of(b'x')}", None),
    ("GET", "/v1/search", None),
    ("GET", "/metrics", None),
]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic eDp4", "Bearer plat_000000000000_" + "A" * 43])
@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_nobody_writes_without_a_token(run, open_desk, *, method, path, body, header):
    async def main():
        async with open_desk() as desk:
            answer = await desk.ask(method, path, body, authorization=header)
            assert error_of(answer) == (401, "RegistryError")
            assert answer.headers["www-authenticate"].startswith("Bearer")

    run(main())


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_token_for_reading_writes_nothing(run, open_desk, method, path, body):
    async def main():
        async with open_desk("read") as desk:
            assert error_of(await desk.ask(method, path, body)) == (403, "RegistryError")

    run(main())


@pytest.mark.parametrize(("method", "path", "body"), READS)
def test_a_private_registry_is_read_with_a_token_alone(run, open_desk, method, path, body):
    async def main():
        async with open_desk("read", is_private=True) as desk:
            assert (await desk.ask(method, path, body, authorization="")).status_code == 401
            assert (await desk.ask(method, path, body)).status_code in (200, 404)
            assert (await desk.ask("GET", "/ready", authorization="")).status_code == 200

    run(main())


def test_a_token_writes_what_its_scope_names(run, open_desk):
    async def main():
        async with open_desk("publish:acme/*") as desk:
            assert (await desk.publish("acme/vendas")).status_code == 201
            refused = await desk.publish("vendas")
            assert error_of(refused) == (403, "RegistryError")
            assert "does not allow 'publish:vendas'" in refused.json()["error"]["message"]

    run(main())


def test_a_token_that_is_revoked_writes_nothing_more(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            assert (await desk.publish()).status_code == 201
            desk.service._tokens.submit(lambda tokens: tokens.execute("UPDATE tokens SET revoked_at = 1")).result(5)
            assert (await desk.publish(version="1.1.0")).status_code == 401

    run(main())


def test_a_namespace_is_claimed_with_a_token_of_its_key(run, open_desk):
    async def main():
        async with open_desk("publish", keys=(MARIA,)) as desk:
            assert error_of(await desk.publish("outra/vendas", owner=RUI)) == (403, "IntegrityError")
            assert (await desk.index("outra/vendas")).owner is None
            assert (await desk.publish("acme/vendas", owner=MARIA)).json()["owner"] == MARIA

    run(main())


def test_nobody_publishes_or_yanks_for_the_key_of_another(run, open_desk):
    async def main():
        async with open_desk("publish", "yank", keys=(MARIA,)) as desk:
            await desk.publish("acme/vendas", owner=MARIA)
            desk.token = desk.new_token("publish", "yank", keys=(RUI,))
            for owner in (MARIA, RUI, None):
                answer = await desk.publish("acme/vendas", "1.1.0", owner=owner)
                assert error_of(answer) == (403, "IntegrityError")
            yank = await desk.ask("POST", "/v1/modules/acme--vendas/1.0.0/yank", {"reason": "mine now"})
            assert error_of(yank) == (403, "IntegrityError")
            assert (await desk.index("acme/vendas")).revision == 1

    run(main())


def test_an_index_that_is_full_takes_no_more(run, open_desk, monkeypatch):
    monkeypatch.setattr(
        "plataforma_sdk.web.registry._modules._MAX_INDEX_BYTES", len(to_json(make_release()[0].to_data()))
    )

    async def main():
        async with open_desk("publish") as desk:
            assert error_of(await desk.publish()) == (413, "RegistryError")

    run(main())
