"""The public face: what `plataforma_sdk` offers, and that it costs nothing until it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import plataforma_sdk

PUBLIC = {
    *("ModuleHost", "ModuleHandle", "ModulePackage", "ModuleFramework", "ModuleContext", "Manifest"),
    *("ui", "PERMISSIONS", "PermissionManager", "PermissionRequest"),
    *("EventBus", "Event", "Subscription", "WindowManager", "Window", "ApiClient", "Transport"),
    *("ModuleSandbox", "ResourceLimits", "ResourceUsage", "ResourceMonitor"),
    *("ModuleRegistry", "RegistryBackend", "hookimpl", "hookspec", "errors", "__version__"),
    *("ApiError", "ApiStatusError", "GuestError", "HostCallError", "InvalidPermissionError", "ManifestError"),
    *("ModuleError", "ModuleLoadError", "ModuleStateError", "PermissionDeniedError", "PlataformaError", "PolicyError"),
    *("QuotaExceededError", "RenderError", "ResourceLimitError", "SandboxError", "TransportError", "TreeLimitError"),
}
ENGINES = {"RestrictedPython", "wasmtime"}
HEAVY = ENGINES | {"attrs", "blinker", "cachetools", "httpx2", "pluggy", "rich", "sqlite3", "typer"}
SOURCE = Path(plataforma_sdk.__file__)


def loaded_after(code: str) -> set[str]:
    """Run code in a fresh interpreter and tell which modules it loaded."""
    script = f"{code}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_public_names_are_these() -> None:
    assert set(plataforma_sdk.__all__) == PUBLIC


def test_names_are_listed_once_and_in_order() -> None:
    names = [name for name in plataforma_sdk.__all__ if name != "__version__"]
    assert len(set(names)) == len(names)
    assert dir(plataforma_sdk) == sorted(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_exists(name: str) -> None:
    assert getattr(plataforma_sdk, name) is not None


def test_a_name_comes_from_its_room() -> None:
    from plataforma_sdk import ModuleFramework, errors, module

    assert plataforma_sdk.ModuleFramework is ModuleFramework is module.ModuleFramework
    assert plataforma_sdk.errors is errors


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'plataforma_sdk' has no attribute 'Nothing'"):
        _ = plataforma_sdk.Nothing


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == PUBLIC - {"__version__"}


def test_importing_the_package_loads_no_library() -> None:
    loaded = loaded_after("import plataforma_sdk")
    assert not loaded & HEAVY
    assert {name for name in loaded if name.startswith("plataforma_sdk.")} == set()


def test_the_authoring_layer_loads_only_attrs() -> None:
    loaded = loaded_after("from plataforma_sdk import ModuleFramework, ui, PERMISSIONS, PermissionDeniedError")
    assert not loaded & (HEAVY - {"attrs"})


def test_the_host_loads_no_engine_that_nobody_asked_for() -> None:
    loaded = loaded_after("from plataforma_sdk import ModuleHost")
    assert not loaded & (ENGINES | {"httpx2", "rich", "typer"})
