"""Analyses a package without running it."""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Iterator

import attrs

from plataforma_sdk import ui
from plataforma_sdk.errors import Fault, PolicyError
from plataforma_sdk.events import pattern_inside
from plataforma_sdk.manifest import METHODS, locate_keys
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.permissions import is_within, parse_permission
from plataforma_sdk.security._findings import PLACEHOLDER_REASON, Finding, Severity
from plataforma_sdk.security._usage import Use, uses_of
from plataforma_sdk.types import module_segment

__all__ = ["analyse", "used_permissions"]

_MANIFEST = "module.toml"
_BUILDERS = frozenset(ui.__all__) | {"element"}


def analyse(package: ModulePackage) -> list[Finding]:
    """Find what is wrong with a package, or could be less: by file and line.

    The package has been read, so its manifest has no faults; see `ManifestError` for those. Costs one parse of each
    source, and a compilation by the restricted policy where the manifest does not exclude that tier.
    """
    uses: list[tuple[str, Use]] = []
    findings: list[Finding] = []
    for path, text in package.sources.items():
        tree = _parse(text)
        if isinstance(tree, Finding):
            findings.append(attrs.evolve(tree, path=path))
            continue
        uses += [(path, use) for use in uses_of(tree, package.id)]
    for path, use in uses:
        findings += _of_use(package, path, use)
    if not any(finding.rule == "syntax" for finding in findings):
        findings += _policy(package)
        findings += _dead(package, [use for _, use in uses])
    return findings + list(_unexplained(package))


def used_permissions(package: ModulePackage) -> tuple[str, ...]:
    """Return the permissions that the sources need as far as they are written literally, sorted."""
    found = set()
    for text in package.sources.values():
        tree = _parse(text)
        if not isinstance(tree, Finding):
            found |= {use.alternatives[0] for use in uses_of(tree, package.id) if use.alternatives}
    return tuple(sorted(found))


def _parse(text: str) -> ast.AST | Finding:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        message = getattr(error, "msg", str(error)) or "no Python"
        return Finding(rule="syntax", path="", line=line, message=message, advice="correct it")


def _of_use(package: ModulePackage, path: str, use: Use) -> Iterator[Finding]:
    if use.method == "ui":
        (name,) = use.args
        if name not in _BUILDERS:
            yield Finding(
                rule="unknown-element",
                path=path,
                line=use.line,
                message=f"there is no ui.{name}",
                advice=f"did you mean ui.{_nearest(name)}?",
            )
    elif use.problem:
        yield Finding(rule="foreign-topic", path=path, line=use.line, message=use.problem)
    else:
        yield from _topics(package, path, use)
        yield from _undeclared(package, path, use)


def _topics(package: ModulePackage, path: str, use: Use) -> Iterator[Finding]:
    manifest = package.manifest
    if use.method == "events.subscribe" and not use.is_computed:
        topic = use.args[1]
        own = f"module.{module_segment(package.id)}."
        if not topic.startswith(own) and not any(pattern_inside(topic, known) for known in manifest.events.consumed):
            yield Finding(
                rule="unconsumed-topic",
                path=path,
                line=use.line,
                message=f"{topic!r} is not among the topics that the module consumes",
                advice=f'add "{topic}" to consumed under [events] in module.toml',
            )
    if use.method == "api.register" and not use.is_computed:
        endpoint = use.args[1]
        if not any(manifest.allows_endpoint(endpoint, method) for method in METHODS):
            yield Finding(
                rule="unknown-endpoint",
                path=path,
                line=use.line,
                message=f"{endpoint!r} is no endpoint of the manifest",
                advice=f'add the line "{endpoint}" = ["GET"] to [endpoints] in module.toml',
            )


def _undeclared(package: ModulePackage, path: str, use: Use) -> Iterator[Finding]:
    declared = package.manifest.permissions.declared
    if not use.alternatives or any(_is_declared(name, declared, use.any_scope) for name in use.alternatives):
        return
    name = use.alternatives[0]
    yield Finding(
        rule="undeclared-permission",
        severity=Severity.WARNING if use.is_guarded else Severity.ERROR,
        path=path,
        line=use.line,
        message=f"{name!r} is needed here and not declared" + (", and its refusal is caught" * use.is_guarded),
        advice=f'add the line "{name}" = "why" to [permissions.required] or [permissions.optional] in module.toml',
    )


