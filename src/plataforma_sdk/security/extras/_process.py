"""Runs a tool of the index over copies of a package's sources."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from plataforma_sdk.security._scanner import ScanRequest

__all__ = ["is_installed", "run_tool"]

_MAX_ANSWER_CHARS: Final = 50_000_000


def is_installed(module: str) -> bool:
    """Whether this interpreter can import a module; it is not imported."""
    return importlib.util.find_spec(module) is not None


async def run_tool(module: str, arguments: list[str], request: ScanRequest) -> Any:
    """Run ``python -m module arguments`` where the package's own sources lie, and return the JSON that it prints.

    Raises:
        RuntimeError: it printed none.
        TimeoutError: it took too long; it is ended.
    """
    with tempfile.TemporaryDirectory(prefix="plataforma-scan-") as directory:
        await asyncio.to_thread(_write, Path(directory), request)
        # -I: a source named like a module of the tool would otherwise be imported in its place
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", module, *arguments),
            cwd=directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(request.policy.timeout_s):
                output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    try:
        return json.loads(output[:_MAX_ANSWER_CHARS])
    except ValueError:
        raise RuntimeError(f"{module} printed no JSON: {errors.decode(errors='replace')[-300:]}") from None


def _write(directory: Path, request: ScanRequest) -> None:
    for path, text in request.package.sources.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
