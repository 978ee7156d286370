"""`copy`, written in the restricted language itself: containers are copied, objects are shared."""

# ruff: noqa: D103 - written as the original is

from typing import Any


def copy(value: Any) -> Any:
    return value.copy() if isinstance(value, (list, dict, set)) else value


def deepcopy(value: Any) -> Any:
    if isinstance(value, list):
        return [deepcopy(item) for item in value]
    if isinstance(value, tuple):
        return tuple([deepcopy(item) for item in value])
    if isinstance(value, dict):
        return {key: deepcopy(item) for key, item in value.items()}
    if isinstance(value, set):
        return {deepcopy(item) for item in value}
    return value
