"""What a module may ask for: the check of paths and URLs, and the permission that each one needs.

Pure functions. A path is split from its query, percent-decoded **once**, judged in its decoded form and written again
from what was judged, so that no later reader can see other bytes than the ones that were checked. Refused are: what is
left of ``%`` after decoding, ``\\``, ``;``, ``#``, controls (bidi and format characters included), texts that are not
NFC, characters whose compatibility form is a delimiter, and empty or dot segments.

Reserved words: the *first* segment of a path is the permission segment (``/vendas/clientes`` needs
``api.vendas[GET]``), so it must be one, and must not be ``internal``, ``external`` or ``module``, which name
permissions of their own. Deeper segments may be called so.

**Source:** RFC 3986 section 6.2.2, RFC 9110 section 4.2.4, OWASP path traversal and SSRF prevention sheets, WHATWG URL
section 3.5 ("ends in a number"). ``tests/security/test_hostile_paths.py`` holds the table of attacks.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote, unquote_to_bytes

import attrs

from plataforma_sdk.errors import TransportError

__all__ = [
    "METHODS",
    "CheckedPath",
    "CheckedUrl",
    "check_method",
    "check_path",
    "check_url",
    "is_url",
    "needed_permission",
]

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
"""Methods that a module may use. CONNECT and TRACE speak to intermediaries, OPTIONS serves browsers."""

MAX_TEXT_BYTES: Final = 2_048
MAX_QUERY_PAIRS: Final = 200
MAX_HOST_CHARS: Final = 253
MAX_PORT: Final = 65_535
RESERVED_SEGMENTS: Final = frozenset({"internal", "external", "module"})

_FIRST_SEGMENT: Final = re.compile(r"[a-z0-9_-]{1,128}", re.ASCII)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:", re.ASCII)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_LOCAL_SUFFIXES: Final = ("localhost", "local", "internal", "localdomain", "lan", "home.arpa", "onion")
_DELIMITERS: Final = frozenset("/\\%;#?")
_CONTROLS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@attrs.frozen(kw_only=True)
class CheckedPath:
    """A path that passed `check_path`.

    Attributes:
        path: the decoded path, ``"/vendas/clientes"``.
        segments: its segments, decoded, never empty save for the root of an external URL.
        query: the query written anew, percent-encoded, without ``?``; empty if there was none.
    """

    path: str
    segments: tuple[str, ...]
    query: str = ""

    @property
    def raw_path(self) -> bytes:
        """The path as it is sent: every byte outside RFC 3986 *unreserved* and ``/`` percent-encoded."""
        return quote(self.path, safe="/").encode("ascii")


@attrs.frozen(kw_only=True)
class CheckedUrl:
    """An absolute URL that passed `check_url`.

    Attributes:
        host: DNS name in lower case, never an address.
        port: 443 where the URL names none.
        path: the checked path and query.
    """

    host: str
    port: int
    path: CheckedPath


def is_url(text: str) -> bool:
    """Tell whether `text` is meant as an absolute URL; it still has to pass `check_url`."""
    return isinstance(text, str) and _SCHEME.match(text) is not None


def check_path(text: str) -> CheckedPath:
    """Judge the relative path of a module's call, or of an endpoint.

    Raises:
        TransportError: the path is refused; the message says why and what to write.
    """
    path = _check_target(text, text)
    first = path.segments[0] if path.segments else ""
    if not first:
        raise _refused(text, "it names nothing", "write '/<segment>/...'")
    if _FIRST_SEGMENT.fullmatch(first) is None:
        advice = "use a-z, 0-9, '_' and '-': it is the segment of the permission 'api.<segment>'"
        raise _refused(text, f"the first segment {first[:40]!a} is no permission segment", advice)
    if first in RESERVED_SEGMENTS:
        raise _refused(text, f"the first segment {first!r} is reserved for a permission", "choose another name")
    return path


def check_url(text: str) -> CheckedUrl:
    """Judge an absolute URL: https, a DNS name, no user, no fragment; addresses are judged after resolution.

    Raises:
        TransportError: the URL is refused; the message says why and what to write.
    """
    _check_text(text)
    if text[:8].lower() != "https://":
        raise _refused(text, "only https is allowed", "write 'https://host/path'")
    authority = re.split(r"[/?]", text[8:], maxsplit=1)[0]
    host, port = _check_authority(text, authority)
    rest = text[8 + len(authority) :]
    if not rest.startswith("/"):
        rest = f"/{rest}"
    return CheckedUrl(host=host, port=port, path=_check_target(rest, text))


def check_method(method: str) -> str:
    """Return `method` in upper case if it is one of `METHODS`.

    Raises:
        TransportError: it is another one.
    """
    # isascii first: 'ı'.upper() is 'I', so that other alphabets could spell a method
    name = method.upper() if isinstance(method, str) and method.isascii() else ""
    if name not in METHODS:
        raise TransportError(f"The method {str(method)[:20]!r} is refused: use one of {', '.join(METHODS)}")
    return name


def needed_permission(path_or_url: str, method: str = "GET") -> tuple[str, ...]:
    """Name the permissions for a call; any one of them suffices.

    >>> needed_permission("/vendas/clientes")
    ('api.vendas[GET]', 'api.internal[GET]')
    >>> needed_permission("https://api.example.com/v1")
    ('api.external[api.example.com]',)

    Raises:
        TransportError: the path, URL or method is refused.
    """
    name = check_method(method)
    if is_url(path_or_url):
        return (f"api.external[{check_url(path_or_url).host}]",)
    segment = check_path(path_or_url).segments[0]
    return (f"api.{segment}[{name}]", f"api.internal[{name}]")


def join_query(first: str, second: str) -> str:
    """Put two queries that were already written behind each other."""
    return "&".join(part for part in (first, second) if part)


def write_query(pairs: list[tuple[str, str | None]]) -> str:
    """Write pairs as a query, every byte outside *unreserved* percent-encoded; a None value is a bare name.

    Raises:
        TransportError: too many pairs, or a control in one.
    """
    if len(pairs) > MAX_QUERY_PAIRS:
        raise TransportError(f"A query of {len(pairs)} parameters is refused: send at most {MAX_QUERY_PAIRS}")
    return "&".join(_write_pair(name, value) for name, value in pairs)


def _refused(text: object, problem: str, advice: str) -> TransportError:
    noun = "URL" if isinstance(text, str) and is_url(text) else "path"
    return TransportError(f"The {noun} {str(text)[:80]!a} is refused: {problem}; {advice}")


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise _refused(text, f"it is a {type(text).__name__}", "send a string")
    if len(text) > MAX_TEXT_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise _refused(text, f"it is longer than {MAX_TEXT_BYTES} bytes", "send long values in a JSON body")
    if "#" in text:
        raise _refused(text, "it holds '#'", "leave fragments away: they are never sent")
    control = _find_control(text)
    if control is not None:
        raise _refused(text, f"it holds the control character U+{ord(control):04X}", "leave it away")


def _find_control(text: str) -> str | None:
    if text.isascii() and text.isprintable():
        return None
    return next((char for char in text if unicodedata.category(char) in _CONTROLS), None)


def _check_target(target: str, text: str) -> CheckedPath:
    """Judge path and query; `text` is what the author wrote, for messages."""
    _check_text(text)
    raw, has_query, query = target.partition("?")
    if not raw.startswith("/"):
        raise _refused(text, "it does not begin with '/'", "write '/<segment>/...'")
    path = _decode(raw, text)
    _check_decoded(path, text)
    segments = () if path == "/" else tuple(path[1:].split("/"))
    for segment in segments:
        _check_segment(segment, text)
    return CheckedPath(path=path, segments=segments, query=_check_query(query, text) if has_query else "")


def _decode(raw: str, text: str) -> str:
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeError:
        raise _refused(text, "it is not UTF-8 once decoded", "encode the text as UTF-8") from None


def _check_decoded(path: str, text: str) -> None:
    for char in "%\\;#":
        if char in path:
            raise _refused(text, f"it holds {char!a} once decoded", "encode once, and leave such characters away")
    control = _find_control(path)
    if control is not None:
        raise _refused(text, f"it holds the control character U+{ord(control):04X}", "leave it away")
    if not unicodedata.is_normalized("NFC", path):
        raise _refused(text, "it is not in Unicode normal form NFC", "apply unicodedata.normalize('NFC', path)")


def _check_segment(segment: str, text: str) -> None:
    if not segment:
        raise _refused(text, "it has an empty segment", "write one '/' between segments and none at the end")
    folded = segment if segment.isascii() else unicodedata.normalize("NFKC", segment)
    if not folded.strip(" ."):
        raise _refused(text, "it has a dot segment", "write the path that you mean")
    if folded is not segment and not _DELIMITERS.isdisjoint(folded):
        # a server that folds compatibility forms would read '／' as '/': CVE-2019-9636 is this in host names
        raise _refused(text, "it holds a look-alike of a delimiter", "use plain letters")


def _check_query(query: str, text: str) -> str:
    pairs: list[tuple[str, str | None]] = []
    for part in query.split("&") if query else ():
        name, separator, value = part.partition("=")
        pairs.append((_decode_query(name, text), _decode_query(value, text) if separator else None))
    return write_query(pairs)


def _decode_query(part: str, text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", part):
        raise _refused(text, "its query holds a '%' that encodes nothing", "write '%25'")
    return _decode(part.replace("+", " "), text)


def _write_pair(name: str, value: str | None) -> str:
    for part in (name, value or ""):
        if _find_control(part) is not None:
            raise TransportError(f"The query parameter {name[:40]!a} holds a control character; send it in a JSON body")
    return quote(name, safe="") if value is None else f"{quote(name, safe='')}={quote(value, safe='')}"


def _check_authority(text: str, authority: str) -> tuple[str, int]:
    if "@" in authority:
        raise _refused(text, "it holds a user", "leave it away: the host attaches credentials")
    if not authority.isascii():
        raise _refused(text, "its host is not ASCII", "write an international name in its 'xn--' form")
    host, has_port, port = authority.partition(":")
    if has_port and (_PORT.fullmatch(port) is None or int(port) > MAX_PORT):
        raise _refused(text, "its port is not a number from 1 to 65535", "leave it away for 443")
    return _check_host(text, host.lower()), int(port) if has_port else 443


def _check_host(text: str, host: str) -> str:
    labels = host.split(".")
    if len(host) > MAX_HOST_CHARS or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused(text, f"{host[:60]!a} is no DNS name", "write a name such as 'api.example.com'")
    if _NUMBER.fullmatch(labels[-1]):
        raise _refused(text, "its host is an address", "write the DNS name")
    if len(labels) == 1 or any(host.endswith(f".{suffix}") for suffix in _LOCAL_SUFFIXES):
        raise _refused(text, f"{host!r} is a local name", "use a relative path for the host's own API")
    return host
