"""Permissions as a person sees them: what each module asks for, what was decided about it, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from plataforma_sdk.permissions import Kind, PermissionRule, clean_text, is_swallowed, is_within
from plataforma_sdk.runtime import sentence_of
from plataforma_sdk.web.desktop._launcher import shown_name

if TYPE_CHECKING:
    from plataforma_sdk.permissions import Explanation
    from plataforma_sdk.runtime import ModuleHandle, ModuleHost

__all__ = ["listed_permissions"]


def listed_permissions(host: ModuleHost, locale: str) -> list[dict[str, Any]]:
    """List the modules that are loaded, and after them those that only a stored decision is left of."""
    loaded = [
        {
            "id": handle.id,
            "name": shown_name(handle.manifest),
            "loaded": True,
            "entries": _of_loaded(handle, locale),
        }
        for handle in host.modules.values()
    ]
    return [*loaded, *_of_others(host, locale)]


def _of_loaded(handle: ModuleHandle, locale: str) -> list[dict[str, Any]]:
    declared = handle.manifest.permissions
    rules = handle.permissions.rules
    told: set[PermissionRule] = set()
    entries = []
    for permission in declared.declared:
        explanation = handle.permissions.explain(permission)
        deciding = _deciding(explanation, rules)
        told.update(rule for rule in deciding if rule.is_allowed or is_swallowed(permission, by=rule.permission))
        entries.append(
            _entry(
                permission,
                locale,
                state=_state(explanation),
                rule=deciding[0] if deciding else None,
                is_required=permission in declared.required,
                reason=clean_text(declared.required.get(permission) or declared.optional.get(permission, "")),
            )
        )
    return [
        *entries,
        *(_of_rule(rule, declared.declared, locale) for rule in rules if rule not in told and _tells(rule)),
    ]


def _state(explanation: Explanation) -> str:
    if explanation.allowed:
        return "granted"
    return "denied" if explanation.reason in ("denied", "refused") else "undecided"


def _deciding(explanation: Explanation, rules: tuple[PermissionRule, ...]) -> list[PermissionRule]:
    """Find the rules that an explanation names, the one that it took its kind from first."""
    names = (explanation.rule or "").split(" and ")
    found = [rule for rule in rules if rule.permission in names and rule.is_allowed is explanation.allowed]
    return sorted(found, key=lambda rule: (rule.kind is not explanation.kind, rule.permission != names[0]))


def _tells(rule: PermissionRule) -> bool:
    """Whether a rule beside the declared permissions is worth a line: a grant of the host for all modules is not."""
    return rule.by == "person" or not rule.is_allowed


def _of_rule(rule: PermissionRule, declared: tuple[str, ...], locale: str) -> dict[str, Any]:
    return _entry(
        rule.permission,
        locale,
        state="granted" if rule.is_allowed else "denied",
        rule=rule,
        is_declared=is_within([rule.permission], declared),
    )


def _of_others(host: ModuleHost, locale: str) -> Iterator[dict[str, Any]]:
    modules: dict[str, list[dict[str, Any]]] = {}
    for key in host.decisions.keys(host.subject):
        if key.module in host.modules:
            continue
        for decision in host.decisions.decisions(key):
            rule = PermissionRule(
                permission=decision.permission, is_allowed=decision.is_allowed, kind=Kind.FOREVER, by="person"
            )
            modules.setdefault(key.module, []).append(_of_rule(rule, decision.declared, locale))
    for module, entries in modules.items():
        manifest = host.manifest_of(module)
        name = module if manifest is None else shown_name(manifest)
        yield {"id": module, "name": name, "loaded": False, "entries": entries}


def _entry(
    permission: str,
    locale: str,
    *,
    state: str,
    rule: PermissionRule | None,
    is_declared: bool = True,
    is_required: bool = False,
    reason: str = "",
) -> dict[str, Any]:
    return {
        "permission": permission,
        "meaning": sentence_of(permission, locale),
        "state": state,
        "kind": None if rule is None else str(rule.kind),
        "until": None if rule is None else rule.until,
        "by": None if rule is None else rule.by,
        "declared": is_declared,
        "required": is_required,
        "reason": reason,
    }
