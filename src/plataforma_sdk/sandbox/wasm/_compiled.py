"""The compiled runner: one for each process, immutable, shared by all engines of all hosts.

It is the one thing of this library that a process has once for each profile, and most have one: an engine, the mapped
machine code and the linker, 53 MB that never change. Nothing of a module or a host is in it.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import attrs
from wasmtime import Config, Engine
from wasmtime.component import Component, Linker

from plataforma_sdk.errors import SandboxError, StaleRunnerError
from plataforma_sdk.sandbox._private import locked, private_directory, prune, write_aside
from plataforma_sdk.sandbox.wasm import _binding
from plataforma_sdk.sandbox.wasm._binding import Pointer
from plataforma_sdk.sandbox.wasm._epochs import EpochTank, EpochTicker
from plataforma_sdk.sandbox.wasm._fiber_store import YIELD_INTERVAL
from plataforma_sdk.sandbox.wasm._machine_code import FIBER_STACK_BYTES, check_process, code_key, map_code
from plataforma_sdk.sandbox.wasm._progress import Progress, announced
from plataforma_sdk.sandbox.wasm._runner import Runner, locate_runner
from plataforma_sdk.sandbox.wasm._selftest import require_fibers
from plataforma_sdk.sandbox.wasm._wasi import Definitions, GuestHost, define_imports

__all__ = [
    "FIBERS",
    "FIBERS_BY_EPOCH",
    "INSTANTIATION_FUEL",
    "CompiledRunner",
    "Profile",
    "Tank",
    "artefact_path",
    "compiled_runner",
]

INSTANTIATION_FUEL: Final = 1_000_000_000

_GUEST_STACK_BYTES: Final = 1024 * 1024
_KEPT_ARTEFACTS: Final = 4
_COMPILE_S: Final = 8.0
_ENGINE_CONFIG: Final = f"component stack={_GUEST_STACK_BYTES}"
_LOCK: Final = threading.Lock()


@attrs.frozen(eq=False, kw_only=True)
class Profile:
    """How the runner is compiled and what its host functions are made of.

    Attributes:
        name: what sets its machine code apart from that of the others.
        configure: adds to the configuration that all share.
        definitions: define the host functions.
        check: raises where the profile does not run here.
        metering: ``"fuel"`` counts instructions, ``"epoch"`` time alone.
    """

    name: str
    configure: Callable[[Config], None]
    definitions: Definitions
    check: Callable[[], None] = lambda: None
    metering: str = "fuel"


def _configure_fibers(config: Config) -> None:
    _binding.set_async_stack_size(config, FIBER_STACK_BYTES)


FIBERS: Final = Profile(
    name=f"fiber={FIBER_STACK_BYTES}", configure=_configure_fibers, definitions=_binding, check=require_fibers
)
"""Guests on fibers, by the engine's own binding."""

FIBERS_BY_EPOCH: Final = attrs.evolve(FIBERS, metering="epoch")
"""The same without counting instructions; machine code of its own."""


class Tank(Protocol):
    """Meters one store, call by call."""

    def fill(self, fuel: int, /) -> None:
        """A call begins, with this budget."""

    def left(self) -> int:
        """Return what is left of the budget."""

    def stop(self) -> None:
        """The call has ended; a second time does nothing."""


@attrs.frozen(eq=False, kw_only=True)
class CompiledRunner:
    """What instances are made from.

    Attributes:
        runner: where it came from.
        artefact: the file that its machine code and its memory image are mapped from.
        engine: the wasmtime engine.
        component: the compiled component.
        linker: defines what it imports.
        hosts: store context -> host of each live instance.
        make_tank: makes what meters a store, of its context.
        pid: the process that it belongs to.
    """

    runner: Runner
    artefact: Path
    engine: Engine = attrs.field(repr=False)
    component: Component = attrs.field(repr=False)
    linker: Linker = attrs.field(repr=False)
    hosts: dict[Pointer, GuestHost] = attrs.field(repr=False)
    make_tank: Callable[[Pointer], Tank] = attrs.field(repr=False)
    pid: int

    def check_process(self) -> None:
        """Refuse to go on in a forked child; see `_machine_code`.

        Raises:
            SandboxError: this process is a fork of the one that compiled the runner.
        """
        check_process(self.pid)


