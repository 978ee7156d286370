"""Says to a person why no versions fit together: who asks for what, why nothing meets it, what to change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from plataforma_sdk.errors import PackageNotFoundError, RegistryError, ResolutionError
from plataforma_sdk.registry._candidates import Candidates, range_of, version_of
from plataforma_sdk.registry._greedy import ROOT
from plataforma_sdk.registry._solver import Fact

__all__ = ["explain"]

_SHOWN = 6
"""How many versions, or reasons, a line names."""


def explain(
    facts: Iterable[Fact], known: Mapping[str, Candidates], *, suggestions: Sequence[str], registry: str
) -> RegistryError:
    """Write the error for facts that contradict each other."""
    ordered = _from_the_caller_on(facts)
    alone = ordered[0]
    if len(ordered) == 1 and not _problems(known[alone.id], [alone.range]):
        return _not_found(known[alone.id], alone.range, registry)
    asked_for = dict.fromkeys(fact.id for fact in ordered)
    culprits = [line for module_id in asked_for if (line := _why(module_id, ordered, known))]
    lines = [f"No versions in {registry} fit together:", *(f"  - {_sentence(fact)}" for fact in ordered)]
    lines += [f"  so {line}" if number == 0 else f"  and {line}" for number, line in enumerate(culprits)]
    advice = suggestions or [_last_resort(ordered)]
    lines.append(f"To change that, {'; or '.join(advice)}")
    return ResolutionError(
        "\n".join(lines),
        module=ordered[-1].id,
        requirements=[(_who(fact), fact.id, fact.range) for fact in ordered],
        suggestions=advice,
    )


def _from_the_caller_on(facts: Iterable[Fact]) -> list[Fact]:
    """Order facts so that each module is asked for before it asks."""
    waiting = sorted(facts, key=lambda fact: (fact.by, fact.id, fact.range, fact.versions))
    reached, ordered = {ROOT}, []
    while waiting:
        fact = next((fact for fact in waiting if fact.by in reached), waiting[0])
        waiting.remove(fact)
        reached.add(fact.id)
        ordered.append(fact)
    return ordered


def _not_found(candidates: Candidates, text: str, registry: str) -> PackageNotFoundError:
    module_id, versions = candidates.id, [release.version for release in candidates.all]
    if not versions:
        message = f"{registry} has no module {module_id!r}: check its name with search, or name another registry"
    else:
        message = f"{module_id}: no version lies in {text!r}; there {_are(versions)}: ask for one of those"
    return PackageNotFoundError(message, module=module_id)


def _sentence(fact: Fact) -> str:
    if fact.by == ROOT:
        return f"you ask for {fact.id} {fact.range}"
    return f"{_who(fact)} {'asks' if len(fact.versions) == 1 else 'ask'} for {fact.id} {fact.range}"


def _who(fact: Fact) -> str:
    return f"{fact.by} {_listing(fact.versions)}" if fact.by != ROOT else ROOT


def _why(module_id: str, facts: list[Fact], known: Mapping[str, Candidates]) -> str | None:
    """Say why nothing of a module meets all that is asked of it; None where something does."""
    candidates = known[module_id]
    ranges = list(dict.fromkeys(fact.range for fact in facts if fact.id == module_id))
    if next(candidates.fitting(ranges), None) is not None:
        return None
    if not candidates.all:
        return f"there is no module {module_id!r}"
    where, problems = " and in ".join(ranges), _problems(candidates, ranges)
    if problems:
        return f"nothing of {module_id} in {where} may be chosen: {'; '.join(problems)}"
    return f"no version of {module_id} lies in {where}; there {_are([item.version for item in candidates.all])}"


def _problems(candidates: Candidates, ranges: Sequence[str]) -> list[str]:
    """Return why the versions that lie in the ranges may not be chosen."""
    wanted = [range_of(text) for text in ranges]
    inside = [item for item in candidates.all if all(one.matches(version_of(item.version)) for one in wanted)]
    return [f"{item.version} {problem}" for item in inside[:_SHOWN] if (problem := candidates.problem(item))]


def _last_resort(facts: list[Fact]) -> str:
    asking = sorted({fact.by for fact in facts if fact.by != ROOT})
    if not asking:
        return "ask for other ranges"
    return f"ask whoever publishes {' or '.join(asking)} for a version that takes what there is"


def _are(versions: Sequence[str]) -> str:
    return f"{'is' if len(versions) == 1 else 'are'} {_listing(versions)}"


def _listing(versions: Sequence[str]) -> str:
    more = len(versions) - _SHOWN
    return ", ".join(versions[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
