"""API calls: one client, the rules of what a module may ask for, and the transports that carry it."""

from __future__ import annotations

from plataforma_sdk.api._addresses import is_public_address
from plataforma_sdk.api._asgi import AsgiApp, AsgiTransport
from plataforma_sdk.api._auth import ApiAuth, AuthTransport
from plataforma_sdk.api._chain import CallChain, current_chain, use_chain
from plataforma_sdk.api._client import ApiClient
from plataforma_sdk.api._endpoints import EndpointHandler, EndpointTable
from plataforma_sdk.api._external import ExternalTransport, Resolver
from plataforma_sdk.api._headers import ALLOWED_HEADERS
from plataforma_sdk.api._http import HttpTransport
from plataforma_sdk.api._identity import IDENTITY_KEY, CallerIdentity
from plataforma_sdk.api._mock import MockHandler, MockTransport, route_names
from plataforma_sdk.api._paths import (
    METHODS,
    CheckedPath,
    CheckedUrl,
    check_method,
    check_path,
    check_url,
    needed_permission,
)
from plataforma_sdk.api._router import RoutingTransport
from plataforma_sdk.api._transport import ModuleIdentity, Origin, Transport, TransportRequest, TransportResponse
from plataforma_sdk.api._wsgi import WSGI_IDENTITY_KEY, WsgiApp, WsgiTransport

__all__ = [
    "ALLOWED_HEADERS",
    "IDENTITY_KEY",
    "METHODS",
    "WSGI_IDENTITY_KEY",
    "ApiAuth",
    "ApiClient",
    "AsgiApp",
    "AsgiTransport",
    "AuthTransport",
    "CallChain",
    "CallerIdentity",
    "CheckedPath",
    "CheckedUrl",
    "EndpointHandler",
    "EndpointTable",
    "ExternalTransport",
    "HttpTransport",
    "MockHandler",
    "MockTransport",
    "ModuleIdentity",
    "Origin",
    "Resolver",
    "RoutingTransport",
    "Transport",
    "TransportRequest",
    "TransportResponse",
    "WsgiApp",
    "WsgiTransport",
    "check_method",
    "check_path",
    "check_url",
    "current_chain",
    "is_public_address",
    "needed_permission",
    "route_names",
    "use_chain",
]
