"""A service of one case, asked without a socket."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import attrs
import httpx2
import pytest

from plataforma_sdk.registry import ModuleIndex, Release, digest_of
from plataforma_sdk.registry._json import to_json
from plataforma_sdk.web.registry import Scope, ServiceOptions, create_token, open_tokens
from plataforma_sdk.web.registry._app import make_app
from plataforma_sdk.web.registry._state import ServiceState
from tests.conformance.registry._releases import make_release


@attrs.define
class Desk:
    """Asks a service, and looks behind it."""

    service: ServiceState
    app: Any
    transport: httpx2.AsyncBaseTransport
    token: str = ""

    @property
    def incoming(self) -> list[Path]:
        """What uploads are under way, or were left behind."""
        return list((self.service.options.directory / "blobs" / "incoming").iterdir())

    def new_token(self, *scopes: str, keys: tuple[str, ...] = ()) -> str:
        """Make a token."""
        with contextlib.closing(open_tokens(self.service.options.directory)) as tokens:
            return create_token(tokens, "case", [Scope.parse(scope) for scope in scopes], keys=keys)[1]

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """Send a request; a body that is no bytes is sent as JSON."""
        content = body if isinstance(body, bytes) or body is None else to_json(body)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("authorization", f"Bearer {self.token}")
        request = httpx2.Request(method, f"http://registry.test{path}", headers=sent, content=content)
        response = await self.transport.handle_async_request(request)
        await response.aread()
        return response

    async def upload(self, content: bytes, digest: str | None = None, **headers: str) -> httpx2.Response:
        """Upload a blob."""
        return await self.ask("PUT", f"/v1/blobs/{digest or digest_of(content)}", content, **headers)

    async def publish(self, *args: Any, owner: str | None = None, **kwargs: Any) -> httpx2.Response:
        """Upload the blobs of a release, and list it."""
        release, blobs = make_release(*args, **kwargs)
        for content in blobs.values():
            await self.upload(content)
        return await self.list_release(release, owner)

    async def list_release(self, release: Release, owner: str | None = None, **changed: Any) -> httpx2.Response:
        """List a release, as it is or with fields changed."""
        segment = release.id.replace("/", "--")
        body = {"release": {**release.to_data(), **changed}, "owner": owner}
        return await self.ask("PUT", f"/v1/modules/{segment}/{release.version}", body)

    async def index(self, module_id: str = "vendas") -> ModuleIndex:
        """Return a module's index."""
        return await self.service.backend.versions(module_id)


Open = Callable[..., contextlib.AbstractAsyncContextManager[Desk]]


@pytest.fixture
def open_desk(tmp_path: Path) -> Open:
    """Open a service with options, and a token with scopes."""

    @contextlib.asynccontextmanager
    async def opened(*scopes: str, keys: tuple[str, ...] = (), **options: Any) -> AsyncIterator[Desk]:
        service = ServiceState(ServiceOptions(directory=tmp_path / "registry", **options))
        await service.open()
        app = make_app(service)
        desk = Desk(service, app, httpx2.ASGITransport(app))
        if scopes:
            desk.token = desk.new_token(*scopes, keys=keys)
        try:
            yield desk
        finally:
            await service.aclose()

    return opened
