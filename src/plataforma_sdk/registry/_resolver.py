"""Chooses versions: a release of each module that is asked for, and of all that those ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Generator, Iterable, Mapping
from typing import Final, Protocol, TypeVar

from plataforma_sdk import __version__
from plataforma_sdk.errors import ResolutionError
from plataforma_sdk.manifest import Version, dependencies_first
from plataforma_sdk.registry._candidates import Candidates, Conditions, range_of
from plataforma_sdk.registry._explain import explain
from plataforma_sdk.registry._greedy import Answer, resolve_greedily
from plataforma_sdk.registry._lock import EVERYTHING, Lock
from plataforma_sdk.registry._records import ModuleIndex, Release, check_id
from plataforma_sdk.registry._resolution import Resolution
from plataforma_sdk.registry._solver import Contradiction, Fact, Solver, TooHardError
from plataforma_sdk.registry.backends._together import together

__all__ = ["IndexSource", "Resolver"]

_MAX_MODULES: Final = 20_000
_MAX_SUGGESTIONS: Final = 4
_SUGGESTION_CONFLICTS: Final = 50
"""A suggestion that takes more thought than this is not made."""

_T = TypeVar("_T")
_Steps = Generator[set[str], Mapping[str, Candidates], _T]


class IndexSource(Protocol):
    """Where indexes come from; every `RegistryBackend` is one.

    Attributes:
        url: names the registry in messages and in the lock.
    """

    url: str

    async def versions(self, module_id: str) -> ModuleIndex:
        """See `RegistryBackend.versions`."""
        ...


class Resolver:
    """Resolves over one registry.

    The newest release that everybody's range admits is chosen, one for each module. Yanked releases are chosen only
    where the lock names them; prereleases only where a range names one of the same three numbers; releases that
    exclude the tier, or need another version of this library, never. Cycles are allowed.

    >>> from plataforma_sdk.registry.backends import MemoryBackend
    >>> asyncio.run(Resolver(MemoryBackend()).resolve({})).load_order
    ()
    """

    def __init__(self, source: IndexSource, *, tier: str | None = None, sdk: str | None = None) -> None:
        """Take the registry, the tier that the modules will run in if that is known, and the library's version."""
        self._source = source
        self._tier = tier
        self._sdk = Version.parse(sdk or __version__)

    async def resolve(
        self, requirements: Mapping[str, str], *, lock: Lock | None = None, update: Collection[str] = ()
    ) -> Resolution:
        """Choose a release of each module in the closure.

        Where the lock still answers, it does, and the registry is not asked.

        Args:
            requirements: module id -> range.
            lock: what was chosen before: kept where it fits.
            update: ids to choose anew although they are locked; `EVERYTHING` for all.

        Raises:
            PackageNotFoundError: nothing of a module that is asked for here lies in its range.
            ResolutionError: no versions fit together; says who asks for what, and what to change.
            IntegrityError: an index is older than the lock, or says something else.
            RegistryError: the registry cannot be read.
        """
        _check(requirements)
        if lock is not None and not update:
            locked = lock.find(requirements, tier=self._tier, sdk=self._sdk)
            if locked is not None and locked.registry == self._source.url:
                return locked
        return await _Work(self._source, self._conditions(lock, update), lock).resolve(requirements)

    def _conditions(self, lock: Lock | None, update: Collection[str]) -> Conditions:
        kept = {} if lock is None or EVERYTHING in update else lock.modules
        locked = {
            module_id: (module.release.version, module.release.digest)
            for module_id, module in kept.items()
            if module_id not in update
        }
        return Conditions(sdk=self._sdk, tier=self._tier, locked=locked)


