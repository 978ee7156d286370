"""Addresses of registries over HTTP: split, checked, and compared by origin."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

import attrs

from plataforma_sdk.errors import RegistryError

__all__ = ["Base", "origin_of", "parse_base", "parse_oci"]

_REPOSITORY: Final = re.compile(r"(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*", re.ASCII)


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
    base = _parse(url, {"https", "http"}, example="https://host/path")
    if base.origin.startswith("http://") and not _is_loopback(base.origin):
        raise RegistryError(f"{url[:200]!r} would send modules and tokens in the clear: use https")
    return base


def parse_oci(url: str) -> Base:
    """Read ``oci://host/namespace``; ``oci+http://`` says in plain words that nothing is encrypted.

    Raises:
        RegistryError: another scheme, no host, credentials, or what can be no name of a repository.
    """
    base = _parse(url, {"oci", "oci+http"}, example="oci://host/namespace")
    if _REPOSITORY.fullmatch(base.path) is None:
        raise RegistryError(f"{url[:200]!r}: {base.path[1:]!r} is no name of a repository: lower case, digits, . _ - /")
    scheme, _, host = base.origin.partition("://")
    return Base(f"{'https' if scheme == 'oci' else 'http'}://{host}", base.path)


def _parse(url: str, schemes: set[str], *, example: str) -> Base:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise RegistryError(f"{url[:200]!r} is no address of a registry: {error}") from None
    if parts.scheme not in schemes or not host:
        raise RegistryError(f"{url[:200]!r} is no address of a registry: write {example!r}")
    if "@" in parts.netloc:
        raise RegistryError(f"The address of the registry at {host} has credentials in it: take them out")
    if parts.query or parts.fragment:
        raise RegistryError(f"{url[:200]!r} is no address of a registry: it has a query or a fragment")
    return Base(f"{parts.scheme}://{parts.netloc.lower()}", parts.path.rstrip("/"))


def origin_of(url: str) -> str:
    """Return scheme and host, by which credentials are kept apart."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _is_loopback(origin: str) -> bool:
    host = urlsplit(origin).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
