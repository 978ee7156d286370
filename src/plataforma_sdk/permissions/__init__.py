"""Permissions: the grammar of names and scopes, and what one module may do.

`PermissionManager` stands on its own: grants, denials, prompts, live revocation, explanations. Nothing here does I/O
(the console prompt, the audit file and the store of decisions live in `plataforma_sdk.runtime`), and nothing but the
standard library and attrs is imported: the same files run inside the WASM guest.
"""

from plataforma_sdk.permissions._grammar import Permission, check_declarable, parse_permission
from plataforma_sdk.permissions._manager import PermissionManager
from plataforma_sdk.permissions._names import PERMISSIONS
from plataforma_sdk.permissions._rules import Decider, Kind, is_swallowed, is_touched, is_within
from plataforma_sdk.permissions._text import clean_text, quote
from plataforma_sdk.permissions._values import (
    CHOICES,
    Answer,
    AuditRecord,
    Explanation,
    HeldScopes,
    PermissionAnswer,
    PermissionChange,
    PermissionPrompt,
    PermissionRequest,
    PermissionRule,
    Prompt,
)

__all__ = [
    "CHOICES",
    "PERMISSIONS",
    "Answer",
    "AuditRecord",
    "Decider",
    "Explanation",
    "HeldScopes",
    "Kind",
    "Permission",
    "PermissionAnswer",
    "PermissionChange",
    "PermissionManager",
    "PermissionPrompt",
    "PermissionRequest",
    "PermissionRule",
    "Prompt",
    "check_declarable",
    "clean_text",
    "is_swallowed",
    "is_touched",
    "is_within",
    "parse_permission",
    "quote",
]
