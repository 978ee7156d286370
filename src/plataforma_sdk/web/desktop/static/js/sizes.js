// How wide windows with charts stand here: the server draws the charts for that, so that their letters stay as they are.

const QUIET_MS = 200; // a window that is still being resized asks for nothing

/** Watches the windows of modules and tells the server, once they rest, which of those with charts have another width. */
export class Sizes {
  #frames = new Map(); // body -> frame
  #timer = 0;
  #observer = new ResizeObserver((entries) => this.#changed(entries));

  constructor(desktop) {
    this.desktop = desktop;
    desktop.connection.addEventListener("welcome", () => this.#forget());
  }

  watch(frame) {
    this.#frames.set(frame.body, frame);
    this.#observer.observe(frame.body);
  }

  /** Look again: a tree that came may have its first chart. */
  look() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), QUIET_MS);
  }

  #changed(entries) {
    for (const { target } of entries) {
      if (target.isConnected) continue;
      this.#observer.unobserve(target);
      this.#frames.delete(target);
    }
    this.look();
  }

  /** The server may not know what was told before this connection. */
  #forget() {
    for (const frame of this.#frames.values()) frame.toldWidth = null;
    this.look();
  }

  #tell() {
    const { connection } = this.desktop;
    if (connection.state !== "online") return;
    for (const [body, frame] of this.#frames) {
      const width = body.clientWidth;
      if (!width || width === frame.toldWidth || !frame.content?.hasCharts) continue;
      frame.toldWidth = width;
      const [module, window] = [frame.module, frame.key.slice(frame.module.length + 1)];
      connection.send("size", { module, window, width });
    }
  }
}
