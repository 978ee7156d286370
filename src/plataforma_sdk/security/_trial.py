"""The performance scan: a trial load in `wasm`, with a bridge that grants nothing."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import attrs

from plataforma_sdk.errors import (
    GuestError,
    HostCallError,
    ManifestError,
    ModuleLoadError,
    PermissionDeniedError,
    PlataformaError,
    ResourceLimitError,
    SandboxCrashedError,
)
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.sandbox import ModuleSandbox, ResourceLimits
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._scanner import ScanReport, ScanRequest

__all__ = ["TrialScanner"]

_MANIFEST: Final = "module.toml"


class TrialScanner:
    """Loads the module once, behind the hard boundary, in a host without permissions and services.

    A module that asks its host for something is refused there and goes no further: what it did until then is measured.
    Always in `wasm`: this is the one scan that runs what it is given.

    Args:
        is_on: whether to load it at all.
    """

    name = "performance"

    def __init__(self, *, is_on: bool = True) -> None:
        self._is_on = is_on

    async def scan(self, request: ScanRequest) -> ScanReport:
        """Load the module, and measure."""
        if not self._is_on:
            return ScanReport(not_run="trial loads are off: SecurityService(trial=True)")
        if "wasm" in request.package.manifest.excluded_tiers:
            return ScanReport(
                not_run="the manifest excludes wasm, and a trial load runs nowhere else: take 'wasm' off exclude"
            )
        try:
            from plataforma_sdk.sandbox.wasm import compiled_runner

            await asyncio.to_thread(compiled_runner)  # what every host has ready is not this module's to pay
        except (PlataformaError, RuntimeError, OSError) as error:
            return ScanReport(
                not_run=f"the wasm engine does not start here: {error}; see `plataforma engine info`"[:400]
            )
        return await _load(request)


async def _load(request: ScanRequest) -> ScanReport:
    limits = ResourceLimits(max_call_ms=max(1, int(request.policy.timeout_s * 500)))
    try:
        sandbox = ModuleSandbox(request.package, engine="wasm", limits=limits)
    except ManifestError as error:
        return ScanReport(not_run=f"it needs a configuration to load: {error}"[:400])
    trial = _Trial(request.package)
    started = time.perf_counter()
    try:
        await sandbox.__aenter__()
    except PlataformaError as error:
        trial.ended_by(error)
    finally:
        trial.metrics["load_ms"] = round((time.perf_counter() - started) * 1e3, 2)
        await sandbox.aclose()
    usage = sandbox.usage
    trial.metrics |= {"fuel": usage.fuel, "memory_peak_bytes": usage.memory_peak_bytes, "host_calls": usage.host_calls}
    trial.weigh(request)
    return ScanReport(issues=trial.issues, metrics=trial.metrics)


@attrs.define
class _Trial:
    """What a trial load comes to."""

    package: ModulePackage
    issues: list[Issue] = attrs.field(factory=list)
    metrics: dict[str, Any] = attrs.field(factory=dict)

    def ended_by(self, error: PlataformaError) -> None:
        """Judge an error by what it says about the module, and not about the host that refused it."""
        if isinstance(error, PermissionDeniedError):
            self.metrics["stopped_at"] = error.permission
        elif isinstance(error, HostCallError) and error.type_name == "UnknownMethod":
            self.metrics["stopped_at"] = error.message[:200]
        elif isinstance(error, ResourceLimitError):
            self._add("trial-limit", f"the trial load broke its {error.resource} limit: {error.message}")
        elif isinstance(error, (ModuleLoadError, SandboxCrashedError)) or (
            isinstance(error, GuestError) and "ModuleNotFoundError" in error.message
        ):
            self._add("trial-unloadable", error.message)
        else:
            self._add("trial-raised", error.message)

    def weigh(self, request: ScanRequest) -> None:
        """Hold what was measured against the policy."""
        policy = request.policy
        for name, limit in (
            ("load_ms", policy.max_load_ms),
            ("fuel", policy.max_load_fuel),
            ("memory_peak_bytes", policy.max_load_memory_bytes),
        ):
            if self.metrics[name] > limit:
                self._add("slow-load", f"loading took {name} {self.metrics[name]:,}, and {limit:,.0f} is admitted")

    def _add(self, rule: str, message: str) -> None:
        path = self.package.entry_file if rule != "slow-load" else _MANIFEST
        self.issues.append(Issue.of(rule, path, None, " ".join(message.split())))


def _lacks_a_module(error: PlataformaError) -> bool:
    return isinstance(error, GuestError) and "ModuleNotFoundError" in error.message
