"""Who calls the host's application from inside the process, as the application finds it."""

from __future__ import annotations

from plataforma_sdk.api._transport import ModuleIdentity

__all__ = ["IDENTITY_KEY", "CallerIdentity", "caller_identity"]

IDENTITY_KEY = "plataforma"
"""Under ``scope["extensions"]`` of ASGI; ``environ["plataforma.module"]`` of WSGI."""


class CallerIdentity(dict[str, str | None]):
    """``{"module", "version", "subject"}`` of a call that came in process.

    A dict, so that an application reads it as one; a class of its own, so that a middleware can tell it from one that
    somebody else put there: nothing that comes over a network is of this class.
    """

    __slots__ = ()


def caller_identity(identity: ModuleIdentity) -> CallerIdentity:
    """Write down who calls."""
    return CallerIdentity(module=identity.module, version=identity.version, subject=identity.subject)
