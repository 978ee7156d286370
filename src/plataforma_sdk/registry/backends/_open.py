"""Opens a registry by its address."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.plugins import make_plugin_manager
from plataforma_sdk.registry._protocol import RegistryBackend
from plataforma_sdk.registry.backends._directory import DirectoryBackend
from plataforma_sdk.registry.backends._http import HttpBackend
from plataforma_sdk.registry.backends._memory import MemoryBackend
from plataforma_sdk.registry.backends._objects import ObjectBackend, open_store
from plataforma_sdk.registry.backends._oci import OciBackend
from plataforma_sdk.registry.backends._urls import origin_of

if TYPE_CHECKING:
    import pluggy

__all__ = ["open_backend"]

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]+):", re.ASCII | re.IGNORECASE)  # one letter is a drive of Windows


def open_backend(url: str | os.PathLike[str], *, plugins: pluggy.PluginManager | None = None) -> RegistryBackend:
    """Open a registry by its address; nothing is read or connected before the first call.

    Args:
        url: a path or ``dir:PATH``, ``memory:``, ``https://host/path`` (``http://`` on this machine),
            ``oci://host/namespace`` (``oci+http://`` without encryption), ``s3://bucket/prefix``, ``gs://``, ``az://``,
            or whatever a plugin opens.
        plugins: where other schemes are looked up; if left out, the plugins that are installed.

    Credentials come from the environment: ``PLATAFORMA_REGISTRY_TOKEN`` for our service,
    ``PLATAFORMA_REGISTRY_USER`` and ``PLATAFORMA_REGISTRY_PASSWORD`` or ``docker login`` for OCI, and what the cloud's
    own tools use for object stores. Those of ours go to no other host than that of ``PLATAFORMA_REGISTRY``, where
    that is set.

    Raises:
        RegistryError: the address is none, nobody opens its scheme, or an extra is missing.

    >>> open_backend("memory:").url
    'memory:'
    """
    text = os.fspath(url)
    if text in ("", "dir:"):  # an empty variable would make a registry of whatever directory this is
        raise RegistryError(f"{text!r} is no address of a registry: name a directory, './registry' or 'dir:registry'")
    found = _SCHEME.match(text) if isinstance(url, str) else None
    if found is None:
        return DirectoryBackend(text)
    scheme = found[1].lower()
    opener = _OPENERS.get(scheme)
    if opener is not None:
        return opener(text)
    manager = plugins or make_plugin_manager()
    backend: RegistryBackend | None = manager.hook.plataforma_registry_backend(url=text)
    if backend is None:
        known = "a path, 'dir:PATH', 'memory:', 'https://host', 'oci://host/namespace', 's3://bucket/prefix'"
        raise RegistryError(f"No registry opens {text[:200]!r}: write {known}, or install a plugin for {scheme!r}")
    return backend


def _open_http(url: str) -> RegistryBackend:
    token = os.environ.get("PLATAFORMA_REGISTRY_TOKEN") if _is_meant(url) else None
    return HttpBackend(url, token=token or None)


def _open_oci(url: str) -> RegistryBackend:
    user = os.environ.get("PLATAFORMA_REGISTRY_USER", "")
    if user and _is_meant(url):
        return OciBackend(url, credentials=(user, os.environ.get("PLATAFORMA_REGISTRY_PASSWORD", "")))
    return OciBackend(url, credentials=_docker_login(origin_of(url).partition("://")[2]))


def _is_meant(url: str) -> bool:
    """Whether the credentials of the environment are for this host: a registry named beside must not get them."""
    configured = os.environ.get("PLATAFORMA_REGISTRY")
    return not configured or origin_of(configured) == origin_of(url)


def _docker_login(host: str) -> tuple[str, str] | None:
    """Return what ``docker login`` keeps for a host, where it keeps it in its file."""
    directory = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, binascii.Error):
        logins = json.loads(Path(directory, "config.json").read_text("utf-8"))["auths"]
        user, colon, password = base64.b64decode(logins[host]["auth"], validate=True).decode().partition(":")
        return (user, password) if colon else None
    return None


def _open_objects(url: str) -> RegistryBackend:
    return ObjectBackend(open_store(url), url=url.rstrip("/"))


_OPENERS: Final[dict[str, Callable[[str], RegistryBackend]]] = {
    "memory": lambda _: MemoryBackend(),
    "dir": lambda url: DirectoryBackend(url.partition(":")[2]),
    "http": _open_http,
    "https": _open_http,
    "oci": _open_oci,
    "oci+http": _open_oci,
    "s3": _open_objects,
    "gs": _open_objects,
    "az": _open_objects,
}
