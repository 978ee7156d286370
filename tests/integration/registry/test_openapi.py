"""Schemathesis asks the service whatever its OpenAPI document allows, and what it does not."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from plataforma_sdk.registry import Release
from plataforma_sdk.web.registry._openapi import EXAMPLE
from tests.conformance.registry._served import serving

EXAMPLES = os.environ.get("PLATAFORMA_REQUESTS", "200")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"

pytestmark = pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="needs schemathesis")


@pytest.mark.timeout(600)
def test_no_request_finds_a_fault_of_the_service(tmp_path: Path) -> None:
    with serving() as served, served.registry(tmp_path / "registry") as place:
        backend = place.open()

        async def publish() -> None:
            release = Release.from_data(EXAMPLE)
            await backend.publish(release, {release.archive.digest: b""})
            await backend.aclose()

        asyncio.run(publish())
        authorization = f"Authorization: Bearer {backend._token}"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{backend.url}/openapi.json"),
                *("-u", backend.url, "-n", EXAMPLES, "-c", CHECKS, "-H", authorization),
                *("--continue-on-failure", "--seed", "6"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stdout
    found = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert found is not None, done.stdout
    sys.stdout.write(f"schemathesis: {found[0]}\n")
    assert found[1] == found[2]
    assert int(found[1]) > 500
