"""The `trusted` engine: the module's code runs as the host's own.

Values are still copied by the codec, calls still have a deadline and every privilege still passes the proxy, so that
a module that works here works in the other tiers, and a denial is a denial.
"""

from __future__ import annotations

import asyncio
import inspect
import time
import traceback
from typing import TYPE_CHECKING, Any

from plataforma_sdk import codec
from plataforma_sdk.errors import (
    GuestError,
    ModuleLoadError,
    ModuleStateError,
    PlataformaError,
    ResourceLimitError,
    error_to_data,
)
from plataforma_sdk.module import ModuleContext, ModuleFramework, ModuleRuntime, find_entry
from plataforma_sdk.sandbox._deadline import CallDeadline
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.trusted._importer import PackageImporter

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["TrustedEngine", "TrustedInstance"]


class TrustedEngine:
    """Runs modules in plain CPython, unmetered but for their deadlines."""

    name = "trusted"

    async def load(self, package: ModulePackage, context: EngineContext) -> TrustedInstance:
        """Import the package and make the module.

        Raises:
            ModuleLoadError: a WebAssembly component, a syntax error, or no entry class.
            GuestError: the module's top-level code failed.
        """
        if package.is_component:
            raise ModuleLoadError(
                f"Module {package.id!r} is a WebAssembly component: load it with engine='wasm'", module=package.id
            )
        importer = PackageImporter(package.sources, module=package.id, output=lambda text: _log(context, text))
        try:
            namespace = vars(importer.run(package.entry_file))
            cls = find_entry(namespace, ModuleFramework, package.entry_class, module=package.id)
            return TrustedInstance(cls, context, importer)
        except PlataformaError:
            importer.close()
            raise
        except Exception as error:  # noqa: BLE001 - the module's own code may raise anything
            importer.close()
            raise _guest_error(error, package.id) from None

    async def load_class(self, cls: type[ModuleFramework], context: EngineContext) -> TrustedInstance:
        """Make a module from a class that the host already holds."""
        return TrustedInstance(cls, context, None)

    async def close(self) -> None:
        """Nothing is held beside the instances."""


class TrustedInstance:
    """One module in plain CPython."""

    is_poisoned = False

    def __init__(self, cls: type[ModuleFramework], context: EngineContext, importer: PackageImporter | None) -> None:
        self._context = context
        self._importer = importer
        self._calls: set[tuple[asyncio.Task[Any] | None, object]] = set()
        self._is_closed = False
        self._runtime = ModuleRuntime(
            ModuleContext(
                id=context.module_id,
                version=context.version,
                bridge=context.bridge,
                config=codec.copy_value(dict(context.config)),
                locale=context.locale,
                messages=context.messages,
                max_tree_nodes=context.limits.max_tree_nodes,
            )
        )
        self._runtime.start(cls)

    async def call(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call into the module; see `Instance.call`."""
        if self._is_closed:
            raise self._closed_error()
        task = asyncio.current_task()
        entry = (task, object())
        self._calls.add(entry)
        try:
            monitor = self._context.monitor
            received, named = codec.copy_value(list(args)), codec.copy_value(kwargs)
            monitor.check_values([*received, *named.values()])
            result = codec.copy_value(await self._within_deadline(function, received, named))
            monitor.check_values([result])
            return result  # noqa: TRY300 - an else block would hide what is awaited
        except asyncio.CancelledError:
            if entry in self._calls or task is None:
                raise
            task.uncancel()  # ours, from `close`: the caller is told, not cancelled
            raise self._closed_error() from None
        finally:
            self._calls.discard(entry)

    def _closed_error(self) -> ModuleStateError:
        module = self._context.module_id
        return ModuleStateError(f"Module {module!r} is closed", module=module, state="unloaded")

    async def _within_deadline(self, function: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        limits = self._context.limits
        deadline = CallDeadline(limits.max_call_ms)
        try:
            async with deadline:
                return await self._dispatch(function, args, kwargs)
        except TimeoutError as error:
            if not deadline.has_passed:
                raise _guest_error(error, self._context.module_id) from None
            raise ResourceLimitError(
                "call_time",
                used=deadline.elapsed_ms,
                limit=limits.max_call_ms,
                unit="ms",
                module=self._context.module_id,
            ) from None

    async def _dispatch(self, function: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        started = time.thread_time()
        cancels = _cancels()
        try:
            result = self._runtime.dispatch(function, args, kwargs)
            return await result if inspect.isawaitable(result) else result
        except TimeoutError:
            raise
        except PlataformaError as error:
            if "code" in error_to_data(error):
                raise
            raise _guest_error(error, self._context.module_id) from None
        except asyncio.CancelledError as error:
            if _cancels() > cancels:
                raise
            raise _guest_error(error, self._context.module_id) from None  # its own doing: nobody cancelled the caller
        except RecursionError:
            raise ResourceLimitError("stack", unit="frames", module=self._context.module_id) from None
        except Exception as error:  # noqa: BLE001
            raise _guest_error(error, self._context.module_id) from None
        finally:
            self._context.monitor.add_cpu((time.thread_time() - started) * 1_000)

    async def close(self) -> None:
        """End running calls and the module's own tasks, and forget the imported package."""
        self._is_closed = True
        calls, self._calls = self._calls, set()
        current = asyncio.current_task()
        for task in {task for task, _ in calls if task is not None and task is not current}:
            task.cancel()
        if self._importer is not None:
            for task in asyncio.all_tasks():
                if task is not current and self._importer.owns(task.get_coro()):
                    task.cancel()
            self._importer.close()


def _log(context: EngineContext, text: str) -> None:
    context.bridge.call_now("log", ["info", text, {}])


def _cancels() -> int:
    """Count the cancellations that the running task was asked for and has not taken back."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _guest_error(error: BaseException, module: str) -> GuestError:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(f"<{module}>/")]
    for frame in own:
        frame.filename = frame.filename[len(module) + 3 :]
    lines = traceback.format_list(own)
    return GuestError(type(error).__name__, str(error)[:2_000], traceback=lines, module=module)
