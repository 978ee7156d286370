"""Events: a bus of topics on which modules and host talk without knowing each other."""

from __future__ import annotations

from plataforma_sdk.events._bus import EventBus
from plataforma_sdk.events._delivery import Delivery, HandlerFault
from plataforma_sdk.events._dispatch import ERROR_TOPIC, MAX_EVENT_DEPTH, OVERFLOW_TOPIC
from plataforma_sdk.events._mailbox import Overflow, OwnerStats
from plataforma_sdk.events._ownership import may_receive, module_topic, topic_owner
from plataforma_sdk.events._subscription import Accept, Handler
from plataforma_sdk.events._topics import PatternIndex, check_pattern, check_topic, pattern_inside, topic_matches

__all__ = [
    "ERROR_TOPIC",
    "MAX_EVENT_DEPTH",
    "OVERFLOW_TOPIC",
    "Accept",
    "Delivery",
    "EventBus",
    "Handler",
    "HandlerFault",
    "Overflow",
    "OwnerStats",
    "PatternIndex",
    "check_pattern",
    "check_topic",
    "may_receive",
    "module_topic",
    "pattern_inside",
    "topic_matches",
    "topic_owner",
]
