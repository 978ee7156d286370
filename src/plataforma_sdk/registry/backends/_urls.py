"""Addresses of registries over HTTP: split, checked, and compared by origin."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import attrs

from plataforma_sdk.errors import RegistryError

__all__ = ["Base", "origin_of", "parse_base"]


@attrs.frozen
class Base:
    """Where a registry is.

    Attributes:
        origin: ``"https://registry.example:8443"``.
        path: before every path of the registry, without a last slash: ``""`` or ``"/modules"``.
    """

    origin: str
    path: str


def parse_base(url: str) -> Base:
    """Read the address of a registry; plain ``http`` is for this machine alone.

    Raises:
        RegistryError: another scheme, no host, credentials, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        is_loopback = _is_loopback(parts.hostname or "")
        _ = parts.port
    except ValueError as error:
        raise RegistryError(f"{url[:200]!r} is no address of a registry: {error}") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise RegistryError(f"{url[:200]!r} is no address of a registry: write 'https://host' or 'https://host/path'")
    if "@" in parts.netloc:
        raise RegistryError(
            f"The address of a registry holds no credentials ({parts.hostname}): set PLATAFORMA_REGISTRY_TOKEN"
        )
    if parts.query or parts.fragment:
        raise RegistryError(f"{url[:200]!r} is no address of a registry: it has a query or a fragment")
    if parts.scheme == "http" and not is_loopback:
        raise RegistryError(f"{url[:200]!r} would send modules and tokens in the clear: use https")
    return Base(f"{parts.scheme}://{parts.netloc.lower()}", parts.path.rstrip("/"))


def origin_of(url: str) -> str:
    """Return scheme and host, by which credentials are kept apart."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
