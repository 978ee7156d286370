"""Who is subscribed to what: blinker signals, and the ordered tuple of receivers of each topic in use."""

from __future__ import annotations

from typing import Final

import attrs
from blinker import ANY, Signal

from plataforma_sdk.errors import ModuleStateError
from plataforma_sdk.events._ownership import topic_owner
from plataforma_sdk.events._subscription import HandlerSubscription
from plataforma_sdk.events._topics import PatternIndex, check_topic
from plataforma_sdk.types import module_segment

__all__ = ["Route", "SubscriptionRegistry"]

_MAX_ROUTES: Final = 8_192
"""Topics whose receivers are remembered; one topic a customer must not fill the memory."""


@attrs.frozen(eq=False)
class Route:
    """The receivers of one topic.

    Attributes:
        subscriptions: in the order of subscription.
        is_plain: all are synchronous handlers of the host.
    """

    subscriptions: tuple[HandlerSubscription, ...]
    is_plain: bool


class SubscriptionRegistry:
    """One blinker signal for each topic or pattern.

    Blinker delivers in no stated order, stops at the first exception and forgets lambdas. So it is the register only:
    connected strongly, read once for each topic, and never sent.

    Attributes:
        routes: topic -> route, for topics that were checked and looked up since the last change that touches them.
        is_closed: whether the bus was closed.
    """

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self._signals: dict[str, Signal] = {}
        self._patterns = PatternIndex()
        self._owned: dict[str | None, dict[HandlerSubscription, None]] = {}
        self.is_closed = False

    def add(self, subscription: HandlerSubscription) -> None:
        """Connect a subscription whose topic was checked."""
        topic = subscription.topic
        signal = self._signals.get(topic)
        if signal is None:
            signal = self._signals[topic] = Signal()
            if "*" in topic:
                self._patterns.add(topic)
        signal.connect(subscription, weak=False)
        self._owned.setdefault(subscription.owner, {})[subscription] = None
        self._forget_routes(topic)

    def remove(self, subscription: HandlerSubscription) -> None:
        """Disconnect a subscription that was added."""
        topic = subscription.topic
        signal = self._signals[topic]
        signal.disconnect(subscription)
        if not signal.receivers:
            del self._signals[topic]
            if "*" in topic:
                self._patterns.discard(topic)
        mine = self._owned[subscription.owner]
        del mine[subscription]
        if not mine:
            del self._owned[subscription.owner]
        self._forget_routes(topic)

    def route(self, topic: str) -> Route:
        """Look the receivers of a topic up, and remember them.

        Raises:
            PlataformaError: not a topic.
            ModuleStateError: the bus is closed.
        """
        self.check_open()
        signals = [self._signals.get(check_topic(topic)), *map(self._signals.get, self._patterns.match(topic))]
        found = [receiver for signal in signals if signal is not None for receiver in _receivers(signal)]
        found.sort(key=_by_number)
        route = Route(tuple(found), all(subscription.is_plain for subscription in found))
        if len(self.routes) >= _MAX_ROUTES:
            self.routes.clear()
        self.routes[topic] = route
        return route

    def answerers(self, topic: str) -> list[HandlerSubscription]:
        """Return who may answer a request: the owner's subscriptions to exactly this topic, oldest first.

        A pattern does not count: whoever listens to ``*`` for a log must not answer with None.
        """
        self.check_open()
        signal, segment = self._signals.get(check_topic(topic)), topic_owner(topic)
        found = [] if signal is None else sorted(_receivers(signal), key=_by_number)
        return [item for item in found if (item.owner and module_segment(item.owner)) == segment]

    def of(self, owner: str | None) -> tuple[HandlerSubscription, ...]:
        """Return the live subscriptions of an owner."""
        return tuple(self._owned.get(owner, ()))

    def count(self, owner: str | None) -> int:
        """Return how many live subscriptions an owner has."""
        return len(self._owned.get(owner, ()))

    def close(self) -> None:
        """End every subscription and refuse what comes after."""
        self.is_closed = True
        for subscription in [item for owned in self._owned.values() for item in owned]:
            subscription.unsubscribe()
        self.routes.clear()

    def check_open(self) -> None:
        """Raise `ModuleStateError` once the bus is closed."""
        if self.is_closed:
            raise ModuleStateError("The event bus is closed; subscribe and emit before aclose()")

    def _forget_routes(self, topic: str) -> None:
        if "*" in topic:
            self.routes.clear()
        else:
            self.routes.pop(topic, None)


def _receivers(signal: Signal) -> list[HandlerSubscription]:
    return [receiver for receiver in signal.receivers_for(ANY) if isinstance(receiver, HandlerSubscription)]


def _by_number(subscription: HandlerSubscription) -> int:
    return subscription.number
