"""What the tests of scanners share: a package of a body, and its scan."""

from __future__ import annotations

import pytest

from plataforma_sdk import ModulePackage
from plataforma_sdk.security import SecurityService

HEAD = "from plataforma_sdk import ModuleFramework, ui\n"


@pytest.fixture
def scan():
    """Return a function that scans a source by all scanners that run nothing."""

    async def run(source, *, files=None, permissions=(), **settings):
        package = ModulePackage.from_source(HEAD + source, id="shop", files=files, permissions=permissions)
        return await SecurityService(trial=False, tools=False, **settings).scan(package)

    return run
