"""The host that a payload attacks: whatever hosts are careless about, and what must be whole afterwards."""

from __future__ import annotations

import builtins
import datetime
import functools
import json
import math
import os
import pickle
import random
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

__all__ = ["SECRET", "Api", "Bus", "BusEvent", "Holder", "HostState"]

SECRET: Final = "S3CRET-xxxxx"


class Holder:
    secret = SECRET


class Api:
    """A host object with secrets, aliases, a mutable default, and errors that carry it."""

    def __init__(self) -> None:
        self._secret = SECRET
        self.config = {"secret": SECRET}
        self.secret_holder = Holder()
        self._items = [1]
        self.partial = functools.partial(print, SECRET)
        self.ref = weakref.ref(self)
        self.cached = functools.lru_cache(lambda value: value)

    def get(self, key: Any) -> str:
        if (isinstance(key, str) and key.startswith("pub")) or key != "secret":
            return "public"
        raise PermissionError("denied")

    def fail(self) -> None:
        error = RuntimeError("boom", self)
        error.request = self  # type: ignore[attr-defined]
        raise error

    def collect(self, item: Any, kept: list[Any] = []) -> list[Any]:  # noqa: B006 - the trap
        kept.append(item)
        return kept

    def items(self) -> list[int]:
        return self._items

    def call(self, function: Callable[[int], Any]) -> Any:
        return function(1)

    def helper_missing(self) -> Any:
        return self._nope  # type: ignore[attr-defined]

    async def sleep(self) -> int:
        return 1


class BusEvent:
    def __init__(self, sender: Any) -> None:
        self.sender = sender
        self.name = "e"


class Bus:
    """An event bus that hands its handlers an event with a way back to itself, and pickles what it is given."""

    def __init__(self, api: Api) -> None:
        self.listeners: list[Any] = []
        self._api = api

    def on(self, _: str, function: Any) -> None:
        self.listeners.append(function)

    def emit(self, _: str) -> None:
        for function in self.listeners:
            function(BusEvent(self))

    def emit_pickled(self, value: Any) -> None:
        pickle.loads(pickle.dumps(value))


class HostState:
    """Remembers the host as it was, and says what a payload changed.

    Args:
        api: the host object.
        base: the class that modules derive from.
        given: what the payload was given beside them.
    """

    def __init__(self, api: Api, base: Any, given: Iterable[Any]) -> None:
        self._api = api
        self._base = base
        self._given = tuple(given)
        self._before = dict(self._observed())

    def damage(self) -> list[str]:
        """What is no longer as it was."""
        changed = [name for name, value in self._observed() if value != self._before[name]]
        return [*changed, *(name for name, is_whole in self._checks() if not is_whole)]

    def _observed(self) -> Iterator[tuple[str, object]]:
        yield "builtins", dict(vars(builtins))
        yield "environment", dict(os.environ)
        yield "random", random.getstate()
        yield "limits", (sys.getrecursionlimit(), sys.get_int_max_str_digits(), sys.gettrace(), sys.getprofile())
        yield "base", {name: id(value) for name, value in vars(self._base).items()}
        yield "host classes", [dict(vars(kind)) for kind in (Api, Bus, BusEvent, Holder)]
        yield "json", (json.dumps, json.JSONEncoder.item_separator, json.JSONEncoder.default)
        yield "math", (math.floor, math.pi)

    def _checks(self) -> Iterator[tuple[str, bool]]:
        api = self._api
        yield "config", vars(api).get("config") == {"secret": SECRET}
        yield "items", vars(api).get("_items") == [1]
        yield "defaults", "PWNED" not in repr(Api.collect.__defaults__)
        yield "registry", "PWNED" not in repr(getattr(self._base, "registry", ""))
        yield "on_load", self._base().on_load() != "PWNED"
        yield "api", api.get("x") == Api().get("x") == "public" and _refuses(api)
        yield "datetime", datetime.MINYEAR == 1
        yield "errors", not hasattr(Exception, "x")
        yield "given", not any(getattr(item, "x", 0) for item in self._given)


def _refuses(api: Api) -> bool:
    try:
        api.get("secret")
    except PermissionError:
        return True
    return False
