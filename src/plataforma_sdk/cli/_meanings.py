"""What permissions mean, in plain words: for people who are asked, and for authors who wonder what to write."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

import attrs

from plataforma_sdk.errors import InvalidPermissionError
from plataforma_sdk.permissions import PERMISSIONS, Permission, check_declarable, is_within, parse_permission

__all__ = ["Meaning", "UnknownPermissionError", "meaning_of"]


class UnknownPermissionError(LookupError):
    """A name that guards nothing in this library, or no name at all; the message has the nearest one."""


@attrs.frozen(kw_only=True)
class Meaning:
    """What one permission is about.

    Attributes:
        permission: its canonical text.
        allows: a sentence.
        scopes: what may stand in the brackets.
        calls: the calls of the authoring API that need it.
        wildcards: patterns that grant it, nearest first; none for what only an exact grant opens.
        line: what to write in ``module.toml``.
    """

    permission: str
    allows: str
    scopes: str
    calls: tuple[str, ...]
    wildcards: tuple[str, ...]
    line: str


@attrs.frozen
class _Entry:
    allows: str
    scopes: str
    calls: tuple[str, ...]


_NO_SCOPES: Final = "none are looked at: all or nothing"
_MAX_SHOWN: Final = 120
_METHODS: Final = "methods: GET, POST, ..."
_TABLES: Final = "tables: Customer, Invoice, ..."
_API: Final = _Entry(
    "call the application's own API at paths that begin with /{segment}/",
    _METHODS,
    ('await self.api_call("/{segment}/...")',),
)
_ENTRIES: Final[Mapping[str, _Entry]] = {
    PERMISSIONS.DATABASE_READ: _Entry(
        "read tables of the host's database by SELECT", _TABLES, ("await self.query(sql)",)
    ),
    PERMISSIONS.DATABASE_WRITE: _Entry(
        "change rows of the host's database by INSERT, UPDATE and DELETE; never its structure",
        _TABLES,
        ("await self.execute(sql)",),
    ),
    PERMISSIONS.API_EXTERNAL: _Entry(
        "send requests to servers on the internet, over https, to public addresses, without the host's credentials",
        "hosts: api.example.com, ...",
        ('await self.api_call("https://host/...")',),
    ),
    PERMISSIONS.API_INTERNAL: _Entry(
        "call every path of the application's own API; api.<first segment> is the narrower one",
        _METHODS,
        ('await self.api_call("/...")',),
    ),
    PERMISSIONS.WINDOW_CREATE: _Entry(
        "open windows in the application", _NO_SCOPES, ("self.create_window(title=...)", "window.update(...)")
    ),
    PERMISSIONS.WINDOW_MODAL: _Entry(
        "open windows that hold the person until they are closed; needs window.create too",
        _NO_SCOPES,
        ("self.create_window(title=..., modal=True)",),
    ),
    PERMISSIONS.NOTIFICATIONS: _Entry(
        "show notifications to the person", _NO_SCOPES, ("await self.notify(title, body)",)
    ),
    PERMISSIONS.STORAGE: _Entry(
        "keep values of its own between runs; it sees nobody else's",
        _NO_SCOPES,
        tuple(f"await self.storage.{name}(...)" for name in ("get", "set", "delete", "keys")),
    ),
    PERMISSIONS.CLIPBOARD: _Entry(
        "read what the person has copied, and replace it",
        _NO_SCOPES,
        ("await self.clipboard.read()", "await self.clipboard.write(text)"),
    ),
    PERMISSIONS.EVENTS_EMIT: _Entry(
        "tell other modules what happened, under its own name; and ask another module by request",
        "topics: module.<id>.saved, module.<id>.*, ...",
        ("self.emit(topic, data)", "await self.request(topic, data, timeout_s=...)"),
    ),
    PERMISSIONS.EVENTS_SUBSCRIBE: _Entry(
        "receive events of the host and of other modules; [events] consumed names the topics, too",
        "topics: user.login, data.vendas.*, ...",
        ("self.subscribe(topic, handler)",),
    ),
}


def meaning_of(text: str) -> Meaning:
    """Explain a permission, perhaps with scopes.

    Raises:
        UnknownPermissionError: the grammar does not admit it, or it guards nothing; the message has the nearest one.
    """
    try:
        permission = check_declarable(text)
    except InvalidPermissionError as error:
        raise UnknownPermissionError(f"{text[:_MAX_SHOWN]!r}: {error.problem}{_nearest(text)}") from None
    covered = [name for name in _ENTRIES if is_within([name], [permission.name])]
    entry = _ENTRIES.get(permission.name) or _api_entry(permission) or (_wildcard(covered) if covered else None)
    if entry is None:
        raise UnknownPermissionError(f"{text!r}: nothing in this library asks for it{_nearest(text)}")
    return Meaning(
        permission=str(permission),
        allows=entry.allows,
        scopes=entry.scopes,
        calls=entry.calls,
        wildcards=_wildcards(permission),
        line=f'"{permission}" = "why the module needs it"',
    )


def _api_entry(permission: Permission) -> _Entry | None:
    family, _, segment = permission.name.partition(".")
    if family != "api" or not segment or "." in segment or "*" in segment or segment == "module":
        return None
    filled = {"segment": segment}
    return _Entry(_API.allows.format(**filled), _API.scopes, tuple(call.format(**filled) for call in _API.calls))


def _wildcard(names: list[str]) -> _Entry:
    shown = "; ".join(f"{name}: {_ENTRIES[name].allows}" for name in names if name != PERMISSIONS.API_EXTERNAL)
    calls = tuple(call for name in names for call in _ENTRIES[name].calls if name != PERMISSIONS.API_EXTERNAL)
    return _Entry(f"everything of this kind ({shown}); a narrower one asks for less", "those of what it covers", calls)


def _wildcards(permission: Permission) -> tuple[str, ...]:
    """List the wider names that grant it, by the rules of granting themselves."""
    parts = permission.name.split(".")
    wider = [".".join([*parts[:end], "*"]) for end in range(len(parts) - 1, 0, -1)]
    return tuple(name for name in [*wider, "*"] if name != permission.name and is_within([str(permission)], [name]))


def _declarable(name: str) -> bool:
    try:
        return _api_entry(check_declarable(name)) is not None
    except InvalidPermissionError:
        return False


def _nearest(text: str) -> str:
    """Name what was probably meant, with the scopes that were given where they fit."""
    name, bracket, scopes = text.strip().lower().partition("[")
    segments = name.split(".")
    if segments[0] == "api" and len(segments) > 2 and segments[1] not in ("external", "internal"):  # noqa: PLR2004
        near = [f"api.{segments[1]}"]  # of a path, the first segment alone is looked at
    elif segments[0] == "api" and name not in _ENTRIES and _declarable(name):
        near = [name]  # a path's first segment may be any; what was wrong is how it was written
    elif within := [each for each in _ENTRIES if each.startswith(f"{name}.")]:
        return f"; there are {', '.join(within)}"
    else:
        near = difflib.get_close_matches(name, list(_ENTRIES), n=1, cutoff=0.5)
    if not near:
        return f"; there are {', '.join(_ENTRIES)} and api.<first segment of a path>"
    original = text.strip()[len(name) :] if bracket and scopes else ""
    try:
        meant = str(parse_permission(near[0] + original))
    except InvalidPermissionError:
        meant = near[0]
    return f"; did you mean {meant!r}?"
