"""Virtual WASI: the host's clock and randomness, and nothing else.

`add_wasip2` is not used: it would give the guest the machine's clock, and a ``time.sleep(2)`` would hold the host's
thread for two seconds, past every deadline. What is not defined here is a trap, under whatever version the component
asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from wasmtime import Engine, WasmtimeError
from wasmtime.component import Component, Linker, LinkerInstance, Record

from plataforma_sdk.sandbox.wasm._binding import HostFunction, Pointer, context_of
from plataforma_sdk.types import Clock

__all__ = [
    "HOST_INTERFACE",
    "Definitions",
    "GuestHost",
    "InterruptibleHost",
    "define_imports",
    "interface_names",
    "traps_only",
]

HOST_INTERFACE: Final = "plataforma:module/host"
_NS: Final = 1_000_000_000
_MAX_RANDOM_BYTES: Final = 4_096
"""What one request may take: each byte becomes a value of 32 bytes in the host."""


class GuestHost(Protocol):
    """What an instance's host provides; found by the address of the store's context."""

    clock: Clock

    def random_bytes(self, count: int) -> bytes:
        """Return random bytes; of a seeded generator, where a run is to be repeated."""

    def serve_now(self, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        """Serve an immediate call; never raises."""


class InterruptibleHost(GuestHost, Protocol):
    """A host that keeps what is no error, such as `KeyboardInterrupt`, for whoever polls."""

    interrupt: BaseException | None


class Definitions(Protocol):
    """How the hottest kinds of host function are defined: `_binding` does it, and `_stock` by wasmtime-py alone."""

    def define_host_function(self, instance: LinkerInstance, name: str, function: HostFunction) -> None:
        """Define ``(string, string) -> result<string, string>``."""

    def define_clock(self, instance: LinkerInstance, name: str, read: Callable[[Pointer], int]) -> None:
        """Define ``() -> u64``."""

    def define_bytes(self, instance: LinkerInstance, name: str, read: Callable[[Pointer, int], bytes]) -> None:
        """Define ``(u64) -> list<u8>``; a `WasmtimeError` of `read` is a trap."""


def interface_names(engine: Engine, component: Component) -> dict[str, str]:
    """Return the interfaces that a component imports: name without version -> full name."""
    return {name.partition("@")[0]: name for name in component.type.imports(engine)}


def define_imports(
    linker: Linker,
    engine: Engine,
    component: Component,
    hosts: Mapping[Pointer, GuestHost],
    definitions: Definitions,
) -> None:
    """Define everything that the component imports, for all its instances.

    Args:
        linker: the linker to define in.
        engine: its engine.
        component: the runner.
        hosts: store context -> host; filled as instances come and go.
        definitions: defines the functions that are called often.
    """
    names = interface_names(engine, component)
    linker.allow_shadowing = True
    linker.define_unknown_imports_as_traps(component)
    with linker.root() as root:
        for short, define in _INTERFACES.items():
            if short in names:
                with root.add_instance(names[short]) as instance:
                    define(instance, hosts, definitions)


def _define_host(instance: LinkerInstance, hosts: Mapping[Pointer, GuestHost], definitions: Definitions) -> None:
    def call(context: Pointer, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        return hosts[context].serve_now(method, payload)

    definitions.define_host_function(instance, "call", call)


def _define_poll(instance: LinkerInstance, _hosts: Mapping[Pointer, GuestHost], _: Definitions) -> None:
    # The resource itself stays the one of the traps: another would not be that of the interfaces beside this one.
    for name in ("poll", "[method]pollable.block", "[method]pollable.ready"):
        instance.add_func(name, _denied(name))


def _define_monotonic_clock(
    instance: LinkerInstance, hosts: Mapping[Pointer, GuestHost], definitions: Definitions
) -> None:
    definitions.define_clock(instance, "now", lambda context: int(hosts[context].clock.monotonic() * _NS))
    definitions.define_clock(instance, "resolution", lambda _context: 1)
    for name in ("subscribe-instant", "subscribe-duration"):
        instance.add_func(name, _denied(name))


def _define_wall_clock(instance: LinkerInstance, hosts: Mapping[Pointer, GuestHost], _: Definitions) -> None:
    instance.add_func("now", traps_only(lambda store: _datetime(hosts[context_of(store)].clock.now())))
    instance.add_func("resolution", lambda _store: _datetime(1 / _NS))


def _define_random(instance: LinkerInstance, hosts: Mapping[Pointer, GuestHost], definitions: Definitions) -> None:
    def get_random_bytes(context: Pointer, count: int) -> bytes:
        if count > _MAX_RANDOM_BYTES:
            raise WasmtimeError(f"more than {_MAX_RANDOM_BYTES} random bytes in one request")
        return hosts[context].random_bytes(count)

    def get_random_u64(store: Any) -> int:
        return int.from_bytes(hosts[context_of(store)].random_bytes(8), "little")

    definitions.define_bytes(instance, "get-random-bytes", get_random_bytes)
    instance.add_func("get-random-u64", traps_only(get_random_u64))


def _define_insecure_seed(instance: LinkerInstance, hosts: Mapping[Pointer, GuestHost], _: Definitions) -> None:
    def insecure_seed(store: Any) -> tuple[int, int]:
        data = hosts[context_of(store)].random_bytes(16)
        return int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")

    instance.add_func("insecure-seed", traps_only(insecure_seed))


def _define_environment(instance: LinkerInstance, _hosts: Mapping[Pointer, GuestHost], _: Definitions) -> None:
    instance.add_func("get-environment", lambda _store: [])
    instance.add_func("get-arguments", lambda _store: [])
    instance.add_func("initial-cwd", lambda _store: None)


def _define_preopens(instance: LinkerInstance, _hosts: Mapping[Pointer, GuestHost], _: Definitions) -> None:
    instance.add_func("get-directories", lambda _store: [])


_INTERFACES: Final[dict[str, Callable[[LinkerInstance, Mapping[Pointer, GuestHost], Definitions], None]]] = {
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
        raise WasmtimeError(f"{name} is not available in a sandboxed module")

    return refuse


def traps_only(function: Callable[..., Any]) -> Callable[..., Any]:
    """Raise `WasmtimeError` alone: any other passes through a global of wasmtime-py, is lost or raised elsewhere."""

    def guarded(*args: Any) -> Any:
        try:
            return function(*args)
        except WasmtimeError:
            raise
        except Exception as error:  # noqa: BLE001
            raise WasmtimeError(f"the host failed: {type(error).__name__}") from None

    return guarded


def _datetime(seconds: float) -> Record:
    whole = int(seconds)
    record = Record()
    vars(record).update(seconds=whole, nanoseconds=int((seconds - whole) * _NS))
    return record
