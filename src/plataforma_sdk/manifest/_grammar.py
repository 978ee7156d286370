"""Small grammars of a manifest: topics, endpoints, licences, asset patterns. Each check raises `UnfitError`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from plataforma_sdk.manifest._unfit import UnfitError

__all__ = [
    "METHODS",
    "check_asset_pattern",
    "check_endpoint",
    "check_icon",
    "check_licence",
    "check_methods",
    "check_topic",
    "check_wheel",
    "check_wheel_digest",
]

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""HTTP methods that an endpoint may serve."""

MAX_TOPIC_BYTES: Final = 256
MAX_TOPIC_SEGMENTS: Final = 16
MAX_LICENCE_TOKENS: Final = 100
MAX_ICON_CHARS: Final = 40

_TOPIC: Final = re.compile(r"(?:[a-z0-9_-]+|\*)(?:\.(?:[a-z0-9_-]+|\*))*", re.ASCII)
_ICON: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_ENDPOINT: Final = re.compile(r"(?:/(?!\.)[A-Za-z0-9._~-]+)+(?:/\*)?", re.ASCII)
_ASSET: Final = re.compile(r"[A-Za-z0-9_*?-][A-Za-z0-9_.*?-]*(?:/[A-Za-z0-9_*?-][A-Za-z0-9_.*?-]*)*", re.ASCII)
_WHEEL: Final = re.compile(
    r"(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_.]+-[A-Za-z0-9_.!+]+(?:-\d[A-Za-z0-9_.]*)?-([a-z0-9.]+)-none-any\.whl"
)
_SHA256: Final = re.compile(r"sha256:[0-9a-f]{64}")
_LICENCE_TOKEN: Final = re.compile(r"\s*([()]|[A-Za-z0-9.+-]+)\s*", re.ASCII)


def check_topic(text: str) -> str:
    """Accept a topic or pattern of topics."""
    if len(text) > MAX_TOPIC_BYTES or text.count(".") >= MAX_TOPIC_SEGMENTS or not _TOPIC.fullmatch(text):
        raise UnfitError(
            f"{text[:80]!r} is no topic", "write segments of a-z, 0-9, _ and - joined by dots, * for a whole segment"
        )
    return text


def check_endpoint(path: str, segment: str) -> str:
    """Accept a path below the module's own segment; ``/*`` at the end stands for any path below."""
    if len(path) > MAX_TOPIC_BYTES or not _ENDPOINT.fullmatch(path):
        raise UnfitError("is no path", f"write '/{segment}/name', or '/{segment}/*' for all below")
    if path.split("/")[1] != segment:
        raise UnfitError("lies outside the module's own paths", f"let it begin with '/{segment}/'")
    return path


def check_methods(methods: object) -> tuple[str, ...]:
    """Accept a list of HTTP methods."""
    if not isinstance(methods, Sequence) or isinstance(methods, str) or not methods:
        raise UnfitError("has no list of methods", 'write ["GET"]')
    unknown = [str(method)[:20] for method in methods if method not in METHODS]
    if unknown or len(set(methods)) < len(methods):
        what = f"has the method {unknown[0]!r}" if unknown else "has a method twice"
        raise UnfitError(what, f"write each of {', '.join(METHODS)} at most once")
    return tuple(methods)


def check_asset_pattern(text: str) -> str:
    """Accept a pattern of paths inside the package."""
    if len(text) > MAX_TOPIC_BYTES or not _ASSET.fullmatch(text):
        raise UnfitError(f"{text[:80]!r} is no path inside the package", "write 'assets/*' or 'assets/logo.png'")
    return text


def check_wheel(path: str) -> str:
    """Accept the path of a wheel of pure Python.

    **Source:** PyPA, binary distribution format: ``{name}-{version}(-{build})?-{python}-{abi}-{platform}.whl``.
    """
    found = _WHEEL.fullmatch(path) if len(path) <= MAX_TOPIC_BYTES else None
    if found is None or "py3" not in found[1].split("."):
        raise UnfitError("is no wheel of pure Python", "name a file such as 'wheels/tabulate-0.9.0-py3-none-any.whl'")
    return path


def check_wheel_digest(digest: object) -> str:
    """Accept the digest of a wheel."""
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise UnfitError("has no digest", "write 'sha256:' and the 64 hexadecimal digits that `sha256sum` prints")
    return digest


def check_icon(text: str) -> str:
    """Accept the name of an icon as the elements of a window write it; viewers have another for unknown ones."""
    if len(text) > MAX_ICON_CHARS or not _ICON.fullmatch(text):
        advice = "write one of the elements' icons: 'cart', 'bar-chart'; a-z, 0-9 and single hyphens"
        raise UnfitError(f"{text[:80]!r} is no name of an icon", advice)
    return text


def check_licence(text: str) -> str:
    """Accept an SPDX licence expression by its syntax; whether the licence exists is for the registry to say.

    **Source:** SPDX specification, annex D: ``MIT``, ``MIT OR Apache-2.0``, ``GPL-2.0-only WITH GCC-exception-2.0``.
    """
    tokens: list[str] = []
    position = 0
    while position < len(text) and len(tokens) <= MAX_LICENCE_TOKENS:
        found = _LICENCE_TOKEN.match(text, position)
        if found is None:
            break
        tokens.append(found[1])
        position = found.end()
    if position < len(text) or not _is_expression(tokens):
        raise UnfitError(
            f"{text[:80]!r} is no licence expression", "write an SPDX one: MIT, Apache-2.0, MIT OR Apache-2.0"
        )
    return text


def _is_expression(tokens: Sequence[str]) -> bool:
    """Read ids and operators in turn, without recursion: a licence comes from an untrusted file."""
    depth = 0
    wants_id = True
    previous = ""
    for token in tokens:
        if token == "(":  # noqa: S105 - a bracket
            if not wants_id or previous == "WITH":
                return False
            depth += 1
        elif token == ")":  # noqa: S105 - a bracket
            depth -= 1
            if wants_id or depth < 0:
                return False
        elif token in ("AND", "OR", "WITH"):
            if wants_id or (token == "WITH" and previous == ")"):  # noqa: S105 - words of a licence
                return False
            wants_id = True
        elif not wants_id:
            return False
        else:
            wants_id = False
        previous = token
    return depth == 0 and not wants_id
