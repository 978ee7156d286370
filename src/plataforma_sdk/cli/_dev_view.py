"""How ``plataforma dev`` shows what happens: a live picture, lines, or JSON."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol, Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from plataforma_sdk import codec
from plataforma_sdk.cli._tree import draw
from plataforma_sdk.ui._text_values import clean

__all__ = ["JsonView", "LineView", "LiveView", "View", "line_of"]

MAX_LINES: Final = 12
MAX_DATA_CHARS: Final = 200
_STYLES: Final = {"failed": "red", "denied": "yellow", "leak": "yellow", "reloaded": "green", "loaded": "green"}


class View(Protocol):
    """Shows what happens, within a ``with`` block."""

    def show(self, what: str, /, **fields: Any) -> None:
        """Show one thing; see `DevSession`."""

    def paused(self) -> contextlib.AbstractContextManager[None]:
        """Leave the terminal to a question."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class _ScrollingView:
    """What lines that scroll by have in common: a question does not meet them, and nothing is to be put back."""

    def paused(self) -> contextlib.AbstractContextManager[None]:
        """Nothing is in the way."""
        return contextlib.nullcontext()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


class JsonView(_ScrollingView):
    """One JSON object a line: ``what``, and its fields; values that JSON lacks as the codec writes them."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, what: str, /, **fields: Any) -> None:
        """Write the line."""
        self._out.write(codec.encode({"what": what, **fields}) + "\n")
        self._out.flush()


class LineView(_ScrollingView):
    """Lines, and each window anew when it has changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._trees: dict[str, Any] = {}

    def show(self, what: str, /, **fields: Any) -> None:
        """Print it."""
        if what == "tree":
            if self._trees.get(fields["window"]) != fields["tree"]:
                self._trees[fields["window"]] = fields["tree"]
                self._console.print(_panel(fields["window"], fields["tree"]))
        elif what != "usage":
            self._console.print(line_of(what, fields), soft_wrap=True)


class LiveView:
    """One picture that is kept up to date: windows, the last things that happened, usage."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)
        self._trees: dict[str, Any] = {}
        self._lines: deque[RenderableType] = deque(maxlen=MAX_LINES)
        self._usage = Text()
        self._is_paused = False

    def show(self, what: str, /, **fields: Any) -> None:
        """Take it up, and draw the picture again."""
        if what == "tree":
            self._trees[fields["window"]] = fields["tree"]
        elif what == "usage":
            self._usage = line_of(what, fields)
        else:
            self._lines.append(line_of(what, fields))
        if not self._is_paused:
            self._live.update(self.picture(), refresh=True)

    def picture(self) -> RenderableType:
        """Draw everything."""
        windows = [_panel(name, tree) for name, tree in self._trees.items()]
        hint = Text("save a file to reload it, Ctrl-C ends", style="dim")
        return Group(*windows, *self._lines, self._usage, hint)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Take the picture away while a question stands."""
        self._is_paused = True
        self._live.stop()
        try:
            yield
        finally:
            self._is_paused = False
            self._live.update(self.picture())
            self._live.start(refresh=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


def _panel(name: str, tree: Mapping[str, Any]) -> Panel:
    return Panel(draw(tree), title=Text(clean(name)), border_style="blue")


def line_of(what: str, fields: Mapping[str, Any]) -> Text:
    """Write one thing as a line; what a module wrote is cleaned and never read as markup."""
    text = "\n".join(clean(part) for part in _LINES[what](fields).split("\n"))
    return Text.assemble((f"{what:<9}", _STYLES.get(what, "cyan")), text)


def _reloaded(fields: Mapping[str, Any]) -> str:
    files = f" after {', '.join(fields['files'])}" if fields["files"] else ""
    return f"{fields['module']} {fields['version']} in {fields['engine']}{files}: {fields['since_seen_ms']} ms"


def _failed(fields: Mapping[str, Any]) -> str:
    runs = fields["runs"]
    return f"{fields['error']}\n" + (f"{runs} goes on running" if runs else "nothing runs yet: mend it and save")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_DATA_CHARS else text[:MAX_DATA_CHARS] + "…"


def _usage(fields: Mapping[str, Any]) -> str:
    memory = f"{fields['memory_bytes'] / 2**20:,.1f} MiB, " if fields["memory_bytes"] else ""
    fuel = f"{fields['fuel']:,} fuel, " if fields["fuel"] else ""
    return f"{fields['cpu_ms']:,.1f} ms, {fuel}{memory}{fields['host_calls']:,} host calls"


_LINES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "loaded": _reloaded,
    "reloaded": _reloaded,
    "failed": _failed,
    "event": lambda fields: f"{fields['topic']} {_short(fields['data'])}",
    "denied": lambda fields: f"{fields['permission']} ({fields['why']})",
    "granted": lambda fields: f"{fields['permission']}",
    "leak": lambda fields: f"{fields['error']}",
    "log": lambda fields: f"{fields['level']}: {fields['message']}",
    "usage": _usage,
}
