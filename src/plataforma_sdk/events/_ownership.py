"""Whose a topic is: what a module may emit, what it may hear of the platform, and who answers a request.

``module.<segment>.`` belongs to the module of that id, ``plataforma.`` to the platform, the rest to the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from plataforma_sdk.events._topics import check_topic
from plataforma_sdk.module import own_topic
from plataforma_sdk.types import Event

__all__ = ["may_receive", "module_topic", "topic_owner"]

_MODULE_ROOT: Final = "module"
_PLATFORM_ROOT: Final = "plataforma"


def module_topic(module_id: str, topic: str) -> str:
    """Return the full topic that a module means: ``saved`` of ``vendas`` is ``module.vendas.saved``.

    A topic that stands under the module's own namespace already is kept.

    Raises:
        PermissionDeniedError: the topic belongs to another module or to the platform.
        PlataformaError: the topic, or what it becomes, is outside the grammar.
    """
    return check_topic(own_topic(module_id, check_topic(topic)))


def topic_owner(topic: str) -> str | None:
    """Return the segment of the module that owns the topic, None where the host does.

    >>> topic_owner("module.acme--vendas.saved")
    'acme--vendas'
    """
    root, _, rest = topic.partition(".")
    segment, dot, _ = rest.partition(".")
    return segment if root == _MODULE_ROOT and dot else None


def may_receive(module_id: str, event: Event) -> bool:
    """Tell whether a module may hear of this event at all, its permissions aside.

    An event of the platform is about the module that its payload names under ``"module"``, and only that one hears it.
    """
    if event.topic.partition(".")[0] != _PLATFORM_ROOT:
        return True
    return isinstance(event.data, Mapping) and event.data.get("module") == module_id
