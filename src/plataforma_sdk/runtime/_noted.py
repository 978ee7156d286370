"""Keeps account of what a module registers, so that a snapshot of its memory can say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plataforma_sdk.sandbox import REGISTERING, Registrations

__all__ = ["noted"]


def noted(services: Mapping[str, Callable[..., Any]], kept: Registrations) -> dict[str, Callable[..., Any]]:
    """Return the services, those that register something with a note of it where they succeed."""
    wrapped = {method: _noting(method, services[method], kept) for method in REGISTERING if method in services}
    return {**services, **wrapped}


def _noting(method: str, serve: Callable[..., Any], kept: Registrations) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        result = serve(*args)
        kept.note(method, list(args))
        return result

    return call
