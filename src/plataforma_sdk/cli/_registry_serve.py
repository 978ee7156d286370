"""``plataforma registry serve``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Iterator
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
    serving = serve(
        options,
        host=host,
        port=port,
        certificate=str(certificate) if certificate else None,
        key=str(key) if key else None,
        grace_s=grace_s,
        started=lambda listening: _greet(options, listening),
    )
    try:
        with _logging_as_json():
            asyncio.run(serving)
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


@contextlib.contextmanager
def _logging_as_json() -> Iterator[None]:
    """Write what the block logs as lines of JSON to standard error; afterwards the loggers are as they were."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLinesFormatter())
    loggers = [logging.getLogger(name) for name in ("plataforma_sdk", "uvicorn")]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, level, propagates in before:
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagates
