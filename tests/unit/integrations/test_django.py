from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django import http
from django.conf import settings
from django.test import AsyncClient, Client, override_settings
from django.urls import path

if not settings.configured:
    settings.configure(
        ROOT_URLCONF="django_urls",
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="test",
        MIDDLEWARE=["plataforma_sdk.integrations.django.ModulesMiddleware"],
    )
    import django as framework

    framework.setup()

from plataforma_sdk import ModulePackage
from plataforma_sdk.integrations import django
from plataforma_sdk.integrations.django import caller


class Login:
    """Stands in for Django's own: the header says who is logged in."""

    def __init__(self, get_response: Any) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        pk = request.headers.get("x-user")
        request.user = (
            SimpleNamespace(is_authenticated=True, pk=int(pk)) if pk else SimpleNamespace(is_authenticated=False)
        )
        return self._get_response(request)


def who(request: Any) -> http.JsonResponse:
    headers = {name: value for name, value in request.headers.items() if name.startswith("X")}
    return http.JsonResponse({"caller": caller(request), "headers": headers})


def call(request: Any, method: str) -> http.JsonResponse:
    return http.JsonResponse(request.plataforma.modules["vendas"].call(method), safe=False)


async def call_in_async_view(request: Any, method: str) -> http.JsonResponse:
    found = await sync_to_async(lambda: request.plataforma.modules["vendas"].call(method))()
    return http.JsonResponse(found, safe=False)


class Urls:
    urlpatterns = (path("who", who), path("call/<method>", call), path("async/<method>", call_in_async_view))


@pytest.fixture
def client(vendas: ModulePackage) -> Iterator[Client]:
    found = {
        "load": [vendas],
        "engine": "trusted",
        "grants": ["api.who[GET]"],
        "subject": lambda request: request.headers["x-user"],
    }
    with override_settings(PLATAFORMA=found, ROOT_URLCONF=Urls):
        yield Client()
        django.close_hosts()
        django._made_pool.cache_clear()


def get(client: Client, path: str, who: str = "ana", **headers: str) -> Any:
    return client.get(path, headers={"x-user": who, **headers})


def test_each_user_has_modules_of_their_own(client: Client) -> None:
    assert [get(client, "/call/add", who).json() for who in ("ana", "ana", "bia")] == [1, 2, 1]


def test_a_module_calls_the_application_with_its_identity(client: Client) -> None:
    found = get(client, "/call/who").json()
    assert found["caller"] == {"module": "vendas", "version": "0.1.0", "subject": "ana"}
    assert found["headers"]["X-Module-Id"] == "vendas"


def test_identities_from_outside_are_stripped(client: Client) -> None:
    answer = get(client, "/who", **{"x-module-id": "root", "x_module_version": "9", "x-plataforma-any": "1"})
    assert answer.json() == {"caller": None, "headers": {"X-User": "ana"}}


def test_a_forged_environ_key_is_stripped(client: Client) -> None:
    assert client.get("/who", **{"plataforma.module": {"module": "root"}}).json()["caller"] is None


@pytest.mark.parametrize(
    ("method", "status", "error"),
    [("nothing", 404, "ModuleError"), ("forbidden", 403, "PermissionDeniedError"), ("fail", 502, "GuestError")],
)
def test_errors_have_statuses_of_their_own(client: Client, method: str, status: int, error: str) -> None:
    answer = get(client, f"/call/{method}")
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_an_async_view_calls_a_module_in_a_thread(client: Client) -> None:
    def visit(method: str, who: str) -> Any:
        return async_to_sync(AsyncClient().get)(f"/async/{method}", headers={"x-user": who, "x-module-id": "root"})

    assert [visit("add", who).json() for who in ("ana", "ana", "bia")] == [1, 2, 1]
    assert visit("who", "ana").json()["caller"] == {"module": "vendas", "version": "0.1.0", "subject": "ana"}
    assert visit("fail", "ana").status_code == 502


def test_by_default_the_subject_is_the_user_and_nobody_who_is_not_logged_in(client: Client) -> None:
    chain = ["plataforma_sdk.integrations.django.ModulesMiddleware", f"{__name__}.Login"]
    found = {name: value for name, value in settings.PLATAFORMA.items() if name != "subject"}
    with override_settings(PLATAFORMA=found, MIDDLEWARE=chain):
        assert [get(Client(), "/call/add", who).json() for who in ("7", "7", "8")] == [1, 2, 1]
        assert get(Client(), "/call/who", "7").json()["caller"]["subject"] == "7"
        assert Client().get("/call/add").status_code == 403


def test_a_module_passes_the_checks_of_a_project_in_production(client: Client, vendas: ModulePackage) -> None:
    chain = [
        "plataforma_sdk.integrations.django.ModulesMiddleware",
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ]
    found = {**settings.PLATAFORMA, "load": [POSTING], "grants": ["api.who[GET,POST]"]}
    strict = {"MIDDLEWARE": chain, "ALLOWED_HOSTS": [".shop.example"], "SECURE_SSL_REDIRECT": True}
    with override_settings(PLATAFORMA=found, **strict):
        visitor = Client(enforce_csrf_checks=True)
        visit = {"secure": True, "headers": {"host": "a.shop.example", "x-user": "ana"}}
        assert visitor.get("/call/post", **visit).json()["caller"]["module"] == "vendas"
        assert visitor.post("/who", **visit).status_code == 403  # whoever is no module passes none of them


POSTING = ModulePackage.from_source(
    """
from plataforma_sdk import ModuleFramework, ui

class Vendas(ModuleFramework):
    async def on_load(self):
        pass
    def render(self):
        return ui.text("vendas")
    async def post(self):
        return await self.api_call("/who", method="POST", json={})
""",
    id="vendas",
    permissions=["api.who[POST]"],
)

AT_EXIT = """
from django.conf import settings
from plataforma_sdk import ModulePackage
package = ModulePackage.from_source('''
from plataforma_sdk import ModuleFramework, ui
class Vendas(ModuleFramework):
    async def on_load(self):
        pass
    async def on_unload(self):
        await self.storage.set("left", True)
    async def left(self):
        return await self.storage.get("left")
    def render(self):
        return ui.text("vendas")
''', id="vendas", permissions=["system.storage"])
settings.configure(PLATAFORMA={
    "load": [package], "grants": ["system.storage"], "engine": "trusted", "state_dir": "state",
})
import django
django.setup()
from plataforma_sdk.integrations.django import _pool
with _pool().use("ana") as host:
    print(host.modules["vendas"].call("left"))
"""


def test_hosts_close_as_the_process_ends_while_modules_can_still_store(tmp_path: Path) -> None:
    def run() -> str:
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", AT_EXIT], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout + done.stderr

    assert [run(), run()] == ["None\n", "True\n"]
