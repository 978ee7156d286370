"""Calling handlers: in order, one fault never in the way of the next handler, causes kept."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final

from plataforma_sdk.codec import copy_value
from plataforma_sdk.errors import ResourceLimitError
from plataforma_sdk.events._delivery import Delivery, HandlerFault, Job
from plataforma_sdk.events._faults import OwnerLog, describe_fault, log_fault, log_of_owner
from plataforma_sdk.events._mailbox import Mailbox
from plataforma_sdk.events._registry import Route, SubscriptionRegistry
from plataforma_sdk.events._subscription import HandlerSubscription, SubscriptionEndedError
from plataforma_sdk.types import Event

__all__ = ["ERROR_TOPIC", "MAX_EVENT_DEPTH", "OVERFLOW_TOPIC", "Dispatcher"]

ERROR_TOPIC: Final = "plataforma.module.error"
"""Emitted where a handler failed: ``{"module", "during", "error"}``, the error as `errors.error_to_data` writes it."""

OVERFLOW_TOPIC: Final = "plataforma.module.overflow"
"""Emitted where a queue begins to lose events: ``{"module", "topic", "capacity", "overflow", "overflowed"}``."""

MAX_EVENT_DEPTH: Final = 32
"""How many events a chain may have in which each was emitted by a handler of the one before."""


class Dispatcher:
    """Hands events to subscriptions.

    Attributes:
        current: the event whose handler runs in this context, what `Event.causes` is made of. A variable for each
            bus, since ids are counted by each.
        next_id: numbers the events.
    """

    def __init__(
        self,
        registry: SubscriptionRegistry,
        mailbox_of: Callable[[HandlerSubscription], Mailbox],
        log: OwnerLog = log_of_owner,
    ) -> None:
        self.current: ContextVar[Event | None] = ContextVar("current_event", default=None)
        self.next_id = itertools.count(1).__next__
        self._registry = registry
        self._mailbox_of = mailbox_of
        self._log = log

    def causes(self, source: str | None) -> tuple[int, ...]:
        """Return the causes of an event that is emitted here and now.

        Raises:
            ResourceLimitError: the event would be one more than `MAX_EVENT_DEPTH` in its chain.
        """
        cause = self.current.get()
        if cause is None:
            return ()
        causes = (*cause.causes, cause.id)
        level = len(causes) + 1
        if level > MAX_EVENT_DEPTH:
            advice = f"find the handlers that lead from {cause.topic!r} back to itself, and break the circle"
            raise ResourceLimitError(
                "event_depth", used=level, limit=MAX_EVENT_DEPTH, unit="levels", module=source, advice=advice
            )
        return causes

    def run(self, route: Route, event: Event, delivery: Delivery) -> None:
        """Give an event to every subscription of a route, in order.

        Synchronous handlers of the host, the path that has to be fast, have nothing between two calls.
        """
        token = self.current.set(event)
        try:
            if not route.is_plain:
                for subscription in route.subscriptions:
                    self._offer(subscription, event, delivery)
                return
            for subscription in route.subscriptions:
                handler = subscription.handler  # two steps: CPython 3.11 calls an attribute in a slot slowly
                try:
                    result = handler(event)
                    if result is not None and inspect.isawaitable(result):
                        delivery.delivered -= 1
                        self._queue(subscription, event, delivery, result)
                except Exception as error:  # noqa: BLE001 - isolation: reported, and the next handler has its turn
                    delivery.delivered -= 1
                    self._fail(subscription, event, error, delivery)
            delivery.delivered += len(route.subscriptions)
        finally:
            self.current.reset(token)

    async def run_job(self, job: Job) -> None:
        """Run a queued handler to its end; raises nothing but the cancellation of the task it runs in."""
        token = self.current.set(job.event)
        try:
            await self._run_job(job)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                job.drop()
                raise
            self._fail_job(job, error)  # something the handler waited for was cancelled, not we
        except Exception as error:  # noqa: BLE001 - isolation, as above
            self._fail_job(job, error)
        finally:
            self.current.reset(token)

    async def answer(self, subscription: HandlerSubscription, event: Event) -> Any:
        """Return what one handler returns, a copy; its fault is the caller's to see."""
        own = event if subscription.owner is None else _copy_event(event)
        token = self.current.set(own)
        try:
            result = subscription(own)
            return copy_value(await result if inspect.isawaitable(result) else result)
        finally:
            self.current.reset(token)

    def _offer(self, subscription: HandlerSubscription, event: Event, delivery: Delivery) -> None:
        """Refuse, queue or call, as the subscription asks."""
        try:
            if not _admit(subscription, event):
                delivery.dropped += 1
                return
            own = event if subscription.owner is None else _copy_event(event)
            result = None if subscription.is_async else subscription(own)
            if subscription.is_async:
                self._queue(subscription, own, delivery)
            elif inspect.isawaitable(result):  # a plain function around an asynchronous one
                self._queue(subscription, own, delivery, result)
            else:
                _count_delivered(subscription, delivery)
        except Exception as error:  # noqa: BLE001 - isolation, as above
            self._fail(subscription, event, error, delivery)

    async def _run_job(self, job: Job) -> None:
        if not _admit(job.subscription, job.event):
            job.drop()
            return
        result = job.awaitable or job.subscription(job.event)
        if inspect.isawaitable(result):
            await result
        _count_delivered(job.subscription, job.delivery)
        job.delivery.settle()

    def _queue(
        self,
        subscription: HandlerSubscription,
        event: Event,
        delivery: Delivery,
        awaitable: Awaitable[object] | None = None,
    ) -> None:
        mailbox = self._mailbox_of(subscription)
        if mailbox.put(Job(subscription, event, delivery, awaitable)) and event.topic != OVERFLOW_TOPIC:
            data = {
                "module": mailbox.owner,
                "topic": event.topic,
                "capacity": mailbox.capacity,
                "overflow": mailbox.overflow,
                "overflowed": mailbox.overflowed,
            }
            self._announce(OVERFLOW_TOPIC, data, event)

    def _fail_job(self, job: Job, error: BaseException) -> None:
        self._fail(job.subscription, job.event, error, job.delivery)
        job.delivery.settle()

    def _fail(self, subscription: HandlerSubscription, event: Event, error: BaseException, delivery: Delivery) -> None:
        """Record a fault, log it and announce it; a fault in a handler of that announcement is not announced again."""
        if isinstance(error, SubscriptionEndedError):
            delivery.dropped += 1
            return
        owner = subscription.owner
        if subscription.mailbox is not None:
            subscription.mailbox.failed += 1
        delivery.errors += (HandlerFault(owner, event.topic, error),)
        log_fault(error, owner, event.topic, self._log)
        if event.topic != ERROR_TOPIC:
            during = f"event {event.topic!r}"
            self._announce(
                ERROR_TOPIC, {"module": owner, "during": during, "error": describe_fault(error, owner)}, event
            )

    def _announce(self, topic: str, data: dict[str, Any], cause: Event) -> None:
        """Emit for the platform: never refused for its depth, so that a fault at the last level is still heard of."""
        if self._registry.is_closed:
            return
        route = self._registry.routes.get(topic) or self._registry.route(topic)
        causes = (*cause.causes, cause.id)[-MAX_EVENT_DEPTH + 1 :]
        event = Event(topic, data, None, self.next_id(), causes)
        self.run(route, event, Delivery())


def _admit(subscription: HandlerSubscription, event: Event) -> bool:
    admitted = subscription.admits(event)
    if not admitted and subscription.is_active and subscription.mailbox is not None:
        subscription.mailbox.refused += 1
    return admitted


def _copy_event(event: Event) -> Event:
    return Event(event.topic, copy_value(event.data), event.source, event.id, event.causes)


def _count_delivered(subscription: HandlerSubscription, delivery: Delivery) -> None:
    delivery.delivered += 1
    if subscription.mailbox is not None:
        subscription.mailbox.delivered += 1
