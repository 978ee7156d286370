from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django import http
from django.conf import settings
from django.test import Client, override_settings
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


def who(request: Any) -> http.JsonResponse:
    headers = {name: value for name, value in request.headers.items() if name.startswith("X")}
    return http.JsonResponse({"caller": caller(request), "headers": headers})


def call(request: Any, method: str) -> http.JsonResponse:
    return http.JsonResponse(request.plataforma.modules["vendas"].call(method), safe=False)


class Urls:
    urlpatterns = (path("who", who), path("call/<method>", call))


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
