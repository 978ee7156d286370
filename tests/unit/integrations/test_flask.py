from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request

from plataforma_sdk import ModulePackage
from plataforma_sdk.integrations.flask import Modules, caller


@pytest.fixture
def app(vendas: ModulePackage) -> Iterator[Flask]:
    app = Flask("shop")
    modules = Modules(
        app,
        subject=lambda: request.headers["x-user"],
        load=[vendas],
        max_hosts=2,
        engine="trusted",
        grants=["api.who[GET]"],
    )

    @app.get("/who")
    def who() -> dict[str, Any]:
        return {"caller": caller(), "headers": {k: v for k, v in request.headers if k.startswith("X")}}

    @app.get("/call/<method>")
    def call(method: str) -> Any:
        found = modules.host.modules["vendas"].call(method)
        return found if isinstance(found, dict) else {"value": found}

    yield app
    modules.close()
    assert len(modules.pool) == 0


def get(app: Flask, path: str, who: str = "ana", **headers: str) -> Any:
    return app.test_client().get(path, headers={"X-User": who, **headers})


def test_each_user_has_modules_of_their_own(app: Flask) -> None:
    assert [get(app, "/call/add", who).json["value"] for who in ("ana", "ana", "bia", "caio", "ana")] == [1, 2, 1, 1, 1]


def test_a_module_calls_the_application_with_its_identity(app: Flask) -> None:
    found = get(app, "/call/who").json
    assert found["caller"] == {"module": "vendas", "version": "0.1.0", "subject": "ana"}
    assert found["headers"]["X-Module-Id"] == "vendas"


def test_identities_from_outside_are_stripped(app: Flask) -> None:
    answer = get(app, "/who", **{"X-Module-ID": "root", "X_Module_Version": "9", "X-Plataforma-Any": "1"})
    assert answer.json == {"caller": None, "headers": {"X-User": "ana"}}


def test_a_forged_environ_key_is_stripped(app: Flask) -> None:
    forged = {"plataforma.module": {"module": "root"}}
    assert app.test_client().get("/who", environ_overrides=forged).json["caller"] is None


@pytest.mark.parametrize(
    ("method", "status", "error"),
    [("nothing", 404, "ModuleError"), ("forbidden", 403, "PermissionDeniedError"), ("fail", 502, "GuestError")],
)
def test_errors_have_statuses_of_their_own(app: Flask, method: str, status: int, error: str) -> None:
    answer = get(app, f"/call/{method}")
    assert (answer.status_code, answer.json["error"]) == (status, error)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_worker_opens_hosts_of_its_own(app: Flask) -> None:
    assert get(app, "/call/add").json["value"] == 1
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, str(get(app, "/call/add").json["value"]).encode())
        finally:
            os._exit(0)
    os.close(writer)
    answer = os.read(reader, 10)
    os.close(reader)
    os.waitpid(child, 0)
    assert answer == b"1"
    assert get(app, "/call/add").json["value"] == 2
