"""Whether what a registry says is its newest state: TUF metadata, read by python-tuf over our own HTTP client.

**Source:** The Update Framework, specification 1.0. A timestamp that expires tells a frozen state, versions that only
grow an old one, and one snapshot of all versions a state that is mixed of several.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, runtime_checkable

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.registry._json import to_json
from plataforma_sdk.registry._records import ModuleIndex
from plataforma_sdk.registry._verify import digest_of
from plataforma_sdk.sandbox._private import locked
from plataforma_sdk.types import module_segment

if TYPE_CHECKING:
    from tuf.ngclient import Updater

__all__ = ["Freshness", "MetadataSource", "load_tuf", "target_of"]

_LOG: Final = logger_of("plataforma_sdk.registry.trust")
_FRESH_S: Final = 60.0
"""Metadata is asked for again after this, much less than a timestamp lives, or where an index does not fit it."""
_TRIES: Final = 3
_NOT_FOUND: Final = 404


@runtime_checkable
class MetadataSource(Protocol):
    """A registry that may publish TUF metadata; `HttpBackend` is one."""

    url: str

    async def tuf_file(self, name: str) -> bytes | None:
        """Return a metadata file, ``"timestamp.json"`` or ``"4.snapshot.json"``; None where there is none."""
        ...


def target_of(module_id: str) -> str:
    """Return under which name TUF metadata lists the index of a module.

    >>> target_of("acme/vendas")
    'modules/acme--vendas'
    """
    return f"modules/{module_segment(module_id)}"


def load_tuf() -> None:
    """Make sure that metadata can be read and signed here.

    Raises:
        RegistryError: the extra is missing.
    """
    try:
        import tuf.api.metadata
        import tuf.ngclient  # noqa: F401 - whether it is there
    except ImportError:
        raise RegistryError(
            "TUF metadata needs the extra 'trust': pip install \"plataforma-sdk[trust]\"; without it nobody can tell "
            "the newest state of a registry from an old one"
        ) from None


class Freshness:
    """Holds the indexes of one registry to its TUF metadata; a registry without any passes, until it had some."""

    def __init__(
        self,
        source: MetadataSource,
        directory: Path | None,
        *,
        root: bytes | None = None,
        is_required: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the registry, and what is known of it.

        Args:
            source: the registry.
            directory: where its metadata is kept, to notice what goes back; None forgets it with this object.
            root: that it must have, from whoever runs it; None believes the first one, and holds to that.
            is_required: whether metadata that cannot be read here, for want of the extra, is a fault.
            clock: tells when to ask again.
        """
        self._source = source
        self._chosen = directory
        self._root = root
        self._is_required = is_required
        self._clock = clock
        self._asked_at = -math.inf
        self._updater: Updater | None = None
        self._is_absent = False
        self._one_at_a_time = asyncio.Lock()
        self._closing = contextlib.ExitStack()
        # Its own: who waits for another process must not take the threads by which the HTTP client resolves names.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="plataforma-tuf")
        self._opened: Path | None = None

    @classmethod
    def of(cls, backend: object, directory: Path | None, *, root: Path | None, is_required: bool) -> Self | None:
        """Return what holds a backend to its metadata; None for one that has no such thing.

        Raises:
            IntegrityError: a root is given for a backend that can have no metadata.
            RegistryError: the root cannot be read.
        """
        if not isinstance(backend, MetadataSource):
            if root is not None:
                raise IntegrityError(f"This registry can have no TUF metadata, so it does not fit the root {root}")
            return None
        try:
            pinned = None if root is None else root.read_bytes()
        except OSError as error:
            raise RegistryError(f"The TUF root {root} cannot be read ({error.strerror})") from None
        return cls(backend, directory, root=pinned, is_required=is_required)

    async def agrees(self, index: ModuleIndex) -> bool:
        """Tell whether an index is the newest one; one that is not may have changed meanwhile: fetch it again.

        Raises:
            IntegrityError: the metadata is old, frozen, mixed, forged or gone.
            RegistryError: it cannot be fetched, or the extra is missing.
        """
        found = digest_of(to_json(index.to_data())).removeprefix("sha256:")
        is_anew = False
        async with self._one_at_a_time:
            while True:
                before = self._updater
                expected = await self._ask(lambda updater: updater.get_targetinfo(target_of(index.id)))
                is_listed = expected is not None and expected.hashes.get("sha256") == found
                if self._is_absent or is_listed or (expected is None and not index.revision):
                    return True
                if is_anew or self._updater is not before:  # that was the newest metadata already
                    return False
                is_anew, self._asked_at = True, -math.inf

    async def describe(self) -> str | None:
        """Say what the metadata is, for people; None where there is none. Raises as `agrees`."""
        async with self._one_at_a_time:
            await self._ask(lambda updater: updater.get_targetinfo(target_of("x")))
            if self._is_absent or self._updater is None:
                return None
            trusted = self._updater._trusted_set  # noqa: SLF001 - there is no public way to the versions
            root, stamp = trusted.root, trusted.timestamp
        return f"TUF timestamp {stamp.version} valid until {stamp.expires:%Y-%m-%d %H:%M}Z, root {root.version}"

    def close(self) -> None:
        """Forget what is kept nowhere else."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._closing.close()

    async def _ask(self, question: Callable[[Updater], Any]) -> Any:
        """Ask the metadata, on a thread, since python-tuf blocks; again where a file was replaced meanwhile."""
        if self._is_absent:
            return None
        loop, gone = asyncio.get_running_loop(), ""
        for _ in range(_TRIES):
            try:
                return await loop.run_in_executor(self._thread, self._answer, question, loop)
            except _GoneError as error:
                self._updater, gone = None, str(error)
        raise IntegrityError(
            f"{self._source.url} has TUF metadata, and does not show all of it ({gone}): somebody holds it back, or it "
            f"was lost; tell whoever runs the registry. If that was on purpose, remove {self._directory}"
        )

    def _answer(self, question: Callable[[Updater], Any], loop: asyncio.AbstractEventLoop) -> Any:
        with self._explained():
            if not self._can_read(loop):
                self._is_absent = True
                return None
            with locked(self._directory):  # python-tuf wants a directory for itself
                if self._updater is None or self._clock() - self._asked_at >= _FRESH_S:
                    self._updater = None  # what cannot be refreshed is not asked
                    self._updater = self._refreshed(loop)
                    self._asked_at = self._clock()
                return question(self._updater)

    def _can_read(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether there is metadata: a registry that once had some must go on having it."""
        if self._updater is not None:
            return True
        is_known = self._root is not None or (self._directory / "root.json").exists()
        first = None if is_known else _fetch(self._source, "1.root.json", loop)
        if not is_known and first is None:
            return False
        try:
            load_tuf()
        except RegistryError:
            if is_known or self._is_required:
                raise
            _LOG.warning("%s has TUF metadata, and it cannot be read here: install the extra 'trust'", self._source.url)
            return False
        if first is None and self._root is not None:
            _check_root(self._root)
        if first is not None:
            self._root = first
            _LOG.warning(
                "%s is used for the first time, with the TUF root %s: compared with nothing, and held to from now on",
                self._source.url,
                digest_of(first),
            )
        return True

    def _refreshed(self, loop: asyncio.AbstractEventLoop) -> Updater:
        from tuf.ngclient import Updater

        from plataforma_sdk.registry.trust._tuf_fetcher import Fetcher

        updater = Updater(
            str(self._directory),
            f"{self._source.url}/v1/tuf/",
            fetcher=Fetcher(lambda name: _fetch(self._source, name, loop)),
            bootstrap=self._root,
        )
        updater.refresh()
        return updater

    @property
    def _directory(self) -> Path:
        if self._opened is None:
            if self._chosen is None:
                self._opened = Path(self._closing.enter_context(tempfile.TemporaryDirectory()))
            else:
                name = hashlib.sha256(self._source.url.encode()).hexdigest()[:32]
                self._opened = self._chosen / name
                self._opened.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._opened

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what python-tuf raises into errors of a registry."""
        try:
            yield
        except (RegistryError, _GoneError):
            raise
        except OSError as error:
            raise RegistryError(f"The TUF metadata below {self._chosen} cannot be kept ({error.strerror})") from error
        except Exception as error:
            raise _explain(error, self._source.url) from error


class _GoneError(Exception):
    """A file that other metadata names is not there."""


def _fetch(source: MetadataSource, name: str, loop: asyncio.AbstractEventLoop) -> bytes | None:
    """Fetch a file, from a thread of the loop's."""
    return asyncio.run_coroutine_threadsafe(source.tuf_file(name), loop).result()


