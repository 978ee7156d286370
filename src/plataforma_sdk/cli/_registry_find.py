"""``plataforma search`` and ``plataforma info``: what there is in a registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from plataforma_sdk.cli._registry_use import DEFAULT_REGISTRY, JsonOption, RegistryOption, again, split_target, use
from plataforma_sdk.cli._say import refuse, say, say_json, say_line

if TYPE_CHECKING:
    from plataforma_sdk.registry import ModuleIndex, Release

__all__ = ["info_command", "search_command"]

_MAX_CHARS = 100


def search_command(
    words: Annotated[list[str] | None, typer.Argument(help="Words of id, name or description; none lists all.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many to show.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="How many to leave out before.")] = 0,
    registry: RegistryOption = DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """Find modules; accents and case do not count.

    Exit codes: 0 something was found; 1 nothing was, or the registry cannot be reached; 2 wrong use.
    """
    import attrs

    query = " ".join(words or [])
    page = use("search", registry, lambda there: there.search(query, limit=limit, offset=offset))
    if as_json:
        say_json({"total": page.total, "offset": offset, "hits": [attrs.asdict(hit) for hit in page.hits]})
        return
    if not page.hits:
        refuse("search", _nothing(query, offset, registry))
    for hit in page.hits:
        about = hit.description or hit.name
        say(f"{hit.id} {hit.version}  {' '.join(about.split())[:_MAX_CHARS]}")
    if page.total > offset + len(page.hits):
        rest = again("search", *(words or []), "--offset", str(offset + len(page.hits)), registry=registry)
        say(f"{page.total:,} in all; more: {rest}")
    else:
        say(f"Look at one: {again('info', page.hits[0].id, registry=registry)}")


def _nothing(query: str, offset: int, registry: str) -> str:
    if not query and not offset:
        return f"there is nothing in {registry}: publish a module there, or name another one with --registry"
    return f"nothing {'more ' if offset else ''}was found for {query!r}: try fewer words, or none for all"


def info_command(
    target: Annotated[str, typer.Argument(metavar="ID[@RANGE]", help="The module; with a range, those versions only.")],
    registry: RegistryOption = DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """Show what a registry says about a module: versions, newest first, with digests, dependencies and who signed.

    Exit codes: 0 shown; 1 there is no such module or version, or the registry cannot be reached; 2 wrong use.
    """
    from plataforma_sdk.manifest import VersionRange

    module_id, text = split_target("info", target)
    index = use("info", registry, lambda there: there.versions(module_id))
    wanted = VersionRange.parse(text)
    shown = [item for item in reversed(index.releases) if text == "*" or wanted.matches(item.version)]
    if not shown:
        have = ", ".join(item.version for item in index.releases)
        looking = again("search", registry=registry)
        refuse("info", f"{target} is not there; {f'there are {have}' if have else f'look what is: {looking}'}")
    if as_json:
        data = index.to_data()
        say_json({**data, "releases": [item.to_data() for item in shown]})
        return
    for line in _lines(index, shown):
        say_line(line)
    newest = next((item for item in shown if item.yanked is None), None)
    if newest is not None:
        say(f"Install it: {again('install', f'{module_id}@^{newest.version}', registry=registry)}")


def _lines(index: ModuleIndex, shown: list[Release]) -> Iterator[str]:
    newest = shown[0]
    yield f"{newest.name or index.id}, {index.id}"
    yield from (f"| {line}" for line in newest.description.splitlines())  # else it could be taken for what follows
    yield f"Owner    {index.owner or 'no key: whoever may write to this registry publishes it'}"
    yield f"Licence  {newest.licence or 'not stated'}"
    yield f"Authors  {', '.join(newest.authors) or 'not stated'}"
    for item in shown:
        yield ""
        yanked = "" if item.yanked is None else f"  yanked: {item.yanked or 'no reason given'}"
        yield f"{item.version}  {item.published_at}  {item.archive.size:,} bytes{yanked}"
        yield f"  {item.digest}"
        yield f"  signed by {item.publisher or 'nobody'}; beside it: {', '.join(item.attachments) or 'nothing'}"
        if item.dependencies:
            yield f"  depends on {', '.join(f'{name} {text}' for name, text in item.dependencies.items())}"
        if item.excluded_tiers:
            yield f"  does not run in {', '.join(item.excluded_tiers)}"
