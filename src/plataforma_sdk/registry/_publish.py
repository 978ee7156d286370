"""A publish, step by step. Nothing is stored before `STORE`, and that step is the backend's one atomic act.

So whoever kills it at any point leaves the version whole or not at all, and whoever runs it again gets the same end:
the archive's bytes follow from the package, and the backend takes the very same release twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from plataforma_sdk.errors import IntegrityError, PlataformaError, SecurityScanError, VersionConflictError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry._build import BuiltRelease, build
from plataforma_sdk.registry._parts import Distributor, PackageScanner, ScanVerdict
from plataforma_sdk.registry._records import ModuleIndex, Release
from plataforma_sdk.registry._resolver import Resolver
from plataforma_sdk.registry._steps import PublishProgress, PublishResult, PublishStep
from plataforma_sdk.registry.rules import check_publish, namespace_of
from plataforma_sdk.registry.trust import (
    ATTESTATION,
    BUNDLE,
    BUNDLE_TYPE,
    ROTATIONS,
    SigningKey,
    attest,
    read_attestation,
    read_bundle,
    read_rotations,
)
from plataforma_sdk.registry.trust._rotation import leads

if TYPE_CHECKING:
    from plataforma_sdk.registry._indexes import Indexes
    from plataforma_sdk.registry._protocol import RegistryBackend

__all__ = ["Progress", "Publication"]

Progress: TypeAlias = Callable[[PublishProgress], None]

_ROTATIONS_TYPE: Final = "application/vnd.plataforma.rotations.v1+json"
_SCAN_TYPE: Final = "application/vnd.plataforma.scan.v1+json"
_MAX_SHOWN: Final = 20
_LOG: Final = logger_of("plataforma_sdk.registry")


@attrs.frozen(kw_only=True)
class Publication:
    """One publish of one package, with all that it needs.

    Attributes:
        backend: where it goes.
        indexes: what is there, and what dependencies resolve to.
        scanner: looks at the package.
        distributors: bring it nearer to users.
        signer: signs it; None leaves it unsigned.
        rotations: how the namespace came to that key, published beside it.
        bundle: a sigstore bundle about the archive, published beside it.
        sigstore_root: what the bundle is verified against before that, a file; None for that of the public instance.
        progress: is told of each step.
        now: the time, ISO 8601, UTC.
    """

    backend: RegistryBackend
    indexes: Indexes
    scanner: PackageScanner
    distributors: Sequence[Distributor] = ()
    signer: SigningKey | None = None
    rotations: bytes | None = None
    bundle: bytes | None = None
    sigstore_root: Path | None = None
    progress: Progress = lambda _: None
    now: Callable[[], str] = lambda: datetime.now(UTC).isoformat(timespec="seconds")

    async def run(self, package: ModulePackage, *, dry_run: bool) -> PublishResult:
        """Go through all steps; see `ModuleRegistry.publish` for what it raises."""
        index = await self.indexes.versions(package.id)
        _check_version_is_free(index, package)  # before the steps that take long
        report = await self._scan(package)
        dependencies = await self._resolve(package)
        built = self._sign(package, await self._attach(await self._build(package, dependencies, report)))
        owner = self._owner(index, built.release)
        is_there = check_publish(index, built.release, owner)
        if dry_run:
            return self._result(built.release, built, is_new=not is_there, is_dry_run=True)
        index = await self._store(built, owner)
        release = index.release(package.version)
        if release is None:
            raise IntegrityError(f"{package.id} {package.version}: the registry took it and does not list it")
        url, problems = await self._distribute(release, built)
        problems += await self._find(release)
        return self._result(release, built, url=url, warnings=problems, is_new=not is_there)

    async def _scan(self, package: ModulePackage) -> ScanVerdict:
        self._begin(PublishStep.SCAN)
        report = await self.scanner.scan(package)
        if not report.passed:
            lines = "".join(f"\n  {line}" for line in report.recommendations[:_MAX_SHOWN])
            raise SecurityScanError(
                f"Module {package.id!r} did not pass the security scan (risk: {report.risk_level}); nothing was "
                f"published. Mend these and publish again:{lines}",
                module=package.id,
            )
        self._end(PublishStep.SCAN, f"passed, risk: {report.risk_level}")
        return report

    async def _resolve(self, package: ModulePackage) -> Mapping[str, Release]:
        self._begin(PublishStep.RESOLVE)
        asked = {name: versions.text for name, versions in package.manifest.dependencies.items()}
        found = (await Resolver(self.indexes).resolve(asked)).releases if asked else {}
        shown = ", ".join(f"{item.id} {item.version}" for item in found.values())
        self._end(PublishStep.RESOLVE, shown or "no dependencies")
        return found

    async def _build(
        self, package: ModulePackage, dependencies: Mapping[str, Release], report: ScanVerdict
    ) -> BuiltRelease:
        self._begin(PublishStep.BUILD)
        built = await asyncio.to_thread(build, package, dependencies)
        built = built.attach("scan", json.dumps(report.to_json()).encode(), _SCAN_TYPE)
        built = attrs.evolve(built, release=attrs.evolve(built.release, published_at=self.now()))
        size = built.release.archive.size
        passed = [tier for tier, said in built.checks.items() if said == "passed"]
        self._end(PublishStep.BUILD, f"{size:,} bytes, compiles for {', '.join(passed) or 'the guest alone'}")
        return built

    async def _attach(self, built: BuiltRelease) -> BuiltRelease:
        """Put beside a release what its publisher brought, if readers will believe it."""
        if self.rotations is not None:
            built = built.attach(ROTATIONS, self.rotations, _ROTATIONS_TYPE)
        if self.bundle is not None:
            await asyncio.to_thread(read_bundle, built.release, self.bundle, root=self.sigstore_root)
            built = built.attach(BUNDLE, self.bundle, BUNDLE_TYPE)
        return built

    def _sign(self, package: ModulePackage, built: BuiltRelease) -> BuiltRelease:
        if self.signer is None:
            return built
        release, envelope = attest(built.release, package.files["module.toml"], self.signer)
        read_attestation(release, envelope)  # what no reader would believe is not published
        blobs = {**built.blobs, release.attachments[ATTESTATION].digest: envelope}
        return attrs.evolve(built, release=release, blobs=blobs)

    def _owner(self, index: ModuleIndex, release: Release) -> str | None:
        """Return the key that holds the namespace: the first one's for ever, where it passed it on to the signer.

        The registry keeps naming the key that claimed the namespace; who follows the rotations is the reader.
        """
        if self.rotations is None or index.owner is None:
            return release.publisher
        chain = read_rotations(self.rotations, namespace=namespace_of(release.id))
        is_led_here = bool(chain) and chain[-1].new == release.publisher and leads(chain, index.owner, after=0)
        return index.owner if is_led_here else release.publisher

    async def _store(self, built: BuiltRelease, owner: str | None) -> ModuleIndex:
        self._begin(PublishStep.STORE)
        release = built.release
        index = await self.backend.publish(release, built.blobs, owner=owner)
        self.indexes.accept(index)
        self._end(PublishStep.STORE, f"{len(built.blobs)} blobs, revision {index.revision}")
        return index

    async def _distribute(self, release: Release, built: BuiltRelease) -> tuple[str | None, list[str]]:
        """Hand the release on; what fails here can be done again, the version is published already."""
        self._begin(PublishStep.DISTRIBUTE)
        url: str | None = None
        problems: list[str] = []
        archive = next(data for digest, data in built.blobs.items() if digest == built.release.archive.digest)
        for distributor in self.distributors:
            try:
                url = await distributor(release, archive) or url
            except Exception as error:  # noqa: BLE001 - a plugin's fault must not make a published version look unpublished
                _LOG.warning("%s %s: a distributor failed", release.id, release.version, exc_info=True)
                problems.append(f"it was published and not distributed ({error}): publish again to try that again")
        self._end(PublishStep.DISTRIBUTE, url or f"{len(self.distributors)} distributors")
        return url, problems

    async def _find(self, release: Release) -> list[str]:
        """Look whether a search finds it: backends list it themselves, some of them later."""
        self._begin(PublishStep.INDEX)
        try:
            page = await self.backend.search(release.id)
        except PlataformaError as error:
            self._end(PublishStep.INDEX, "not known")
            return [f"it was published, and the registry cannot search now ({error})"]
        is_found = any(hit.id == release.id for hit in page.hits)
        self._end(PublishStep.INDEX, "found by search" if is_found else "not yet found by search")
        return []

    def _begin(self, step: PublishStep) -> None:
        self.progress(PublishProgress(step=step))

    def _end(self, step: PublishStep, detail: str) -> None:
        self.progress(PublishProgress(step=step, is_done=True, detail=detail))

    def _result(
        self,
        release: Release,
        built: BuiltRelease,
        *,
        is_new: bool,
        url: str | None = None,
        warnings: Sequence[str] = (),
        is_dry_run: bool = False,
    ) -> PublishResult:
        return PublishResult(
            success=not is_dry_run,
            module_id=release.id,
            version=release.version,
            download_url=url or f"{self.backend.url}#{release.id}@{release.version}",
            published_at=release.published_at,
            digest=release.digest,
            archive=release.archive.digest,
            size_bytes=release.archive.size,
            publisher=release.publisher,
            is_new=is_new,
            is_dry_run=is_dry_run,
            attachments=tuple(release.attachments),
            checks=dict(built.checks),
            warnings=tuple(warnings),
        )


def _check_version_is_free(index: ModuleIndex, package: ModulePackage) -> None:
    known = index.release(package.version)
    if known is not None and known.digest != package.digest:
        raise VersionConflictError(
            f"{package.id} {package.version} is published with other content ({known.digest}); versions are "
            "immutable: raise the version in module.toml",
            module=package.id,
        )
