"""The event bus."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from types import TracebackType
from typing import Any, Final, Self

from plataforma_sdk.codec import copy_value
from plataforma_sdk.errors import GuestError, HostCallError, ModuleStateError, QuotaExceededError
from plataforma_sdk.events._delivery import Delivery
from plataforma_sdk.events._dispatch import Dispatcher
from plataforma_sdk.events._faults import OwnerLog, log_of_owner
from plataforma_sdk.events._mailbox import Mailbox, Overflow, OwnerStats
from plataforma_sdk.events._ownership import module_topic, topic_owner
from plataforma_sdk.events._registry import Route, SubscriptionRegistry
from plataforma_sdk.events._subscription import Accept, Handler, HandlerSubscription
from plataforma_sdk.events._topics import check_pattern, check_topic, topic_matches
from plataforma_sdk.types import Event, Subscription

__all__ = ["EventBus"]

MAX_REQUEST_TIMEOUT_S: Final = 300


class EventBus:
    """Events by topic, for one host and its modules.

    Synchronous handlers are called inside `emit`, in the order of subscription. Asynchronous ones wait in a queue, one
    for each module, where order is kept within a topic and topics do not wait for each other, and one for each handler
    of the host, where order is kept altogether. A queue holds `queue_size` events, those being handled included; a
    full one drops the event that waits longest, so that a slow module works on fresh news (``overflow="drop_newest"``
    keeps the old ones instead), and ``plataforma.module.overflow`` is emitted once a burst.

    A handler's fault is logged, emitted as ``plataforma.module.error``, recorded in the `Delivery`, and stops nobody
    else; cancellation is no fault. Handlers of the host share the event and its data; a subscription with an owner
    receives a copy by the codec, made when the event is emitted.

    Not thread-safe: use a bus in the thread of its loop. Without a running loop synchronous handlers are served all
    the same, and the queues wait for the next `emit`, or awaited `Delivery`, inside a loop.

    >>> bus = EventBus()
    >>> with bus.subscribe("data.*", lambda event: print(event.topic, event.data)):
    ...     delivery = bus.emit("data.vendas.updated", {"ids": [7]})
    data.vendas.updated {'ids': [7]}
    >>> delivery.delivered
    1

    Args:
        queue_size: events that may wait or be handled in one queue.
        overflow: what a full queue gives up.
        max_subscriptions: live subscriptions of one module.
        max_retained: topics whose last value is kept.
        log: writes that a module failed in a handler: ``(owner, text, *args)``; as often as it does, by default.
    """

    def __init__(
        self,
        *,
        queue_size: int = 1_000,
        overflow: Overflow = "drop_oldest",
        max_subscriptions: int = 1_000,
        max_retained: int = 1_000,
        log: OwnerLog = log_of_owner,
    ) -> None:
        if queue_size < 1 or overflow not in {"drop_oldest", "drop_newest"}:
            raise ValueError(f"queue_size is 1 or more, overflow drop_oldest or drop_newest: {queue_size}, {overflow}")
        self._queue_size = queue_size
        self._overflow: Overflow = overflow
        self._max_subscriptions = max_subscriptions
        self._max_retained = max_retained
        self._registry = SubscriptionRegistry()
        self._dispatcher = Dispatcher(self._registry, self._mailbox_of, log)
        self._mailboxes: dict[str, Mailbox] = {}
        self._retained: dict[str, Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_number = itertools.count(1).__next__
        self._context = contextvars.copy_context()  # what handlers see is the host's, not that of some emitter
        # What `emit` needs at every call, one attribute away.
        self._routes = self._registry.routes
        self._current = self._dispatcher.current
        self._next_id = self._dispatcher.next_id

    def subscribe(
        self, topic: str, handler: Handler, *, owner: str | None = None, accept: Accept | None = None
    ) -> Subscription:
        """Have `handler` called with every event of a topic or pattern, retained values first.

        Args:
            topic: a topic, or a pattern: ``data.*`` is everything below ``data``, ``a.*.c`` one segment between.
            handler: function or coroutine function of one argument, the `Event`.
            owner: id of the module on whose behalf, None for the host. A module never hears of the platform's events
                about others, whatever `accept` says.
            accept: asked with the topic when an event is emitted and again when it is handed over; an event that it
                refuses is dropped.

        Raises:
            PlataformaError: neither topic nor pattern.
            QuotaExceededError: the owner has too many subscriptions.
            ModuleStateError: the bus is closed.
            TypeError: the handler is no function.
        """
        if not callable(handler):
            raise TypeError(f"The handler of {topic!r} is a {type(handler).__name__}, not a function")
        self._registry.check_open()
        if owner is not None:
            self._check_quota(owner)
        subscription = HandlerSubscription(
            check_pattern(topic), handler, self._end, number=self._next_number(), owner=owner, accept=accept
        )
        if owner is not None:
            self._mailbox_of(subscription)
        remembered = self._remembered(topic, owner)
        self._registry.add(subscription)
        for event in remembered:
            self._dispatcher.run(Route((subscription,), subscription.is_plain), event, Delivery())
        return subscription

    def unsubscribe_owner(self, owner: str) -> None:
        """End what a module subscribed to, drop what waits for it, and forget what it had retained.

        A handler that runs may finish.
        """
        for subscription in self._registry.of(owner):
            subscription.unsubscribe()
        mailbox = self._mailboxes.pop(owner, None)
        if mailbox is not None:
            mailbox.close()
        self._retained = {topic: event for topic, event in self._retained.items() if event.source != owner}

    def emit(self, topic: str, data: Any = None, *, source: str | None = None, retain: bool = False) -> Delivery:
        """Hand an event to its subscribers and return at once; await the result to wait for all of them.

        Args:
            topic: for a module, the name within its own namespace: ``saved`` becomes ``module.vendas.saved``.
            data: the payload. Plain data (see `codec`) where it comes from a module, is to be retained, or is to reach
                a module; the host may send itself any object.
            source: id of the module that emits, None for the host.
            retain: keep this as the topic's last value, which later subscribers receive at once.

        Raises:
            PlataformaError: not a topic.
            PermissionDeniedError: a topic of another module or of the platform.
            CodecError: data that has to be plain is not.
            ResourceLimitError: the 33rd event of a chain in which each was emitted by a handler of the one before.
            QuotaExceededError: too many topics are retained.
            ModuleStateError: the bus is closed.
        """
        if source is not None:
            topic, data = module_topic(source, topic), copy_value(data)
        route = self._routes.get(topic)
        if route is None:
            route = self._registry.route(topic)
        causes = () if self._current.get() is None else self._dispatcher.causes(source)
        event = Event(topic, data, source, self._next_id(), causes)
        delivery = Delivery()
        delivery.event = event
        if retain:
            self._retain(event)
        if route.subscriptions:
            self._dispatcher.run(route, event, delivery)
        return delivery

    async def request(self, topic: str, data: Any = None, *, timeout_s: float, source: str | None = None) -> Any:
        """Ask the owner of a topic, and return its reply, a copy.

        A topic under ``module.<id>.`` is answered by that module, any other by the host; whoever has subscribed to
        exactly this topic first. Nobody else sees the request.

        Args:
            topic: the full topic.
            data: the question, plain data.
            timeout_s: how long to wait, in seconds: more than 0, at most 300.
            source: id of the module that asks, None for the host.

        Raises:
            ModuleStateError: nobody is there to answer.
            TimeoutError: no reply in time; the handler was cancelled.
            HostCallError: the answering module failed, and another module asks; the host sees the `GuestError`.
        """
        if not 0 < timeout_s <= MAX_REQUEST_TIMEOUT_S:
            raise ValueError(f"timeout_s is more than 0 and at most {MAX_REQUEST_TIMEOUT_S}: {timeout_s}")
        data = data if source is None else copy_value(data)
        event = Event(check_topic(topic), data, source, self._next_id(), self._dispatcher.causes(source))
        answerer = self._answerer(event)
        try:
            async with asyncio.timeout(timeout_s) as scope:
                return await self._dispatcher.answer(answerer, event)
        except TimeoutError:
            if not scope.expired():
                raise
            raise TimeoutError(f"No reply to {topic!r} within {timeout_s:g} s") from None
        except GuestError as error:
            if source in {None, answerer.owner}:
                raise
            raise HostCallError(error.type_name, error.text, module=answerer.owner) from None

    def forget(self, topic: str) -> None:
        """Let go of the retained value of a topic, if there is one."""
        self._retained.pop(topic, None)

    def stats(self, owner: str) -> OwnerStats:
        """Return what became of the events for a module; all zero for one that is not known."""
        mailbox = self._mailboxes.get(owner)
        return OwnerStats() if mailbox is None else mailbox.stats(self._registry.count(owner))

    async def aclose(self) -> None:
        """End every subscription, drop what waits, and cancel what runs. A second call does nothing."""
        self._registry.close()
        for mailbox in self._mailboxes.values():
            mailbox.close()
        loop, me = asyncio.get_running_loop(), asyncio.current_task()
        running = [task for task in self._tasks if task is not me and task.get_loop() is loop]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _check_quota(self, owner: str) -> None:
        used = self._registry.count(owner)
        if used >= self._max_subscriptions:
            raise QuotaExceededError(
                "subscriptions",
                used=used,
                limit=self._max_subscriptions,
                unit="subscriptions",
                module=owner,
                advice="subscribe to a pattern, or end subscriptions that are no longer needed",
            )

    def _end(self, subscription: HandlerSubscription) -> None:
        self._registry.remove(subscription)
        if subscription.owner is None and subscription.mailbox is not None:
            subscription.mailbox.close()

    def _mailbox_of(self, subscription: HandlerSubscription) -> Mailbox:
        """Return the queue of a subscription's owner; each handler of the host has its own.

        A handler of the host may wait for a `Delivery`, and would wait for ever in front of its own queue.
        """
        if subscription.mailbox is not None:
            return subscription.mailbox
        owner = subscription.owner
        mailbox = None if owner is None else self._mailboxes.get(owner)
        if mailbox is None:
            mailbox = Mailbox(
                owner=owner,
                capacity=self._queue_size,
                overflow=self._overflow,
                run=self._dispatcher.run_job,
                tasks=self._tasks,
                context=self._context,
            )
        if owner is not None:
            self._mailboxes[owner] = mailbox
        subscription.mailbox = mailbox
        return mailbox

    def _answerer(self, event: Event) -> HandlerSubscription:
        for subscription in self._registry.answerers(event.topic):
            if subscription.admits(event):
                return subscription
        segment = topic_owner(event.topic)
        who = "the host" if segment is None else f"module {segment.replace('--', '/')!r}"
        raise ModuleStateError(
            f"Nobody answers {event.topic!r}: only {who} may, and it is not subscribed to exactly that topic;"
            " load it first, or have it subscribe",
            module=event.source,
        )

    def _retain(self, event: Event) -> None:
        if event.topic not in self._retained and len(self._retained) >= self._max_retained:
            raise QuotaExceededError(
                "retained_topics",
                used=len(self._retained),
                limit=self._max_retained,
                unit="topics",
                module=event.source,
                advice="forget(topic) what is no longer true, or retain one topic with a mapping",
            )
        self._retained[event.topic] = Event(event.topic, copy_value(event.data), event.source, event.id, event.causes)

    def _remembered(self, pattern: str, owner: str | None) -> list[Event]:
        """Return the retained events for a new subscription, as caused by the handler that subscribes, if one does."""
        found = [event for topic, event in self._retained.items() if topic_matches(pattern, topic)]
        causes = self._dispatcher.causes(owner) if found else ()
        return [
            Event(event.topic, copy_value(event.data), event.source, event.id, causes or event.causes)
            for event in found
        ]
