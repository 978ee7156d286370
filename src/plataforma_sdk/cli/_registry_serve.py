"""``plataforma registry serve``."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plataforma_sdk.cli._say import refuse, say
from plataforma_sdk.errors import RegistryError
from plataforma_sdk.logs import JsonLinesFormatter
from plataforma_sdk.web.registry import ServiceOptions, serve

if TYPE_CHECKING:
    from plataforma_sdk.web.registry._server import Listening

__all__ = ["start"]

_COMMAND: Final = "registry serve"


def start(
    options: ServiceOptions, *, host: str, port: int, certificate: Path | None, key: Path | None, grace_s: int
) -> None:
    """Serve until a signal comes."""
    _log_as_json()
    try:
        asyncio.run(
            serve(
                options,
                host=host,
                port=port,
                certificate=str(certificate) if certificate else None,
                key=str(key) if key else None,
                grace_s=grace_s,
                started=lambda listening: _greet(options, listening),
            )
        )
    except RegistryError as error:
        refuse(_COMMAND, error)
    say("Stopped: nothing is under way.")


def _greet(options: ServiceOptions, listening: Listening) -> None:
    say(f"Serving {options.directory} on {listening.url}")
    if listening.is_exposed:
        say(
            "WARNING: other machines can reach this port, and tokens and modules cross the network in the clear. "
            "Give --certificate and --key, or listen on 127.0.0.1 behind a proxy that speaks HTTPS."
        )
    sys.stdout.flush()


def _log_as_json() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLinesFormatter())
    for name in ("plataforma_sdk", "uvicorn"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