def _check_root(data: bytes) -> None:
    """Make sure that what a person gave is a root, before the registry is blamed for it."""
    from tuf.api.metadata import Metadata, Root

    try:
        is_root = isinstance(Metadata.from_bytes(data).signed, Root)
    except Exception:  # noqa: BLE001 - whatever parsing it raises
        is_root = False
    if not is_root:
        raise RegistryError("The TUF root that was given is none: it is what 'plataforma registry tuf root' prints")


def _explain(error: Exception, url: str) -> Exception:
    """Say what an error of python-tuf means; those that it raises of ours stand behind its own."""
    from tuf.api import exceptions

    if isinstance(error.__cause__, RegistryError):
        return error.__cause__
    if isinstance(error, exceptions.DownloadHTTPError) and error.status_code == _NOT_FOUND:
        return _GoneError(str(error))
    if isinstance(error, exceptions.DownloadError) and not isinstance(error, exceptions.DownloadLengthMismatchError):
        return RegistryError(f"{url}: the TUF metadata cannot be fetched ({error})")
    if isinstance(error, exceptions.ExpiredMetadataError):
        return IntegrityError(
            f"{url}: the TUF metadata has expired ({error}): this is an old state that somebody holds on to, or nobody "
            "renews it; tell whoever runs the registry, and look at the clock of this machine"
        )
    if isinstance(error, exceptions.BadVersionNumberError):
        return IntegrityError(
            f"{url}: the TUF metadata goes back ({error}): this is an old state, replayed or restored; tell whoever "
            "runs the registry"
        )
    return IntegrityError(
        f"{url}: the TUF metadata does not verify ({type(error).__name__}: {error}): somebody changed or mixed it; "
        "tell whoever runs the registry"
    )
