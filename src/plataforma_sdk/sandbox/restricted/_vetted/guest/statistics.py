"""`statistics`, written in the restricted language itself."""

# ruff: noqa: D101, D103, PLR2004 - written as the original is

from typing import Any


class StatisticsError(ValueError):
    pass


def _items(data: Any) -> list[Any]:
    items = list(data)
    if not items:
        raise StatisticsError("no data points")
    return items


def mean(data: Any) -> Any:
    items = _items(data)
    return sum(items) / len(items)


fmean = mean


def median(data: Any) -> Any:
    items = sorted(_items(data))
    middle = len(items) // 2
    return items[middle] if len(items) % 2 else (items[middle - 1] + items[middle]) / 2


def median_low(data: Any) -> Any:
    items = sorted(_items(data))
    return items[(len(items) - 1) // 2]


def median_high(data: Any) -> Any:
    items = sorted(_items(data))
    return items[len(items) // 2]


def mode(data: Any) -> Any:
    return multimode(_items(data))[0]


def multimode(data: Any) -> list[Any]:
    counts: dict[Any, int] = {}
    for item in data:
        counts[item] = counts.get(item, 0) + 1
    most = max(counts.values(), default=0)
    return [item for item, times in counts.items() if times == most]


def _squares(items: list[Any]) -> Any:
    middle = sum(items) / len(items)
    return sum([(item - middle) ** 2 for item in items])


def pvariance(data: Any) -> Any:
    items = _items(data)
    return _squares(items) / len(items)


def variance(data: Any) -> Any:
    items = _items(data)
    if len(items) < 2:
        raise StatisticsError("variance requires at least two data points")
    return _squares(items) / (len(items) - 1)


def pstdev(data: Any) -> Any:
    return pvariance(data) ** 0.5


def stdev(data: Any) -> Any:
    return variance(data) ** 0.5


def quantiles(data: Any, *, n: int = 4) -> list[Any]:
    items = sorted(_items(data))
    made = []
    for i in range(1, n):
        place = i * (len(items) + 1)
        low = min(max(place // n, 1), len(items) - 1)
        share = place - low * n
        made.append((items[low - 1] * (n - share) + items[low] * share) / n)
    return made
