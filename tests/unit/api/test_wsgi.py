from __future__ import annotations

import logging
from typing import Any
from wsgiref.validate import validator

import pytest

from plataforma_sdk.api import ApiClient, CallerIdentity, WsgiTransport
from plataforma_sdk.errors import ApiStatusError, TransportError


def client(app: Any, **options: Any) -> ApiClient:
    return ApiClient(WsgiTransport(app), module_id="acme/vendas", version="1.0.0", subject="ana", **options)


class App:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self, body: list[bytes], status: str = "200 OK", content: str = "application/json") -> None:
        self.body, self.status, self.content = body, status, content
        self.environ: dict[str, Any] = {}
        self.text = b""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.environ = dict(environ)
        self.text = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response(self.status, [("Content-Type", self.content)])
        return self.body


def test_an_answer_is_decoded(run: Any) -> None:
    assert run(client(App([b'{"a"', b": 1}"])).request("/vendas")) == {"a": 1}


def test_it_keeps_to_the_protocol(run: Any) -> None:
    assert run(client(validator(App([b"[1]"]))).request("/vendas", params={"q": "pão"})) == [1]


def test_the_application_sees_the_request_and_who_calls(run: Any) -> None:
    app = App([b"1"])
    run(client(app).request("/vendas/açaí", method="POST", params={"q": "pão"}, json={"n": 1}))
    environ = app.environ
    assert environ["REQUEST_METHOD"] == "POST"
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/vendas/açaí"
    assert environ["QUERY_STRING"] == "q=p%C3%A3o"
    assert (environ["CONTENT_TYPE"], app.text) == ("application/json", b'{"n":1}')
    assert environ["plataforma.module"] == {"module": "acme/vendas", "version": "1.0.0", "subject": "ana"}
    assert type(environ["plataforma.module"]) is CallerIdentity
    assert environ["HTTP_X_MODULE_ID"] == "acme--vendas"


def test_a_status_is_an_error(run: Any) -> None:
    with pytest.raises(ApiStatusError, match="404"):
        run(client(App([b"{}"], "404 Not Found")).request("/vendas"))


def test_a_large_answer_is_refused_and_the_application_told(run: Any) -> None:
    closed: list[bool] = []

    class Parts:
        def __iter__(self) -> Any:
            while True:
                yield b"x" * 1_000

        def close(self) -> None:
            closed.append(True)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Parts()

    with pytest.raises(TransportError):
        run(client(app, max_response_bytes=10_000).request("/vendas"))
    assert closed == [True]


def test_what_it_raises_stays_in_the_log(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        raise RuntimeError("the password")

    with caplog.at_level(logging.ERROR), pytest.raises(TransportError) as caught:
        run(client(app).request("/vendas"))
    assert "password" not in str(caught.value)
    assert "password" in caplog.text


def test_no_answer_is_an_error(run: Any) -> None:
    with pytest.raises(TransportError, match="no answer"):
        run(client(lambda environ, start_response: []).request("/vendas"))
