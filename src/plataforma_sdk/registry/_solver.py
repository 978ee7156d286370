"""The search for where the fast path gives up: complete, and it knows why there is no answer.

Version solving by learning from conflicts, on small sets as bit masks. A module's domain is one bit for each release
that may be chosen, in the order of preference, and a last bit for "not chosen". A *clause* maps module ids to masks:
these modules are never in these sets all at once. A conflict resolves its clause with those that led there, until
it says which earlier decision was wrong, or nothing is left: then the facts that it was made of are the explanation.

**Source:** the algorithm of Natalie Weizenbaum's PubGrub, 2018, over finite domains.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Final

import attrs

from plataforma_sdk.registry._candidates import Candidates, range_of, version_of
from plataforma_sdk.registry._greedy import ROOT, Answer
from plataforma_sdk.registry._records import Release

__all__ = ["Contradiction", "Fact", "Solver", "TooHardError"]

_MAX_CONFLICTS: Final = 2_000


class TooHardError(Exception):
    """The search was given up: nobody knows whether there is an answer."""


@attrs.frozen
class Fact:
    """Somebody asks for something.

    Attributes:
        by: id of the module that asks, or `ROOT`.
        versions: of that module, those that ask so.
        id: of the module that is asked for.
        range: of its versions.
    """

    by: str
    versions: tuple[str, ...]
    id: str
    range: str


@attrs.frozen
class Contradiction:
    """Facts that cannot all be met.

    Attributes:
        facts: those that the contradiction was derived from.
    """

    facts: tuple[Fact, ...]


@attrs.frozen(eq=False)
class _Clause:
    """Modules that are never in these sets all at once, and the facts that say so."""

    terms: Mapping[str, int]
    facts: frozenset[Fact]


@attrs.frozen(eq=False)
class _Assignment:
    """A module is in this set: decided, where there is no cause, or because a clause leaves nothing else."""

    id: str
    mask: int
    level: int
    cause: _Clause | None


@attrs.define
class _Domain:
    """What may be chosen of one module."""

    releases: tuple[Release, ...]
    everything: int

    @classmethod
    def of(cls, candidates: Candidates) -> _Domain:
        usable = tuple(release for release in candidates.all if candidates.problem(release) is None)
        return cls(usable, (1 << len(usable) + 1) - 1)

    @property
    def absent(self) -> int:
        return 1 << len(self.releases)

    def inside(self, text: str) -> int:
        """Return the set of the releases in a range."""
        wanted = range_of(text)
        return sum(1 << place for place, item in enumerate(self.releases) if wanted.matches(version_of(item.version)))


class Solver:
    """One search; `run` yields the ids that it must know, as `resolve_greedily` does."""

    def __init__(
        self, requirements: Mapping[str, str], *, hint: Iterable[str] = (), max_conflicts: int = _MAX_CONFLICTS
    ) -> None:
        """Take what is asked for, and in which order to decide: those who ask before those who are asked for.

        In a good order everybody has asked before a module is decided, and nothing needs to be taken back.
        """
        self._requirements = requirements
        self._domains: dict[str, _Domain] = {}
        self._masks: dict[str, int] = {}
        self._trail: list[_Assignment] = []
        self._places: dict[str, list[int]] = {}  # module id -> where it stands in the trail
        self._open: dict[str, None] = {}  # chosen for certain, and not decided; a dict, for its order
        self._level = 0
        self._clauses: dict[str, list[_Clause]] = {}
        self._decided: dict[str, int] = {}
        self._told: set[Fact] = set()
        self._ranks = {module_id: rank for rank, module_id in enumerate(hint)}
        self._conflicts_left = max_conflicts

    def run(self) -> Generator[set[str], Mapping[str, Candidates], Answer | Contradiction]:
        """Search.

        Raises:
            TooHardError: after a great many conflicts.
        """
        changed = yield from self._tell(ROOT, None, self._requirements)
        while True:
            contradiction = self._propagate(changed)
            if contradiction is not None:
                return contradiction
            module_id = self._next()
            if module_id is None:
                return self._answer()
            place = (self._masks[module_id] & -self._masks[module_id]).bit_length() - 1
            release = self._domains[module_id].releases[place]
            changed = yield from self._tell(module_id, release, release.dependencies)
            self._level += 1
            self._decided[module_id] = self._level
            del self._open[module_id]
            self._assign(_Assignment(module_id, 1 << place, self._level, None))
            changed.add(module_id)

    # --- what is known ---

    def _tell(
        self, by: str, release: Release | None, ranges: Mapping[str, str]
    ) -> Generator[set[str], Mapping[str, Candidates], set[str]]:
        """Add a clause for each range that a release, or the caller, asks for; return the modules concerned."""
        unknown = ranges.keys() - self._domains.keys()
        if unknown:
            known = yield unknown
            for module_id in unknown:
                self._domains[module_id] = domain = _Domain.of(known[module_id])
                self._masks[module_id] = domain.everything
                self._places[module_id] = []
        for module_id, text in ranges.items():
            self._tell_one(by, release, module_id, text)
        return set(ranges)

    def _tell_one(self, by: str, release: Release | None, module_id: str, text: str) -> None:
        alike = self._alike(by, module_id, text) if release else ()
        fact = Fact(by, tuple(item.version for _, item in alike), module_id, text)
        if fact in self._told:
            return
        self._told.add(fact)
        domain = self._domains[module_id]
        terms = {module_id: domain.everything & ~domain.inside(text)}
        if alike:
            asking = sum(1 << place for place, _ in alike)
            if by == module_id:  # a module that asks for itself: those of its versions that are not what they ask for
                terms = {by: asking & ~domain.inside(text)}
            else:
                terms[by] = asking
        if all(terms.values()):
            self._add(_Clause(terms, frozenset([fact])))

    def _alike(self, by: str, module_id: str, text: str) -> tuple[tuple[int, Release], ...]:
        """Return the releases that ask for the same: one clause speaks for all of them."""
        return tuple(
            (place, item)
            for place, item in enumerate(self._domains[by].releases)
            if item.dependencies.get(module_id) == text
        )

    def _add(self, clause: _Clause) -> None:
        for module_id in clause.terms:
            self._clauses.setdefault(module_id, []).append(clause)

    # --- what follows ---

    def _propagate(self, changed: set[str]) -> Contradiction | None:
        """Draw every conclusion; a conflict takes decisions back, or, where none is left, ends the search."""
        while changed:
            module_id = min(changed)
            changed.discard(module_id)
            for clause in reversed(self._clauses.get(module_id, [])):
                effect = self._conclude(clause)
                if effect == _CONFLICT:
                    learned = self._learn(clause)
                    if not learned.terms:
                        return Contradiction(tuple(learned.facts))
                    self._add(learned)
                    changed = set(learned.terms)
                    break
                if effect is not None:
                    changed.add(effect)
        return None

    def _conclude(self, clause: _Clause) -> str | None:
        """Exclude the last set of a clause whose others are certain; return whose that was, or `_CONFLICT`."""
        last = _CONFLICT
        for module_id, mask in clause.terms.items():
            now = self._masks[module_id]
            if now & ~mask == 0:
                continue
            if now & mask == 0 or last != _CONFLICT:
                return None
            last = module_id
        if last != _CONFLICT:
            excluded = self._domains[last].everything & ~clause.terms[last]
            self._assign(_Assignment(last, excluded, self._level, clause))
        return last

    def _assign(self, assignment: _Assignment) -> None:
        module_id = assignment.id
        self._places[module_id].append(len(self._trail))
        self._trail.append(assignment)
        self._masks[module_id] &= assignment.mask
        self._note(module_id)

    def _note(self, module_id: str) -> None:
        """Note whether a module is to be decided."""
        is_chosen = not self._masks[module_id] & self._domains[module_id].absent
        if is_chosen and module_id not in self._decided:
            self._open[module_id] = None
        else:
            self._open.pop(module_id, None)

    def _next(self) -> str | None:
        """Return the module to decide: the first in the order, of all that are chosen for certain."""
        last = len(self._ranks)
        return min(self._open, key=lambda module_id: self._ranks.get(module_id, last), default=None)

    def _answer(self) -> Answer:
        return {
            module_id: self._domains[module_id].releases[self._masks[module_id].bit_length() - 1]
            for module_id in self._decided
        }

    # --- what a conflict teaches ---

    def _learn(self, clause: _Clause) -> _Clause:
        """Resolve a clause that is broken with the causes of that, until it says which decision was wrong."""
        self._conflicts_left -= 1
        if self._conflicts_left < 0:
            raise TooHardError
        clause = self._clause(clause.terms, clause.facts)
        while clause.terms:
            place, before = self._breaker(clause)
            breaker = self._trail[place]
            if breaker.cause is None or before < breaker.level:
                self._go_back(before)
                return clause
            clause = self._resolve(clause, breaker.cause, breaker.id)
        return clause

    def _clause(self, terms: Mapping[str, int], facts: frozenset[Fact]) -> _Clause:
        """Make a clause without the terms that are always met."""
        return _Clause({key: mask for key, mask in terms.items() if mask != self._domains[key].everything}, facts)

    def _breaker(self, clause: _Clause) -> tuple[int, int]:
        """Return where the clause became broken, and the level at which everything else of it was so already."""
        found = {module_id: self._reached(module_id, mask) for module_id, mask in clause.terms.items()}
        last = max(found, key=lambda module_id: found[module_id])
        others = [place for module_id, place in found.items() if module_id != last]
        others.append(self._reached(last, clause.terms[last], with_mask=self._trail[found[last]].mask))
        before = max(others)
        return found[last], self._trail[before].level if before >= 0 else 0

    def _reached(self, module_id: str, mask: int, *, with_mask: int | None = None) -> int:
        """Return the place of the first assignment after which a module is in a set; -1 where it is from the start."""
        now = self._domains[module_id].everything & (-1 if with_mask is None else with_mask)
        if now & ~mask == 0:
            return -1
        for place in self._places[module_id]:
            now &= self._trail[place].mask
            if now & ~mask == 0:
                return place
        raise AssertionError(module_id)

    def _resolve(self, clause: _Clause, cause: _Clause, module_id: str) -> _Clause:
        """Join two clauses on a module: if either set of it breaks one of them, so does their union."""
        terms = dict(clause.terms)
        for other, mask in cause.terms.items():
            terms[other] = terms[other] & mask if other in terms else mask
        terms[module_id] = clause.terms[module_id] | cause.terms[module_id]
        return self._clause(terms, clause.facts | cause.facts)

    def _go_back(self, level: int) -> None:
        """Take back every assignment of a later level."""
        self._level = level
        changed: dict[str, None] = {}
        while self._trail and self._trail[-1].level > level:
            gone = self._trail.pop()
            self._places[gone.id].pop()
            changed[gone.id] = None
            if gone.cause is None:
                del self._decided[gone.id]
        for module_id in changed:
            mask = self._domains[module_id].everything
            for place in self._places[module_id]:
                mask &= self._trail[place].mask
            self._masks[module_id] = mask
            self._note(module_id)


_CONFLICT: Final = ""
"""What `_conclude` returns for a clause that is broken: no module has this id."""
