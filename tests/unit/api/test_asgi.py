"""Calls to an application in this process."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import Callable
from typing import Any

import pytest

from plataforma_sdk.api import ApiClient, AsgiTransport
from plataforma_sdk.errors import ApiStatusError, TransportError

Run = Callable[[Any], Any]


def app_of(*messages: dict[str, Any], seen: list[Any] | None = None) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if seen is not None:
            seen.append((scope, await receive()))
        for message in messages:
            await send(message)

    return app


def start(status: int = 200, **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


def body(data: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def client_of(app: Any, **options: Any) -> ApiClient:
    return ApiClient(AsgiTransport(app), module_id="acme/vendas", version="1.0.0", subject="ana", **options)


def test_identity_stands_in_the_scope(run: Run) -> None:
    seen: list[Any] = []
    run(client_of(app_of(start(), body(b""), seen=seen)).request("/vendas/clientes"))
    extension = seen[0][0]["extensions"]["plataforma"]
    assert extension == {"module": "acme/vendas", "version": "1.0.0", "subject": "ana"}


def test_scope_holds_exactly_what_was_checked(run: Run) -> None:
    seen: list[Any] = []
    client = client_of(app_of(start(), body(b""), seen=seen))
    run(client.request("/vendas/Jo%c3%a3o?a=1", method="POST", json={"b": 2}))
    scope, message = seen[0]
    assert (scope["type"], scope["method"], scope["path"]) == ("http", "POST", "/vendas/João")
    assert (scope["raw_path"], scope["query_string"]) == (b"/vendas/Jo%C3%A3o", b"a=1")
    assert message == {"type": "http.request", "body": b'{"b":2}', "more_body": False}
    assert (b"content-length", b"7") in scope["headers"]
    assert (b"x-module-id", b"acme--vendas") in scope["headers"]


def test_streamed_answer_is_put_together(run: Run) -> None:
    app = app_of(start(content_type="text/plain"), body(b"a", more=True), body(b"b", more=True), body(b"c"))
    assert run(client_of(app).request("/vendas/x")) == "abc"


def test_compressed_answer_is_read(run: Run) -> None:
    app = app_of(start(content_type="text/plain", content_encoding="gzip"), body(gzip.compress(b"abc")))
    assert run(client_of(app).request("/vendas/x")) == "abc"


def test_answer_to_head_announces_without_a_body(run: Run) -> None:
    app = app_of(start(content_length="9" * 12, content_encoding="br"), body(b""))
    assert run(client_of(app).request("/vendas/x", method="HEAD")) is None


def test_endless_answer_is_stopped(run: Run) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start())
        while True:
            await send(body(b"x" * 100, more=True))

    with pytest.raises(TransportError, match="larger than 1,000 bytes"):
        run(client_of(app, max_response_bytes=1_000).request("/vendas/x"))


def test_application_that_swallows_the_stop_changes_nothing(run: Run) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start())
        for _ in range(3):
            try:
                await send(body(b"x" * 100, more=True))
            except Exception:
                continue

    with pytest.raises(TransportError, match="larger than"):
        run(client_of(app, max_response_bytes=50).request("/vendas/x"))


def test_failing_application_tells_nothing(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("/srv/secret/path")

    with caplog.at_level(logging.ERROR), pytest.raises(TransportError) as caught:
        run(client_of(app).request("/vendas/x"))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "/srv/secret/path" in caplog.text


def test_answer_before_a_fault_counts(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """Starlette answers 500 and raises again."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start(500))
        await send(body(b"no"))
        raise RuntimeError("late")

    with caplog.at_level(logging.CRITICAL), pytest.raises(ApiStatusError) as caught:
        run(client_of(app).request("/vendas/x"))
    assert caught.value.status == 500


