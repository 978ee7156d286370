"""The main job, once in one tier: load, ask, read, react, render, meter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from plataforma_sdk import codec, ui
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.permissions import PermissionAnswer, PermissionRequest
from plataforma_sdk.runtime import ModuleHandle, ModuleHost
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.windows import UiEvent

if TYPE_CHECKING:
    from plataforma_sdk.permissions import Prompt
    from plataforma_sdk.sandbox import ResourceUsage

__all__ = ["AskOnce", "DemoResult", "run_demo"]

Progress = Callable[[str], None]
_WINDOW: Final = "main"
_LIMITS: Final = ResourceLimits(max_step_ms=250)
"""The defaults, but for a slow machine: whoever tries this first should not meet a limit that is about its speed."""


@attrs.frozen(kw_only=True)
class DemoResult:
    """What one tier made of the sales module.

    Attributes:
        engine: the tier.
        module: the module's id.
        version: its version.
        rows: how many ``clientes``, ``produtos`` and ``vendas`` it read.
        receita: the revenue, as text, so that no reader rounds it.
        denied: permissions that it tried and was refused.
        events: handlers that were reached by the events of the host.
        usage: the meters.
        tree: its window.
    """

    engine: str
    module: str
    version: str
    rows: Mapping[str, int]
    receita: str
    denied: tuple[str, ...]
    events: int
    usage: ResourceUsage
    tree: Mapping[str, Any]

    def to_json(self) -> str:
        """Write one line; values that JSON lacks stand in the tree as the codec writes them."""
        data = attrs.asdict(self, recurse=False)
        meters = ("cpu_ms", "fuel", "memory_bytes", "host_calls")
        data["usage"] = {name: getattr(self.usage, name) for name in meters}
        data["usage"]["cpu_ms"] = round(self.usage.cpu_ms, 3)
        return codec.encode(data)


class AskOnce:
    """Puts each question to the person once, and answers for the other tiers what was answered for the first."""

    def __init__(self, prompt: Prompt) -> None:
        ask: Any = prompt
        self._ask: Callable[..., Awaitable[Any]] = getattr(ask, "ask", ask)
        self._answers: dict[str, PermissionAnswer | bool] = {}

    async def ask(self, request: PermissionRequest) -> PermissionAnswer | bool:
        """Answer a request."""
        if request.permission not in self._answers:
            self._answers[request.permission] = await self._ask(request)
        return self._answers[request.permission]


async def run_demo(
    engine: str, source: Path, api: Any, *, prompt: Prompt | None, grant_declared: bool, progress: Progress
) -> DemoResult:
    """Run the sales module in one tier.

    Args:
        engine: the tier.
        source: directory of the module.
        api: ASGI application that it reads.
        prompt: asks for what it declares; None refuses.
        grant_declared: grant whatever the manifest declares, and nothing else.
        progress: told what is being done.

    Raises:
        PlataformaError: the tier does not run here, or a required permission was refused.
    """
    package = ModulePackage.from_directory(source)
    grants = package.manifest.permissions.declared if grant_declared else ()
    async with ModuleHost(engine=engine, prompt=prompt, api=api, limits=_LIMITS, locale="pt-BR") as host:
        progress(f"loading {package.id} {package.version}")
        handle = await host.load(source, grants=grants)
        progress("sending events")
        events = await _send_events(host)
        progress("using the window")
        tree = await _use_window(handle)
        resumo = await handle.call("resumo")
        return _result(handle, resumo, events, tree)


async def _send_events(host: ModuleHost) -> int:
    login = await host.events.emit("user.login", {"nome": "Ana"})
    updated = await host.events.emit("data.vendas.updated", {"ids": [1]})
    return login.delivered + updated.delivered


async def _use_window(handle: ModuleHandle) -> dict[str, Any]:
    """Choose a country in the window, then all of them again, as a person would."""
    tree = await handle.render(_WINDOW)
    country = _options(tree)[-1]
    for value in (country, ""):
        await handle.dispatch(_choose_country(handle, tree, value))
        tree = await handle.render(_WINDOW)
    return tree


def _options(tree: Mapping[str, Any]) -> list[Any]:
    return [option["value"] for option in _find(tree, "select_field")["props"]["options"]]


def _choose_country(handle: ModuleHandle, tree: Mapping[str, Any], value: str) -> UiEvent:
    field = _find(tree, "select_field")
    action = field["props"]["on_change"]
    return UiEvent(
        window_id=_WINDOW,
        revision=handle.windows[_WINDOW].revision,
        element_key=field["key"],
        handler=action["handler"],
        arguments=tuple(action["arguments"]),
        value=value,
    )


def _find(tree: Mapping[str, Any], element: str) -> Mapping[str, Any]:
    return next(node for node in ui.walk(tree) if node["type"] == element)


def _result(handle: ModuleHandle, resumo: Mapping[str, Any], events: int, tree: Mapping[str, Any]) -> DemoResult:
    return DemoResult(
        engine=handle.engine,
        module=handle.id,
        version=handle.version,
        rows={name: resumo[name] for name in ("clientes", "produtos", "vendas")},
        receita=str(resumo["receita"]),
        denied=tuple(resumo["recusadas"]),
        events=events,
        usage=handle.usage,
        tree=tree,
    )
