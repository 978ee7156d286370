"""Makes the instance that a reload puts in place of the old one; until it stands, nothing of the old one changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.permissions import is_within
from plataforma_sdk.runtime._launch import Launched, launch, require_declared
from plataforma_sdk.services import StagedStorage

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.permissions import PermissionManager
    from plataforma_sdk.runtime._live import LiveModule

__all__ = ["make_successor"]


async def make_successor(live: LiveModule, package: ModulePackage) -> Launched:
    """Load a version of a module beside the one that runs; what fails leaves no trace."""
    permissions = _permissions_of(live, package)
    try:
        return await _launch_aside(live, package, permissions)
    except BaseException:
        if permissions is not live.permissions:
            live.setup.shed(permissions)
        raise


def _permissions_of(live: LiveModule, package: ModulePackage) -> PermissionManager:
    """Keep the permissions of a version that asks for no more; one that asks for more begins as a fresh load does.

    The old version goes on with its own until the new one takes over.
    """
    if is_within(package.manifest.permissions.declared, live.package.manifest.permissions.declared):
        return live.permissions
    return live.setup.grown(package)


async def _launch_aside(live: LiveModule, package: ModulePackage, permissions: PermissionManager) -> Launched:
    """Load the new version; what it stores meanwhile is stored when all else has succeeded."""
    await require_declared(package, permissions)
    old_state = await _state_of(live)
    staged = StagedStorage(live.services.storage)
    launched = await launch(
        live.setup,
        live.parts,
        live.call,
        package=package,
        permissions=permissions,
        services=live.setup.services(package, permissions, live.services.storage),
        storage=staged,
        on_pile=live.report.tell,
        on_dirty=live.mark_dirty,
        is_staged=True,
    )
    try:
        if package.version != live.package.version:
            await launched.instance.call("@upgrade", live.package.version)
        await launched.instance.call("@load")
        await launched.instance.call("@resume", old_state)
        await staged.commit()
    except BaseException:
        await launched.dispose()
        raise
    return launched


async def _state_of(live: LiveModule) -> Any:
    """Return what the old version hands over; one that cannot hands over nothing."""
    instance = live.instance
    if instance is None or instance.is_poisoned:
        return None
    try:
        return await instance.call("@state")
    except PlataformaError as error:
        live.parts.report(live.id, "the hand-over of its state", error)
        return None
