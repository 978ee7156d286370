"""Modules in a Flask application.

.. code-block:: python

    app = Flask(__name__)
    modules = Modules(app, load=["modules/vendas"], subject=lambda: session["user"])

    @app.get("/resumo")
    def resumo():
        return modules.host.modules["vendas"].call("resumo")
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from plataforma_sdk import sync
from plataforma_sdk.api import CallerIdentity, WsgiTransport
from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.integrations._hosts import HostRecipe, at_exit, require
from plataforma_sdk.integrations._identity import WsgiIdentityGuard, wsgi_caller
from plataforma_sdk.integrations._pool import BlockingHostPool
from plataforma_sdk.integrations._statuses import describe_error, status_of
from plataforma_sdk.logs import logger_of
from plataforma_sdk.runtime import LoadTarget

__all__ = ["Modules", "caller"]

_LOG = logger_of("plataforma_sdk.integrations")
_flask: Any = require("flask", "flask")


def caller() -> CallerIdentity | None:
    """Return the module that calls: ``{"module", "version", "subject"}``; None for whoever came over the network."""
    return wsgi_caller(_flask.request.environ)


class Modules:
    """A host for every user of an application.

    Takes identities from outside off each request, answers errors of modules with fitting statuses, and closes the
    hosts as the process ends, or by `close`. What modules ask of the API goes to the application in process. Hosts are
    made at first use, so a server may fork before.

    Args:
        app: the application.
        subject: tells the user or tenant of the current request; a call by a module is its own subject's.
        load: what every host loads.
        state_dir: directory with one directory for each subject.
        max_hosts: hosts at most, a thread each; the least recently used goes first, and where all are in use the
            answer is 503.
        settings: further arguments of `ModuleHost`.
    """

    def __init__(
        self,
        app: Any,
        *,
        subject: Callable[[], str],
        load: Iterable[LoadTarget] = (),
        state_dir: str | os.PathLike[str] | None = None,
        max_hosts: int = 32,
        **settings: Any,
    ) -> None:
        self._subject = subject
        recipe = HostRecipe(load, lambda: WsgiTransport(app), state_dir, settings)
        self.pool = BlockingHostPool(recipe.open_blocking, max_hosts=max_hosts)
        app.wsgi_app = WsgiIdentityGuard(app.wsgi_app)
        app.register_error_handler(PlataformaError, _answer_error)
        app.teardown_request(self._release)
        app.extensions["plataforma"] = self
        close = weakref.WeakMethod(self.close)
        at_exit(lambda: (found := close()) and found())

    @property
    def host(self) -> sync.ModuleHost:
        """The host of the current request's user; held until the request ends."""
        found: tuple[AbstractContextManager[sync.ModuleHost], sync.ModuleHost] | None = _flask.g.get(self._key)
        if found is None:
            module = caller()
            subject = self._subject() if module is None else module["subject"] or "default"
            lease = self.pool.use(subject, by_module=module is not None)
            found = (lease, lease.__enter__())
            setattr(_flask.g, self._key, found)
        return found[1]

    def close(self) -> None:
        """Close the hosts that are not in use."""
        self.pool.close()

    @property
    def _key(self) -> str:
        return f"_plataforma_{id(self)}"

    def _release(self, _error: BaseException | None = None) -> None:
        found = _flask.g.pop(self._key, None)
        if found is not None:
            found[0].__exit__(None, None, None)


def _answer_error(error: PlataformaError) -> tuple[dict[str, Any], int]:
    status = status_of(error)
    _LOG.warning("%s %s answered %d: %s", _flask.request.method, _flask.request.path, status, error)
    return describe_error(error), status
