"""The component itself: `componentize-py` runs this file once, and what memory holds then is the runner."""

from __future__ import annotations

from plataforma_sdk.sandbox.wasm.guest._stdlib import import_all

MISSING = import_all()  # first: it loads what the rest imports, in a fixed order

import gc  # noqa: E402

import wit_world  # type: ignore[import-not-found]  # noqa: E402 - generated from wit/module.wit
from componentize_py_types import Err  # type: ignore[import-not-found]  # noqa: E402
from wit_world.imports import host  # type: ignore[import-not-found]  # noqa: E402

from plataforma_sdk.sandbox.wasm.guest._ballast import fill_holes  # noqa: E402
from plataforma_sdk.sandbox.wasm.guest._guest import Guest  # noqa: E402
from plataforma_sdk.sandbox.wasm.guest._rehearsal import prepare, rehearse  # noqa: E402
from plataforma_sdk.sandbox.wasm.guest._seal import seal  # noqa: E402

GUEST = Guest(host.call, Err)


class WitWorld(wit_world.WitWorld):  # type: ignore[misc]
    """The exports. Anything but `Err` that leaves one ends the instance, so both catch everything."""

    def load(self, bundle: str, config: str) -> str:
        """Make the module; see `Guest.load`. Without a configuration it is the engine that asks: see `prepare`."""
        try:
            return GUEST.load(bundle, config) if config else prepare(bundle)
        except BaseException as error:  # noqa: BLE001
            raise Err(GUEST.describe(error)) from None

    def pump(self, inbox: str) -> str:
        """Serve the inbox; see `Guest.pump`."""
        try:
            return GUEST.pump(inbox)
        except BaseException as error:  # noqa: BLE001
            raise Err(GUEST.describe(error)) from None


seal((GUEST.finder, GUEST.wheels), GUEST.stdout, GUEST.stderr)
for _ in range(2):  # the caches and tables that this fills are then in the runner, shared by all instances
    rehearse()
gc.collect()
BALLAST = fill_holes()
gc.collect()
gc.freeze()
