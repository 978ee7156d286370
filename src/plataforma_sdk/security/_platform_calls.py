"""Reads the calls by which a module hands the platform its handlers, and those that read the module's own source."""

from __future__ import annotations

import ast
import re
from typing import Final

from plataforma_sdk.security import _labels as known
from plataforma_sdk.security._call import Call
from plataforma_sdk.security._facts import Facts
from plataforma_sdk.security._value import Value, merge

__all__ = ["note_platform_call"]

_HANDLER_WORDS: Final = ("on_submit", "on_change", "on_press", "on_select")
_READING: Final = ("read_text", "read_bytes", "open", "io.open", "codecs.open", "linecache.getlines", "shutil.copy")
_REMOVING: Final = ("os.remove", "os.unlink", "os.truncate", "shutil.move", "os.rename", "os.replace")
_OWN_NAMES: Final = frozenset({"__name__", "__class__", "modules"})
_OVERHEARD: Final = re.compile(r"(?:\*|(?!module\b)[a-z0-9_-]+\.\*)\Z|\*\.")
"""Patterns of topics by which one hears what is meant for others."""
_CODE_CALLS: Final = (
    "VirtualAlloc",
    "VirtualAllocEx",
    "VirtualProtect",
    "WriteProcessMemory",
    "CreateRemoteThread",
    "memfd_create",
)
_EXECUTABLE: Final = 4
_SAME_FILE: Final = ("resolve", "absolute", "expanduser", "with_name", "with_suffix", "abspath", "realpath", "fspath")


def note_platform_call(facts: Facts, call: Call) -> None:
    """Note what a call says about who will be handed what."""
    if call.method.endswith("_field"):
        _note_field(facts, call)
    elif call.method == "action" and call.args:
        call.value.dotted = call.args[0].dotted
    elif call.method in ("subscribe", "register_endpoint") and len(call.args) > 1:
        _note_door(facts, call)
    elif call.name.endswith("ui.image") and _is_pixel(call):
        facts.pixels.append(call.node.lineno)
    for word in _HANDLER_WORDS:
        if word in call.words:
            given = merge([value for name, value in call.words.items() if name not in _HANDLER_WORDS] + call.args)
            facts.handlers.append((_last(call.words[word].dotted), given))
    if call.method in _CODE_CALLS or (call.name == "mmap.mmap" and _is_executable(call)):
        facts.machine_code.append(call.node.lineno)
    if call.name in _REMOVING and call.node.args and _is_own_file(call.node.args[0]):
        facts.removals.append(call.node.lineno)
    if _reads_itself(call):
        call.value.labels |= known.SELF


def _is_pixel(call: Call) -> bool:
    """Whether nobody could see this picture, whose address is computed."""
    sizes = [call.words[name].text for name in ("width", "height") if name in call.words]
    is_remote = call.text(0)[:8].lower().startswith(("http://", "https://"))
    return is_remote and not call.args[0].exact and bool(sizes) and all(size in ("1", "2") for size in sizes)


def _is_executable(call: Call) -> bool:
    protection = call.words.get("prot")
    if protection is None:
        return False
    is_number = protection.exact and protection.text.isdigit()
    return (
        bool(int(protection.text) & _EXECUTABLE)
        if is_number
        else any("PROT_EXEC" in name for _, name in protection.reads)
    )


def _note_field(facts: Facts, call: Call) -> None:
    """A field for a secret makes what its form's handler is given secret."""
    label = call.words["label"].text if "label" in call.words else ""
    is_secret = "kind" in call.words and call.words["kind"].text == "password"
    if is_secret or known.is_field(call.text(0)) or known.is_field(label):
        call.value.labels |= known.FORM
        facts.secret_fields.append(call.node.lineno)


def _note_door(facts: Facts, call: Call) -> None:
    name = _last(call.args[1].dotted)
    is_event = call.method == "subscribe"
    labels = known.EVENT if is_event else known.REMOTE | known.EVENT
    if is_event and _OVERHEARD.match(call.text(0)):
        labels |= known.NAMED  # whatever it is
    facts.handlers.append((name, Value(labels=labels)))
    if not is_event:
        facts.endpoints[name] = call.node.lineno


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]


def _reads_itself(call: Call) -> bool:
    """Whether this reads the file that it stands in, or one beside it that it names."""
    if call.name in ("inspect.getsource", "inspect.getsourcelines"):
        named = (part for argument in call.node.args for part in ast.walk(argument))
        return any(getattr(part, "id", getattr(part, "attr", "")) in _OWN_NAMES for part in named)
    if call.name not in _READING and call.method not in _READING:
        return False
    is_method = call.method in ("read_text", "read_bytes", "open") and isinstance(call.node.func, ast.Attribute)
    opened = call.node.func.value if is_method and isinstance(call.node.func, ast.Attribute) else None
    return _is_own_file(opened if opened is not None else call.node.args[0] if call.node.args else None)


def _is_own_file(node: ast.expr | None) -> bool:
    match node:
        case ast.Name(id="__file__"):
            return True
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=args) if name in _SAME_FILE:
            if name.startswith("with_") and not (
                isinstance(args[0], ast.Constant) and str(args[0].value)[-3:] == ".py"
            ):
                return False
            return _is_own_file(inner) or any(map(_is_own_file, args))
        case ast.Call(func=ast.Name(id="Path") | ast.Attribute(attr="Path"), args=[only]):
            return _is_own_file(only)
        case _:
            return False
