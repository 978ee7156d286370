"""Virtual WASI: the host's clock and randomness, and nothing else.

`add_wasip2` is not used: it would give the guest the machine's clock, and a ``time.sleep(2)`` would hold the host's
thread for two seconds, past every deadline. What is not defined here is a trap, under whatever version the component
asks for.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from ctypes import c_void_p
from typing import Any, Final, Protocol

from wasmtime import Engine, WasmtimeError
from wasmtime.component import Component, Linker, LinkerInstance, Record, ResourceType

from plataforma_sdk.sandbox.wasm._binding import Pointer, define_clock, define_host_function
from plataforma_sdk.types import Clock

__all__ = ["HOST_INTERFACE", "GuestHost", "define_imports", "interface_names"]

HOST_INTERFACE: Final = "plataforma:module/host"
_NS: Final = 1_000_000_000
_MAX_RANDOM_BYTES: Final = 4_096
"""What one request may take: each byte becomes a value of 32 bytes in the host."""


class GuestHost(Protocol):
    """What an instance's host provides; found by the address of the store's context."""

    clock: Clock
    interrupt: BaseException | None

    def random_bytes(self, count: int) -> bytes:
        """Return random bytes; of a seeded generator, where a run is to be repeated."""

    def serve_now(self, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        """Serve an immediate call; never raises."""


def interface_names(engine: Engine, component: Component) -> dict[str, str]:
    """Return the interfaces that a component imports: name without version -> full name."""
    return {name.partition("@")[0]: name for name in component.type.imports(engine)}


def define_imports(linker: Linker, engine: Engine, component: Component, hosts: Mapping[Pointer, GuestHost]) -> None:
    """Define everything that the component imports, for all its instances.

    Args:
        linker: the linker to define in.
        engine: its engine.
        component: the runner.
        hosts: store context -> host; filled as instances come and go.
    """
    names = interface_names(engine, component)
    linker.allow_shadowing = True
    linker.define_unknown_imports_as_traps(component)
    with linker.root() as root:
        for short, define in _INTERFACES.items():
            if short in names:
                with root.add_instance(names[short]) as instance:
                    define(instance, hosts)


def _define_host(instance: LinkerInstance, hosts: Mapping[Pointer, GuestHost]) -> None:
    def call(context: Pointer, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        return hosts[context].serve_now(method, payload)

    define_host_function(instance, "call", call)


def _define_poll(instance: LinkerInstance, _hosts: Mapping[Pointer, GuestHost]) -> None:
    instance.add_resource("pollable", ResourceType.host(1), lambda _store, _rep: None)
    for name in ("poll", "[method]pollable.block", "[method]pollable.ready"):
        instance.add_func(name, _denied(name))


def _define_monotonic_clock(instance: LinkerInstance, hosts: Mapping[Pointer, GuestHost]) -> None:
    define_clock(instance, "now", lambda context: int(hosts[context].clock.monotonic() * _NS))
    define_clock(instance, "resolution", lambda _context: 1)
    for name in ("subscribe-instant", "subscribe-duration"):
        instance.add_func(name, _denied(name))


def _define_wall_clock(instance: LinkerInstance, hosts: Mapping[Pointer, GuestHost]) -> None:
    instance.add_func("now", lambda store: _datetime(hosts[_context(store)].clock.now()))
    instance.add_func("resolution", lambda _store: _datetime(1 / _NS))


def _define_random(instance: LinkerInstance, hosts: Mapping[Pointer, GuestHost]) -> None:
    def get_random_bytes(store: Any, count: int) -> bytes:
        if count > _MAX_RANDOM_BYTES:
            raise WasmtimeError(f"more than {_MAX_RANDOM_BYTES} random bytes in one request")
        return hosts[_context(store)].random_bytes(count)

    def get_random_u64(store: Any) -> int:
        return int.from_bytes(hosts[_context(store)].random_bytes(8), "little")

    instance.add_func("get-random-bytes", get_random_bytes)
    instance.add_func("get-random-u64", get_random_u64)


def _define_insecure_seed(instance: LinkerInstance, hosts: Mapping[Pointer, GuestHost]) -> None:
    def insecure_seed(store: Any) -> tuple[int, int]:
        data = hosts[_context(store)].random_bytes(16)
        return int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")

    instance.add_func("insecure-seed", insecure_seed)


def _define_environment(instance: LinkerInstance, _hosts: Mapping[Pointer, GuestHost]) -> None:
    instance.add_func("get-environment", lambda _store: [])
    instance.add_func("get-arguments", lambda _store: [])
    instance.add_func("initial-cwd", lambda _store: None)


def _define_preopens(instance: LinkerInstance, _hosts: Mapping[Pointer, GuestHost]) -> None:
    instance.add_func("get-directories", lambda _store: [])


_INTERFACES: Final[dict[str, Callable[[LinkerInstance, Mapping[Pointer, GuestHost]], None]]] = {
    HOST_INTERFACE: _define_host,
    "wasi:io/poll": _define_poll,
    "wasi:clocks/monotonic-clock": _define_monotonic_clock,
    "wasi:clocks/wall-clock": _define_wall_clock,
    "wasi:random/random": _define_random,
    "wasi:random/insecure-seed": _define_insecure_seed,
    "wasi:cli/environment": _define_environment,
    "wasi:filesystem/preopens": _define_preopens,
}
"""Interface -> what defines it, in an order in which types stand before their users."""


def _denied(name: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        # WasmtimeError alone: any other exception would pass through a global of wasmtime-py, and get lost or be
        # raised in another thread.
        raise WasmtimeError(f"{name} is not available in a sandboxed module")

    return refuse


def _context(store: Any) -> Pointer:
    return int(ctypes.cast(store._context(), c_void_p).value or 0)  # noqa: SLF001


def _datetime(seconds: float) -> Record:
    whole = int(seconds)
    record = Record()
    vars(record).update(seconds=whole, nanoseconds=int((seconds - whole) * _NS))
    return record