def _is_declared(name: str, declared: tuple[str, ...], any_scope: bool) -> bool:
    if is_within([name], declared):
        return True
    return any_scope and any(is_within([name], [parse_permission(other).name]) for other in declared)


def _dead(package: ModulePackage, uses: list[Use]) -> Iterator[Finding]:
    """Find what is declared and not needed; where a use is computed, what it might need is not called dead."""
    if package.is_component:
        return  # there is no source to tell
    names = {name for use in uses for name in use.alternatives}
    computed = {use.method for use in uses if use.is_computed}
    scoped = {use.alternatives[0] for use in uses if use.any_scope}
    lines = _declared_lines(package)
    for permission in package.manifest.permissions.declared:
        parsed = parse_permission(permission)
        if parsed.name in scoped or any(_families(parsed.name) & {method} for method in computed):
            continue
        for scope in parsed.parts:
            part = parsed.name if scope is None else f"{parsed.name}[{scope}]"
            if not any(is_within([name], [part]) for name in names):
                yield Finding(
                    rule="dead-grant",
                    severity=Severity.WARNING,
                    path=_MANIFEST,
                    line=lines.get(permission),
                    message=f"{part!r} is declared and nothing needs it",
                    advice="remove it: what a module cannot do, it cannot be misled to do",
                )


def _unexplained(package: ModulePackage) -> Iterator[Finding]:
    lines = _declared_lines(package)
    permissions = package.manifest.permissions
    for permission, reason in {**permissions.required, **permissions.optional}.items():
        if reason == PLACEHOLDER_REASON:
            yield Finding(
                rule="placeholder-reason",
                severity=Severity.WARNING,
                path=_MANIFEST,
                line=lines.get(permission),
                message=f"nothing says yet why {permission!r} is needed",
                advice="write in a sentence why: the person who is asked for it reads that",
            )


def _declared_lines(package: ModulePackage) -> dict[str, int]:
    """Find on which lines of the manifest permissions stand; those in lists are on the line of their list."""
    keys = locate_keys(package.files[_MANIFEST].decode("utf-8-sig"))
    permissions = package.manifest.permissions
    found: dict[str, int] = {}
    for kind, names in (("required", permissions.required), ("optional", permissions.optional)):
        table = keys.get(("permissions", kind))
        found |= {} if table is None else dict.fromkeys(names, table)
        written = {path[2]: line for path, line in keys.items() if path[:2] == ("permissions", kind) and path[2:]}
        found |= {str(parse_permission(name)): line for name, line in written.items() if line}
    return found


def _families(name: str) -> set[str]:
    """Host functions whose computed arguments may need this permission."""
    if name.startswith("api"):
        return {"api.call"}
    if name.startswith("events."):
        return {"events.emit", "events.request"} if name.startswith("events.emit") else {"events.subscribe"}
    return {"permissions"}


def _policy(package: ModulePackage) -> Iterator[Finding]:
    if "restricted" in package.manifest.excluded_tiers or package.is_component or package.manifest.wheels:
        return
    from plataforma_sdk.sandbox.restricted import compile_source

    for path, text in package.sources.items():
        try:
            compile_source(text, path, module=package.id)
        except PolicyError as error:
            yield from map(_of_fault, error.faults or [Fault(path, error.message, "")])


def _of_fault(fault: Fault) -> Finding:
    path, _, line = fault.where.partition(":")
    advice = f"{fault.advice}, or " if fault.advice else ""
    return Finding(
        rule="policy",
        severity=Severity.WARNING,
        path=path,
        line=int(line) if line.isdigit() else None,
        message=f"the restricted tier refuses: {fault.problem}",
        advice=f'{advice}add exclude = ["restricted"] to module.toml',
    )


def _nearest(name: str) -> str:
    found = difflib.get_close_matches(name, sorted(_BUILDERS), n=1, cutoff=0.0)
    return found[0]
