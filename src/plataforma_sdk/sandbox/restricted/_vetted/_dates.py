"""`datetime` and `time`, by the sandbox's clock."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, namespace, seal_type

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["make_datetime", "make_time"]

_MAX_TEXT: Final = 64
_ZONES: Final = frozenset({datetime.timezone, zoneinfo.ZoneInfo})


def _short(function: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        if any(type(item) is str and len(item) > _MAX_TEXT for item in args):
            raise ValueError("the text is too long")
        return function(*args, **kwargs)

    return SealedFunction(call, function.__name__)


_MAX_NAME = 64


def _constructor(kind: Any) -> Any:
    """Refuse the form that unpickling uses: it takes ten bytes, and does not check them."""

    def make(*args: Any, **kwargs: Any) -> Any:
        if args and type(args[0]) in (bytes, str):
            raise TypeError(f"{kind.__name__}() takes numbers; write fromisoformat(text)")
        if any(type(item) is str and len(item) > _MAX_NAME for item in (*args, *kwargs.values())):
            raise ValueError(f"a name of more than {_MAX_NAME} characters")
        return kind(*args, **kwargs)

    return make


def _class_methods(kind: Any, names: str) -> dict[str, Any]:
    return {name: _short(getattr(kind, name)) for name in names.split()}


def make_datetime(sandbox: Sandbox) -> Any:
    """The five types and `UTC`; `tzinfo` cannot be subclassed, and `strptime` is left out: it loads code."""
    clock = sandbox.clock

    def now(tz: Any = None) -> datetime.datetime:
        if tz is not None and type(tz) not in _ZONES:
            raise TypeError("a time zone is datetime.UTC, datetime.timezone(...) or zoneinfo.ZoneInfo(...)")
        return datetime.datetime.fromtimestamp(clock.now(), tz)

    common = {"min": datetime.datetime.min, "max": datetime.datetime.max, "resolution": datetime.datetime.resolution}  # noqa: DTZ901
    moments = _class_methods(datetime.datetime, "fromisoformat fromtimestamp combine fromordinal") | common
    moments |= {
        "now": SealedFunction(now, "now"),
        "today": SealedFunction(now, "today"),
        "utcnow": SealedFunction(lambda: now(datetime.UTC).replace(tzinfo=None), "utcnow"),
    }
    days = _class_methods(datetime.date, "fromisoformat fromtimestamp fromordinal fromisocalendar")
    days |= {"today": SealedFunction(lambda: now().date(), "today"), "min": datetime.date.min, "max": datetime.date.max}
    spans = {"min": datetime.timedelta.min, "max": datetime.timedelta.max}
    return namespace(
        "datetime",
        {
            "datetime": seal_type(datetime.datetime, _constructor(datetime.datetime), moments),
            "date": seal_type(datetime.date, _constructor(datetime.date), days),
            "time": seal_type(
                datetime.time, _constructor(datetime.time), _class_methods(datetime.time, "fromisoformat")
            ),
            "timedelta": seal_type(datetime.timedelta, _constructor(datetime.timedelta), spans),
            "timezone": seal_type(datetime.timezone, _constructor(datetime.timezone), {"utc": datetime.UTC}),
            "tzinfo": seal_type(datetime.tzinfo, _no_zone),
            "UTC": datetime.UTC,
            "MINYEAR": datetime.MINYEAR,
            "MAXYEAR": datetime.MAXYEAR,
        },
    )


def _no_zone(*_: Any) -> Any:
    raise TypeError("a time zone is datetime.UTC, datetime.timezone(...) or zoneinfo.ZoneInfo(...)")


def make_time(sandbox: Sandbox) -> Any:
    """`time` without sleeping: waiting is ``await asyncio.sleep``."""
    clock = sandbox.clock

    def refuse(_: Any) -> None:
        raise RuntimeError("time.sleep would hold the whole host; write: await asyncio.sleep(seconds)")

    members = {
        "time": SealedFunction(clock.now, "time"),
        "monotonic": SealedFunction(clock.monotonic, "monotonic"),
        "perf_counter": SealedFunction(clock.monotonic, "perf_counter"),
        "sleep": SealedFunction(refuse, "sleep"),
    }
    return namespace("time", members)
