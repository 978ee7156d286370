import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from plataforma_sdk import ModuleHost, ModulePackage
from plataforma_sdk.errors import Fault, ManifestError
from plataforma_sdk.integrations import describe_error, status_of
from plataforma_sdk.integrations.fastapi import Modules, caller

FORGED = {"X-Module-ID": "root", "x_module_version": "9", "X-Plataforma-Subject": "root", "x-other": "kept"}


def user(connection: HTTPConnection) -> str:
    return connection.headers["x-user"]


def make(vendas: ModulePackage, **settings: Any) -> tuple[FastAPI, Modules]:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, str]]:
        yield {"shop": "Padaria"}

    app = FastAPI(lifespan=lifespan)
    settings = {"engine": "trusted", "grants": ["api.who[GET]"], "load": [vendas], "subject": user} | settings
    modules = Modules(app, **settings)

    @app.get("/who")
    async def who(request: Request) -> dict[str, Any]:
        headers = {name: request.headers[name] for name in request.headers if name.startswith("x")}
        return {"caller": caller(request), "shop": request.state.shop, "headers": headers}

    @app.get("/call/{method}")
    async def call(method: str, host: Annotated[ModuleHost, Depends(modules.host)]) -> Any:
        return await host.modules["vendas"].call(method)

    @app.get("/plain/{method}")
    def plain(method: str, host: Annotated[ModuleHost, Depends(modules.host)]) -> Any:
        return host.submit(host.modules["vendas"].call(method)).result(10)

    return app, modules


@pytest.fixture
def client(vendas: ModulePackage) -> Iterator[TestClient]:
    with TestClient(make(vendas)[0]) as client:
        yield client


def get(client: TestClient, path: str, who: str = "ana", **headers: str) -> Any:
    return client.get(path, headers={"x-user": who, **headers})


def test_each_user_has_modules_of_their_own(client: TestClient) -> None:
    assert [get(client, "/call/add", who).json() for who in ("ana", "ana", "bia")] == [1, 2, 1]


def test_a_plain_view_calls_a_module(client: TestClient) -> None:
    assert get(client, "/plain/add").json() == 1


def test_a_module_calls_the_application_with_its_identity_and_the_lifespan_state(client: TestClient) -> None:
    found = get(client, "/call/who").json()
    assert found["caller"] == {"module": "vendas", "version": "0.1.0", "subject": "ana"}
    assert found["shop"] == "Padaria"
    assert found["headers"]["x-module-id"] == "vendas"


def test_identities_from_outside_are_stripped(client: TestClient) -> None:
    found = get(client, "/who", **FORGED).json()
    assert found == {"caller": None, "shop": "Padaria", "headers": {"x-user": "ana", "x-other": "kept"}}


def test_a_forged_extension_of_the_scope_is_stripped(vendas: ModulePackage) -> None:
    app, _ = make(vendas)

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["extensions"] = {"plataforma": {"module": "root", "version": "9", "subject": "root"}}
        await app(scope, receive, send)

    with TestClient(outer) as client:
        assert get(client, "/who").json()["caller"] is None


@pytest.mark.parametrize(
    ("method", "status", "error"),
    [("nothing", 404, "ModuleError"), ("forbidden", 403, "PermissionDeniedError"), ("fail", 502, "GuestError")],
)
def test_errors_have_statuses_of_their_own(client: TestClient, method: str, status: int, error: str) -> None:
    answer = get(client, f"/call/{method}")
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert "secret" not in answer.text or status == 403


def test_a_host_in_use_is_not_evicted_and_a_full_pool_says_so(vendas: ModulePackage) -> None:
    app, modules = make(vendas, max_hosts=1)

    @app.get("/nested")
    async def nested(host: Annotated[ModuleHost, Depends(modules.host)]) -> int:
        request = HTTPConnection({"type": "http", "headers": [(b"x-user", b"bia")]})
        async with modules.using(request):
            return 1

    with TestClient(app) as client:
        answer = get(client, "/nested")
        assert (answer.status_code, answer.json()["error"]) == (503, "HostPoolFullError")
        assert get(client, "/call/add", "ana").json() == 1
        assert get(client, "/call/add", "bia").json() == 1
        assert get(client, "/call/add", "ana").json() == 1  # evicted meanwhile, opened anew
        assert len(modules.pool) == 1


def test_hosts_close_with_the_application(vendas: ModulePackage) -> None:
    seen: list[ModuleHost] = []
    app, modules = make(vendas)

    @app.get("/keep")
    async def keep(host: Annotated[ModuleHost, Depends(modules.host)]) -> None:
        seen.append(host)

    with TestClient(app) as client:
        get(client, "/keep")
        assert list(seen[0].modules) == ["vendas"]
    assert (list(seen[0].modules), len(modules.pool)) == ([], 0)


def test_a_failed_load_is_answered_and_leaves_no_host(vendas: ModulePackage) -> None:
    app, modules = make(vendas, grants=[])
    with TestClient(app) as client:
        assert get(client, "/call/add").status_code == 403
        assert len(modules.pool) == 0


