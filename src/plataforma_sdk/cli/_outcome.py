"""From the run of a module to the text of its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs

from plataforma_sdk.cli._needs import DeclarationPlan, plan_declarations
from plataforma_sdk.cli._recording import Recording, RunPlan, record_run
from plataforma_sdk.cli._rewrite import declared_in, rewrite_permissions
from plataforma_sdk.package import ModulePackage

__all__ = ["Outcome", "record"]

MANIFEST: Final = "module.toml"


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a run, and what it means for the manifest.

    Attributes:
        recording: what the run needed.
        changes: how the declarations change.
        before: text of the manifest.
        after: text with the changes.
    """

    recording: Recording
    changes: DeclarationPlan
    before: str
    after: str


async def record(directory: Path, plan: RunPlan) -> Outcome:
    """Run the module in a directory, and find the least change after which its manifest declares what it needed.

    Raises:
        PlataformaError: it is no module, or does not load.
    """
    package = ModulePackage.from_directory(directory)
    before = package.files[MANIFEST].decode("utf-8-sig")
    recording = await record_run(package, plan)
    changes = plan_declarations(declared_in(before), recording.needs)
    after = rewrite_permissions(before, changes)
    return Outcome(recording=recording, changes=changes, before=before, after=after)
