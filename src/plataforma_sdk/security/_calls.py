"""Reads calls: where a value comes from, what decodes it, and where it ends."""

from __future__ import annotations

import ast
import sys
from typing import Final

from plataforma_sdk.security import _labels as known
from plataforma_sdk.security._call import Call
from plataforma_sdk.security._expressions import ExpressionReader
from plataforma_sdk.security._facts import Lookup, Sink
from plataforma_sdk.security._platform_calls import note_platform_call
from plataforma_sdk.security._scope import BUILTINS, RESULT
from plataforma_sdk.security._value import NOTHING, PLAIN_FOLDS, Value, fold_call, joins_letters, merge

__all__ = ["CallReader"]

_COMMON: Final = frozenset(name for kind in (dict, list, str, bytes, set) for name in dir(kind))
"""Methods that most values have: a source's own ``get`` is not what ``settings.get`` calls."""
_MUTATORS: Final = frozenset(
    {"append", "extend", "update", "write", "add", "insert", "writelines", "setdefault", "put"}
)
_DYNAMIC_IMPORTS: Final = ("__import__", "importlib.import_module", "importlib.__import__", "pydoc.locate")
_ENVIRONMENT_READERS: Final = ("os.getenv", "os.environ.get", "os.environ.pop", "os.environ.setdefault")
_ROOMS: Final = frozenset(
    {"os", "sys", "subprocess", "importlib", "socket", "ctypes", "shutil", "pty", "runpy", "posix"}
)
_OPENERS: Final = ("open", "io.open", "codecs.open", "os.open")
_FILE_METHODS: Final = ("read_text", "read_bytes", "open")
_JOINING: Final = ("os.path.join", "pathlib.Path", "Path", "pathlib.PurePath", "joinpath", "format")
_WATCHED: Final = ("clipboard.read", "clipboard.write", "permissions.request", "storage.set", "Listener", ".every")
_WHO: Final = frozenset({"whoami", "hostname", "id", "uname", "ipconfig", "ifconfig", "systeminfo", "ver", "ip"})
_MAX_TEXT: Final = 4_096
_LETTER: Final = 3


