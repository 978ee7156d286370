"""The conformance suite of sigstore: bundles of the public instances and of others, right ones and wrong ones.

``PLATAFORMA_SIGSTORE`` names a checkout of ``sigstore/sigstore-conformance``; `nox -s integration` fetches one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import pytest

pytest.importorskip("sigstore")

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry import BlobRef, Release, digest_of
from plataforma_sdk.registry.trust import Identity, read_bundle

ROOT: Final = os.environ.get("PLATAFORMA_SIGSTORE")
SIGNER: Final = Identity(
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/"
    "extremely-dangerous-oidc-beacon.yml@refs/heads/main",
    "https://token.actions.githubusercontent.com",
)
STRICTER: Final = {"intoto-with-custom-trust-root", "trust-root-tsa-validity-end-inclusive"}
"""Right ones that `sigstore` 4.5 refuses: an old kind of log entry, and a timestamp in the last second of a period."""


def _cases() -> list[Any]:
    """Find the cases, but those of keys that somebody keeps: we have our own."""
    found = sorted(Path(ROOT or ".", "test", "assets", "bundle-verify").glob("*/bundle.sigstore.json"))
    cases = [path.parent for path in found if not path.parent.name.startswith("managed-key")]
    return [pytest.param(path, id=path.name) for path in cases]


def _text(path: Path, default: str) -> str:
    return path.read_text("utf-8").strip() if path.exists() else default


def _verify(case: Path) -> None:
    artifact = case / "artifact"
    archive = (artifact if artifact.exists() else case.parent / "a.txt").read_bytes()
    digest = digest_of(archive)
    release = Release(id="vendas", version="1.0.0", digest=digest, archive=BlobRef(digest, len(archive)))
    root = case / "trusted_root.json"
    bundle = (case / "bundle.sigstore.json").read_bytes()
    found = read_bundle(release, bundle, root=root if root.exists() else None)
    expected = Identity(_text(case / "identity", SIGNER.subject), _text(case / "issuer", SIGNER.issuer))
    if found != expected:  # what a policy of identities would say
        raise IntegrityError(f"signed by {found}, not by {expected}")


@pytest.mark.skipif(ROOT is None, reason="the session 'integration' fetches the suite")
@pytest.mark.parametrize("case", _cases())
def test_bundles_verify_as_the_suite_says(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):  # the root that `sigstore` carries, and no newer one
        monkeypatch.setenv(name, str(tmp_path))
    if case.name.endswith("_fail") or case.name in STRICTER:
        with pytest.raises(RegistryError):
            _verify(case)
    else:
        _verify(case)
