"""From source text to instrumented code; `_cache` does it once for each text.

The code depends on the text, the file's name, this Python and the modules that are imported here, and on nothing else:
`_code_version` finds them by their imports.
"""

from __future__ import annotations

import ast
from types import CodeType
from typing import Final

from plataforma_sdk.errors import ModuleLoadError, PolicyError
from plataforma_sdk.sandbox.restricted._policy_classes import Policy
from plataforma_sdk.sandbox.restricted._scan import MAX_SOURCE_CHARS, bound_names
from plataforma_sdk.sandbox.restricted._trees import locate

__all__ = ["compile_source"]

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
    locate(tree)
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
