"""From source text to instrumented code, once for each text.

Cached in memory by the digest of the source, the version of the policy and the Python version: the same text gives the
same code, which holds no state, so sandboxes share it.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import threading
from types import CodeType
from typing import Final

import cachetools

from plataforma_sdk.errors import ModuleLoadError, PolicyError
from plataforma_sdk.sandbox.restricted._policy_classes import Policy
from plataforma_sdk.sandbox.restricted._scan import MAX_SOURCE_CHARS, bound_names

__all__ = ["POLICY_VERSION", "CompileCache", "compile_source"]

POLICY_VERSION: Final = 2
"""Raised with every change of what the policy writes; part of the cache's key."""

_SHOWN: Final = 20


def compile_source(source: str, file: str, *, module: str | None = None) -> CodeType:
    """Check and instrument one file.

    Raises:
        PolicyError: the source is refused; every fault at once.
        ModuleLoadError: it is not Python.
    """
    if len(source) > MAX_SOURCE_CHARS:
        raise PolicyError(f"{file}: more than {MAX_SOURCE_CHARS:,} characters; split it", module=module, file=file)
    try:
        tree = ast.parse(source, file)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _not_python(error, file, module) from None
    policy = Policy(file, bound_names(tree, file))
    tree = policy.visit(tree)
    if policy.faults:
        raise _refused(policy, module)
    ast.fix_missing_locations(tree)
    try:
        return compile(tree, file, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise _not_python(error, file, module) from None


def _not_python(error: BaseException, file: str, module: str | None) -> ModuleLoadError:
    line = getattr(error, "lineno", None)
    where = f"{file}, line {line}" if line else file
    return ModuleLoadError(f"Module {module!r}: {where}: {getattr(error, 'msg', None) or error}", module=module)


def _refused(policy: Policy, module: str | None) -> PolicyError:
    faults = policy.faults
    shown = "\n".join(f"  - [{rule}] {fault}" for rule, fault in zip(policy.rules[:_SHOWN], faults, strict=False))
    more = f"\n  and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    noun = "fault" if len(faults) == 1 else "faults"
    return PolicyError(
        f"{policy.file} has {len(faults)} {noun} under the restricted policy:\n{shown}{more}",
        module=module,
        line=policy.lines[0],
        rule=policy.rules[0],
        file=policy.file,
        faults=faults,
    )


class CompileCache:
    """Instrumented code by (digest, file, policy version, Python version); safe to share between threads."""

    def __init__(self, max_entries: int = 512) -> None:
        self._cache: cachetools.LRUCache[tuple[object, ...], CodeType] = cachetools.LRUCache(max_entries)
        self._lock = threading.Lock()

    def compile(self, source: str, file: str, *, module: str | None = None) -> CodeType:
        """Return the code of a file; see `compile_source`."""
        digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()
        key = (digest, file, POLICY_VERSION, sys.version_info[:3])
        with self._lock:
            code = self._cache.get(key)
        if code is None:
            code = compile_source(source, file, module=module)
            with self._lock:
                self._cache[key] = code
        return code
