"""What a module does to the platform, or through it, that no honest module does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from plataforma_sdk.manifest import locate_keys
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.security import _labels as known
from plataforma_sdk.security._expressions import RESULT
from plataforma_sdk.security._facts import Facts, Sink
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._risk import RiskLevel

__all__ = ["platform_issues", "reason_issues"]

_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
_EVERY_ROW: Final = re.compile(r"\s*(?:UPDATE\s+(?P<one>\S+)\s+SET|DELETE\s+FROM\s+(?P<other>\S+))", re.IGNORECASE)
_WHERE: Final = re.compile(r"\bWHERE\b", re.IGNORECASE)
_DRASTIC: Final = frozenset({"code", "process", "pickle", "delete", "exit", "native"})
_LEAVING: Final = frozenset({"network", "api", "write", "fill", "copy"})
_MIN_PLACES: Final = 3
_HOST_NAMES: Final = frozenset(
    f"plataforma_sdk.{name}"
    for name in ("ModuleHost", "ModuleSandbox", "ModuleRegistry", "PermissionManager", "EventBus", "WindowManager")
)
_HOST_ROOMS: Final = frozenset(
    f"plataforma_sdk.{name}"
    for name in ("runtime", "sandbox", "registry", "services", "api", "sync", "web", "cli", "integrations", "plugins")
)
_PLEADING: Final = re.compile(
    r"""(?:cli(?:que|car)|aperte|pressione|click|press|tap)\s+(?:em\s+|on\s+)?["']?(?:permitir|aceitar|sempre|allow|accept|always)
    |permitir\s+sempre|always\s+allow|(?:plataforma|sistema|platform|system|windows|host)\s+(?:\w+\s+)?(?:exige|requires?|demands?|needs?)\b
    |(?:exigid|requerid|aprovad|autorizad|solicitad)[oa]\s+pel[oa]\s|(?:required|approved|requested|authori[sz]ed)\s+by\s+
    |(?:atualiza\S+|update)\s+de\s+seguran|security\s+(?:update|patch)|(?:funcionamento|operation)\s+(?:da|do|of\s+the)\s+pla
    |(?:ser\S+|will\s+be)\s+(?:perdid|apagad|bloquead|suspens|lost|deleted|locked|suspended)|(?:caso\s+contr|sem\s+ela|otherwise,)""",
    re.VERBOSE | re.IGNORECASE,
)
_PRETENDING: Final = re.compile(
    r"""(?:sess\S+|session|login|acesso|conta|account|password|senha)\s+(?:\S+\s+){0,4}(?:expirou|expirad\w+|expired|has\s+expired|bloquead\w+|suspens\w+|locked)
    |(?:entre|entrar|acesse|autentique-se|sign\s+in|log\s+in|login)\s+(?:novamente|de\s+novo|outra\s+vez|again)
    |(?:verif\w+|valid\w+|confirm\w*)\s+(?:sua|a\s+sua|your)\s+(?:conta|identidade|account|identity|carteira|wallet)
    |(?:re-?enter|redigite)\s+(?:your|sua)""",
    re.VERBOSE | re.IGNORECASE,
)
_TO_ASSISTANTS: Final = re.compile(
    r"(?:ignore|disregard|forget)\s+(?:all\s+|any\s+|your\s+|the\s+){0,3}(?:previous|prior|above|earlier)\s+(?:instructions|rules|prompts)"
    r"|you\s+are\s+an?\s+(?:AI|autonomous)\s+(?:agent|assistant)\b",
    re.IGNORECASE,
)
_SEARCHED: Final = frozenset({"difficulty", "dificuldade", "target", "alvo", "midstate"})


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
    yield from _endpoints(path, facts)
    yield from _named(path, facts)
    yield from _host(path, facts)


# --- sinks ----------------------------------------------------------------------------------------------------------


def _emit(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.labels & known.PERSONAL:
        yield Issue.of("hands-on-records", path, sink.line, "whole records or secrets go out in an event")


def _keep(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.name.endswith("storage.set") and sink.labels & (known.FORM | known.KEYS):
        yield Issue.of("hands-on-records", path, sink.line, "what was typed into a secret field is kept")


def _execute(path: str, sink: Sink) -> Iterator[Issue]:
    found = _EVERY_ROW.match(sink.first.text)
    if not found or _WHERE.search(sink.first.text):
        return
    is_any_table = "\0" in (found["one"] or found["other"])
    risk = RiskLevel.HIGH if is_any_table and sink.in_loop else RiskLevel.MEDIUM
    if is_any_table or sink.name == "self.execute":
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
    if _PLEADING.search(sink.text):
        yield Issue.of("pleads-for-permissions", path, sink.line, f"it says {_quote(_PLEADING, sink.text)}")


_CHECKS: Final[dict[str, Callable[[str, Sink], Iterator[Issue]]]] = {
    "emit": _emit,
    "set": _keep,
    "execute": _execute,
    "exit": _exit,
    "host": _host_call,
    "image": _image,
    "request": _request,
}


def _is_timed(facts: Facts, sink: Sink) -> bool:
    return any(
        labels & known.CLOCK and labels & known.DATE
        for labels in (guard.labels | facts.labels_of(guard.reads) for guard in sink.guards)
    )


# --- the whole file -------------------------------------------------------------------------------------------------


def _endpoints(path: str, facts: Facts) -> Iterator[Issue]:
    for name, line in facts.endpoints.items():
        if facts.labels_of(((0, RESULT + name),)) & known.PERSONAL:
            yield Issue.of("hands-on-records", path, line, f"the endpoint {name} answers with whole records or secrets")


def _named(path: str, facts: Facts) -> Iterator[Issue]:
    places = known.count_places(text for text, _ in facts.strings)
    if places >= _MIN_PLACES:
        yield Issue.of("lists-credentials", path, None, f"it names {places} places where credentials lie")
    if "nonce" in facts.names and _SEARCHED & set(facts.names) and any(name == "hashlib" for name, _ in facts.imports):
        yield Issue.of("mines-coins", path, None, "it searches for a nonce whose digest meets a target")
    for text, line in facts.strings:
        if facts.secret_fields and _PRETENDING.search(text[:400]):
            yield Issue.of(
                "asks-in-anothers-name", path, line, f"beside a field for a secret it says {_quote(_PRETENDING, text)}"
            )
        if _TO_ASSISTANTS.search(text[:4000]):
            yield Issue.of("instructs-an-assistant", path, line, f"it says {_quote(_TO_ASSISTANTS, text)}")


def _host(path: str, facts: Facts) -> Iterator[Issue]:
    for name, line in facts.imports:
        room = ".".join(name.split(".")[:2])
        is_private = name.startswith("plataforma_sdk.") and "._" in name
        if name in _HOST_NAMES or room in _HOST_ROOMS or is_private:
            yield Issue.of("reaches-into-the-host", path, line, f"{name} is the host's side of the platform")
    for name, line in facts.attributes:
        if (name.startswith("plataforma_sdk") and name.endswith("=")) or name.endswith("_runtime"):
            yield Issue.of("reaches-into-the-host", path, line, f"{name.removesuffix('=')} belongs to the platform")


def _quote(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return repr(found.group()[:60]) if found else "so"


# --- the manifest ---------------------------------------------------------------------------------------------------


def reason_issues(package: ModulePackage) -> Iterator[Issue]:
    """Find reasons of permissions that speak for the platform, threaten, or tell the person what to press."""
    lines = locate_keys(package.files["module.toml"].decode("utf-8-sig"))
    permissions = package.manifest.permissions
    for kind, reasons in (("required", permissions.required), ("optional", permissions.optional)):
        for permission, reason in reasons.items():
            if _PLEADING.search(reason):
                line = lines.get(("permissions", kind, permission))
                message = f"the reason of {permission!r} says {_quote(_PLEADING, reason)}"
                yield Issue.of("pleads-for-permissions", "module.toml", line, message)
