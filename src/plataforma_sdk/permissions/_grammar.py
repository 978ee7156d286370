"""The grammar of permissions: ``name`` or ``name[scope,scope]``.

*Names* are 1 to 16 segments of ``[a-z0-9_-]+`` joined by dots; ``*`` is a whole segment (see `_patterns`). Names below
``api.external.`` are refused: the host goes into the brackets. The whole text is at most 256 bytes.

*Scopes*, 1 to 32, say which part of what the name guards; duplicates fall together and order does not matter:

=========================  ==========================================================================================
``api.external``           hosts: lower-case LDH labels, no port, no trailing dot, no wildcard (``xn--`` for others)
other ``api`` names        methods: ``[A-Z]{1,16}``
``events`` names           topics: the same wildcard language as names
all other names            words: printable ASCII without space ``[ ] , * " \\``; compared byte by byte
=========================  ==========================================================================================

A name whose first segment is ``*`` takes no scope, since nobody could say what kind it is. Refused everywhere, and
never repaired: upper case in names, white space, line ends, empty segments, ``api*``, and every character outside
ASCII, so that composed and decomposed letters or a Cyrillic ``а`` cannot make two names that look alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

import attrs

from plataforma_sdk.errors import InvalidPermissionError
from plataforma_sdk.permissions._patterns import is_pattern

__all__ = ["EXTERNAL", "Permission", "check_declarable", "parse_permission", "parse_permissions"]

MAX_BYTES: Final = 256
MAX_SEGMENTS: Final = 16
MAX_SCOPES: Final = 32
EXTERNAL: Final = "api.external"
"""The name that only an exact grant opens; see `Permission`."""

_SEGMENT: Final = r"(?:[a-z0-9_-]+|\*)"
_NAME: Final = re.compile(rf"{_SEGMENT}(?:\.{_SEGMENT}){{0,{MAX_SEGMENTS - 1}}}", re.ASCII)
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_METHOD: Final = re.compile(r"[A-Z]{1,16}", re.ASCII)
_WORD: Final = re.compile(r"[!#-)+\--Z^-~]+", re.ASCII)


@attrs.frozen
class Permission:
    """A permission as the grammar reads it; made by `parse_permission`, which checks it.

    Attributes:
        name: the name, ``"api.vendas"``, perhaps with wildcards.
        scopes: sorted and without duplicates, or None where the text has no brackets: everything the name guards.

    >>> str(parse_permission("api.vendas[POST,GET]"))
    'api.vendas[GET,POST]'
    """

    name: str
    scopes: tuple[str, ...] | None = None

    def __str__(self) -> str:
        """Write the canonical text."""
        return self.name if self.scopes is None else f"{self.name}[{','.join(self.scopes)}]"

    @property
    def parts(self) -> tuple[str | None, ...]:
        """The scopes one by one, or one None for everything: what must be held, all of it."""
        return (None,) if self.scopes is None else self.scopes


def parse_permission(text: str) -> Permission:
    """Read a permission.

    Raises:
        InvalidPermissionError: the grammar does not admit the text; the message says what to write instead.
    """
    if type(text) is not str:
        text = _plain_text(text)
    if len(text) > MAX_BYTES:
        raise InvalidPermissionError(text, f"longer than {MAX_BYTES} bytes; ask for fewer scopes at a time")
    name, bracket, rest = text.partition("[")
    if not _NAME.fullmatch(name):
        raise InvalidPermissionError(text, _name_problem(name))
    if name.startswith("api.external."):
        raise InvalidPermissionError(text, "write the host in brackets: 'api.external[host]'")
    return Permission(name, _parse_scopes(text, name, rest)) if bracket else Permission(name)


def parse_permissions(texts: Iterable[str]) -> list[Permission]:
    """Read several permissions; a lone text is a `TypeError`, since its letters would be read as names."""
    if isinstance(texts, str):
        raise TypeError(f"expected several permissions, not one text: write [{texts!r}]")
    return [parse_permission(text) for text in texts]


def check_declarable(text: str) -> Permission:
    """Read a permission that a manifest asks for, where a leading wildcard is refused: ``*`` and ``*.read`` alike.

    Raises:
        InvalidPermissionError: as `parse_permission`, or the first segment is ``*``.
    """
    permission = parse_permission(text)
    if permission.name.startswith("*"):
        raise InvalidPermissionError(
            text, "a module may not ask for everything; name what it needs: 'api.vendas[GET]', 'database.read'"
        )
    return permission


def _plain_text(text: object) -> str:
    """Strip a subclass of str, such as a StrEnum member, to the text itself."""
    if not isinstance(text, str):
        raise InvalidPermissionError(text, f"a permission is a text such as 'api.vendas', not {type(text).__name__}")
    return str.__getitem__(text, slice(None))


def _parse_scopes(text: str, name: str, rest: str) -> tuple[str, ...]:
    if not rest.endswith("]"):
        raise InvalidPermissionError(text, "scopes stand in one pair of brackets at the end: 'api.vendas[GET,POST]'")
    if name.startswith("*"):
        raise InvalidPermissionError(text, "a name that begins with '*' takes no scopes; name the first segment")
    scopes = rest[:-1].split(",")
    if len(scopes) > MAX_SCOPES:
        raise InvalidPermissionError(text, f"more than {MAX_SCOPES} scopes; ask for fewer at a time")
    grammar, advice = _scope_grammar(name)
    for scope in scopes:
        if not grammar.fullmatch(scope):
            raise InvalidPermissionError(text, f"{scope[:64]!r} is no scope of {name!r}: {advice}")
    return tuple(sorted(set(scopes)))


def _scope_grammar(name: str) -> tuple[re.Pattern[str], str]:
    if name == EXTERNAL:
        return _HOST, "write a host in lower case, without port, path or wildcard: 'api.example.com'"
    family = name.partition(".")[0]
    if family == "api":
        return _METHOD, "write a method in upper case: 'GET'"
    if family == "events":
        return _NAME, f"write a topic of at most {MAX_SEGMENTS} segments [a-z0-9_-]+ or '*': 'data.vendas.*'"
    return _WORD, "write printable ASCII without space, brackets, comma, '*', '\"' and backslash"


def _name_problem(name: str) -> str:
    """Say what is wrong with a name that `_NAME` refuses."""
    segments = name.split(".")
    stranger = next((char for char in name if not (char.isascii() and char.isprintable())), None)
    if not name:
        problem = "the name is empty; write one such as 'database.read'"
    elif stranger is not None:
        called = unicodedata.name(stranger, "a control or unassigned character")
        problem = f"it holds {stranger!a} ({called}); names are plain ASCII"
    elif name != name.lower():
        problem = "names are lower case; only scopes may hold capitals"
    elif "" in segments:
        problem = "it has an empty segment; segments are joined by single dots"
    elif any(is_pattern(segment) and segment != "*" for segment in segments):
        problem = "'*' stands for a whole segment: write 'api.*', not 'api*'"
    elif len(segments) > MAX_SEGMENTS:
        problem = f"it has {len(segments)} segments; at most {MAX_SEGMENTS}"
    else:
        problem = "segments are [a-z0-9_-]+, joined by dots, with scopes in brackets: 'api.vendas[GET]'"
    return problem
