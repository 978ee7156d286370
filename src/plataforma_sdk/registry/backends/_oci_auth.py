"""Proving oneself to an OCI registry: Basic, or a Bearer token for each scope.

**Source:** the distribution project's "Token Authentication Specification"; RFC 6750, RFC 7617.
"""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import urlencode

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry._json import from_json
from plataforma_sdk.registry.backends._urls import origin_of
from plataforma_sdk.registry.backends._web import Answer, WebClient, WebOptions

__all__ = ["OciAuth"]

_PARAMETER: Final = re.compile(r'([a-z_]+)="([^"]*)"', re.IGNORECASE)
_MAX_TOKEN_BYTES: Final = 1 << 20


class OciAuth:
    """Answers the challenges of one registry, and keeps the tokens that it got."""

    def __init__(self, origin: str, credentials: tuple[str, str] | None, options: WebOptions | None) -> None:
        self._origin = origin
        self._options = options
        self._basic = _basic(credentials) if credentials else None
        self._headers: dict[str, str] = {}

    async def authorize(self, scope: str, challenge: str | None) -> str | None:
        """See `Authorize`.

        Raises:
            RegistryError: the challenge is of no known kind, or the token service refuses.
        """
        if challenge is not None:
            self._headers[scope] = await self._answer(scope, challenge)
        return self._headers.get(scope)

    async def _answer(self, scope: str, challenge: str) -> str:
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "basic" and self._basic:
            return self._basic
        fields = dict(_PARAMETER.findall(rest))
        if kind.lower() != "bearer" or "realm" not in fields:
            raise RegistryError(
                f"{self._origin} asks for a log-in: set PLATAFORMA_REGISTRY_USER and PLATAFORMA_REGISTRY_PASSWORD, "
                "or log in with `docker login`"
            )
        return f"Bearer {await self._token(fields['realm'], fields.get('service', ''), scope)}"

    async def _token(self, realm: str, service: str, scope: str) -> str:
        origin = origin_of(realm)
        if not realm.startswith("https://") and not (realm.startswith("http://") and origin == self._origin):
            raise RegistryError(f"{self._origin} sends a log-in to {origin}, which is not encrypted: nothing was sent")
        client = WebClient(origin, self._options, explain=self._explain, authorize=self._log_in)
        query = urlencode({"service": service, "scope": scope})
        url = f"{realm}{'&' if '?' in realm else '?'}{query}"
        try:
            answer = await client.request("GET", url, expect=(200,), max_bytes=_MAX_TOKEN_BYTES)
        finally:
            if self._options is None or self._options.transport is None:  # one that was given is not ours to close
                await client.aclose()
        data = from_json(answer.body, what=f"the token of {origin}")
        token = (data.get("token") or data.get("access_token")) if isinstance(data, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise IntegrityError(f"{origin} answered no token")
        return token

    async def _log_in(self, _scope: str, _challenge: str | None) -> str | None:
        return self._basic

    def _explain(self, answer: Answer) -> RegistryError:
        return RegistryError(f"{self._origin} gives no token ({answer.status}): see to user, password and their rights")


def _basic(credentials: tuple[str, str]) -> str:
    return f"Basic {base64.b64encode(':'.join(credentials).encode()).decode()}"
