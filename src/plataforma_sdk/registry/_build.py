"""Builds what is published of a package: checked for every tier, with its bill of materials and compressed assets.

The archive holds the author's files byte for byte, so that ``plataforma pack`` and a publish have one digest. What the
manifest leaves open is completed beside it, in the release and in the attachment ``build``. Compiled code is never
published: a check leaves it in the caches of this machine, and each client compiles for itself.
"""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import attrs

from plataforma_sdk.errors import ModuleLoadError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry._assets import compress_assets
from plataforma_sdk.registry._records import BlobRef, Release
from plataforma_sdk.registry._sbom import SBOM_TYPE, write_sbom
from plataforma_sdk.registry._verify import digest_of

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted import CompileCache

__all__ = ["BuiltRelease", "build"]

_BUILD_TYPE: Final = "application/vnd.plataforma.build.v1+json"
_ASSETS_TYPE: Final = "application/vnd.plataforma.assets.v1+zip"
PASSED: Final = "passed"


@attrs.frozen(kw_only=True)
class BuiltRelease:
    """What a build made.

    Attributes:
        release: what will be listed; without time, publisher and signature.
        blobs: digest -> bytes.
        checks: tier -> ``"passed"``, or why it is not among those that the module runs in.
    """

    release: Release
    blobs: Mapping[str, bytes] = attrs.field(repr=False)
    checks: Mapping[str, str]

    def attach(self, name: str, data: bytes, media_type: str) -> BuiltRelease:
        """Return the same with one more attachment."""
        blob = BlobRef(digest_of(data), len(data), media_type)
        release = attrs.evolve(self.release, attachments={**self.release.attachments, name: blob})
        return attrs.evolve(self, release=release, blobs={**self.blobs, blob.digest: data})


def build(package: ModulePackage, dependencies: Mapping[str, Release]) -> BuiltRelease:
    """Check a package and make its release. Blocks: it compiles.

    Args:
        package: what is published.
        dependencies: module id -> the release that its dependencies resolve to now, for the bill of materials.

    Raises:
        ModuleLoadError: a tier that the manifest does not exclude cannot compile it.
        PolicyError: likewise, the tier `restricted`.
    """
    checks = _check_tiers(package)
    archive = package.to_bytes()
    manifest = package.manifest
    release = Release(
        id=package.id,
        version=package.version,
        digest=package.digest,
        archive=BlobRef(digest_of(archive), len(archive)),
        name=manifest.name,
        description=manifest.description,
        licence=manifest.licence,
        authors=manifest.authors,
        sdk=manifest.sdk.text,
        dependencies={name: versions.text for name, versions in manifest.dependencies.items()},
        excluded_tiers=tuple(tier for tier in checks if tier not in package.tiers),
    )
    built = BuiltRelease(release=release, blobs={release.archive.digest: archive}, checks=checks)
    built = built.attach("sbom", write_sbom(package, dependencies), SBOM_TYPE)
    return _with_assets(built, package)


def _with_assets(built: BuiltRelease, package: ModulePackage) -> BuiltRelease:
    assets, compressed = compress_assets(package)
    entry = package.entry_file if package.entry_class is None else f"{package.entry_file}:{package.entry_class}"
    facts = {"entry": entry, "tiers": list(package.tiers), "checks": dict(built.checks), "assets": assets}
    built = built.attach("build", json.dumps(facts, sort_keys=True).encode(), _BUILD_TYPE)
    return built if compressed is None else built.attach("assets", compressed, _ASSETS_TYPE)


def _check_tiers(package: ModulePackage) -> dict[str, str]:
    checks: dict[str, str] = {}
    for tier, check in _CHECKS.items():
        checks[tier] = check(package) if tier in package.tiers else _why_not(package, tier)
    return checks


def _why_not(package: ModulePackage, tier: str) -> str:
    if tier in package.manifest.excluded_tiers:
        return "excluded by the manifest"
    return "WebAssembly runs in wasm" if package.is_component else "wheels run in wasm and trusted"


def _check_trusted(package: ModulePackage) -> str:
    _parse(package, 'add exclude = ["trusted", "restricted"] to module.toml if only a newer Python understands it')
    return PASSED


def _check_restricted(package: ModulePackage) -> str:
    cache = _policy_cache()
    for path, text in package.sources.items():
        cache.compile(text, path, module=package.id)
    return PASSED


def _check_wasm(package: ModulePackage) -> str:
    if package.is_component:
        return _check_binary(package)
    try:
        _parse(package, "")
    except ModuleLoadError:
        return "left to the guest: this host's Python does not understand it"
    return PASSED


def _check_binary(package: ModulePackage) -> str:
    """Validate and compile the binary as the engine would, and look at its imports; its machine code stays here."""
    from plataforma_sdk.sandbox import ResourceLimits
    from plataforma_sdk.sandbox.wasm._foreign_engine import foreign_store_maker

    foreign_store_maker(package.files[package.entry_file], ResourceLimits(), module=package.id)
    return PASSED


def _parse(package: ModulePackage, advice: str) -> None:
    """Compile every source as CPython would. Compiling runs nothing of it."""
    for path, text in package.sources.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # those of the module's source are its author's
                compile(text, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None)
            where = f"{path}:{line}" if line else path
            raise ModuleLoadError(
                f"Module {package.id!r}: {where} is no Python ({getattr(error, 'msg', error)}): correct it"
                + (f", or {advice}" if advice else ""),
                module=package.id,
            ) from None


@functools.cache
def _policy_cache() -> CompileCache:
    """Make the cache whose store on disk the engine `restricted` reads too: what is checked is warm."""
    from plataforma_sdk.sandbox.restricted import CompileCache
    from plataforma_sdk.sandbox.restricted._code_store import default_store

    return CompileCache(store=default_store())


_CHECKS: Final[Mapping[str, Callable[[ModulePackage], str]]] = {
    "trusted": _check_trusted,
    "restricted": _check_restricted,
    "wasm": _check_wasm,
}
