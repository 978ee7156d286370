"""Runs a module with everything granted and uses it as a person would, to see what it needs."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs

from plataforma_sdk.cli._dependencies import UsualRegistry
from plataforma_sdk.cli._needs import Needs, needs_of
from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.manifest import METHODS, ManifestEvents, ManifestPermissions
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.permissions import parse_permission
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.testing import EventRecorder, FakeApi, MockPermissionManager, ModulePilot, Node
from plataforma_sdk.types import module_segment

__all__ = ["Recording", "RunPlan", "read_api", "record_run"]

Action: TypeAlias = tuple[str, Coroutine[Any, Any, Any]]
_LIMITS: Final = ResourceLimits(max_step_ms=250)
_FAULT: Final = "plataforma.module.error"
_MAX_NOTE_CHARS: Final = 300
_MAX_ACTIONS: Final = 100
"""In all windows together: what a list repeats for each row is tried often enough."""


def _check_names(_plan: object, _field: object, names: tuple[str, ...]) -> None:
    for name in names:
        parse_permission(name)


@attrs.frozen(kw_only=True)
class RunPlan:
    """What to do with a module while it is watched.

    Attributes:
        engine: its tier.
        api: what `api_call` reaches; see `read_api`.
        data: SQLite file that `query` and `execute` reach, of which the run gets a copy.
        events: topic -> payload to emit; other topics that it subscribes to are emitted without one.
        calls: public methods to call.
        allow: permissions that no wildcard grants: ``api.external[host]``.
        deny: permissions to refuse, which are then no needs.
        has_walk: whether to press, choose and select what its windows offer.
    """

    engine: str = "wasm"
    api: Any = None
    data: Path | None = None
    events: Mapping[str, Any] = attrs.field(factory=dict)
    calls: tuple[str, ...] = ()
    allow: tuple[str, ...] = attrs.field(default=(), validator=_check_names)
    deny: tuple[str, ...] = attrs.field(default=(), validator=_check_names)
    has_walk: bool = True


@attrs.frozen
class Recording:
    """What came of a run.

    Attributes:
        needs: the permissions that it needed.
        notes: what failed on the way; needs behind that have not been seen.
    """

    needs: Needs
    notes: tuple[str, ...]


def read_api(text: str | None) -> Any:
    """Read ``--api``: a base URL, a JSON file of routes, or ``package.module:application``; None answers nothing.

    Raises:
        ValueError: it is none of them, or cannot be read.
    """
    if text is None:
        return FakeApi()
    if text.startswith(("http://", "https://")):
        return text
    if text.endswith(".json"):
        try:
            routes = json.loads(Path(text).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{text} cannot be read: {error}") from None
        if not isinstance(routes, dict):
            raise ValueError(f'{text} is no JSON object of routes: {{"GET /vendas/clientes": [...]}}')
        return FakeApi(routes)
    module, colon, name = text.partition(":")
    if not colon:
        raise ValueError(f"{text!r} is no URL, no .json file and no package.module:application")
    sys.path.insert(0, str(Path.cwd()))
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{text!r} cannot be imported: {error}") from None


async def record_run(package: ModulePackage, plan: RunPlan) -> Recording:
    """Run a module and watch what it needs. Everything is granted, save `deny` and external addresses.

    Raises:
        PlataformaError: it does not load even so.
    """
    managers: dict[str | None, MockPermissionManager] = {}  # of what it depends on, too

    def make_manager(grants: Iterable[str], **settings: Any) -> MockPermissionManager:
        manager = MockPermissionManager([*grants, *plan.allow], denies=plan.deny, **settings)
        managers.setdefault(manager.module, manager)
        return manager

    with tempfile.TemporaryDirectory(prefix="plataforma-record-") as directory:
        host = ModuleHost(
            engine=plan.engine,
            api=plan.api,
            database=_copied(plan.data, Path(directory)),
            grants=["*"],
            record=True,
            limits=_LIMITS,
            registry=UsualRegistry(),
            permission_manager=make_manager,
        )
        async with host:
            pilot = ModulePilot(await host.load(_undeclared(package)))
            faults = EventRecorder(host.events, _FAULT)
            notes = [note async for note in _use(host, pilot, managers[package.id], plan)]
            notes += [_fault_note(data) for data in faults.of(_FAULT)]
    if isinstance(plan.api, FakeApi):
        missing = sorted({f"{request.method} {request.path}" for request in plan.api.unexpected})
        notes += [f"{route} was called and --api has no answer for it" for route in missing]
    return Recording(needs_of(managers[package.id].checks, denied=plan.deny), tuple(notes))


def _undeclared(package: ModulePackage) -> ModulePackage:
    """Take the declarations away: the host would ask for each, and a run would seem to need them all."""
    path = f"/{module_segment(package.id)}"
    manifest = attrs.evolve(
        package.manifest,
        permissions=ManifestPermissions({}, {}),
        events=ManifestEvents(package.manifest.events.published, ("*",)),
        endpoints={path: METHODS, f"{path}/*": METHODS},
    )
    return ModulePackage.from_files({**package.files, "module.toml": manifest.to_toml().encode()})


def _fault_note(data: Any) -> str:
    """Say what failed where nobody waits for it: in a handler of an event, in a timer."""
    error = data.get("error") or {}
    text = str(error.get("message") or error)[:_MAX_NOTE_CHARS]
    return f"a handler failed: {text}"


def _copied(data: Path | None, directory: Path) -> Path | None:
    return None if data is None else Path(shutil.copy(data, directory))


# --- using it --------------------------------------------------------------------------------------------------------


async def _use(
    host: ModuleHost, pilot: ModulePilot, manager: MockPermissionManager, plan: RunPlan
) -> AsyncIterator[str]:
    """Do what the plan says; yield a note for each thing that failed."""
    for count, (what, action) in enumerate(_actions(host, pilot, manager, plan)):
        if count >= _MAX_ACTIONS:
            action.close()
            yield f"the walk stopped after {_MAX_ACTIONS} actions: leave it out by --no-walk, and use --call"
            return
        try:
            await action
        except (PlataformaError, LookupError, AssertionError) as error:
            yield f"{what} failed: {error}"


def _actions(host: ModuleHost, pilot: ModulePilot, manager: MockPermissionManager, plan: RunPlan) -> Iterator[Action]:
    """Yield what to do and its coroutine, each made when its turn has come."""
    yield "coming to rest", pilot.settle()
    for topic, payload in {**dict.fromkeys(_topics(manager)), **plan.events}.items():
        yield f"event {topic}", _emit(host, pilot, topic, payload)
    for method in plan.calls:
        yield f"call of {method}()", pilot.call(method)
    if plan.has_walk:
        for window in list(pilot.windows):
            yield from _walk(pilot, window)


def _topics(manager: MockPermissionManager) -> list[str]:
    """List the topics that the module subscribes to, patterns excepted."""
    wanted = (check.permission for check in manager.checks if check.action == "require")
    found = (parse_permission(each) for each in wanted if each.startswith("events.subscribe["))
    return sorted({topic for each in found for topic in each.scopes or () if "*" not in topic})


async def _emit(host: ModuleHost, pilot: ModulePilot, topic: str, payload: Any) -> None:
    await host.events.emit(topic, payload)
    await pilot.settle()


def _walk(pilot: ModulePilot, window: str) -> Iterator[Action]:
    """Try each element of a window once, by its key, as long as it is there when its turn comes."""
    tried: set[tuple[str, str]] = set()
    while True:
        if window not in pilot.windows:
            return
        offers = [(node, event) for node in pilot.find_all(window=window) for event in node.actions]
        left = [(node, event) for node, event in offers if (node.key, event) not in tried]
        if not left:
            return
        node, event = left[0]
        tried.add((node.key, event))
        action = _action(pilot, window, node, event)
        if action is not None:
            yield f"{event} of {node!r}", action


def _action(pilot: ModulePilot, window: str, node: Node, event: str) -> Coroutine[Any, Any, None] | None:
    if event == "on_press":
        return pilot.press(window=window, key=node.key)
    if event == "on_select" and node.props.get("rows"):
        value = node.props["rows"][0].get(node.props.get("row_key"))
        return None if value is None else pilot.select_row(value, window=window, key=node.key)
    if event == "on_change" and "name" in node.props:
        options = node.props.get("options")
        value = options[-1]["value"] if options else node.props.get("value")
        return None if value is None else pilot.fill(node.props["name"], value, window=window)
    if event == "on_submit" and node.type == "form":
        return pilot.submit(window=window, key=node.key)
    return None
