"""Component modules of any language on the world ``plataforma:module``; see ``docs/reference/wire.md``.

The same interface as the guest runner, so the same pump; what differs is that nothing about the component is known: its
imports are read and refused by name, its exports are held against the world, and its instance is made in a call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ctypes import addressof, c_void_p
from typing import Any, Final

from wasmtime import Engine, WasmtimeError
from wasmtime import _ffi as ffi
from wasmtime.component import Component, ComponentInstanceType, FuncType, Instance, Linker, ResultType, String

from plataforma_sdk.errors import ModuleLoadError, ResourceLimitError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm import _binding
from plataforma_sdk.sandbox.wasm._binding import Call, Pointer
from plataforma_sdk.sandbox.wasm._foreign import CompiledForeign
from plataforma_sdk.sandbox.wasm._memory import LinearMemory
from plataforma_sdk.sandbox.wasm._phases import PhasedStore, Phases
from plataforma_sdk.sandbox.wasm._traps import trap_error
from plataforma_sdk.sandbox.wasm._unfit import shown, unfit_error, unprovided
from plataforma_sdk.sandbox.wasm._wasi import HOST_INTERFACE, GuestHost, define_imports

__all__ = ["HOST_VERSION", "ComponentStore", "link_component"]

HOST_VERSION: Final = "0.1.0"

_HOSTS: Final[dict[Pointer, GuestHost]] = {}
"""Store context -> host, of the process: linkers outlive hosts."""

_EXPORTS: Final = {"load": ("bundle", "config"), "pump": ("inbox",)}
_WASI_ROOMS: Final = ("cli", "clocks", "filesystem", "io", "random")
_WASI_VERSION: Final = "0.2."
_ADVICE: Final = {
    "wasi:sockets": "a module has no sockets: ask the host with api.call",
    "wasi:http": "a module has no HTTP of its own: ask the host with api.call",
    "wasi:keyvalue": "ask the host with storage.get and storage.set",
}
_GENERAL_ADVICE: Final = (
    f"build it for the world 'plataforma:module' {HOST_VERSION}, which imports {HOST_INTERFACE!r} "
    f"and WASI 0.2 ({', '.join(_WASI_ROOMS)}) only"
)


def link_component(compiled: CompiledForeign, engine: Engine, *, module: str) -> Linker:
    """Check a component against the world and define what it imports.

    Raises:
        ModuleLoadError: imports that nobody provides, or exports that are missing or of another type; each by name.
    """
    component = _component_of(compiled)
    problems = [*_import_problems(component, engine), *_export_problems(component, engine)]
    if problems:
        raise unfit_error(problems, module=module)
    linker = Linker(engine)
    try:
        define_imports(linker, engine, component, _HOSTS, _binding)
    except WasmtimeError as error:
        raise ModuleLoadError(f"Module {module!r} does not link: {_short(error)}", module=module) from None
    return linker


def _component_of(compiled: CompiledForeign) -> Component:
    if not isinstance(compiled.code, Component):
        raise TypeError("not a component")
    return compiled.code


def _import_problems(component: Component, engine: Engine) -> Iterator[str]:
    imports = component.type.imports(engine)
    yield from unprovided((name, _advice(name)) for name in imports if not _is_provided(name))
    host = imports.get(f"{HOST_INTERFACE}@{HOST_VERSION}")
    if host is not None:
        yield from _host_problems(host.ty, engine)


def _is_provided(name: str) -> bool:
    short, _, version = name.partition("@")
    if short == HOST_INTERFACE:
        return version == HOST_VERSION
    room = short.removeprefix("wasi:").partition("/")[0]
    return short.startswith("wasi:") and room in _WASI_ROOMS and version.startswith(_WASI_VERSION)


def _advice(name: str) -> str:
    if name.partition("@")[0] == HOST_INTERFACE:
        return f"this host speaks version {HOST_VERSION}: rebuild it for that"
    return _ADVICE.get(name.partition("/")[0], _GENERAL_ADVICE)


def _host_problems(host: Any, engine: Engine) -> Iterator[str]:
    functions = host.exports(engine) if isinstance(host, ComponentInstanceType) else {}
    for name, extern in functions.items():
        if name != "call":
            yield f"it imports {shown(name)} of {HOST_INTERFACE!r}, which has 'call' alone"
        elif not _fits(extern.ty, ("method", "payload")):
            yield f"it imports {HOST_INTERFACE!r} with another type of 'call': {_GENERAL_ADVICE}"


def _export_problems(component: Component, engine: Engine) -> Iterator[str]:
    exports = component.type.exports(engine)
    for name, parameters in _EXPORTS.items():
        texts = ", ".join(f"{parameter}: string" for parameter in parameters)
        wanted = f"export {name}: func({texts}) -> result<string, string>"
        if name not in exports:
            yield f"it does not export {name!r}: {wanted}"
        elif not _fits(exports[name].ty, parameters):
            yield f"its export {name!r} has another type: {wanted}"


def _fits(kind: Any, parameters: Sequence[str]) -> bool:
    """Whether a type is ``func(string ...) -> result<string, string>``; the names of parameters do not matter."""
    if not isinstance(kind, FuncType) or len(kind.params) != len(parameters):
        return False
    result = kind.result
    return (
        all(isinstance(parameter, String) for _, parameter in kind.params)
        and isinstance(result, ResultType)
        and isinstance(result.ok, String)
        and isinstance(result.err, String)
    )


class ComponentStore(PhasedStore):
    """One instance of a component.

    Args:
        compiled: what to instantiate.
        linker: from `link_component`.
        engine: its engine.
        host: serves the guest's imports.
        limits: `max_memory_bytes` is enforced here.
        module: id of the module, for errors.
    """

    memory: LinearMemory

    def __init__(
        self,
        compiled: CompiledForeign,
        linker: Linker,
        engine: Engine,
        host: GuestHost,
        limits: ResourceLimits,
        *,
        module: str,
    ) -> None:
        compiled.check_process()
        super().__init__(engine, _HOSTS, limits, memories=compiled.memories, module=module)
        _HOSTS[self._context] = host
        self._compiled = compiled
        self._linker = linker
        self.memory = LinearMemory()
        self._exports: dict[str, Call] = {}
        self._raw = ffi.wasmtime_component_instance_t()
        self._failure = c_void_p(0)

    def load(self, bundle: bytes, config: bytes = b"", /) -> Phases:
        """Make the instance and load the module; see `PhasedStore`."""
        self._failure.value = None
        yield _binding.begin_instantiate(
            self._linker, self._context, self._compiled.code, addressof(self._raw), addressof(self._failure)
        )
        self._check_instance()
        self.memory.locate(self._compiled.artefact)
        instance = Instance._from_raw(self._raw)  # noqa: SLF001
        for name, parameters in _EXPORTS.items():
            func = instance.get_func(self._store, name)
            self._exports[name] = Call(func, self._context, len(parameters))
        return (yield from self._run("load", bundle, config))

    def pump(self, inbox: bytes, _second: bytes = b"", /) -> Phases:
        """Serve the inbox; see `PhasedStore`."""
        return (yield from self._run("pump", inbox, b""))

    def _run(self, name: str, first: bytes, second: bytes) -> Phases:
        call = self._exports[name]
        yield call.begin(first, second)
        return call.end()

    def _check_instance(self) -> None:
        try:
            _binding.check(self._failure.value)
        except WasmtimeError as error:
            text = str(error)
            ended = trap_error(text, module=self._module, limits=self._limits)
            if "wasm trap" in text or isinstance(ended, ResourceLimitError):
                raise ended from None
            raise ModuleLoadError(
                f"Module {self._module!r} does not link: {_short(error)}", module=self._module
            ) from None

    def _forget(self) -> None:
        for call in self._exports.values():
            call.discard()  # what it came to, if the store was dropped before anybody asked
        self._exports.clear()
        self.memory.forget()


def _short(error: WasmtimeError) -> str:
    return " ".join(str(error).split())[:600]
