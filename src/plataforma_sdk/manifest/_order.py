"""The order to load modules in."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["dependencies_first"]


def dependencies_first(roots: Iterable[str], dependencies_of: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
    """Order ids, those that others depend on before these; in a cycle, where it is met first decides.

    >>> needs = {"vendas": ["clientes", "base"], "clientes": ["base"], "base": []}
    >>> dependencies_first(["vendas"], lambda name: needs[name])
    ('base', 'clientes', 'vendas')
    """
    order: dict[str, None] = {}
    opened: set[str] = set()
    waiting = list(reversed(list(roots)))
    while waiting:
        module_id = waiting[-1]
        if module_id in opened:
            order.setdefault(waiting.pop())
            continue
        opened.add(module_id)
        waiting.extend(name for name in sorted(dependencies_of(module_id), reverse=True) if name not in opened)
    return tuple(order)
