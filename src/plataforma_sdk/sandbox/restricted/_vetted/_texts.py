"""`json`, `string`, `base64`, `hashlib`, `struct` and `uuid`."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import string
import struct
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, namespace, seal_type
from plataforma_sdk.sandbox.restricted._weights import DICTS

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["make_base64", "make_hashlib", "make_json", "make_string", "make_struct", "make_uuid"]

_MAX_JSON: Final = 4 << 20
_MAX_DEPTH: Final = 64
_MAX_INDENT: Final = 16
_HASHES: Final = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")
_MAX_STRUCT: Final = 1 << 16


# --- json --------------------------------------------------------------------------------------------------------


class _Json:
    """`json.loads` and `json.dumps`, without hooks and classes."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def loads(self, text: Any) -> Any:
        """Read a text; depth is checked before parsing."""
        if type(text) not in (str, bytes) or len(text) > _MAX_JSON:
            raise ValueError("json.loads takes a text of at most 4 MiB")
        meter = self._sandbox.meter
        meter.charge(len(text) >> 4)
        raw = text.encode("utf-8", "surrogatepass") if type(text) is str else text
        containers, items = raw.count(b"[") + raw.count(b"{"), raw.count(b",")
        meter.charge(containers * 4 + (items >> 1))  # their brackets are counted, and each is an object to make
        meter.alloc(len(raw) * 8 + containers * 64 + items * 16)
        if containers > _MAX_DEPTH and _depth(raw) > _MAX_DEPTH:
            raise ValueError(f"JSON nested deeper than {_MAX_DEPTH} levels")
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            problem = str(error)
        raise ValueError(problem)

    def dumps(
        self,
        value: Any,
        *,
        indent: Any = None,
        sort_keys: bool = False,
        ensure_ascii: bool = True,
        separators: Any = None,
        default: Any = None,
    ) -> str:
        """Write a value; `default` is called for what JSON lacks."""
        if type(indent) is int and indent > _MAX_INDENT:
            raise ValueError(f"an indent of more than {_MAX_INDENT}")
        if indent is not None and type(indent) is not int:
            raise TypeError("an indent is a number")
        self._indented = 0
        plain = self._plain(value, default, 0)
        self._sandbox.scales.text(plain)
        self._sandbox.meter.reserve(self._indented * (indent or 0))
        pair = None if separators is None else _separators(separators)
        made = json.dumps(
            plain,
            indent=indent,
            sort_keys=bool(sort_keys),
            ensure_ascii=bool(ensure_ascii),
            separators=pair,
        )
        return self._sandbox.operators.grown(made)  # type: ignore[no-any-return]

    def _plain(self, value: Any, default: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise ValueError(f"nested deeper than {_MAX_DEPTH} levels, or a cycle")
        kind = type(value)
        if kind in (str, int, float, bool, type(None)):
            return value
        if kind is list or kind is tuple:
            self._sandbox.meter.charge(1 + (len(value) >> 3))
            self._indented += (len(value) + 1) * (depth + 1)
            return [self._plain(item, default, depth + 1) for item in value]
        if kind in DICTS:
            self._sandbox.meter.charge(1 + (len(value) >> 3))
            self._indented += (len(value) + 1) * (depth + 1)
            return {_key(key): self._plain(item, default, depth + 1) for key, item in dict.items(value)}
        if default is not None:
            return self._plain(default(value), default, depth + 1)
        raise TypeError(f"Object of type {kind.__name__} is not JSON serializable")


def _separators(pair: Any) -> tuple[str, str]:
    if type(pair) not in (tuple, list) or len(pair) != 2 or any(type(item) is not str for item in pair):  # noqa: PLR2004
        raise TypeError("separators are two texts")
    return pair[0][:8], pair[1][:8]


def _key(key: Any) -> Any:
    if type(key) not in (str, int, float, bool, type(None)):
        raise TypeError(f"keys must be str, int, float, bool or None, not {type(key).__name__}")
    return key


def _depth(raw: bytes) -> int:
    """How deep brackets nest, outside of strings; for what is no JSON, any number."""
    outside = b"".join(raw.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    steps = outside.translate(_STEPS, _NO_BRACKETS)
    return max(itertools.accumulate(memoryview(steps).cast("b")), default=0)


_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[{]}"))


def make_json(sandbox: Sandbox) -> Any:
    """`json`: `loads` and `dumps`."""
    own = _Json(sandbox)
    return namespace("json", {"loads": own.loads, "dumps": own.dumps, "JSONDecodeError": ValueError})


# --- the rest ----------------------------------------------------------------------------------------------------


def make_string(_: Sandbox) -> Any:
    """The constants of `string`; its `Formatter` and `Template` walk attributes."""
    names = "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits octdigits punctuation whitespace printable"
    members: dict[str, Any] = {name: getattr(string, name) for name in names.split()}
    return namespace("string", members | {"capwords": SealedFunction(_capwords, "capwords")})


def _capwords(text: str) -> str:
    if type(text) is not str or len(text) > _MAX_STRUCT:
        raise ValueError("capwords() takes a text of at most 65,536 characters")
    return string.capwords(text)


def _on_bytes(sandbox: Sandbox, function: Callable[..., Any], name: str) -> SealedFunction:
    def call(data: Any) -> Any:
        if type(data) is not bytes and not (type(data) is str and "decode" in name):
            raise TypeError(f"{name}() takes bytes")
        sandbox.meter.charge(len(data) >> 8)
        sandbox.meter.reserve(len(data) * 3)
        return sandbox.operators.grown(function(data))

    return SealedFunction(call, name)


def make_base64(sandbox: Sandbox) -> Any:
    """The codecs of `base64` that are linear."""
    names = "b64encode b64decode urlsafe_b64encode urlsafe_b64decode b32encode b32decode b16encode b16decode"
    return namespace("base64", {name: _on_bytes(sandbox, getattr(base64, name), name) for name in names.split()})


def make_hashlib(sandbox: Sandbox) -> Any:
    """The digests; key derivation is left out: its cost is its purpose."""
    return namespace("hashlib", {name: SealedFunction(_hash(sandbox, name), name) for name in _HASHES})


def _hash(sandbox: Sandbox, name: str) -> Callable[..., Any]:
    def start(data: Any = b"") -> Any:
        inner = hashlib.new(name, usedforsecurity=False)

        def update(more: Any) -> None:
            if type(more) is not bytes:
                raise TypeError("a hash takes bytes; encode the text")
            sandbox.meter.charge(1 + (len(more) >> 6))
            inner.update(more)

        update(data)
        members = {
            "update": SealedFunction(update, "update"),
            "digest": SealedFunction(inner.digest, "digest"),
            "hexdigest": SealedFunction(inner.hexdigest, "hexdigest"),
            "name": name,
            "digest_size": inner.digest_size,
        }
        return namespace(name, members, f"<{name}>")

    return start


def make_struct(sandbox: Sandbox) -> Any:
    """`struct.pack`, `unpack`, `calcsize`."""

    def check(layout: Any) -> str:
        if type(layout) is not str or len(layout) > 256 or struct.calcsize(layout) > _MAX_STRUCT:  # noqa: PLR2004
            raise ValueError(f"a layout of at most 256 characters and {_MAX_STRUCT:,} bytes")
        sandbox.meter.charge(1 + (struct.calcsize(layout) >> 4))
        return layout

    def unpack(layout: Any, data: Any) -> Any:
        if type(data) is not bytes:
            raise TypeError("unpack() takes bytes")
        return struct.unpack(check(layout), data)

    members = {
        "pack": SealedFunction(lambda layout, *values: struct.pack(check(layout), *values), "pack"),
        "unpack": SealedFunction(unpack, "unpack"),
        "calcsize": SealedFunction(lambda layout: struct.calcsize(check(layout)), "calcsize"),
        "error": seal_type(struct.error, ValueError),
    }
    return namespace("struct", members)


def make_uuid(sandbox: Sandbox) -> Any:
    """`uuid.uuid4` and `UUID`, as texts: ``str(uuid4())`` is what modules write."""
    random = sandbox.library("random")

    def uuid4() -> str:
        return str(uuid.UUID(int=random.getrandbits(128), version=4))

    def parse(text: Any) -> str:
        if type(text) is not str or len(text) > 64:  # noqa: PLR2004
            raise ValueError("badly formed hexadecimal UUID string")
        return str(uuid.UUID(text))

    return namespace("uuid", {"uuid4": SealedFunction(uuid4, "uuid4"), "UUID": seal_type(str, parse)})
