"""The contract between the service and its scanners, a plugin's among them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol, runtime_checkable

import attrs

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.security._facts import Facts
from plataforma_sdk.security._flow import read_facts
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._linking import link
from plataforma_sdk.security._policy import ScanPolicy
from plataforma_sdk.security._source import Source, read_sources

__all__ = ["ScanReport", "ScanRequest", "Scanner"]

MAX_ISSUES: Final = 1_000
"""That a scanner reports: a package may be made to have millions."""


def _bounded(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    return tuple(itertools.islice(issues, MAX_ISSUES))


@attrs.frozen(kw_only=True)
class ScanReport:
    """What a scanner hands back.

    Attributes:
        issues: what it found.
        metrics: what it measured, plain data.
        not_run: why it did not run, and what would make it; empty where it ran.
    """

    issues: tuple[Issue, ...] = attrs.field(default=(), converter=_bounded)
    metrics: Mapping[str, Any] = attrs.field(factory=dict)
    not_run: str = ""


@runtime_checkable
class Scanner(Protocol):
    """Looks at packages for one kind of thing. It never runs what it is given, and may raise: then the scan failed.

    Attributes:
        name: of the scan: ``"malware"``.
    """

    name: str

    async def scan(self, request: ScanRequest) -> ScanReport:
        """Look at a package. Long work belongs into a thread, and asks `ScanRequest.check_time` now and then."""


@attrs.define(kw_only=True)
class ScanRequest:
    """One package to scan, read once for all scanners.

    Attributes:
        package: what to scan.
        policy: what is demanded of it.
        sources: its Python files, those inside its wheels included.
        facts: path -> what one pass over that file's tree has found.
        unreadable: issues about files that could not be read.
        deadline: on the monotonic clock.
    """

    package: ModulePackage
    policy: ScanPolicy
    sources: tuple[Source, ...] = ()
    facts: dict[str, Facts] = attrs.field(factory=dict)
    unreadable: list[Issue] = attrs.field(factory=list)
    deadline: float

    @classmethod
    def read(cls, package: ModulePackage, policy: ScanPolicy) -> ScanRequest:
        """Parse the package's sources, and pass once over each.

        Raises:
            TimeoutError: it takes longer than the policy gives.
        """
        request = cls(package=package, policy=policy, deadline=time.monotonic() + policy.timeout_s)
        request.sources = read_sources(package)
        for source in request.sources:
            request.check_time()
            request.unreadable += request._facts_of(source)
        own = {path: facts for path, facts in request.facts.items() if path in package.sources}
        if len(own) > 1:
            link(own, request.check_time)
        return request

    def _facts_of(self, source: Source) -> Iterator[Issue]:
        if source.tree is None:
            is_own = source.path in self.package.sources
            rule = "syntax" if is_own and source.line is not None else "unreadable"
            yield Issue.of(rule, source.path, source.line, source.problem)
            return
        try:
            self.facts[source.path] = read_facts(source.tree)
        except RecursionError:
            yield Issue.of("unreadable", source.path, None, "its expressions are nested too deeply to be analysed")

    def check_time(self) -> None:
        """Go on, or give up.

        Raises:
            TimeoutError: the time of the scan is over.
        """
        if time.monotonic() > self.deadline:
            raise TimeoutError(f"it took longer than {self.policy.timeout_s:g} s")
