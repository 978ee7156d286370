"""What compiled code depends on beside its source: this Python, and the text of the policy that wrote it.

Nobody raises a number: the version is a digest of the files that `_compile` is made of, found by following its imports,
and of RestrictedPython's transformer, whose own version number says less. So an entry of the disk cache that another
policy wrote, one line older or newer, is never found.

That holds only while those files are what runs. A file that was replaced after it was imported, by an upgrade under a
running host, would name the new policy and store the work of the old one; so a file whose content is no longer what it
was before it was imported has no version, and neither has a policy without source. Then compiled code is kept in memory
alone.

Tried and rejected: a number in the source (forgotten once, it runs what an old policy let through), the version of the
distribution (the same for every state of a checkout), `importlib.metadata` for RestrictedPython (11 ms), times of
change in place of contents (an installer that links the same file into another environment changes them, and some set
them back).
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec, PathFinder
from typing import Final

from plataforma_sdk.errors import SandboxError

__all__ = ["code_version", "policy_sources"]

_ROOTS: Final = ("plataforma_sdk.sandbox.restricted._compile", "RestrictedPython.transformer")
_FOLLOWED: Final = (b"from plataforma_sdk.", b"import plataforma_sdk.")
_PATH: Final = re.compile(rb"\w+(?:\.\w+)*")


@functools.cache
def code_version() -> bytes:
    """Digest this Python and the policy; about 0.6 ms, once for each process.

    Raises:
        SandboxError: the policy's sources cannot be read, or are not those that were imported.
    """
    digest = hashlib.sha256(repr(python_version()).encode())
    for name, source in sorted(policy_sources().items()):
        digest.update(f"\n{name} {len(source)}\n".encode())
        digest.update(source)
    return digest.digest()


def python_version() -> tuple[str | None, int, bytes]:
    """Return what the form of a code object depends on; the magic number also changes between betas."""
    return (sys.implementation.cache_tag, sys.hexversion, importlib.util.MAGIC_NUMBER)


def policy_sources() -> dict[str, bytes]:
    """Return module -> source of all that takes part in compiling.

    Raises:
        SandboxError: one of them cannot be read, or is not what was imported.
    """
    sources = _sources()
    for name, digest in _digests(sources).items():
        if _BEFORE_IMPORT.get(name) != digest:
            raise SandboxError(f"{name} was changed after this process imported it: restart the process")
    return sources


def _sources() -> dict[str, bytes]:
    sources: dict[str, bytes] = {}
    pending = list(_ROOTS)
    while pending:
        name = pending.pop()
        if name not in sources:
            sources[name] = source = _read(name)
            pending += _imported(source)
    return sources


def _digests(sources: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: hashlib.sha256(source).digest() for name, source in sources.items()}


def _imported(source: bytes) -> Iterator[str]:
    """Find what a file imports of this library; splitting is several times as fast as a regular expression of lines."""
    for statement in _FOLLOWED:
        for rest in source.split(statement)[1:]:
            path = _PATH.match(rest)
            if path is not None:
                yield f"plataforma_sdk.{path[0].decode()}"


def _found(name: str) -> ModuleSpec | None:
    """Find a module, and do not import the package that it lies in: that would run it before its source is read."""
    parent = name.rpartition(".")[0]
    if not parent or parent in sys.modules:
        return importlib.util.find_spec(name)
    package = _found(parent)
    locations = package.submodule_search_locations if package is not None else None
    return PathFinder.find_spec(name, locations) if locations is not None else None


def _read(name: str) -> bytes:
    unknown = "so the version of the policy is unknown"
    try:
        spec = _found(name)
        get_data = getattr(spec.loader, "get_data", None) if spec is not None else None
        if spec is None or get_data is None or spec.origin is None or not spec.origin.endswith(".py"):
            raise SandboxError(f"{name} has no source here, {unknown}")
        source: bytes = get_data(spec.origin)
    except (OSError, ImportError, ValueError) as error:
        raise SandboxError(f"{name} cannot be read ({error}), {unknown}") from None
    return source


def _digests_now() -> dict[str, bytes]:
    try:
        return _digests(_sources())
    except SandboxError:
        return {}  # `code_version` says so, where somebody asks


_BEFORE_IMPORT: Final = _digests_now()
"""Module -> sha256 of its source, 1 ms. Taken before the policy is imported: this module is the first that the engine
imports, which a test keeps true."""
