"""Who may see the page and open its socket: hosts, origins, cookies and tokens.

Sources: DNS rebinding and cross-site WebSocket hijacking as in CVE-2018-6651 (uws), CVE-2018-14732 (webpack-dev-server)
and CVE-2023-26114 (code-server); session fixation as in CWE-384; the URL token as Jupyter's, but for one use.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import attrs
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

__all__ = ["Access", "Authenticate", "Identity"]

Authenticate: TypeAlias = Callable[[HTTPConnection], Awaitable[str | None]]
"""The host's own way to know a person: returns the subject, or None for nobody."""

COOKIE_S: Final = 30 * 24 * 3600
TOKEN_S: Final = 600.0
_MAX_TOKENS: Final = 64
_MAX_COOKIE_CHARS: Final = 1_024
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}


@attrs.frozen(kw_only=True)
class Identity:
    """Whose page it is.

    Attributes:
        subject: the person.
        browser: random id of the cookie's session.
        is_new: whether the cookie has still to be set.
    """

    subject: str
    browser: str
    is_new: bool = False


class Access:
    """Decides who may see the page, and who may open its socket.

    Args:
        secret: signs cookies and page tokens; the same after a restart lets pages reconnect. None takes a fresh one.
        allowed_hosts: names by which the server may be called, without port.
        authenticate: takes the place of the token in the address.
        now: the time, in seconds since the epoch.
    """

    def __init__(
        self,
        *,
        secret: bytes | None,
        allowed_hosts: Iterable[str],
        authenticate: Authenticate | None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)
        self._authenticate = authenticate
        self._now = now
        self._tokens: dict[bytes, tuple[str, float]] = {}
        # Browsers do not keep the cookies of two ports apart: two desktops of one machine must not share a name.
        self.cookie_name = f"plataforma_desktop_{self._sign('cookie name')[:8]}"

    # --- hosts and origins -----------------------------------------------------------------------------------------

    def is_own_host(self, headers: Headers) -> bool:
        """Tell whether the request was sent to a name of ours, and not to one that was pointed at us."""
        return _name_of(headers.get("host", "")) in self._allowed_hosts

    def is_own_origin(self, headers: Headers, scheme: str) -> bool:
        """Tell whether a socket was opened by our own page; whoever tells no origin is no browser of a person's.

        A proxy that ends the encryption hides the scheme from us, but an encrypted socket never has a plain page.
        """
        origin, host = urlsplit(headers.get("origin", "")), headers.get("host", "")
        if origin.scheme not in ({"https"} if scheme in {"https", "wss"} else {"http", "https"}):
            return False
        return bool(host) and _bare(origin.netloc, origin.scheme) == _bare(host, origin.scheme)

    # --- tokens in addresses ---------------------------------------------------------------------------------------

    def new_token(self, subject: str) -> str:
        """Make a token that lets one browser in, once, within ten minutes."""
        self._drop_old_tokens()
        while len(self._tokens) >= _MAX_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        token = secrets.token_urlsafe(32)
        self._tokens[_digest(token)] = (subject, self._now() + TOKEN_S)
        return token

    def use_token(self, token: str) -> Identity | None:
        """Exchange a token for a session of its own; None where it is unknown, used or old."""
        self._drop_old_tokens()
        found = self._tokens.pop(_digest(token), None)
        return None if found is None else Identity(subject=found[0], browser=secrets.token_urlsafe(16), is_new=True)

    def _drop_old_tokens(self) -> None:
        now = self._now()
        self._tokens = {digest: token for digest, token in self._tokens.items() if token[1] > now}

    # --- sessions of a browser -------------------------------------------------------------------------------------

    async def identify(self, connection: HTTPConnection) -> Identity | None:
        """Tell whose a request is: by the host's `authenticate` where there is one, else by the cookie alone."""
        known = self._read_cookie(connection.cookies.get(self.cookie_name, ""))
        if self._authenticate is None:
            return known
        subject = await self._authenticate(connection)
        if subject is None:
            return None
        if known is not None and known.subject == subject:
            return known
        return Identity(subject=subject, browser=secrets.token_urlsafe(16), is_new=True)

    def cookie(self, identity: Identity) -> str:
        """Write the cookie of an identity."""
        subject = base64.urlsafe_b64encode(identity.subject.encode()).decode().rstrip("=")
        content = f"1.{identity.browser}.{subject}.{int(self._now())}"
        return f"{content}.{self._sign('cookie', content)}"

    def page_token(self, identity: Identity) -> str:
        """Return what the page has to show on its socket: nobody who cannot read the page knows it."""
        return self._sign("page", identity.browser, identity.subject)

    def is_page_token(self, token: str, identity: Identity) -> bool:
        """Tell whether it is the token of that session's page."""
        return hmac.compare_digest(token.encode(), self.page_token(identity).encode())

    def _read_cookie(self, text: str) -> Identity | None:
        content, _, signature = text.rpartition(".")
        if len(text) > _MAX_COOKIE_CHARS or not text.isascii():
            return None
        if not hmac.compare_digest(signature.encode(), self._sign("cookie", content).encode()):
            return None
        _, browser, subject, made_at = content.split(".")
        if int(made_at) + COOKIE_S < self._now():
            return None
        try:
            padded = subject + "=" * (-len(subject) % 4)
            return Identity(subject=base64.urlsafe_b64decode(padded).decode(), browser=browser)
        except (binascii.Error, UnicodeDecodeError):  # pragma: no cover - signed by us
            return None

    def _sign(self, purpose: str, *parts: str) -> str:
        content = "\0".join([purpose, *parts]).encode()
        return hmac.new(self._secret, content, hashlib.sha256).hexdigest()

    def mark(self) -> tuple[str, int]:
        """Return a word and a hue of this installation's own, which no module can know: what stands on our dialogs."""
        seed = hmac.new(self._secret, b"mark", hashlib.sha256).digest()
        letters = [("bdfglmnprstv"[byte % 12], "aeiou"[byte % 5]) for byte in seed[:4]]
        word = "".join(consonant + vowel for consonant, vowel in letters)
        return word.capitalize(), int.from_bytes(seed[4:6], "big") % 360


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _name_of(host: str) -> str:
    """Return the name of a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()


def _bare(netloc: str, scheme: str) -> str:
    return netloc.lower().removesuffix(_DEFAULT_PORTS[scheme])
