"""Modules in a Django project: a middleware, and ``PLATAFORMA`` in the settings.

.. code-block:: python

    MIDDLEWARE = ["plataforma_sdk.integrations.django.ModulesMiddleware", ...]
    PLATAFORMA = {"load": [BASE_DIR / "modules" / "vendas"], "state_dir": BASE_DIR / "state"}

    def resumo(request):
        return JsonResponse(request.plataforma.modules["vendas"].call("resumo"), safe=False)
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from plataforma_sdk import sync
from plataforma_sdk.api import CallerIdentity, WsgiTransport
from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.integrations._hosts import HostRecipe, at_exit, require
from plataforma_sdk.integrations._identity import asgi_caller, strip_environ, wsgi_caller
from plataforma_sdk.integrations._pool import BlockingHostPool
from plataforma_sdk.integrations._statuses import describe_error, status_of
from plataforma_sdk.logs import logger_of

__all__ = ["ModulesMiddleware", "caller", "close_hosts"]

_LOG = logger_of("plataforma_sdk.integrations")
_MAKING = threading.Lock()
require("django", "django")


def caller(request: Any) -> CallerIdentity | None:
    """Return the module that calls: ``{"module", "version", "subject"}``; None for whoever came over the network."""
    scope = getattr(request, "scope", None)
    return wsgi_caller(request.META) or (asgi_caller(scope) if scope is not None else None)


def close_hosts() -> None:
    """Close the hosts that are not in use; done by itself as the process ends."""
    with _MAKING:
        if _made_pool.cache_info().currsize:
            _made_pool().close()


class ModulesMiddleware:
    """Puts the host of each request's user on it, as ``request.plataforma``, a `sync.ModuleHost` made at first use.

    Takes identities from outside off each request, and answers errors of modules with fitting statuses. Put it first.

    ``settings.PLATAFORMA`` holds ``load``, ``state_dir``, ``max_hosts`` (32), ``subject`` (a function of the request,
    or its dotted path; by default the primary key of ``request.user``, and nobody anonymous), and further arguments of
    `ModuleHost`. A host is held until the view has returned its response; read what a stream needs before that.
    """

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        """Serve a request."""
        from django.utils.functional import SimpleLazyObject

        strip_environ(request.META)
        if caller(request) is not None:
            # A module sends no cookies, so there is nothing to forge; Django itself reads this, as its test client's.
            request._dont_enforce_csrf_checks = True  # noqa: SLF001
        with ExitStack() as leases:
            request.plataforma = SimpleLazyObject(lambda: _lease(request, leases))
            return self._get_response(request)

    def process_exception(self, request: Any, error: Exception) -> Any:
        """Answer an error of a module; others are Django's."""
        if not isinstance(error, PlataformaError):
            return None
        from django.http import JsonResponse

        status = status_of(error)
        _LOG.warning("%s %s answered %d: %s", request.method, request.path, status, error)
        return JsonResponse(describe_error(error), status=status)


def _lease(request: Any, leases: ExitStack) -> sync.ModuleHost:
    module = caller(request)
    subject = _subject()(request) if module is None else module["subject"] or "default"
    return leases.enter_context(_pool().use(subject, by_module=module is not None))


def _settings() -> dict[str, Any]:
    from django.conf import settings

    return dict(getattr(settings, "PLATAFORMA", {}))


def _subject() -> Callable[[Any], str]:
    from django.utils.module_loading import import_string

    found = _settings().get("subject", _user)
    return import_string(found) if isinstance(found, str) else found  # type: ignore[no-any-return]


def _user(request: Any) -> str:
    if not request.user.is_authenticated:
        from django.core.exceptions import PermissionDenied

        raise PermissionDenied("Modules run for users that are logged in")
    return str(request.user.pk)


def _pool() -> BlockingHostPool:
    with _MAKING:
        return _made_pool()


def _host_name() -> str:
    """Name a host that Django's own check admits."""
    from django.conf import settings

    named = (name.removeprefix(".") for name in settings.ALLOWED_HOSTS if name != "*")
    return next(named, "localhost")


def _scheme() -> str:
    """Say ``https`` where Django would send anybody else there; no call in process crosses a network."""
    from django.conf import settings

    return "https" if settings.SECURE_SSL_REDIRECT else "http"


@functools.cache
def _made_pool() -> BlockingHostPool:
    """Make the process's one pool: Django's settings are global, and each of its handlers has a middleware."""
    from django.core.wsgi import get_wsgi_application

    settings = _settings()
    settings.pop("subject", None)
    max_hosts = settings.pop("max_hosts", 32)
    make_application = functools.cache(get_wsgi_application)
    recipe = HostRecipe(
        settings.pop("load", ()),
        lambda: WsgiTransport(make_application(), host=_host_name(), scheme=_scheme()),
        settings.pop("state_dir", None),
        settings,
    )
    pool = BlockingHostPool(recipe.open_blocking, max_hosts=max_hosts)
    at_exit(pool.close)
    return pool
