"""Core modules: the wire for languages without components, by pointers and lengths; see ``docs/reference/wire.md``.

========================================  ============================================================================
export                                    what it does
========================================  ============================================================================
``memory``                                the one memory
``alloc(len) -> ptr``                     makes room that the host writes a text into
``dealloc(ptr, len)``                     takes it back
``load(ptr, len, ptr, len) -> answer``    makes the module from a bundle and a configuration
``pump(ptr, len) -> answer``              serves an inbox
``_initialize()``                         optional: called once, before anything else
========================================  ============================================================================

An *answer* is an i64, ``ptr << 32 | is_error << 31 | len``; the text stays the guest's and is read at once. Imports:
``plataforma.host_call(ptr, len, ptr, len) -> i64`` serves an immediate call and returns ``is_error << 31 | len``, and
``plataforma.host_answer(ptr)`` then copies its answer. The guest is never called while it waits for the host, so no
allocation of its own can suspend with a frame of the host's on its stack.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from wasmtime import Engine, Func, FuncType, Instance, Linker, Memory, MemoryType, Module, WasmtimeError

from plataforma_sdk.errors import ModuleLoadError, ResourceLimitError, SandboxCrashedError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm._binding import Pointer
from plataforma_sdk.sandbox.wasm._core_binding import (
    CoreCall,
    GuestMemory,
    HostTrapError,
    Instantiation,
    Served,
    define_function,
)
from plataforma_sdk.sandbox.wasm._core_guest import CoreGuest
from plataforma_sdk.sandbox.wasm._core_wasi import WASI_FUNCTIONS, WASI_MODULE
from plataforma_sdk.sandbox.wasm._foreign import CompiledForeign
from plataforma_sdk.sandbox.wasm._phases import PhasedStore, Phases
from plataforma_sdk.sandbox.wasm._unfit import unfit_error, unprovided
from plataforma_sdk.sandbox.wasm._wasi import InterruptibleHost

__all__ = ["HOST_FUNCTIONS", "HOST_MODULE", "CoreStore", "check_core", "core_linker"]

HOST_MODULE: Final = "plataforma"
HOST_FUNCTIONS: Final = {"host_call": ("iiii", "I"), "host_answer": ("i", "")}

_EXPORTS: Final = {"alloc": ("i", "i"), "dealloc": ("ii", ""), "load": ("iiii", "I"), "pump": ("ii", "I")}
_INITIALIZE: Final = "_initialize"
_MIN_INBOX_BYTES: Final = 4_096
_LENGTH: Final = 0x7FFF_FFFF
_ERROR: Final = 0x8000_0000
_PUMP_PAYLOADS: Final = 4
"""What `read_outbox` takes, in payloads; refused here already, so that it is not even copied."""

_HOSTS: Final[dict[Pointer, CoreGuest]] = {}
"""Store context -> guest, of the process: the linker outlives hosts."""

_ADVICE: Final = {
    "env": "it is a function that nothing defines: link what defines it, and without --allow-undefined",
    "wasi_unstable": f"build it with a wasi-libc of {WASI_MODULE!r}",
}
_WASI_ADVICE: Final = (
    ("sock_", "a module has no sockets: ask the host with api.call"),
    ("path_", "a module has no files: ask the host with storage.get, or asset.read for a file of the package"),
    ("fd_", "a module has no files: ask the host with storage.get, or asset.read for a file of the package"),
    ("poll_", "a module never waits in a call: return, and ask for time with a 't' line or timers.start"),
)


def check_core(compiled: CompiledForeign, *, module: str) -> None:
    """Hold a core module's imports and exports against the ABI.

    Raises:
        ModuleLoadError: imports that nobody provides, or exports that are missing or of another type; each by name.
    """
    code = _module_of(compiled)
    problems = [*_import_problems(code), *_export_problems(code)]
    if compiled.memories > 1:
        problems.append(f"it defines {compiled.memories} memories: build it with one")
    if problems:
        raise unfit_error(problems, module=module)


@functools.cache
def core_linker(engine: Engine) -> Linker:
    """Return the one linker of an engine; what it defines is the same for all core modules."""
    linker = Linker(engine)
    served: dict[str, Callable[[CoreGuest, Sequence[int]], int | None]] = {
        "host_call": lambda guest, numbers: guest.host_call(*numbers),
        "host_answer": lambda guest, numbers: guest.host_answer(*numbers),
    }
    for name, kind in HOST_FUNCTIONS.items():
        define_function(linker, HOST_MODULE, name, kind, _guarded(served[name]))
    for name, (parameters, results, serve) in WASI_FUNCTIONS.items():
        define_function(linker, WASI_MODULE, name, (parameters, results), _guarded(serve))
    return linker


def _guarded(serve: Callable[[CoreGuest, Sequence[int]], int | None]) -> Served:
    def run(context: Pointer, numbers: Sequence[int]) -> int | None:
        guest = _HOSTS[context]
        guest.count_call()
        try:
            return serve(guest, numbers)
        except Exception:
            raise
        except BaseException as error:  # noqa: BLE001 - nothing may leave a callback
            guest.host.interrupt = error  # no error, such as a key press; whoever polls raises it
            raise HostTrapError(f"interrupted by {type(error).__name__}") from None

    return run


def _module_of(compiled: CompiledForeign) -> Module:
    if not isinstance(compiled.code, Module):
        raise TypeError("not a core module")
    return compiled.code


# --- what it imports and exports --------------------------------------------------------------------------------------


def _import_problems(code: Module) -> Iterator[str]:
    known = {(HOST_MODULE, name): kind for name, kind in HOST_FUNCTIONS.items()}
    known |= {(WASI_MODULE, name): entry[:2] for name, entry in WASI_FUNCTIONS.items()}
    imports = [(item.module, item.name or "", item.type) for item in code.imports]
    yield from unprovided(
        (f"{room}.{name}", _advice(room, name, kind)) for room, name, kind in imports if (room, name) not in known
    )
    for room, name, kind in imports:
        wanted = known.get((room, name))
        if wanted is not None and _signature(kind) != wanted:
            yield f"it imports '{room}.{name}' with another type: {_written(wanted)}"


def _advice(room: str, name: str, kind: Any) -> str:
    if not isinstance(kind, FuncType):
        return "define memories, tables and globals in the module itself"
    if room == WASI_MODULE:
        return next(
            (advice for prefix, advice in _WASI_ADVICE if name.startswith(prefix)), "it has no part in a sandbox"
        )
    if room == HOST_MODULE:
        return f"there is {' and '.join(HOST_FUNCTIONS)}; every other function of the host goes through host_call"
    return _ADVICE.get(room, f"a core module imports from {HOST_MODULE!r} and {WASI_MODULE!r} only")


def _export_problems(code: Module) -> Iterator[str]:
    exports = {item.name: item.type for item in code.exports}
    if not isinstance(exports.get("memory"), MemoryType):
        yield "it does not export 'memory'"
    for name, kind in _EXPORTS.items():
        if name not in exports:
            yield f"it does not export {name!r}: {_written(kind)}"
        elif _signature(exports[name]) != kind:
            yield f"its export {name!r} has another type: {_written(kind)}"
    if _INITIALIZE in exports and _signature(exports[_INITIALIZE]) != ("", ""):
        yield f"its export {_INITIALIZE!r} has another type: {_written(('', ''))}"
    if "_start" in exports and "load" not in exports:
        yield "it is a program with a main function: build a reactor (clang: -mexec-model=reactor)"


def _signature(kind: Any) -> tuple[str, str] | None:
    if not isinstance(kind, FuncType):
        return None
    letters = {"i32": "i", "i64": "I"}
    parameters, results = (
        "".join(letters.get(str(value), "?") for value in values) for values in (kind.params, kind.results)
    )
    return parameters, results


def _written(kind: tuple[str, str]) -> str:
    names = {"i": "i32", "I": "i64"}
    parameters, results = ("(" + ", ".join(names[letter] for letter in letters) + ")" for letters in kind)
    return f"{parameters} -> {results}"


# --- an instance ------------------------------------------------------------------------------------------------------


class CoreStore(PhasedStore):
    """One instance of a core module.

    Args:
        compiled: what to instantiate; `check_core` has passed it.
        engine: its engine.
        host: serves the guest's imports.
        limits: `max_memory_bytes` is enforced here.
        module: id of the module, for errors.
    """

    memory: GuestMemory

    def __init__(
        self, compiled: CompiledForeign, engine: Engine, host: InterruptibleHost, limits: ResourceLimits, *, module: str
    ) -> None:
        compiled.check_process()
        super().__init__(engine, _HOSTS, limits, memories=1, module=module)
        self._linker = core_linker(engine)
        self._code = _module_of(compiled)
        self._guest = _HOSTS[self._context] = CoreGuest(host, limits, self._context, module=module)
        self.memory = self._guest.memory
        self._instantiation = Instantiation()
        self._functions: dict[str, CoreCall] = {}
        self._inbox = (0, 0)

    def load(self, bundle: bytes, config: bytes = b"", /) -> Phases:
        """Make the instance and load the module; see `PhasedStore`."""
        yield self._instantiation.begin(self._linker, self._context, self._code)
        self._bind(self._end_instantiation())
        if _INITIALIZE in self._functions:
            yield from self._invoke(_INITIALIZE)
        bundle_at = yield from self._place(bundle)
        config_at = yield from self._place(config)
        answer = yield from self._invoke("load", bundle_at, len(bundle), config_at, len(config))
        result = self._read(answer)
        yield from self._invoke("dealloc", bundle_at, len(bundle))
        yield from self._invoke("dealloc", config_at, len(config))
        self._guest.end_turn()
        return result

    def pump(self, inbox: bytes, _second: bytes = b"", /) -> Phases:
        """Serve the inbox; see `PhasedStore`. The room for it is kept and used again."""
        position, size = self._inbox
        if size < len(inbox):
            if size:
                yield from self._invoke("dealloc", position, size)
            size = max(_MIN_INBOX_BYTES, 1 << (len(inbox) - 1).bit_length())
            position = yield from self._room(size)
            self._inbox = (position, size)
        self._write(position, inbox)
        answer = yield from self._invoke("pump", position, len(inbox))
        result = self._read(answer)
        self._guest.end_turn()
        return result

    def _end_instantiation(self) -> Instance:
        try:
            return Instance._from_raw(self._instantiation.end())  # noqa: SLF001
        except WasmtimeError as error:
            if "incompatible import type" in str(error) or "unknown import" in str(error):
                raise ModuleLoadError(
                    f"Module {self._module!r} does not link: {str(error)[:300]}", module=self._module
                ) from None
            raise

    def _bind(self, instance: Instance) -> None:
        exports = instance.exports(self._store)
        memory = exports["memory"]
        if isinstance(memory, Memory):
            self.memory.attach(memory, self._context)
        for name in (*_EXPORTS, _INITIALIZE):
            func = exports.get(name)
            if isinstance(func, Func):
                self._functions[name] = CoreCall(func, self._context)

    def _invoke(self, name: str, *arguments: int) -> Any:
        """Call an export as one phase and return its number."""
        call = self._functions[name]
        results = len(_EXPORTS[name][1]) if name in _EXPORTS else 0
        yield call.begin(arguments, results)
        return call.end()

    def _place(self, text: bytes) -> Any:
        position = yield from self._room(len(text))
        self._write(position, text)
        return position

    def _room(self, size: int) -> Any:
        """Ask the guest for room; what it answers is believed only as far as its memory goes."""
        position = (yield from self._invoke("alloc", size)) & 0xFFFF_FFFF
        if position == 0 or not self.memory.holds(position, size):
            raise self._broken(f"alloc({size}) returned {position}, and its memory has {self.memory.size_bytes} bytes")
        return position

    def _write(self, position: int, text: bytes) -> None:
        try:
            self.memory.write(position, text)
        except IndexError as error:
            raise self._broken(str(error)) from None

    def _read(self, answer: int) -> tuple[bool, bytes]:
        position, size = answer >> 32, answer & _LENGTH
        limit = self._limits.max_payload_bytes * _PUMP_PAYLOADS
        if size > limit:
            raise ResourceLimitError("outbox", used=size, limit=limit, unit="bytes", module=self._module)
        try:
            return not answer & _ERROR, self.memory.read(position, size)
        except IndexError as error:
            raise self._broken(f"it returned a pointer outside the memory: {error}") from None

    def _broken(self, why: str) -> SandboxCrashedError:
        return SandboxCrashedError(f"Module {self._module!r} broke its ABI: {why}", module=self._module)

    def _after_slice(self) -> None:
        self._guest.end_slice()

    def _forget(self) -> None:
        self._functions.clear()
        self.memory.forget()
