"""Modules in a FastAPI or Starlette application.

.. code-block:: python

    app = FastAPI()
    modules = Modules(app, load=["modules/vendas"], subject=lambda request: request.headers["x-user"])

    @app.get("/resumo")
    async def resumo(host: Annotated[ModuleHost, Depends(modules.host)]):
        return await host.modules["vendas"].call("resumo")
"""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from plataforma_sdk.api import AsgiTransport, CallerIdentity
from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.integrations._hosts import HostRecipe, require
from plataforma_sdk.integrations._identity import AsgiIdentityGuard, asgi_caller
from plataforma_sdk.integrations._pool import HostPool
from plataforma_sdk.integrations._statuses import describe_error, status_of
from plataforma_sdk.logs import logger_of
from plataforma_sdk.runtime import LoadTarget, ModuleHost

require("starlette", "starlette")
from starlette.requests import HTTPConnection  # noqa: E402 - FastAPI reads the annotation when the application starts
from starlette.responses import JSONResponse  # noqa: E402
from starlette.status import (  # noqa: E402
    WS_1008_POLICY_VIOLATION,
    WS_1011_INTERNAL_ERROR,
    WS_1013_TRY_AGAIN_LATER,
)
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState  # noqa: E402

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ["Modules", "caller"]

Subject: TypeAlias = Callable[[HTTPConnection], str | Awaitable[str]]

_LOG = logger_of("plataforma_sdk.integrations")


def caller(connection: HTTPConnection) -> CallerIdentity | None:
    """Return the module that calls: ``{"module", "version", "subject"}``; None for whoever came over the network."""
    return asgi_caller(connection.scope)


class Modules:
    """A host for every user of an application.

    Takes identities from outside off each request, answers errors of modules with fitting statuses, and closes the
    hosts with the application. What modules ask of the API goes to the application in process.

    Args:
        app: the application; not started yet.
        subject: tells the user or tenant of a request, plainly or awaited; a call by a module is its own subject's.
        load: what every host loads.
        state_dir: directory with one directory for each subject.
        max_hosts: hosts at most; the least recently used goes first, and where all are in use the answer is 503.
        settings: further arguments of `ModuleHost`.
    """

    def __init__(
        self,
        app: Starlette,
        *,
        subject: Subject,
        load: Iterable[LoadTarget] = (),
        state_dir: str | os.PathLike[str] | None = None,
        max_hosts: int = 100,
        **settings: Any,
    ) -> None:
        self._app = app
        self._subject = subject
        self._state: dict[str, Any] = {}
        recipe = HostRecipe(load, lambda: AsgiTransport(app, state=self._state), state_dir, settings)
        self.pool = HostPool(recipe.open, max_hosts=max_hosts)
        app.add_middleware(AsgiIdentityGuard)
        app.add_exception_handler(PlataformaError, _answer_error)  # type: ignore[arg-type]  # it serves both kinds
        app.router.lifespan_context = self._lifespan(app.router.lifespan_context)

    async def host(self, connection: HTTPConnection) -> AsyncIterator[ModuleHost]:
        """Give the host of the request's user: a FastAPI dependency, ``Depends(modules.host)``.

        A view that is no coroutine calls modules by ``host.submit(...).result()``.
        """
        async with self.using(connection) as host:
            yield host

    @asynccontextmanager
    async def using(self, connection: HTTPConnection) -> AsyncIterator[ModuleHost]:
        """Give the same in Starlette: ``async with modules.using(request) as host``."""
        module = caller(connection)
        subject = await self._subject_of(connection) if module is None else module["subject"] or "default"
        async with self.pool.use(subject, by_module=module is not None) as host:
            yield host

    async def _subject_of(self, connection: HTTPConnection) -> str:
        found = self._subject(connection)
        return await found if inspect.isawaitable(found) else found

    def _lifespan(
        self, inner: Callable[[Any], AbstractAsyncContextManager[Any]]
    ) -> Callable[[Any], AbstractAsyncContextManager[Any]]:
        @asynccontextmanager
        async def lifespan(app: Any) -> AsyncIterator[Any]:
            async with inner(app) as state:
                self._state.clear()
                self._state.update(state or {})
                try:
                    yield state
                finally:
                    await self.pool.aclose()

        return lifespan


async def _answer_error(connection: HTTPConnection, error: Exception) -> JSONResponse | None:
    assert isinstance(error, PlataformaError)  # noqa: S101 - it is registered for these alone
    status, method = status_of(error), connection.scope.get("method", "WEBSOCKET")
    _LOG.warning("%s %s answered %d: %s", method, connection.url.path, status, error)
    if not isinstance(connection, WebSocket):
        return JSONResponse(describe_error(error), status_code=status)
    if connection.application_state is not WebSocketState.DISCONNECTED:
        with contextlib.suppress(WebSocketDisconnect):  # the client has gone
            await connection.close(_close_code(status), type(error).__name__)
    return None


def _close_code(status: int) -> int:
    """Say a status in the codes of WebSockets. **Source:** RFC 6455, 7.4.1, and IANA's registry of close codes."""
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return WS_1013_TRY_AGAIN_LATER
    return WS_1008_POLICY_VIOLATION if status < HTTPStatus.INTERNAL_SERVER_ERROR else WS_1011_INTERNAL_ERROR
