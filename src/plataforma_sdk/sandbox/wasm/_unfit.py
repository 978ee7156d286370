"""Says why a third party's binary does not fit: each import by name, bounded, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from plataforma_sdk.errors import ModuleLoadError

__all__ = ["shown", "unfit_error", "unprovided"]

_MAX_NAME_CHARS: Final = 120
_MAX_NAMES: Final = 10
_MAX_PROBLEMS: Final = 20


def shown(name: str) -> str:
    """Quote a name that anybody may have chosen: bounded, and without what would forge a line of a log. CWE-117."""
    return ascii(name[:_MAX_NAME_CHARS])


def unprovided(imports: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Write ``(name, advice)`` of imports that nobody provides, one problem for each advice."""
    by_advice: dict[str, list[str]] = {}
    for name, advice in imports:
        by_advice.setdefault(advice, []).append(shown(name))
    for advice, names in by_advice.items():
        more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
        verb = "is" if len(names) == 1 else "are"
        yield f"it imports {', '.join(names[:_MAX_NAMES])}{more}, which {verb} not provided: {advice}"


def unfit_error(problems: Sequence[str], *, module: str) -> ModuleLoadError:
    """Write all problems as one error."""
    text = "; ".join(problems[:_MAX_PROBLEMS])
    return ModuleLoadError(f"Module {module!r} does not fit this host: {text}", module=module)
