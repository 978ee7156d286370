"""`heapq`, written in the restricted language itself."""

# ruff: noqa: D103 - written as the original is

from typing import Any


def heappush(heap: Any, item: Any) -> None:
    heap.append(item)
    place = len(heap) - 1
    while place > 0:
        parent = (place - 1) // 2
        if not heap[place] < heap[parent]:
            break
        heap[place], heap[parent] = heap[parent], heap[place]
        place = parent


def heappop(heap: Any) -> Any:
    last = heap.pop()
    if not heap:
        return last
    first, heap[0] = heap[0], last
    _sink(heap, 0)
    return first


def _sink(heap: Any, place: int) -> None:
    while True:
        child = 2 * place + 1
        if child >= len(heap):
            return
        if child + 1 < len(heap) and heap[child + 1] < heap[child]:
            child = child + 1
        if not heap[child] < heap[place]:
            return
        heap[place], heap[child] = heap[child], heap[place]
        place = child


def heapify(heap: Any) -> None:
    for place in range(len(heap) // 2 - 1, -1, -1):
        _sink(heap, place)


def nlargest(n: int, items: Any, key: Any = None) -> list[Any]:
    return sorted(items, key=key, reverse=True)[:n]


def nsmallest(n: int, items: Any, key: Any = None) -> list[Any]:
    return sorted(items, key=key)[:n]
