"""The bill of materials of a release: CycloneDX 1.6, JSON, the same bytes for the same content.

Source: CycloneDX 1.6 JSON reference; purl specification, types ``pypi`` and ``generic``.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry._records import Release
from plataforma_sdk.registry._verify import digest_of

__all__ = ["SBOM_TYPE", "write_sbom"]

SBOM_TYPE: Final = "application/vnd.cyclonedx+json; version=1.6"
_RUNS: Final = re.compile(r"[-_.]+")


def write_sbom(package: ModulePackage, dependencies: Mapping[str, Release]) -> bytes:
    """Write what a package is made of: itself, its wheels, and the releases that its dependencies resolve to.

    No time and no tool's version stand in it, so that anybody can make it again and compare.
    """
    wheels = [_wheel(name, data) for name, data in sorted(package.wheels.items())]
    modules = [_module(release) for _, release in sorted(dependencies.items())]
    direct = [_ref(dependencies[name]) for name in package.manifest.dependencies if name in dependencies]
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{package.id}@{package.version}#{package.digest}")
    data = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{identity}",
        "version": 1,
        "metadata": {"component": _itself(package)},
        "components": [*wheels, *modules],
        "dependencies": [
            {"ref": _purl(package.id, package.version), "dependsOn": [*(item["bom-ref"] for item in wheels), *direct]},
            *_edges(dependencies),
        ],
    }
    return json.dumps(data, indent=1, ensure_ascii=False).encode()


def _itself(package: ModulePackage) -> dict[str, Any]:
    manifest = package.manifest
    component = _component("application", package.id, package.version, _purl(package.id, package.version))
    component["description"] = manifest.description
    component["hashes"] = _hashes(package.digest)
    component["licenses"] = [{"expression": manifest.licence}] if manifest.licence else []
    component["authors"] = [{"name": name} for name in manifest.authors]
    return {key: value for key, value in component.items() if value}


def _module(release: Release) -> dict[str, Any]:
    component = _component("library", release.id, release.version, _ref(release))
    component["hashes"] = _hashes(release.archive.digest)
    component["licenses"] = [{"expression": release.licence}] if release.licence else []
    return {key: value for key, value in component.items() if value}


def _wheel(name: str, data: bytes) -> dict[str, Any]:
    distribution, version = [*name.split("-"), "0"][:2]
    normal = _RUNS.sub("-", distribution).lower()
    return {
        **_component("library", normal, version, f"pkg:pypi/{normal}@{version}"),
        "hashes": _hashes(digest_of(data)),
    }


def _component(kind: str, name: str, version: str, ref: str) -> dict[str, Any]:
    return {"type": kind, "bom-ref": ref, "name": name, "version": version, "purl": ref}


def _edges(dependencies: Mapping[str, Release]) -> Iterable[dict[str, Any]]:
    for _, release in sorted(dependencies.items()):
        needs = [_ref(dependencies[name]) for name in sorted(release.dependencies) if name in dependencies]
        yield {"ref": _ref(release), "dependsOn": needs}


def _ref(release: Release) -> str:
    return _purl(release.id, release.version)


def _purl(module_id: str, version: str) -> str:
    return f"pkg:generic/{module_id}@{version.replace('+', '%2B')}"


def _hashes(digest: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}]