@pytest.mark.parametrize(
    "messages", [(), (start(),), (start(), body(b"x", more=True))], ids=["nothing", "no body", "half a body"]
)
def test_incomplete_answer_is_refused(run: Run, messages: tuple[Any, ...]) -> None:
    with pytest.raises(TransportError, match="no complete answer"):
        run(client_of(app_of(*messages)).request("/vendas/x"))


def test_disconnect_comes_after_the_answer(run: Run) -> None:
    order: list[str] = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        async def watch() -> None:
            order.append((await receive())["type"])

        order.append((await receive())["type"])
        async with asyncio.TaskGroup() as group:
            group.create_task(watch())
            await asyncio.sleep(0)
            order.append("answer")
            await send(start())
            await send(body(b""))

    run(client_of(app).request("/vendas/x"))
    assert order == ["http.request", "answer", "http.disconnect"]


def test_cancelling_the_call_cancels_the_application(run: Run) -> None:
    ended: list[str] = []

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("yes")

    with pytest.raises(TransportError, match="in time"):
        run(client_of(app, timeout_s=0.01).request("/vendas/x"))
    assert ended == ["yes"]


def test_absolute_url_is_refused(run: Run) -> None:
    with pytest.raises(TransportError, match="relative paths only"):
        run(client_of(app_of()).request("https://api.example.com/"))


def lifespan_app(log: list[str], *, fails: bool = False) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            log.append(f"state={scope['state']}")
            await send(start())
            await send(body(b""))
            return
        log.append((await receive())["type"])
        if fails:
            await send({"type": "lifespan.startup.failed", "message": "no"})
            return
        scope["state"]["pool"] = 7
        await send({"type": "lifespan.startup.complete"})
        log.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})

    return app


def test_lifespan_is_run_around_the_calls(run: Run) -> None:
    log: list[str] = []

    async def main() -> None:
        async with AsgiTransport(lifespan_app(log)) as transport:
            await ApiClient(transport).request("/vendas/x")

    run(main())
    assert log == ["lifespan.startup", "state={'pool': 7}", "lifespan.shutdown"]


def test_failed_startup_is_an_error(run: Run) -> None:
    with pytest.raises(TransportError, match="failed to start"):
        run(AsgiTransport(lifespan_app([], fails=True)).startup())


def test_application_without_lifespan_is_left_in_peace(run: Run) -> None:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send(start())
        await send(body(b""))

    async def main() -> Any:
        async with AsgiTransport(app) as transport:
            return await ApiClient(transport).request("/vendas/x")

    assert run(main()) is None


def test_starlette_application_works(run: Run) -> None:
    applications = pytest.importorskip("starlette.applications")
    responses = pytest.importorskip("starlette.responses")
    routing = pytest.importorskip("starlette.routing")

    async def clientes(request: Any) -> Any:
        caller = request.scope["extensions"]["plataforma"]["module"]
        return responses.JSONResponse({"caller": caller, "q": request.query_params["q"], "body": await request.json()})

    async def broken(_request: Any) -> Any:
        raise KeyError("x")

    async def stream(_request: Any) -> Any:
        return responses.StreamingResponse((f"{n}," for n in range(3)), media_type="text/csv")

    routes = [
        routing.Route("/vendas/clientes", clientes, methods=["POST"]),
        routing.Route("/vendas/broken", broken),
        routing.Route("/vendas/stream", stream),
    ]

    async def main() -> list[Any]:
        async with AsgiTransport(applications.Starlette(routes=routes)) as transport:
            client = ApiClient(transport, module_id="vendas")
            found = [await client.request("/vendas/clientes", method="POST", params={"q": "é"}, json=[1])]
            found.append(await client.request("/vendas/stream"))
            for path in ("/vendas/broken", "/vendas/none"):
                with pytest.raises(ApiStatusError) as caught:
                    await client.request(path)
                found.append(caught.value.status)
            return found

    assert run(main()) == [{"caller": "vendas", "q": "é", "body": [1]}, "0,1,2,", 500, 404]
