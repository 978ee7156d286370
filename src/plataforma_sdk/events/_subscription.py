"""A handler and what the bus knows of it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from plataforma_sdk.events._ownership import may_receive
from plataforma_sdk.types import Event, Subscription

if TYPE_CHECKING:
    from plataforma_sdk.events._mailbox import Mailbox

__all__ = ["Accept", "Handler", "HandlerSubscription", "SubscriptionEndedError"]

Handler: TypeAlias = Callable[[Event], Any]
"""Receives the event; may be a coroutine function. What it returns answers `EventBus.request`."""

Accept: TypeAlias = Callable[[str], bool]
"""Asked with the topic when an event is queued and again when it is handed over."""


class SubscriptionEndedError(Exception):
    """Raised in place of a handler whose subscription ended while the event was on its way."""


class HandlerSubscription(Subscription):
    """A subscription with its handler; blinker keeps it as the receiver.

    Attributes:
        handler: called with the event. An ended subscription has one that raises, so that the loop over the handlers
            need not ask each whether it is still there.
        is_plain: a synchronous handler of the host: called as it is, with the event as it is.
        number: place in the order of subscription.
        mailbox: the queue of its owner, or its own for a handler of the host; None where nothing was queued yet.
    """

    __slots__ = ("_accept", "handler", "is_async", "is_plain", "mailbox", "number", "owner")

    def __init__(
        self,
        topic: str,
        handler: Handler,
        on_end: Callable[[HandlerSubscription], None],
        *,
        number: int,
        owner: str | None,
        accept: Accept | None,
    ) -> None:
        super().__init__(topic, functools.partial(on_end, self))
        self.handler = handler
        self.number = number
        self.owner = owner
        self.mailbox: Mailbox | None = None
        self.is_async = _is_async(handler)
        self.is_plain = owner is None and accept is None and not self.is_async
        self._accept = accept

    def __call__(self, event: Event) -> Any:
        """Call the handler, so that a subscription is what blinker expects of a receiver."""
        return self.handler(event)

    def admits(self, event: Event) -> bool:
        """Tell whether the handler may have this event now."""
        if self.owner is not None and not may_receive(self.owner, event):
            return False
        return self.is_active and (self._accept is None or self._accept(event.topic))

    def unsubscribe(self) -> None:
        """End the subscription at once: not even an event already on its way arrives."""
        self.handler = _ended
        super().unsubscribe()


def _ended(_: Event) -> NoReturn:
    raise SubscriptionEndedError


def _is_async(handler: Handler) -> bool:
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)
