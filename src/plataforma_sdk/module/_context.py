"""What a module is given when it starts: who it is, its configuration, and the door to its host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:
    from plataforma_sdk.module._fake import FakeBridge
    from plataforma_sdk.module._runtime import ModuleRuntime

__all__ = ["Bridge", "ModuleContext"]


class Bridge(Protocol):
    """How a module reaches its host; methods and arguments are those of `OPERATIONS`."""

    def call_now(self, method: str, args: list[Any]) -> Any:
        """Call an immediate function."""

    async def call(self, method: str, args: list[Any]) -> Any:
        """Call an awaited function."""


@attrs.define(kw_only=True)
class ModuleContext:
    """What a module is given when it starts. Hosts make one for each module; tests make one with `fake`.

    Attributes:
        id: the module's id.
        version: its version.
        bridge: the door to the host.
        config: configuration, typed by ``[config]`` in the manifest; never a secret.
        locale: BCP 47 tag, ``"pt-BR"``.
        messages: translations for `locale`, key -> text.
        max_tree_nodes: elements that one rendered tree may hold.

    >>> context = ModuleContext.fake(permissions=["events.emit"])
    >>> context.id
    'fake'
    """

    id: str
    version: str
    bridge: Bridge
    config: Mapping[str, Any] = attrs.field(factory=dict)
    locale: str = "en"
    messages: Mapping[str, str] = attrs.field(factory=dict)
    max_tree_nodes: int = 20_000
    runtime: ModuleRuntime | None = attrs.field(default=None, repr=False, eq=False)

    @classmethod
    def fake(
        cls,
        *,
        permissions: Iterable[str] = (),
        id: str = "fake",  # noqa: A002 - the same name as the attribute
        version: str = "0.1.0",
        config: Mapping[str, Any] | None = None,
        api: Mapping[str, Any] | None = None,
        locale: str = "en",
    ) -> FakeContext:
        """Make a context with a host in memory, so that a module can be tried without any host.

        Args:
            permissions: what the module holds; everything else is refused, as by a real host.
            id: the module's id.
            version: its version.
            config: values of `config`.
            api: path -> answer of `api_call`; a callable answer is called with the call's options.
            locale: the module's locale.
        """
        from plataforma_sdk.module._fake import FakeBridge

        return FakeContext(
            id=id,
            version=version,
            bridge=FakeBridge(permissions, module_id=id, api=api or {}),
            config=config or {},
            locale=locale,
        )


@attrs.define(kw_only=True)
class FakeContext(ModuleContext):
    """A context whose host is in memory; made by `ModuleContext.fake`.

    Attributes:
        bridge: what the module did: `calls`, `events`, `windows`, `notifications`, `stored`; and its permissions.

    >>> FakeContext is type(ModuleContext.fake())
    True
    """

    bridge: FakeBridge
