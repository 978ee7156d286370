"""Modules inside web applications: one file a framework, `fastapi`, `django` and `flask`; import the one you use.

Each keeps a `ModuleHost` for every user, strips identities that come from outside, and turns errors into statuses.
"""

from plataforma_sdk.integrations._identity import AsgiIdentityGuard, WsgiIdentityGuard
from plataforma_sdk.integrations._pool import BlockingHostPool, HostPool, HostPoolFullError
from plataforma_sdk.integrations._statuses import describe_error, status_of

__all__ = [
    "AsgiIdentityGuard",
    "BlockingHostPool",
    "HostPool",
    "HostPoolFullError",
    "WsgiIdentityGuard",
    "describe_error",
    "status_of",
]
