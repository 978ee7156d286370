"""What a person did in a window, and whether the module may be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import attrs

from plataforma_sdk.errors import UnknownHandlerError
from plataforma_sdk.ui import check_value, find_element, takes_value
from plataforma_sdk.windows._trees import PlacedAction, Snapshot, TreeHistory, is_same

__all__ = ["AcceptedEvent", "UiEvent", "accept_event"]


@attrs.frozen
class UiEvent:
    """What a person did, as the viewer tells it; nothing in it is trusted.

    Attributes:
        window_id: id of the window within its module.
        revision: revision of the tree that the person saw.
        element_key: key of the element in that tree, whole or as the author gave it.
        handler: the action's handler.
        arguments: the action's arguments.
        value: what was entered or chosen, None where the element has no input.
    """

    window_id: str
    revision: int
    element_key: str
    handler: str
    arguments: tuple[Any, ...] = ()
    value: Any = None

    def to_data(self) -> dict[str, Any]:
        """Write the event as plain data, for the wire."""
        return {**attrs.asdict(self, recurse=False), "arguments": list(self.arguments)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_data` or a viewer wrote.

        Raises:
            UnknownHandlerError: it is no such event.
        """
        expected = {"window_id": str, "revision": int, "element_key": str, "handler": str, "arguments": list}
        if not isinstance(data, Mapping) or any(type(data.get(name)) is not kind for name, kind in expected.items()):
            raise UnknownHandlerError(f"A UI event has {', '.join(expected)}, and value where there is one")
        known = {name: data[name] for name in expected}
        return cls(**{**known, "arguments": tuple(data["arguments"]), "value": data.get("value")})


@attrs.frozen(kw_only=True)
class AcceptedEvent:
    """A UI event that was checked: what to call the module with.

    Attributes:
        handler: name of the module's method.
        arguments: its arguments, as the module wrote them.
        has_value: whether the handler takes ``value=``.
        value: what was entered or chosen.
    """

    handler: str
    arguments: tuple[Any, ...]
    has_value: bool
    value: Any


def accept_event(history: TreeHistory, event: UiEvent, session: str, module: str) -> AcceptedEvent:
    """Check an event against what the session was sent and what the module shows now.

    Raises:
        UnknownHandlerError: it could not have come from a person who acts on a recent tree.
    """
    seen, current = history.seen(session, event.revision), history.current
    if seen is None or current is None:
        problem = f"revision {event.revision} was not sent to this session, or is not among the last; render it again"
        raise _refused(event, module, problem)
    problem = "that element has no such handler with such arguments"
    for old in _actions_of(seen, event):
        problem = "such an action stands in the tree no more"
        for new in _by_nearness(current, old):
            try:
                value = check_value(new.element, event.value)
            except UnknownHandlerError as error:
                problem = error.message
                continue
            has_value = takes_value(new.element)
            return AcceptedEvent(handler=new.handler, arguments=tuple(new.arguments), has_value=has_value, value=value)
    raise _refused(event, module, problem)


def _refused(event: UiEvent, module: str, problem: str) -> UnknownHandlerError:
    where = f"element {event.element_key[:64]!r} of window {event.window_id[:64]!r} of module {module!r}"
    return UnknownHandlerError(f"Refused {event.handler[:64]!r} from {where}: {problem}", module=module)


def _actions_of(snapshot: Snapshot, event: UiEvent) -> list[PlacedAction]:
    element, arguments = find_element(snapshot.tree, event.element_key), list(event.arguments)
    return [
        action
        for action in snapshot.actions
        if action.element is element and action.handler == event.handler and is_same(action.arguments, arguments)
    ]


def _by_nearness(current: Snapshot, old: PlacedAction) -> list[PlacedAction]:
    """Return the actions that do what the old one did, the one in the same place first.

    Not only that one: keys given by place move when something is inserted above.
    """
    found = [action for action in current.actions if action.is_like(old)]
    return sorted(found, key=lambda action: action.element["key"] != old.element["key"])