def compiled_runner(profile: Profile = FIBERS) -> CompiledRunner:
    """Return the process's runner; the first call may build and compile it, so call it off the event loop.

    Args:
        profile: how it is compiled.

    Raises:
        SandboxError: this platform, Python or wasmtime does not pass the self-test.
        StaleRunnerError: there is no runner for these sources.
    """
    with _LOCK:
        compiled = _make(profile)
    compiled.check_process()
    return compiled


@functools.cache
def _make(profile: Profile) -> CompiledRunner:
    profile.check()
    runner = locate_runner()
    engine = Engine(_config(profile))
    artefact = artefact_path(runner, profile)
    component = _load(engine, runner, artefact, announced)
    hosts: dict[Pointer, GuestHost] = {}
    linker = Linker(engine)
    define_imports(linker, engine, component, hosts, profile.definitions)
    return CompiledRunner(
        runner=runner,
        artefact=artefact,
        engine=engine,
        component=component,
        linker=linker,
        hosts=hosts,
        make_tank=_tank_maker(engine, profile),
        pid=os.getpid(),
    )


def _tank_maker(engine: Engine, profile: Profile) -> Callable[[Pointer], Tank]:
    if profile.metering == "epoch":
        ticker = EpochTicker(engine)
        return lambda context: EpochTank(context, ticker)
    return lambda context: _binding.FuelTank(context, YIELD_INTERVAL)


def _config(profile: Profile) -> Config:
    config = Config()
    config.wasm_component_model = True
    config.consume_fuel = profile.metering == "fuel"
    if profile.metering == "epoch":
        config.epoch_interruption = True
    config.max_wasm_stack = _GUEST_STACK_BYTES
    profile.configure(config)
    return config


def _load(engine: Engine, runner: Runner, path: Path, progress: Progress) -> Component:
    """Map the artefact of this runner, wasmtime, configuration and processor; compile it where it is missing."""
    directory = path.parent
    component = _map(engine, path)
    if component is not None:
        return component
    with locked(directory):
        component = _map(engine, path)
        if component is not None:
            return component  # another process was faster
        for left in directory.glob(".*.cwasm.*"):  # by a process that was killed
            left.unlink(missing_ok=True)
        with progress("Compiling the guest runner for this machine, once", _COMPILE_S):
            write_aside(path, Component(engine, _verified(runner)).serialize())
        _give_memory_back()
        for old in prune(directory, "*.cwasm", _KEPT_ARTEFACTS):
            old.unlink(missing_ok=True)
    component = _map(engine, path)
    if component is None:
        raise SandboxError(f"The compiled guest runner {path} cannot be loaded; remove it and try again")
    return component


def _give_memory_back() -> None:
    """Ask glibc to return what compiling took: 370 MB that a host would hold for the rest of its life."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _map(engine: Engine, path: Path) -> Component | None:
    return map_code(Component.deserialize_file, engine, path, entry=path)


def _verified(runner: Runner) -> bytes:
    data = runner.path.read_bytes()
    if hashlib.sha256(data).hexdigest() != runner.sha256:
        raise StaleRunnerError(f"The guest runner {runner.path} is not the one that was built; remove it")
    return data


def artefact_path(runner: Runner, profile: Profile | None = None) -> Path:
    """Return where the machine code of a runner is kept, or would be; by default that of fibers."""
    return private_directory("compiled") / f"{_key(runner, profile or FIBERS)}.cwasm"


def _key(runner: Runner, profile: Profile) -> str:
    return code_key(f"{_ENGINE_CONFIG} {profile.metering} {profile.name}", runner.sha256)
