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
    PlataformaError,
    ResourceLimitError,
    error_to_data,
)
from plataforma_sdk.module import ModuleContext, ModuleFramework, ModuleRuntime, find_entry
from plataforma_sdk.sandbox._deadline import CallDeadline
from plataforma_sdk.sandbox._in_process import InProcessInstance, count_cancellations, end_tasks, running_task
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


class TrustedInstance(InProcessInstance):
    """One module in plain CPython."""

    is_poisoned = False

    def __init__(self, cls: type[ModuleFramework], context: EngineContext, importer: PackageImporter | None) -> None:
        super().__init__(context)
        self._importer = importer
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

    async def _serve(self, function: str, args: list[Any], kwargs: dict[str, Any], _: CallDeadline | None) -> Any:
        started = time.thread_time()
        cancels = count_cancellations()
        try:
            result = self._runtime.dispatch(function, args, kwargs)
            return codec.copy_value(await result if inspect.isawaitable(result) else result)
        except TimeoutError:
            raise
        except PlataformaError as error:
            if "code" in error_to_data(error):
                raise
            raise self._translated(error) from None
        except asyncio.CancelledError as error:
            if count_cancellations() > cancels:
                raise
            raise self._translated(error) from None  # its own doing: nobody cancelled the caller
        except RecursionError:
            raise ResourceLimitError("stack", unit="frames", module=self._context.module_id) from None
        except Exception as error:  # noqa: BLE001
            raise self._translated(error) from None
        finally:
            self._context.monitor.add_cpu((time.thread_time() - started) * 1_000)

    def _translated(self, error: BaseException) -> GuestError:
        return _guest_error(error, self._context.module_id)

    async def close(self) -> None:
        """End running calls and the module's own tasks, and forget the imported package.

        Its threads cannot be ended, nor can a task that swallows its cancellation: `left_running` has them.
        """
        self._end_calls()
        importer, self._importer = self._importer, None
        if importer is None:
            return
        current = asyncio.current_task()
        own = [task for task in asyncio.all_tasks() if task is not current and importer.owns(task.get_coro())]
        self._left = [running_task(task, task.get_coro()) for task in await end_tasks(own)]
        self._left += importer.threads()
        importer.close()


def _log(context: EngineContext, text: str) -> None:
    context.bridge.call_now("log", ["info", text, {}])


def _guest_error(error: BaseException, module: str) -> GuestError:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(f"<{module}>/")]
    for frame in own:
        frame.filename = frame.filename[len(module) + 3 :]
    lines = traceback.format_list(own)
    return GuestError(type(error).__name__, str(error)[:2_000], traceback=lines, module=module)