class CallReader(ExpressionReader):
    """Reads calls as well."""

    def on_call(self, node: ast.Call) -> Value:
        """Read a call: its parts first, then what they make of each other."""
        owner = NOTHING
        if isinstance(node.func, ast.Attribute):
            owner = self.read(node.func.value)
            target = self.attribute_of(node.func, owner)
        else:
            target = self.read(node.func)
        args = [self.read(argument) for argument in node.args]
        words = {word.arg: self.read(word.value) for word in node.keywords}
        call = Call(node, target, owner, args, words)
        self._look_up(call)
        self._label(call)
        note_platform_call(self.facts, call)
        self._fold(call)
        self._pass_on(call)
        self._end(call)
        return call.value

    # --- what it names ---------------------------------------------------------------------------------------------

    def _look_up(self, call: Call) -> None:
        if call.name in _DYNAMIC_IMPORTS and call.args:
            self._import(call)
        elif call.name == "getattr" and len(call.args) > 1:
            self._get(call, call.args[0].dotted, call.args[1])
        elif call.method in ("__getattribute__", "__getattr__") and call.args:
            self._get(call, call.owner.dotted, call.args[-1])

    def _import(self, call: Call) -> None:
        name, line = call.args[0], call.node.lineno
        self.note_hidden(name, line, is_module=True)
        if name.exact:
            call.value.dotted = name.text
            self.facts.imports.append((name.text, line))
        else:
            call.value.dotted = ""
            self.facts.computed_imports.append(line)
            self.facts.lookups.append(Lookup(line=line, key=name))

    def _get(self, call: Call, owner: str, name: Value) -> None:
        self.note_hidden(name, call.node.lineno)
        if name.exact:
            call.value.dotted = name.text if owner in BUILTINS else f"{owner}.{name.text}"
            if name.text.startswith("__"):
                self.facts.attributes.append((name.text, call.node.lineno))
        elif owner in BUILTINS or owner in _ROOMS:
            self.facts.lookups.append(Lookup(line=call.node.lineno, key=name))

    # --- where it comes from ---------------------------------------------------------------------------------------

    def _label(self, call: Call) -> None:
        name, method, value = call.name, call.method, call.value
        value.labels |= known.READERS.get(name, 0) | known.READING_METHODS.get(method, 0)
        if name in known.DECODERS or method in known.DECODING_METHODS:
            value.labels |= known.DECODED
        if name in _ENVIRONMENT_READERS:
            is_secret = known.is_secret_name(call.text(0))
            value.labels = value.labels & ~known.ENVIRONMENT | known.ENVIRONMENT * is_secret
        elif name.endswith("storage.get"):
            value.labels |= known.STORED
        elif method in ("get", "pop"):
            self.note_picked(value, call.owner, call.text(0))
        elif method == "query" and known.is_sensitive_query(call.text(0)):
            value.labels |= known.RECORDS | known.ROWS
        elif method == "api_call":
            value.labels |= known.REMOTE if _is_url(call.text(0)) else known.STORED
        elif name.endswith("clipboard.read"):
            value.labels |= known.CLIPBOARD
        self._label_roots(call)
        self._label_end(call)

    def _label_end(self, call: Call) -> None:
        """Leave of a value what a count or a digest leaves of it, and tell a date that is written."""
        if call.name in known.DATES and call.args and all(argument.exact for argument in call.args):
            call.value.labels |= known.DATE
        if call.name in known.DERIVING:
            self._note_secret(call)
        if call.name in known.COUNTING:
            call.value = Value(dotted=call.value.dotted)
        elif call.name.startswith("hashlib.") or call.name in known.DERIVING:
            call.value = Value(dotted=call.value.dotted, labels=known.DIGEST)  # what was digested cannot be had back

    def _note_secret(self, call: Call) -> None:
        """What a key is derived from is a secret, wherever else it goes."""
        place = known.SECRET_PLACES.get(call.name, 0)
        for read in call.args[place].reads[-1:] if place < len(call.args) else ():
            self.facts.flow(read, Value(labels=known.CREDENTIAL))

    def _label_roots(self, call: Call) -> None:
        """A root counts where it is walked, or handed to a function: ``"/"`` also parts texts."""
        if isinstance(call.node.func, ast.Name) or call.name in known.READERS or call.name == "os.path.expanduser":
            for argument in call.args:
                if argument.exact and argument.text in known.ROOTS:
                    argument.labels |= known.HOME
                    call.value.labels |= known.HOME
        if known.SINKS.get(call.name) == "process" and call.text(0).partition(" ")[0] in _WHO:
            call.value.labels |= known.IDENTITY

    # --- what can be computed of it --------------------------------------------------------------------------------

    def _fold(self, call: Call) -> None:
        value, line = call.value, call.node.lineno
        name = "bytes.fromhex" if call.name.endswith("fromhex") else call.name
        text = fold_call(name, NOTHING, call.args)
        if text is None and call.method:
            name = f".{call.method}"
            text = fold_call(name, call.owner, call.args)
        if text is not None:
            value.text, value.exact = text, True
            value.hidden = (
                name not in PLAIN_FOLDS or call.owner.hidden or (name == ".join" and joins_letters(call.args))
            )
            value.labels |= known.labels_of_text(text)
            if value.hidden and len(text) > _LETTER:
                self.facts.decoded.append((text, line))
        elif call.name == "map" and len(call.args) > 1 and call.args[0].dotted == "chr":
            value.items = call.args[1].items
            value.labels |= known.DECODED
        elif call.name in _JOINING or call.method in _JOINING:
            parts = [call.owner, *call.args] if call.method in ("joinpath", "format") else call.args
            value.text = "/".join(part.text or "\0" for part in parts)[:_MAX_TEXT]
            value.exact = call.name in ("pathlib.Path", "Path") and len(parts) == 1 and parts[0].exact
            value.labels |= known.labels_of_text(value.text)
        if call.method == "join" and call.args and _is_built(call.node):
            value.labels |= known.DECODED

    # --- what it changes -------------------------------------------------------------------------------------------

    def _pass_on(self, call: Call) -> None:
        """Join arguments to parameters, the result to what the function returns, and mutators to what they change."""
        called = call.method or _own_name(call.name)
        is_foreign = call.method in _COMMON and call.owner.dotted not in ("self", "cls")
        if called and "." not in called and not is_foreign:
            self.function.calls.add(called)
            self.facts.calls.append((called, call.every))
            call.value.reads = (*call.value.reads, (0, RESULT + called))
        if call.method in _MUTATORS and call.owner.reads:
            self._change(call.owner.reads[-1], call)
        if call.name == "urllib.request.urlretrieve" and len(call.every) > 1:
            for read in call.every[1].reads:
                self.facts.flow(read, Value(labels=known.REMOTE))
        if call.method in ("write", "write_bytes", "write_text"):
            self._fill(call)

    def _change(self, changed: tuple[int, str], call: Call) -> None:
        joined = merge(call.every)
        if joined.labels or joined.reads:
            self.facts.flow(changed, joined)

    def _fill(self, call: Call) -> None:
        """``open(path, "wb").write(data)``: the path then leads to the data."""
        opened = call.node.func.value if isinstance(call.node.func, ast.Attribute) else None
        if isinstance(opened, ast.Call) and opened.args and isinstance(opened.args[0], ast.Name):
            self._change((self.scope, opened.args[0].id), call)

    # --- where it ends ---------------------------------------------------------------------------------------------

    def _end(self, call: Call) -> None:
        kind = self._kind(call)
        if not kind:
            return
        whole = call.value if call.method else merge(call.every)
        self.facts.sinks.append(
            Sink(
                kind=kind,
                name=call.name or call.method,
                line=call.node.lineno,
                function=self.function.name,
                labels=whole.labels,
                reads=whole.reads,
                text="\0".join(part.text for part in call.every if part.text)[:_MAX_TEXT],
                first=call.args[0] if call.args else NOTHING,
                in_loop=self.in_loop,
                in_flood=self.floods > 0,
                is_method=bool(call.method),
                guards=self.guards,
            )
        )

    def _kind(self, call: Call) -> str:
        if call.name in _OPENERS or call.method in _FILE_METHODS:
            place = 0 if call.name not in _OPENERS else 1
            mode = call.words["mode"].text if "mode" in call.words else call.text(place)
            is_writing = "+" in mode[:4] or (mode[:1] and mode[:1] in "wax")
            return "write" if is_writing and call.method[:5] != "read_" else "read"
        if call.method == "api_call":
            return "network" if _is_url(call.text(0)) else "api"
        if f".{call.name}".endswith(_WATCHED):
            return call.name.rpartition(".")[2]
        return known.SINKS.get(call.name) or known.SINK_METHODS.get(call.method, "")


def _own_name(name: str) -> str:
    """Return how a function of another file of the package is called there; of a library's it is none of ours."""
    root = name.partition(".")[0]
    return name if root in sys.stdlib_module_names or name.endswith(")") else name.rpartition(".")[2]


def _is_url(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))


def _is_built(node: ast.Call) -> bool:
    """Whether ``"".join(...)`` makes letters of numbers by arithmetic."""
    (argument, *_) = node.args
    if not isinstance(argument, (ast.GeneratorExp, ast.ListComp)):
        return False
    return any(isinstance(part, ast.Name) and part.id == "chr" for part in ast.walk(argument.elt))
