"""The registry service: ``docs/reference/registry-http.md`` served from a directory, to whoever holds a token."""

from plataforma_sdk.web.registry._options import ServiceOptions
from plataforma_sdk.web.registry._scopes import Scope
from plataforma_sdk.web.registry._service import registry_app, serve
from plataforma_sdk.web.registry._tokens import Token, create_token, list_tokens, open_tokens, revoke_token

__all__ = [
    "Scope",
    "ServiceOptions",
    "Token",
    "create_token",
    "list_tokens",
    "open_tokens",
    "registry_app",
    "revoke_token",
    "serve",
]
