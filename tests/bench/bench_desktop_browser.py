"""The desktop in a real browser: a tree of 5,000 elements, and one changed row of 5,000 beside the whole table.

Needs playwright and a chromium of the system; says so and ends without them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ROUNDS = 9
# Time from the first byte of the tree in the page until it has been laid out and painted.
RENDER = """
async ({ rounds }) => {
  const { TreeView } = await import("./static/js/tree.js");
  const { decode } = await import("./static/js/codec.js");
  const { translator } = await import("./static/js/i18n.js");
  const text = globalThis.frames_.find(each => each.includes('"type":"window"') && each.includes('"id":"main"'));
  const look = { locale: "pt-BR", t: translator("pt-BR"), theme: "light" };
  const context = { module: "x", window: "main", ...look, fire: async () => ({ ok: true }) };
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  const painted = async () => {
    await frame();
    const { port1, port2 } = new MessageChannel();
    await new Promise(resolve => ((port1.onmessage = resolve), port2.postMessage(0)));
  };
  const took = [];
  let count = 0;
  for (let round = 0; round < rounds; round += 1) {
    const box = document.createElement("div");
    Object.assign(box.style, { position: "fixed", inset: "0", zIndex: 999, background: "white" });
    document.body.append(box);
    await frame();
    await frame();
    const started = performance.now();
    const { tree, revision, charts } = decode(text);
    const view = new TreeView(box, context);
    view.replace(tree, Number(revision), charts);
    box.getBoundingClientRect();
    await painted();
    took.push(performance.now() - started);
    count = box.querySelectorAll("[data-key]").length;
    view.dispose();
    box.remove();
  }
  return { took, count };
}
"""
KEEP_FRAMES = """
globalThis.frames_ = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => globalThis.frames_.push(data));
  }
};
"""


def main() -> None:
    """Print both figures, beside a full re-send."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if importlib.util.find_spec("playwright") is None or chromium is None:
        print("needs playwright and chromium: nox -s e2e installs the one, apt-get the other")
        return
    sys.path.insert(0, str(ROOT))
    from playwright.sync_api import sync_playwright

    from tests.e2e.desktop.served import running

    with tempfile.TemporaryDirectory() as state, sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        with running("arvore", "--engine", "restricted", "--yes", state=Path(state)) as desktop:
            page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="pt-BR")
            page.add_init_script(KEEP_FRAMES)
            page.goto(desktop.url)
            page.locator('[data-key="arvore/main"] [data-key]').first.wait_for(state="attached")
            _print_render(page.evaluate(RENDER, {"rounds": ROUNDS}))
            _print_bytes(page)
        browser.close()


def _print_render(measured: dict[str, Any]) -> None:
    took = measured["took"]
    print(
        f"tree of {measured['count']:,} elements, decoded, built, laid out and painted: median "
        f"{statistics.median(took):.0f} ms, worst of {len(took)} {max(took):.0f} ms (claim: under 300 ms)"
    )


def _print_bytes(page: Any) -> None:
    window = page.locator('[data-key="arvore/linhas"]')
    whole = max(len(text.encode()) for text in _frames(page, "window", "linhas"))
    window.get_by_role("button", name="Mudar").evaluate("button => button.click()")
    page.wait_for_function("() => globalThis.frames_.some(text => text.includes('Cliente mudado 1'))")
    told = [text for text in page.evaluate("globalThis.frames_") if "Cliente mudado 1" in text]
    sent = len(told[0].encode())
    print(
        f"one row of 5,000 changed: {json.loads(told[0])['type']} of {sent:,} bytes (claim: under 2,000); "
        f"the whole window {whole:,} bytes, {whole / sent:,.0f} times as many"
    )


def _frames(page: Any, kind: str, window: str) -> list[str]:
    frames: list[str] = page.evaluate("globalThis.frames_")
    return [text for text in frames if f'"type":"{kind}"' in text and f'"id":"{window}"' in text]


if __name__ == "__main__":
    main()
