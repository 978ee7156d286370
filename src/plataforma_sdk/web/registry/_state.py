"""What the routes of one service share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

from starlette.requests import Request

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry.backends import DirectoryBackend
from plataforma_sdk.registry.backends._blob_files import BlobFiles
from plataforma_sdk.registry.backends._objects import open_store
from plataforma_sdk.registry.rules import check_id, namespace_of
from plataforma_sdk.services._worker import DatabaseWorker
from plataforma_sdk.web.registry._answers import Refusal
from plataforma_sdk.web.registry._blob_store import BlobStore, FileBlobs, ObjectBlobs
from plataforma_sdk.web.registry._metrics import Metrics
from plataforma_sdk.web.registry._options import ServiceOptions
from plataforma_sdk.web.registry._tokens import Token, find_token, open_tokens
from plataforma_sdk.web.registry._tuf import TufRepository

__all__ = ["ServiceState", "module_of"]


class ServiceState:
    """The index, the blobs, the tokens and the meters of a service; opened with the first use."""

    def __init__(self, options: ServiceOptions, *, now: Callable[[], float] = time.time) -> None:
        """Take how it is run, and the clock, in seconds of the epoch.

        Raises:
            RegistryError: the address of the blobs is none, or the extra ``s3`` is missing.
        """
        self.options = options
        self.backend = DirectoryBackend(options.directory, database=options.database)
        self.files = BlobFiles(options.directory / "blobs")
        self.blobs: BlobStore = FileBlobs(self.files)
        if options.blobs is not None:
            self.blobs = ObjectBlobs(open_store(options.blobs), url=options.blobs)
        self.tuf = TufRepository(options.directory, now=now)
        self.metrics = Metrics()
        self.is_stopping = False
        self._is_open = False
        self._tokens = DatabaseWorker(
            lambda: open_tokens(options.directory, options.database), name="plataforma-tokens"
        )

    @classmethod
    def of(cls, request: Request) -> Self:
        """Return the state of the service that a request came to."""
        state: Self = request.app.state.service
        return state

    async def open(self) -> None:
        """Make sure that the directory is as uploads need it; at once where that was done before.

        Raises:
            RegistryError: the directory cannot be used, or its TUF metadata cannot be signed.
        """
        if self._is_open:
            return
        health = await self.backend.health()
        if not health.is_ready:
            raise RegistryError(health.detail)
        await self._tokens.run(lambda _: None)
        await self.backend.beside(lambda database, _: self.tuf.check(database))
        self._is_open = True

    async def aclose(self) -> None:
        """Close the files; a second call does nothing."""
        await self._tokens.close()
        await self.backend.aclose()

    async def may_read(self, request: Request) -> None:
        """Let a reader pass: anybody, or in a private registry whoever holds a token for it.

        Raises:
            Refusal: there is no such token.
        """
        if self.options.is_private:
            await self.caller(request, "read")

    async def caller(self, request: Request, action: str, module_id: str | None = None) -> Token:
        """Return the token of a request, if it allows the action; None as the module asks for it on any module.

        Raises:
            Refusal: there is no token, it is not valid, or its scopes do not reach so far.
        """
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = None
        if scheme.lower() == "bearer":
            token = await self._tokens.run(lambda database: find_token(database, text.strip()))
        if token is None:
            self.metrics.refused_tokens.add()
            raise Refusal(
                401,
                "this needs a token that is valid: set PLATAFORMA_REGISTRY_TOKEN to what "
                "'plataforma registry token create' printed",
                headers={"www-authenticate": 'Bearer realm="plataforma"'},
            )
        request.scope["plataforma.token"] = token.id  # for the log
        if not token.allows(action, module_id):
            what = f"{action}:{module_id}" if module_id else action
            raise Refusal(403, f"the token {token.id} does not allow {what!r}: ask for one that does")
        return token


def module_of(request: Request) -> str:
    """Return the module id that a path names: ``acme--vendas`` is ``acme/vendas``.

    Raises:
        Refusal: it names none.
    """
    segment = str(request.path_params["id"])
    try:
        if "/" in segment:
            raise IntegrityError(f"{segment[:80]!r} is no module id in a path: 'acme/vendas' reads 'acme--vendas'")
        return check_id(segment.replace("--", "/", 1))
    except IntegrityError as error:
        raise Refusal(400, error.message, code="IntegrityError") from None


def check_owner(token: Token, module_id: str, *, owner: str | None, claimed: str | None) -> None:
    """Make sure that a token's holder may act for the key that owns a namespace, and for the one that it claims.

    Raises:
        Refusal: it is bound to neither.
    """
    for key in (owner, claimed):
        if key is not None and key not in token.keys:
            raise Refusal(
                403,
                f"{module_id}: the namespace {namespace_of(module_id)!r} is to be of the key {key}, and the token "
                f"{token.id} is not bound to it: ask for one made with --key {key}",
                code="IntegrityError",
            )
