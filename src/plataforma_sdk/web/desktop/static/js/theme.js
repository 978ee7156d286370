// Light or dark: by choice, else as the system is.

import { keep, recall } from "./memory.js";

export const THEMES = Object.freeze(["system", "light", "dark"]);

/** The theme of the page; fires `change`. `chosen` is one of THEMES, `current` what is shown. */
export class Theme extends EventTarget {
  #dark = matchMedia("(prefers-color-scheme: dark)");

  constructor() {
    super();
    const kept = recall("theme");
    this.chosen = THEMES.includes(kept) ? kept : "system";
    this.#dark.addEventListener("change", () => this.chosen === "system" && this.#show());
    this.#show();
  }

  get current() {
    if (this.chosen !== "system") return this.chosen;
    return this.#dark.matches ? "dark" : "light";
  }

  get next() {
    return THEMES[(THEMES.indexOf(this.chosen) + 1) % THEMES.length];
  }

  choose(theme) {
    this.chosen = theme;
    keep("theme", theme);
    this.#show();
  }

  #show() {
    document.documentElement.dataset.theme = this.current;
    this.dispatchEvent(new Event("change"));
  }
}
