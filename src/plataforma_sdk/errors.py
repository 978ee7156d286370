"""Every error that this library raises on purpose.

::

    PlataformaError
    ├─ PermissionDeniedError · InvalidPermissionError
    ├─ ModuleError
    │  ├─ ManifestError            (carries every fault at once)
    │  ├─ ModuleLoadError
    │  └─ ModuleStateError
    ├─ SandboxError
    │  ├─ PolicyError              (line, rule)
    │  ├─ ResourceLimitError       (resource, used, limit, unit)
    │  │  └─ QuotaExceededError
    │  │     └─ TreeLimitError
    │  ├─ GuestError               (the guest's own fault, with its traceback lines)
    │  ├─ HostCallError            (type_name, message)
    │  ├─ SandboxCrashedError
    │  └─ StaleRunnerError
    ├─ CodecError
    ├─ RenderError
    │  ├─ ChartError
    │  ├─ UnknownElementError
    │  └─ UnknownHandlerError
    ├─ RegistryError
    │  ├─ PackageNotFoundError · VersionConflictError · IntegrityError
    │  └─ SecurityScanError · ResolutionError (requirements, suggestions)
    └─ ApiError
       ├─ TransportError
       └─ ApiStatusError           (status, body)

Errors are built from typed arguments and write their own message: what happened, in which module, and the next step.
An error that crosses a sandbox boundary travels as `to_data` and is rebuilt by `error_from_data`, so that
``except PermissionDeniedError`` works in every tier. The file belongs to the authoring layer: standard library only.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Self

__all__ = [
    "ApiError",
    "ApiStatusError",
    "ChartError",
    "CodecError",
    "Fault",
    "GuestError",
    "HostCallError",
    "IntegrityError",
    "InvalidPermissionError",
    "ManifestError",
    "ModuleError",
    "ModuleLoadError",
    "ModuleStateError",
    "PackageNotFoundError",
    "PermissionDeniedError",
    "PlataformaError",
    "PolicyError",
    "QuotaExceededError",
    "RegistryError",
    "RenderError",
    "ResolutionError",
    "ResourceLimitError",
    "SandboxCrashedError",
    "SandboxError",
    "SecurityScanError",
    "StaleRunnerError",
    "TransportError",
    "TreeLimitError",
    "UnknownElementError",
    "UnknownHandlerError",
    "VersionConflictError",
    "error_from_data",
    "error_to_data",
]

MAX_NAME_CHARS: Final = 200
MAX_MESSAGE_CHARS: Final = 2_000
"""A message that crosses a boundary is cut here, so that an error cannot carry a payload past the payload limit."""


class PlataformaError(Exception):
    """The root of the hierarchy: ``except PlataformaError`` catches whatever this library raises on purpose.

    Attributes:
        message: what happened and the next step.
        module: id of the module concerned, or None.
    """

    fields: ClassVar[tuple[str, ...]] = ("module",)
    """Names of the attributes that cross a boundary; all are JSON values and keyword arguments of `__init__`."""

    def __init__(self, message: str, *, module: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.module = module

    @classmethod
    def _rebuild(cls, message: str, fields: Mapping[str, Any]) -> Self:
        """Make the error again on the other side of a boundary, without running `__init__` of the subclass."""
        error = cls.__new__(cls, message)
        PlataformaError.__init__(error, message)
        for name in cls.fields:
            setattr(error, name, fields.get(name))
        return error


class PermissionDeniedError(PlataformaError):
    """A module asked for what it may not do.

    Not a subclass of the builtin `PermissionError`, which is an `OSError`: a module that guards its file access
    would swallow a denial.

    Attributes:
        permission: the permission that was needed, with its scope: ``"api.clientes[GET]"``.
        reason: why it is missing: ``"undeclared"``, ``"not granted"``, ``"denied"`` or ``"refused"``.
        line: the line to add to ``module.toml`` where the permission is undeclared, else None.
    """

    fields = ("module", "permission", "reason", "line")

    def __init__(
        self,
        permission: str,
        *,
        module: str | None = None,
        reason: str = "not granted",
        line: str | None = None,
        advice: str | None = None,
    ) -> None:
        who = f"Module {module!r}" if module else "The module"
        line = line or (f'"{permission}" = "why the module needs it"' if reason == "undeclared" else None)
        if advice is None:
            advice = (
                f"add the line {line} to [permissions.required] or [permissions.optional] in module.toml"
                if line
                else f"grant {permission!r} to the module, or let it ask with permissions.request()"
            )
        super().__init__(f"{who} needs {permission!r} ({reason}): {advice}", module=module)
        self.permission = permission
        self.reason = reason
        self.line = line


class InvalidPermissionError(PlataformaError):
    """A permission name that the grammar does not admit.

    Attributes:
        permission: the text as given, cut to 256 characters.
        problem: what is wrong with it and what to write instead.
    """

    fields = ("module", "permission", "problem")

    def __init__(self, permission: object, problem: str, *, module: str | None = None) -> None:
        shown = str(permission)[:256]
        super().__init__(f"Invalid permission {shown!r}: {problem}", module=module)
        self.permission = shown
        self.problem = problem


class ModuleError(PlataformaError):
    """Something is wrong with a module as a whole: its manifest, its load or its state."""


class Fault(tuple[str, str, str]):
    """One fault of a manifest or source: where it stands, what is wrong, what to write instead.

    Attributes:
        where: file, line or key: ``"module.toml: version"``.
        problem: what is wrong.
        advice: what to write instead.
    """

    __slots__ = ()

    def __new__(cls, where: str, problem: str, advice: str) -> Self:
        """Take the three texts; a tuple, so that a fault crosses a boundary as a list of them."""
        return super().__new__(cls, (where, problem, advice))

    @property
    def where(self) -> str:
        """File, line or key."""
        return self[0]

    @property
    def problem(self) -> str:
        """What is wrong."""
        return self[1]

    @property
    def advice(self) -> str:
        """What to write instead."""
        return self[2]

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.advice}" if self.advice else f"{self.where}: {self.problem}"


class ManifestError(ModuleError):
    """A manifest or package with faults; all of them, not the first.

    Attributes:
        faults: one `Fault` each, in the order of the file.
    """

    fields = ("module", "faults")

    def __init__(self, faults: Iterable[Fault], *, module: str | None = None, source: str = "module.toml") -> None:
        found = tuple(faults)
        noun = "fault" if len(found) == 1 else "faults"
        listing = "\n".join(f"  - {fault}" for fault in found)
        super().__init__(f"{source} has {len(found)} {noun}:\n{listing}", module=module)
        self.faults: Sequence[Fault] = found


class ModuleLoadError(ModuleError):
    """A module could not be loaded: unreadable package, excluded tier, missing entry, a fault in `on_load`."""


class ModuleStateError(ModuleError):
    """An operation that the module's state does not allow.

    Attributes:
        state: the state the module is in: loading, active, parked, reloading, failed or unloaded.
    """

    fields = ("module", "state")

    def __init__(self, message: str, *, module: str | None = None, state: str | None = None) -> None:
        super().__init__(message, module=module)
        self.state = state


class SandboxError(PlataformaError):
    """Something ended inside a sandbox, or the sandbox itself did."""


class PolicyError(SandboxError):
    """Source that the restricted tier refuses; every fault at once, in `faults`.

    Attributes:
        line: line of the first fault, from 1.
        rule: short name of the rule: ``"dunder-attribute"``.
        file: path inside the package.
        faults: all faults found, each a `Fault`.
    """

    fields = ("module", "line", "rule", "file")

    def __init__(
        self,
        message: str,
        *,
        module: str | None = None,
        line: int | None = None,
        rule: str | None = None,
        file: str | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        super().__init__(message, module=module)
        self.line = line
        self.rule = rule
        self.file = file
        self.faults: Sequence[Fault] = tuple(faults)


class ResourceLimitError(SandboxError):
    """A limit was reached. Hard limits end the call and cannot be caught in the module; see `QuotaExceededError`.

    Attributes:
        resource: name of the limit: ``"fuel"``, ``"memory"``, ``"call_time"``, ``"step_time"``, ``"stack"`` ...
        used: how much was used when it tripped, in `unit`; None where the engine cannot tell.
        limit: the limit in `unit`; None where the engine cannot tell.
        unit: ``"bytes"``, ``"ms"``, ``"units"``, ``"calls/s"`` ...
        replaced: whether the module's instance was poisoned and replaced by a fresh one.
    """

    fields = ("module", "resource", "used", "limit", "unit", "replaced")

    def __init__(
        self,
        resource: str,
        *,
        used: float | None = None,
        limit: float | None = None,
        unit: str = "units",
        module: str | None = None,
        replaced: bool = False,
        advice: str | None = None,
    ) -> None:
        who = f"Module {module!r}" if module else "The module"
        amount = f": {_amount(used)} of {_amount(limit)} {unit}" if limit is not None else ""
        advice = advice or f"use less, or raise {resource!r} under [limits] or in ResourceLimits"
        super().__init__(f"{who} reached its {resource} limit{amount}; {advice}", module=module)
        self.resource = resource
        self.used = used
        self.limit = limit
        self.unit = unit
        self.replaced = replaced


class QuotaExceededError(ResourceLimitError):
    """A soft limit: raised inside the module, where it can be caught, and the same in every tier."""


class TreeLimitError(QuotaExceededError):
    """A rendered element tree with too many nodes, too deep, or too large once encoded."""


class GuestError(SandboxError):
    """A fault of the module's own code, seen from the host.

    Attributes:
        type_name: name of the guest's exception class: ``"ZeroDivisionError"``.
        text: the guest's own message, bounded.
        traceback: lines of the guest's traceback, files named as in the package, innermost last.
    """

    fields = ("module", "type_name", "text", "traceback")

    def __init__(self, type_name: str, text: str, *, traceback: Iterable[str] = (), module: str | None = None) -> None:
        who = f"Module {module!r}" if module else "The module"
        lines = tuple(traceback)
        where = f"\n{''.join(line if line.endswith(chr(10)) else line + chr(10) for line in lines)}" if lines else ""
        super().__init__(f"{who} raised {type_name}: {text}{where}".rstrip(), module=module)
        self.type_name = type_name
        self.text = text
        self.traceback: Sequence[str] = lines


class HostCallError(SandboxError):
    """The host failed while it served a module, as the module sees it: a name and a bounded message, no host paths.

    Attributes:
        type_name: name of the host's exception class.
        text: its message, bounded and free of host paths.
    """

    fields = ("module", "type_name", "text")

    def __init__(self, type_name: str, text: str, *, module: str | None = None) -> None:
        super().__init__(f"{type_name}: {text}" if text else type_name, module=module)
        self.type_name = type_name
        self.text = text


class SandboxCrashedError(SandboxError):
    """The sandbox ended without saying why: an abort, a trap of no known kind, a lost worker."""


class StaleRunnerError(SandboxError):
    """The guest runner was built from other files than those of this checkout; rebuild it."""


class CodecError(PlataformaError):
    """A value that cannot cross a boundary: not plain data, too deep, NaN, a lone surrogate, malformed text."""


class RenderError(PlataformaError):
    """A view that did not produce a tree, or that asked the host for more than a view may."""


class ChartError(RenderError):
    """A chart that a viewer could not draw: too much for its time or memory, or its worker is at fault."""


class UnknownElementError(RenderError):
    """An element type or property that is not in the catalogue."""


class UnknownHandlerError(RenderError):
    """A UI event whose handler, arguments or value do not stand in the tree that was sent."""


class RegistryError(PlataformaError):
    """A registry could not do what it was asked."""


class PackageNotFoundError(RegistryError):
    """No such module, or no version in the range."""


class VersionConflictError(RegistryError):
    """That version exists already with other content; versions are immutable."""


class IntegrityError(RegistryError):
    """Bytes whose digest is not the one recorded, or an archive that is not what it claims to be."""


class SecurityScanError(RegistryError):
    """A security scan failed or did not run."""


class ResolutionError(RegistryError):
    """No set of versions satisfies the ranges.

    Attributes:
        requirements: those that do not fit together, each ``(who asks, module id, range)``; who asks is
            ``"vendas 1.2.0"``, or ``""`` for whoever resolves.
        suggestions: changes after which it would resolve, as sentences.
    """

    fields = ("module", "requirements", "suggestions")

    def __init__(
        self,
        message: str,
        *,
        module: str | None = None,
        requirements: Iterable[tuple[str, str, str]] = (),
        suggestions: Iterable[str] = (),
    ) -> None:
        super().__init__(message, module=module)
        self.requirements: Sequence[tuple[str, str, str]] = tuple(requirements)
        self.suggestions: Sequence[str] = tuple(suggestions)


class ApiError(PlataformaError):
    """An API call did not succeed."""


class TransportError(ApiError):
    """No answer: refused address, connection, time-out, an answer that is too large or not readable."""


class ApiStatusError(ApiError):
    """An answer with a status of 400 or more.

    Attributes:
        status: the HTTP status.
        body: the decoded body, bounded.
    """

    fields = ("module", "status", "body")

    def __init__(self, status: int, *, body: Any = None, path: str = "", module: str | None = None) -> None:
        super().__init__(f"{path or 'The API'} answered {status}", module=module)
        self.status = status
        self.body = body


def _amount(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if isinstance(value, int) or value == int(value) else f"{value:,.3f}"


def error_to_data(error: BaseException) -> dict[str, Any]:
    """Describe an error as plain data: ``{"code", "message", "fields"}`` for ours, ``{"type", "message"}`` for others.

    The message is bounded to `MAX_MESSAGE_CHARS`; nothing of a foreign exception but its class name and text crosses.
    """
    message = str(error)[:MAX_MESSAGE_CHARS]
    if type(error).__name__ in _CLASSES and isinstance(error, PlataformaError):
        fields = {name: getattr(error, name, None) for name in error.fields}
        return {"code": type(error).__name__, "message": message, "fields": fields}
    return {"type": type(error).__name__, "message": message}


def error_from_data(data: Mapping[str, Any]) -> PlataformaError:
    """Rebuild the error that `error_to_data` described; a foreign one becomes `HostCallError`."""
    cls = _CLASSES.get(str(data.get("code")))
    message = str(data.get("message", ""))[:MAX_MESSAGE_CHARS]
    if cls is None:
        return HostCallError(str(data.get("type", "Error"))[:MAX_NAME_CHARS], message)
    fields = data.get("fields")
    error = cls._rebuild(message, fields if isinstance(fields, Mapping) else {})
    if isinstance(error, ManifestError):
        error.faults = _faults_of(error.faults)
    if isinstance(error, PolicyError):
        error.faults = ()
    return error


def _faults_of(data: object) -> tuple[Fault, ...]:
    """Read faults that crossed a boundary; the other side may have written anything."""
    items = data if isinstance(data, (list, tuple)) else ()
    shaped = [item for item in items if isinstance(item, (list, tuple)) and len(item) == len(("where", "what", "how"))]
    return tuple(Fault(*(str(part)[:MAX_MESSAGE_CHARS] for part in item)) for item in shaped)


_CLASSES: Final[dict[str, type[PlataformaError]]] = {
    name: cls
    for name, cls in vars(sys.modules[__name__]).items()
    if isinstance(cls, type) and issubclass(cls, PlataformaError)
}
