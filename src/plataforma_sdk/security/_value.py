"""What is known of an expression without running it, and the few pure functions that are computed on constants.

Names are often hidden by building them: ``chr(111) + "s"``, ``"metsys"[::-1]``, ``b64decode("b3M=")``. What only needs
constants is computed here, by code of this file and within bounds; nothing of the module's is ever called.
"""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
import zlib
from collections.abc import Callable
from typing import Final

__all__ = ["NOTHING", "Key", "Value", "fold_call", "fold_sum", "merge"]

Key = tuple[int, str]
"""A name: the scope where it was read or bound, and how it is called there."""

_MAX_TEXT: Final = 4_096
_MAX_READS: Final = 100


class Value:
    """What is known of one expression.

    A class with slots in place of attrs: one is made for each expression of a file.

    Attributes:
        text: what it says as text, as far as it is constant; a gap reads ``\\0``.
        exact: whether `text` is all of it.
        hidden: whether the text was built or decoded in place of being written.
        dotted: what it names, ``"os.system"``, or empty.
        labels: bits of `_labels`.
        reads: names that it is made of.
        items: the values of a literal list or tuple of numbers and texts.
    """

    __slots__ = ("dotted", "exact", "hidden", "items", "labels", "reads", "text")

    def __init__(
        self,
        text: str = "",
        *,
        exact: bool = False,
        hidden: bool = False,
        dotted: str = "",
        labels: int = 0,
        reads: tuple[Key, ...] = (),
        items: tuple[str | int, ...] | None = None,
    ) -> None:
        self.text = text
        self.exact = exact
        self.hidden = hidden
        self.dotted = dotted
        self.labels = labels
        self.reads = reads
        self.items = items


NOTHING: Final = Value()


def merge(values: list[Value], labels: int = 0) -> Value:
    """Make the value that is made of others: their labels, and the names that they read."""
    reads: tuple[Key, ...] = ()
    for value in values:
        labels |= value.labels
        if value.reads and len(reads) < _MAX_READS:
            reads = reads + value.reads if reads else value.reads
    return Value(labels=labels, reads=reads)


def fold_sum(left: Value, right: Value) -> tuple[str, bool, bool]:
    """Return text, exactness and hiddenness of ``left + right``."""
    if not left.text and not right.text:
        return "", False, False
    exact = left.exact and right.exact
    text = (left.text or "\0") + (right.text or "\0")
    return text[:_MAX_TEXT], exact, exact


def fold_call(name: str, owner: Value, args: list[Value]) -> str | None:
    """Compute a pure function of constants, or return None where it is none, or fails.

    Args:
        name: the function's name: ``"chr"``, ``"base64.b64decode"``; for a method its own, ``".join"``.
        owner: what the method is called on.
        args: its arguments.
    """
    function = _FOLDS.get(name)
    if function is None:
        return None
    try:
        found = function(owner, args)
    except (ValueError, TypeError, IndexError, LookupError, zlib.error, OverflowError):
        return None
    return found[:_MAX_TEXT]


def _exact(value: Value) -> str:
    if not value.exact:
        raise ValueError("not constant")
    return value.text


def _items(value: Value) -> tuple[str | int, ...]:
    if value.items is None:
        raise ValueError("not constant")
    return value.items


def _chr(_: Value, args: list[Value]) -> str:
    return chr(int(_exact(args[0])))


def _join(owner: Value, args: list[Value]) -> str:
    return _exact(owner).join(chr(item) if isinstance(item, int) else item for item in _items(args[0]))


def _bytes(_: Value, args: list[Value]) -> str:
    return "".join(chr(item) for item in _items(args[0]) if isinstance(item, int) and item < 256)  # noqa: PLR2004


def _decoder(decode: Callable[[bytes], bytes]) -> Callable[[Value, list[Value]], str]:
    def fold(_: Value, args: list[Value]) -> str:
        raw = _exact(args[0]).encode("latin-1")
        return decode(raw[:_MAX_TEXT] + b"=" * (-len(raw) % 4) if decode is base64.b64decode else raw).decode("latin-1")

    return fold


def _codec(_: Value, args: list[Value]) -> str:
    name = _exact(args[1]) if len(args) > 1 else ""
    if name.replace("-", "").replace("_", "").lower() != "rot13":
        raise ValueError("another codec")
    return codecs.decode(_exact(args[0]), "rot13")


def _inflate(raw: bytes) -> bytes:
    return zlib.decompressobj().decompress(raw, _MAX_TEXT)


def _replace(owner: Value, args: list[Value]) -> str:
    return _exact(owner).replace(_exact(args[0]), _exact(args[1]))


def _same(owner: Value, _: list[Value]) -> str:
    return _exact(owner)


_PATHS: Final = ("os.path.expanduser", "os.path.expandvars", "os.path.abspath", "os.path.realpath", "os.fspath")
_FOLDS: Final[dict[str, Callable[[Value, list[Value]], str]]] = {
    "chr": _chr,
    "bytes": _bytes,
    "bytearray": _bytes,
    "str": lambda _, args: _exact(args[0]),
    **dict.fromkeys(_PATHS, lambda _, args: _exact(args[0])),
    "bytes.fromhex": _decoder(lambda raw: bytes.fromhex(raw.decode("ascii"))),
    "binascii.unhexlify": _decoder(binascii.unhexlify),
    "base64.b64decode": _decoder(base64.b64decode),
    "base64.urlsafe_b64decode": _decoder(base64.urlsafe_b64decode),
    "base64.b32decode": _decoder(base64.b32decode),
    "base64.b16decode": _decoder(base64.b16decode),
    "base64.b85decode": _decoder(base64.b85decode),
    "base64.a85decode": _decoder(base64.a85decode),
    "zlib.decompress": _decoder(_inflate),
    "codecs.decode": _codec,
    ".join": _join,
    ".decode": _same,
    ".encode": _same,
    ".strip": lambda owner, _: _exact(owner).strip(),
    ".lower": lambda owner, _: _exact(owner).lower(),
    ".upper": lambda owner, _: _exact(owner).upper(),
    ".replace": _replace,
}

PLAIN_FOLDS: Final = frozenset({"str", ".decode", ".encode", ".strip", ".lower", ".upper", ".join", *_PATHS})
"""Folds after which a text is no more hidden than it was; of ``.join`` see `joins_letters`."""


def items_of(node: ast.List | ast.Tuple | ast.Set) -> tuple[str | int, ...] | None:
    """Return the elements of a literal list of numbers and texts, or None."""
    found: list[str | int] = []
    for element in node.elts:
        if not isinstance(element, ast.Constant) or not isinstance(element.value, (str, int)):
            return None
        found.append(element.value)
    return tuple(found)


def joins_letters(args: list[Value]) -> bool:
    """Whether ``"".join(...)`` puts a word together of letters, or of numbers."""
    items = args[0].items if args else None
    return bool(items) and all(isinstance(item, int) or len(item) <= 2 for item in items or ())  # noqa: PLR2004
