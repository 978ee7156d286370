"""`Snapshot`: a running module, written down, to go on after its process was killed, or on another host.

A snapshot is data from a trusted place. It carries the module's package and whatever the module holds in memory,
secrets and personal data included; who can change it decides what the module believes. Its permissions are not in it:
the host that restores it grants its own.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from pathlib import Path
from typing import Any, Final, Self

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, IntegrityError
from plataforma_sdk.sandbox._private import write_aside

__all__ = ["KINDS", "Snapshot"]

KINDS: Final = ("memory", "state", "replay")
MAGIC: Final = b"plataforma snapshot 1\n"
_SIZES: Final = struct.Struct("<IQQ")
_MAX_HEADER: Final = 64 * 2**20
_DIGEST_BYTES: Final = 32


@attrs.frozen(kw_only=True)
class Snapshot:
    """A module at one moment. Made by `ModuleHandle.snapshot`, taken up again by `ModuleHost.restore`.

    Attributes:
        kind: how the module goes on from it: ``"memory"``, the guest's own memory, exact, for the same guest runner on
            Linux; ``"state"``, what the module hands over to its next version, for any tier and runner; ``"replay"``,
            its journal, exact, for the same guest runner.
        module: id of the module.
        version: its version.
        digest: digest of its package.
        made: when, seconds since the Unix epoch.
        facts: further facts of its kind, plain data.
        package: its package, an archive.
        content: the state, the journal or the memory.
        seal: HMAC-SHA256 with the key of the host that made it.

    >>> snapshot = Snapshot(kind="state", module="vendas", version="1.0.0", digest="sha256:0", made=0.0,
    ...                     package=b"", content=b"{}")
    >>> Snapshot.from_bytes(snapshot.to_bytes()) == snapshot
    True
    """

    kind: str
    module: str
    version: str
    digest: str
    made: float
    facts: dict[str, Any] = attrs.field(factory=dict, repr=False)
    package: bytes = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    seal: bytes = attrs.field(default=bytes(_DIGEST_BYTES), repr=False)

    @property
    def size_bytes(self) -> int:
        """How large it is when written."""
        return len(self.to_bytes())

    def sealed(self, key: bytes) -> Self:
        """Return it with a host's seal."""
        return attrs.evolve(self, seal=hmac.digest(key, self._body(), "sha256"))

    def is_sealed_by(self, key: bytes) -> bool:
        """Whether a host with this key made it, and nobody changed it since."""
        return hmac.compare_digest(self.seal, hmac.digest(key, self._body(), "sha256"))

    def to_bytes(self) -> bytes:
        """Write it, with a checksum and the seal at its end."""
        body = self._body()
        return body + hashlib.sha256(body).digest() + self.seal

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            IntegrityError: it is no snapshot, of another version, or damaged.
        """
        if not data.startswith(MAGIC):
            raise IntegrityError(f"This is no snapshot that this version reads; it begins {data[:24]!r}")
        body, checksum = data[: -2 * _DIGEST_BYTES], data[-2 * _DIGEST_BYTES : -_DIGEST_BYTES]
        if hashlib.sha256(body).digest() != checksum:
            raise IntegrityError("The snapshot is damaged: its checksum is not that of its content")
        try:
            header, package, content = _split(body[len(MAGIC) :])
            return cls(**codec.decode(header), package=package, content=content, seal=data[-_DIGEST_BYTES:])
        except (CodecError, TypeError, ValueError, struct.error) as error:
            raise IntegrityError(f"The snapshot is not readable: {error}") from None

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file with mode 0600, aside and then renamed, so that no half of it is ever seen."""
        target = Path(path)
        write_aside(target, self.to_bytes())
        return target

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `write` wrote.

        Raises:
            IntegrityError: as `from_bytes`.
        """
        return cls.from_bytes(Path(path).read_bytes())

    def _body(self) -> bytes:
        fields = ("kind", "module", "version", "digest", "made", "facts")
        header = codec.encode({name: getattr(self, name) for name in fields}).encode()
        sizes = _SIZES.pack(len(header), len(self.package), len(self.content))
        return b"".join((MAGIC, sizes, header, self.package, self.content))


def _split(data: bytes) -> tuple[str, bytes, bytes]:
    header, package, content = _SIZES.unpack_from(data)
    if header > _MAX_HEADER or _SIZES.size + header + package + content != len(data):
        raise ValueError("its parts do not have the sizes that it says")
    at = _SIZES.size
    parts = [data[at : at + header], data[at + header : at + header + package], data[at + header + package :]]
    return parts[0].decode(), parts[1], parts[2]
