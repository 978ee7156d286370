"""Sigstore bundles: an archive signed by whom an identity provider vouched for, and a public log shows it.

Verified offline, by the library `sigstore` of the extra ``trust``, against a trusted root: the certificate, its place
in the certificate log, the entry in the transparency log, the time, and the signature of the archive.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.permissions import clean_text
from plataforma_sdk.registry._json import from_json
from plataforma_sdk.registry._records import Release

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

__all__ = ["BUNDLE", "BUNDLE_TYPE", "MAX_BUNDLE_BYTES", "Identity", "is_sigstore_installed", "read_bundle"]

BUNDLE: Final = "sigstore"
"""Name of the attachment."""
BUNDLE_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_BUNDLE_BYTES: Final = 256 << 10

_STATEMENT_TYPE: Final = "application/vnd.in-toto+json"
_ISSUER: Final = "1.3.6.1.4.1.57264.1.1"
"""Source: Fulcio's OID information; the one that `sigstore` compares."""
_HINT: Final = (
    "Sigstore bundles need the extra 'trust': pip install \"plataforma-sdk[trust]\"; without it none is verified, and "
    "none counts as verified"
)


def _named(_: object, field: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value:
        raise IntegrityError(
            f"an identity has no {field.name}: write both, such as 'ana@example.com' and "
            "'https://accounts.google.com': any issuer could vouch for any name"
        )


@attrs.frozen
class Identity:
    """Whom a certificate names, and who vouched for that.

    Attributes:
        subject: an e-mail address, or the address of a workflow.
        issuer: of the identity provider.

    >>> str(Identity("ana@example.com", "https://accounts.google.com"))
    'ana@example.com (https://accounts.google.com)'
    """

    subject: str = attrs.field(validator=_named)
    issuer: str = attrs.field(validator=_named)

    def __str__(self) -> str:
        return f"{self.subject} ({self.issuer})"


def is_sigstore_installed() -> bool:
    """Tell whether bundles can be verified here."""
    try:
        import sigstore.verify  # noqa: F401 - whether it is there
    except ImportError:
        return False
    return True


def read_bundle(release: Release, bundle: bytes, *, root: Path | None = None) -> Identity:
    """Verify that a bundle signs the archive of a release, and return who signed. Blocks for some milliseconds.

    Args:
        release: whose archive.
        bundle: JSON, of the versions that `sigstore` reads; signs the archive's bytes, or an in-toto statement about
            its digest.
        root: a trusted root, JSON as sigstore distributes it; None for that of the public instance, as `sigstore` has
            it on this machine.

    Raises:
        IntegrityError: it does not verify, or is about something else.
        RegistryError: the extra is missing, or the root cannot be read.
    """
    what = f"the sigstore bundle of {release.id} {release.version}"
    if len(bundle) > MAX_BUNDLE_BYTES:
        raise IntegrityError(f"{what} has {len(bundle):,} bytes; at most {MAX_BUNDLE_BYTES:,} are read")
    verifier = _verifier(root)
    digest = release.archive.digest.removeprefix("sha256:")
    signer = _Signer()
    try:
        statement = _verified(verifier, bundle, digest, signer)
    except Exception as error:  # it parses what a stranger wrote: whatever it raises, this is no proof
        raise IntegrityError(
            f"{what} does not verify ({type(error).__name__}: {_first_line(error)}); nothing of it was used. If it was "
            "made with another sigstore than the public one, name its trusted root",
            module=release.id,
        ) from error
    if signer.identity is None or not (statement is None or _is_about(statement, digest)):
        raise IntegrityError(f"{what} is about something else than {release.archive.digest}", module=release.id)
    return signer.identity


def _verified(verifier: Any, bundle: bytes, digest: str, signer: _Signer) -> bytes | None:
    """Verify all of a bundle, the archive's signature too; return the statement where it signs one instead."""
    from sigstore.hashes import Hashed
    from sigstore.models import Bundle

    fields = from_json(bundle, what="the bundle")
    parsed = Bundle.from_json(bundle)
    if "dsseEnvelope" not in fields:
        hashed = Hashed.model_validate({"algorithm": "SHA2_256", "digest": bytes.fromhex(digest)})
        verifier.verify_artifact(hashed, parsed, signer)
        return None
    kind, payload = verifier.verify_dsse(parsed, signer)
    if kind != _STATEMENT_TYPE:
        raise IntegrityError(f"it holds {kind[:80]!r}, and {_STATEMENT_TYPE!r} was expected")
    return bytes(payload)


def _is_about(statement: bytes, digest: str) -> bool:
    data = from_json(statement, what="the statement of a sigstore bundle")
    subjects = data.get("subject") if isinstance(data, Mapping) else None
    return isinstance(subjects, list) and any(found == digest for found in _digests(subjects))


def _digests(subjects: Iterable[Any]) -> Iterable[Any]:
    for subject in subjects:
        digests = subject.get("digest") if isinstance(subject, Mapping) else None
        if isinstance(digests, Mapping):
            yield digests.get("sha256")


class _Signer:
    """A policy for `sigstore` that notes who signed: whether that is somebody who may is for `Trust` to say."""

    def __init__(self) -> None:
        self.identity: Identity | None = None

    def verify(self, cert: Certificate) -> None:
        """Note whom the certificate names, exactly one, as `sigstore` compares names."""
        from sigstore.verify import policy

        identity = Identity(_subject(cert), _issuer(cert))
        policy.Identity(identity=identity.subject, issuer=identity.issuer).verify(cert)
        self.identity = identity


def _subject(cert: Certificate) -> str:
    from cryptography.x509 import RFC822Name, SubjectAlternativeName, UniformResourceIdentifier

    names = list(cert.extensions.get_extension_for_class(SubjectAlternativeName).value)
    if len(names) != 1 or not isinstance(names[0], RFC822Name | UniformResourceIdentifier):
        raise IntegrityError("its certificate names nobody, more than one, or no address")
    return names[0].value


def _issuer(cert: Certificate) -> str:
    from cryptography.x509 import ObjectIdentifier

    value: Any = cert.extensions.get_extension_for_oid(ObjectIdentifier(_ISSUER)).value
    return str(value.value.decode())


@functools.lru_cache(maxsize=8)
def _verifier(root: Path | None) -> Any:
    """Return what verifies against a trusted root, which is read once."""
    try:
        from sigstore.models import TrustedRoot
        from sigstore.verify import Verifier
    except ImportError:
        raise RegistryError(_HINT) from None
    logging.getLogger("sigstore").addHandler(logging.NullHandler())  # it warns that offline is offline
    try:
        if root is None:
            return Verifier.production(offline=True)
        return Verifier(trusted_root=TrustedRoot.from_file(str(root)))
    except Exception as error:  # what a file can be is sigstore's to say
        where = "of the public sigstore" if root is None else str(root)
        raise RegistryError(
            f"The trusted root {where} cannot be read ({type(error).__name__}: {_first_line(error)}): get it anew from "
            "whoever runs that sigstore"
        ) from error


def _first_line(error: Exception) -> str:
    return clean_text(next(iter(str(error).splitlines()), ""), 300)
