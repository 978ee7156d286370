"""What a module does to the platform, or through it, that no honest module does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from plataforma_sdk.security import _labels as known
from plataforma_sdk.security._facts import Facts, Sink
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._risk import RiskLevel
from plataforma_sdk.security._telltales import PLEADING, quote, telltale_issues

__all__ = ["platform_issues"]

_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
_EVERY_ROW: Final = re.compile(r"\s*(?:UPDATE\s+(?P<one>\S+)\s+SET|DELETE\s+FROM\s+(?P<other>\S+))", re.IGNORECASE)
_WHERE: Final = re.compile(r"\bWHERE\b", re.IGNORECASE)
_DRASTIC: Final = frozenset({"code", "process", "pickle", "delete", "exit", "native"})
_LEAVING: Final = frozenset({"network", "api", "write", "fill", "copy"})
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - what is looked for
_FLOODING: Final = frozenset({"emit", "api", "set", "tell"})


def platform_issues(path: str, facts: Facts) -> Iterator[Issue]:
    """Find what a source does to the platform, or through it.

    Args:
        path: of the source.
        facts: what its pass has found, and the linking of the package's files.
    """
    for sink in facts.sinks:
        if sink.kind in _CHECKS:
            yield from _CHECKS[sink.kind](path, sink)
        if sink.labels & known.SELF and sink.kind in _LEAVING and sink.function != "__main__":
            yield Issue.of("copies-itself", path, sink.line, f"{sink.name} is given the module's own source")
        if sink.kind in _DRASTIC and _is_timed(facts, sink):
            yield Issue.of("waits-for-a-date", path, sink.line, f"{sink.name} is reached from a date on, or until then")
        if sink.in_flood and sink.kind in _FLOODING and sink.name.startswith("self."):
            yield Issue.of("floods", path, sink.line, f"{sink.name} is called ten thousand times or more")
    yield from telltale_issues(path, facts)


# --- sinks ----------------------------------------------------------------------------------------------------------


def _emit(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.labels & known.WHOLE:
        yield Issue.of("hands-on-records", path, sink.line, "whole records or secrets go out in an event")


def _keep(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.name.endswith("storage.set") and sink.labels & (known.FORM | known.KEYS):
        yield Issue.of("hands-on-records", path, sink.line, "what was typed into a secret field is kept")


def _execute(path: str, sink: Sink) -> Iterator[Issue]:
    found = _EVERY_ROW.match(sink.first.text)
    if not found or _WHERE.search(sink.first.text):
        return
    is_any_table = "\0" in (found["one"] or found["other"])
    is_platform = sink.name == "self.execute"
    risk = RiskLevel.HIGH if is_platform or (is_any_table and sink.in_loop) else RiskLevel.MEDIUM
    if is_any_table or is_platform:
        yield Issue.of("destroys-records", path, sink.line, "every row of a table is changed or deleted", risk=risk)


def _exit(path: str, sink: Sink) -> Iterator[Issue]:
    is_own = sink.name in ("os._exit", "os.abort") or sink.first.dotted in ("os.getpid()", "os.getppid()")
    risk = None if is_own else RiskLevel.MEDIUM
    yield Issue.of("ends-the-process", path, sink.line, f"{sink.name} ends or signals a process", risk=risk)


def _host_call(path: str, sink: Sink) -> Iterator[Issue]:
    risk = RiskLevel.MEDIUM if sink.name == "sys._getframe" else None  # as namedtuple does, to learn its caller's name
    yield Issue.of("reaches-into-the-host", path, sink.line, f"{sink.name} shows what belongs to the host", risk=risk)


def _image(path: str, sink: Sink) -> Iterator[Issue]:
    is_computed = _ADDRESS.match(sink.first.text) and not sink.first.exact
    if not is_computed:
        return
    if sink.first_labels & known.PERSONAL:
        yield Issue.of("beacon-in-a-picture", path, sink.line, "a picture's address carries secrets or whole records")
    elif sink.first_labels & known.PACKED and sink.first_labels & (known.STORED | known.EVENT | known.REMOTE):
        yield Issue.of("beacon-in-a-picture", path, sink.line, "a picture's address carries what the module was told")


def _request(path: str, sink: Sink) -> Iterator[Issue]:
    if PLEADING.search(sink.text):
        yield Issue.of("pleads-for-permissions", path, sink.line, f"the request says {quote(PLEADING, sink.text)}")


def _api(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.first.text:
        return
    if sink.first_labels & known.DECODED:
        message = "the address of a call is decoded first"
        yield Issue.of("hidden-name", path, sink.line, message, remedy="write the address")
    elif sink.first_labels & known.EVENT:
        yield Issue.of("obeys-from-afar", path, sink.line, "another module chooses what this one calls")
    elif sink.first_labels & known.REMOTE and "POST" in sink.text:
        yield Issue.of("obeys-from-afar", path, sink.line, "a server chooses where something is sent")


def _query(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.name.startswith("self.") and sink.first_labels & (known.EVENT | known.REMOTE):
        yield Issue.of("obeys-from-afar", path, sink.line, "a statement is made of what came from outside")


def _tell(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.labels & (known.FORM | known.KEYS) or (sink.labels & known.PERSONAL and sink.labels & known.PACKED):
        yield Issue.of("hands-on-records", path, sink.line, f"{sink.name} writes secrets where others read them")


def _listen(path: str, sink: Sink) -> Iterator[Issue]:
    if _EVERYWHERE & set(sink.text.split("\0")):
        yield Issue.of("listens", path, sink.line, f"{sink.name} listens to the whole network")


_CHECKS: Final[dict[str, Callable[[str, Sink], Iterator[Issue]]]] = {
    "emit": _emit,
    "set": _keep,
    "execute": _execute,
    "exit": _exit,
    "host": _host_call,
    "image": _image,
    "request": _request,
    "api": _api,
    "tell": _tell,
    "query": _query,
    "listen": _listen,
}


def _is_timed(facts: Facts, sink: Sink) -> bool:
    return any(
        labels & known.CLOCK and labels & known.DATE
        for labels in (guard.labels | facts.labels_of(guard.reads) for guard in sink.guards)
    )
