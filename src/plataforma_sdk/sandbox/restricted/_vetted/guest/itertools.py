"""`itertools`, written in the restricted language itself."""

# ruff: noqa: D101, D102, D103, N801, PLR2004 - written as the original is

from typing import Any


class chain:
    def __init__(self, *iterables: Any) -> None:
        self._items = _chained(iterables)

    def __iter__(self) -> Any:
        return self._items

    def __next__(self) -> Any:
        return next(self._items)

    @staticmethod
    def from_iterable(iterables: Any) -> Any:
        return _chained(iterables)


def _chained(iterables: Any) -> Any:
    for iterable in iterables:
        yield from iterable


def count(start: Any = 0, step: Any = 1) -> Any:
    while True:
        yield start
        start = start + step


def cycle(iterable: Any) -> Any:
    items = list(iterable)
    while items:
        yield from items


def repeat(value: Any, times: Any = None) -> Any:
    if times is None:
        while True:
            yield value
    for _ in range(times):
        yield value


def accumulate(iterable: Any, func: Any = None, *, initial: Any = None) -> Any:
    total = initial
    is_first = initial is None
    if not is_first:
        yield total
    for item in iterable:
        if is_first:
            total, is_first = item, False
        else:
            total = total + item if func is None else func(total, item)
        yield total


def batched(iterable: Any, n: int) -> Any:
    batch = []
    for item in iterable:
        batch.append(item)
        if len(batch) == n:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)


def compress(data: Any, selectors: Any) -> Any:
    for item, keep in zip(data, selectors, strict=False):
        if keep:
            yield item


def dropwhile(predicate: Any, iterable: Any) -> Any:
    is_dropping = True
    for item in iterable:
        if is_dropping and predicate(item):
            continue
        is_dropping = False
        yield item


def takewhile(predicate: Any, iterable: Any) -> Any:
    for item in iterable:
        if not predicate(item):
            break
        yield item


def filterfalse(predicate: Any, iterable: Any) -> Any:
    for item in iterable:
        if not (item if predicate is None else predicate(item)):
            yield item


def groupby(iterable: Any, key: Any = None) -> Any:
    group: list[Any] = []
    current = None
    for item in iterable:
        value = item if key is None else key(item)
        if group and value != current:
            yield current, iter(group)
            group = []
        current = value
        group.append(item)
    if group:
        yield current, iter(group)


def islice(iterable: Any, *bounds: Any) -> Any:
    if not bounds or len(bounds) > 3:
        bound = "at most 4" if bounds else "at least 2"
        raise TypeError(f"islice expected {bound} arguments, got {len(bounds) + 1}")
    start, stop, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, None, None)[:3]
    for bound, what in ((stop, "Stop argument"), (start, "Indices")):
        if bound is not None and (not isinstance(bound, int) or bound < 0):
            raise ValueError(f"{what} for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
    if step is not None and (not isinstance(step, int) or step < 1):
        raise ValueError("Step for islice() must be a positive integer or None.")
    return _sliced(iter(iterable), start or 0, stop, 1 if step is None else step)


def _sliced(items: Any, start: int, stop: Any, step: int) -> Any:
    """Take what lies before `stop` from the iterator, and no more: what follows is somebody else's."""
    end = None if stop is None else max(start, stop)
    if end == 0:
        return
    at = 0
    for item in items:
        is_wanted = at >= start and (at - start) % step == 0 and (stop is None or at < stop)
        at = at + 1
        if is_wanted:
            yield item
        if end is not None and at >= end:
            return


def pairwise(iterable: Any) -> Any:
    is_first = True
    before = None
    for item in iterable:
        if not is_first:
            yield before, item
        before, is_first = item, False


def product(*iterables: Any, repeat: int = 1) -> Any:
    pools = [tuple(pool) for pool in iterables] * repeat
    made: list[Any] = [()]
    for pool in pools:
        made = [(*prefix, item) for prefix in made for item in pool]
    yield from made


def permutations(iterable: Any, r: Any = None) -> Any:
    pool = tuple(iterable)
    size = len(pool) if r is None else r
    for indices in product(range(len(pool)), repeat=size):
        if len(set(indices)) == size:
            yield tuple([pool[i] for i in indices])


def combinations(iterable: Any, r: int) -> Any:
    pool = tuple(iterable)
    indices = list(range(r))
    if r > len(pool):
        return
    yield tuple([pool[i] for i in indices])
    while True:
        place = r - 1
        while place >= 0 and indices[place] == place + len(pool) - r:
            place -= 1
        if place < 0:
            return
        indices[place] += 1
        for following in range(place + 1, r):
            indices[following] = indices[following - 1] + 1
        yield tuple([pool[i] for i in indices])


def combinations_with_replacement(iterable: Any, r: int) -> Any:
    pool = tuple(iterable)
    if r and not pool:
        return
    indices = [0] * r
    yield tuple([pool[i] for i in indices])
    while True:
        place = r - 1
        while place >= 0 and indices[place] == len(pool) - 1:
            place -= 1
        if place < 0:
            return
        indices[place:] = [indices[place] + 1] * (r - place)
        yield tuple([pool[i] for i in indices])


def starmap(function: Any, iterable: Any) -> Any:
    for arguments in iterable:
        yield function(*arguments)


def zip_longest(*iterables: Any, fillvalue: Any = None) -> Any:
    return _zipped([iter(iterable) for iterable in iterables], fillvalue)


def _zipped(running: list[Any], fillvalue: Any) -> Any:
    left = len(running)
    while left:
        row = []
        for number, items in enumerate(running):
            value = fillvalue
            if items is not None:
                value = next(items, _END)
                if value is _END:
                    left, running[number], value = left - 1, None, fillvalue
                    if not left:
                        return
            row.append(value)
        yield tuple(row)


class _End:
    pass


_END = _End()


def tee(iterable: Any, n: int = 2) -> Any:
    if n < 0:
        raise ValueError("n must be >= 0")
    items = iter(iterable)
    kept: list[Any] = []
    return tuple([_branch(items, kept) for _ in range(n)])


def _branch(items: Any, kept: list[Any]) -> Any:
    at = 0
    while True:
        if at == len(kept):
            value = next(items, _END)
            if value is _END:
                return
            kept.append(value)
        yield kept[at]
        at = at + 1