class _Work:
    """One resolution: the indexes read so far, and the searches over them."""

    def __init__(self, source: IndexSource, conditions: Conditions, lock: Lock | None) -> None:
        self._source = source
        self._conditions = conditions
        self._lock = lock
        self._known: dict[str, Candidates] = {}
        self._revisions: dict[str, int] = {}

    async def resolve(self, requirements: Mapping[str, str]) -> Resolution:
        answer = await self._run(resolve_greedily(requirements))
        if answer is None:
            found = await self._search(Solver(requirements, hint=await self._order(requirements)), requirements)
            if isinstance(found, Contradiction):
                suggestions = await self._suggest(requirements, found)
                raise explain(found.facts, self._known, suggestions=suggestions, registry=self._source.url)
            answer = found
        revisions = {module_id: self._revisions[module_id] for module_id in answer}
        return Resolution(requirements=requirements, releases=answer, registry=self._source.url, revisions=revisions)

    async def _search(self, solver: Solver, requirements: Mapping[str, str]) -> Answer | Contradiction:
        """Search in a thread: the hardest cases compute for seconds, and the loop has others to serve."""
        try:
            return await self._run(solver.run(), in_thread=True)
        except TooHardError:
            raise ResolutionError(
                f"The search for versions of {', '.join(sorted(requirements))} was given up: too many of them exclude "
                "each other; ask for narrower ranges, or for exact versions of the modules that you know"
            ) from None

    async def _order(self, requirements: Mapping[str, str]) -> Iterable[str]:
        """Order the modules as their newest releases ask for each other: a hint for the search, nothing more."""
        newest: dict[str, Release] = {}
        waiting, seen = set(requirements), set[str]()
        while waiting:
            await self._learn(waiting)
            found = {name: next(self._known[name].fitting(["*"]), None) for name in waiting}
            newest |= {name: release for name, release in found.items() if release is not None}
            following = {name for release in found.values() if release for name in release.dependencies}
            seen |= waiting
            waiting = following - seen
        return reversed(
            dependencies_first(requirements, lambda name: newest[name].dependencies if name in newest else ())
        )

    async def _run(self, steps: _Steps[_T], *, in_thread: bool = False) -> _T:
        """Drive a search, and read the indexes that it asks for."""
        known: Mapping[str, Candidates] | None = None
        while True:
            asked, result = await asyncio.to_thread(_advance, steps, known) if in_thread else _advance(steps, known)
            if asked is None:
                return result[0]
            await self._learn(asked)
            known = self._known

    async def _learn(self, module_ids: set[str]) -> None:
        new = sorted(module_ids - self._known.keys())
        if len(self._known) + len(new) > _MAX_MODULES:
            raise ResolutionError(f"More than {_MAX_MODULES:,} modules ask for each other: ask for fewer")
        for index in await together(self._source.versions, new):
            if self._lock is not None:
                self._lock.check_index(index, self._source.url)
            self._revisions[index.id] = index.revision
            self._known[index.id] = Candidates(index, self._conditions)

    async def _suggest(self, requirements: Mapping[str, str], found: Contradiction) -> list[str]:
        """Try what would come of leaving the version of one module open."""
        suggestions = []
        for fact in _asked_by_the_caller(found)[:_MAX_SUGGESTIONS]:
            wider = {**requirements, fact.id: "*"}
            try:
                answer = await self._search(
                    Solver(wider, hint=await self._order(wider), max_conflicts=_SUGGESTION_CONFLICTS), wider
                )
            except ResolutionError:
                continue
            if isinstance(answer, dict) and fact.id in answer:
                suggestions.append(f"ask for {fact.id} {answer[fact.id].version} in place of {fact.range}")
        return suggestions


def _advance(steps: _Steps[_T], known: Mapping[str, Candidates] | None) -> tuple[set[str] | None, list[_T]]:
    """Go on until more must be known, or to the result, which is in the list then."""
    try:
        asked = next(steps) if known is None else steps.send(known)
        while known is not None and asked <= known.keys():  # a search asks again for what the fast path has read
            asked = steps.send(known)
    except StopIteration as end:
        return None, [end.value]
    return asked, []


def _asked_by_the_caller(found: Contradiction) -> list[Fact]:
    return sorted((fact for fact in found.facts if not fact.by), key=lambda fact: fact.id)


def _check(requirements: Mapping[str, str]) -> None:
    for module_id, text in requirements.items():
        check_id(module_id)
        try:
            range_of(text)
        except ValueError as error:
            raise ResolutionError(f"{module_id}: {error}", module=module_id) from None