def test_starlette_alone_will_do(vendas: ModulePackage) -> None:
    async def add(request: Request) -> JSONResponse:
        async with modules.using(request) as host:
            return JSONResponse(await host.modules["vendas"].call("add"))

    app = Starlette(routes=[Route("/add", add)])
    modules = Modules(app, subject=user, load=[vendas], engine="trusted", grants=["api.who[GET]"])
    with TestClient(app) as client:
        assert get(client, "/add").json() == 1


def test_a_websocket_has_the_host_of_its_user_too(vendas: ModulePackage) -> None:
    app, modules = make(vendas)

    @app.websocket("/live")
    async def live(socket: WebSocket, host: Annotated[ModuleHost, Depends(modules.host)]) -> None:
        await socket.accept()
        await socket.send_json([host.subject, await host.modules["vendas"].call("add"), caller(socket)])
        await socket.close()

    headers = {"x-user": "ana", "x-module-id": "root"}
    with TestClient(app) as client, client.websocket_connect("/live", headers=headers) as socket:
        assert socket.receive_json() == ["ana", 1, None]


@pytest.mark.parametrize(
    ("method", "code", "reason"),
    [("nothing", 1008, "ModuleError"), ("forbidden", 1008, "PermissionDeniedError"), ("fail", 1011, "GuestError")],
)
@pytest.mark.parametrize("accepts", [True, False], ids=["accepted", "not accepted"])
def test_an_error_closes_a_websocket_with_a_code_and_no_more_than_its_name(
    vendas: ModulePackage, method: str, code: int, reason: str, accepts: bool
) -> None:
    app, modules = make(vendas)

    @app.websocket("/live")
    async def live(socket: WebSocket, host: Annotated[ModuleHost, Depends(modules.host)]) -> None:
        if accepts:
            await socket.accept()
        await host.modules["vendas"].call(method)

    with TestClient(app) as client, pytest.raises(WebSocketDisconnect) as caught:  # noqa: SIM117
        with client.websocket_connect("/live", headers={"x-user": "ana"}) as socket:
            socket.receive_json()
    assert (caught.value.code, caught.value.reason) == (code, reason)


def test_a_websocket_of_a_full_pool_is_told_to_come_again(vendas: ModulePackage) -> None:
    app, modules = make(vendas, max_hosts=1)

    @app.websocket("/live")
    async def live(socket: WebSocket, host: Annotated[ModuleHost, Depends(modules.host)]) -> None:
        await socket.accept()
        await socket.send_json(host.subject)
        await socket.receive()

    def connect(who: str) -> Any:
        return client.websocket_connect("/live", headers={"x-user": who})

    with TestClient(app) as client, connect("ana") as ana:
        assert ana.receive_json() == "ana"
        with pytest.raises(WebSocketDisconnect) as caught, connect("bia"):
            pass
    assert caught.value.code == 1013


@pytest.mark.parametrize("subject", [None, 7, ""], ids=repr)
def test_a_subject_that_stands_for_nobody_gets_no_host(vendas: ModulePackage, subject: Any) -> None:
    app, modules = make(vendas, subject=lambda _: subject)
    with TestClient(app) as client, pytest.raises((TypeError, ValueError), match="A subject is"):
        get(client, "/call/add")
    assert len(modules.pool) == 0


def test_a_view_that_needs_the_host_refuses_a_module_that_is_still_loading(vendas: ModulePackage) -> None:
    source = """
from plataforma_sdk import ModuleFramework, ui
class Impatient(ModuleFramework):
    async def on_load(self):
        self.first = await self.ask()
    def render(self):
        return ui.text("")
    async def ask(self):
        try:
            return await self.api_call("/call/add")
        except Exception as error:
            return str(error)
    def told(self):
        return self.first
"""
    impatient = ModulePackage.from_source(source, id="impatient", permissions=["api.call[GET]"])
    app, modules = make(vendas, load=[vendas, impatient], grants=["api.who[GET]", "api.call[GET]"])

    @app.get("/ask/{method}")
    async def ask(method: str, host: Annotated[ModuleHost, Depends(modules.host)]) -> Any:
        return await host.modules["impatient"].call(method)

    with TestClient(app) as client:
        assert "503" in get(client, "/ask/told").json()
        assert get(client, "/ask/ask").json() == 1


def test_hosts_close_with_their_loop_where_no_lifespan_is_run(vendas: ModulePackage) -> None:
    seen: list[ModuleHost] = []
    app, modules = make(vendas)

    @app.get("/keep")
    async def keep(host: Annotated[ModuleHost, Depends(modules.host)]) -> None:
        seen.append(host)

    client = TestClient(app)  # without `with`: a loop for each request
    for _ in range(2):
        get(client, "/keep")
    assert [list(host.modules) for host in seen] == [[], []]
    assert len(modules.pool) == 0


def test_a_broken_manifest_is_the_hosts_fault_and_not_shown(vendas: ModulePackage) -> None:
    error = ManifestError([Fault("module.toml", "id", "is missing")], module=None)
    assert status_of(error) == 502
    assert "module.toml" not in str(describe_error(error))
