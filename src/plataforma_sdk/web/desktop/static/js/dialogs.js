// Permission dialogs: what a module asks of the person, in the platform's words and outside of every window.

import { toNumber } from "./codec.js";
import { h, setText, uid } from "./dom.js";
import { icon } from "./icons.js";
import { markOf } from "./mark.js";

const ALLOWING = ["once", "session", "always"];
const DENYING = ["no", "never"];
const CONFIRM_MS = 4_000; // after a reconnect: a question that is not asked again by then is over

/** The permission dialogs of a page: one is shown at a time. */
export class Prompts {
  #queue = [];
  #shown = null;
  #confirming = 0;

  constructor(desktop) {
    this.desktop = desktop;
    const { connection } = desktop;
    connection.addEventListener("prompt", ({ detail }) => this.ask(detail));
    connection.addEventListener("prompt-closed", ({ detail }) => this.#over(detail));
    connection.addEventListener("welcome", () => this.#confirm());
    connection.addEventListener("state", ({ detail }) => detail.state === "ended" && this.#forgetAll());
  }

  ask(message) {
    const waiting = this.#queue.find(({ id }) => id === message.id);
    if (this.#shown?.id === message.id) this.#shown.update(message);
    else if (waiting) Object.assign(waiting, message);
    else this.#queue.push(message);
    this.#next();
  }

  #next() {
    if (this.#shown || !this.#queue.length) return;
    this.#shown = new Prompt(this.#queue.shift(), this.desktop, (prompt) => {
      if (this.#shown === prompt) this.#shown = null;
      this.#next();
    });
  }

  #over({ id, outcome, answer }) {
    this.#queue = this.#queue.filter((waiting) => waiting.id !== id);
    if (this.#shown?.id !== id) return;
    const { t, toasts } = this.desktop;
    const key = { answered: "desktop.prompt.answered", "timed out": "desktop.prompt.timed_out" }[outcome];
    const text = t(key ?? "desktop.prompt.withdrawn", { answer: answer ? t(`desktop.prompt.${answer}`) : "" });
    toasts.show({ level: "info", module: this.#shown.module, text });
    this.#shown.close();
  }

  /** A new connection: what is still asked is asked again, and the rest is over. */
  #confirm() {
    const shown = this.#shown;
    this.#queue = [];
    if (!shown) return;
    shown.isConfirmed = false;
    shown.arm();
    clearTimeout(this.#confirming);
    this.#confirming = setTimeout(() => shown.isConfirmed || shown.close(), CONFIRM_MS);
  }

  #forgetAll() {
    this.#queue = [];
    this.#shown?.close();
  }
}

/**
 * One question. Its buttons work half a second after it can be seen, and again half a second after the page was
 * hidden or left: a click that was meant for what lay there before is not an answer. The focus begins on the heading,
 * so that neither Enter nor the space bar answers by accident.
 */
class Prompt {
  isConfirmed = true;
  #arming = 0;
  #isSent = false;
  #stop = new AbortController();

  constructor(message, desktop, onClosed) {
    Object.assign(this, { id: message.id, module: message.module.id, message, desktop, t: desktop.t, onClosed });
    this.before = document.activeElement;
    this.armedAfterMs = toNumber(message.armed_after_ms ?? 500);
    this.buttons = new Map();
    this.element = this.#draw();
    this.#listen();
    document.body.append(this.element);
    this.element.showModal();
    this.heading.focus();
    this.update(message);
    this.arm();
  }

  #draw() {
    const { message, t } = this;
    this.heading = h("h2", { id: uid("pd"), className: "pd-prompt-title", tabindex: -1, textContent: t("desktop.prompt.title") });
    this.detail = h("div", { className: "pd-prompt-detail", id: uid("pd") },
      this.#drawModule(message.module), this.#drawPermission(message), this.#drawReason(message.reason));
    this.queue = h("p", { className: "pd-prompt-queue", hidden: true });
    this.fault = h("p", { className: "pd-prompt-fault", role: "alert" });
    return h("dialog", { className: "pd-prompt", "aria-labelledby": this.heading.id, "aria-describedby": this.detail.id },
      markOf(this.desktop.mark, t), this.heading, this.detail, this.fault, this.#drawChoices(message.choices),
      h("footer", { className: "pd-prompt-foot" }, this.#drawCountdown(message), this.queue));
  }

  #drawModule({ id, name, version, source }) {
    const { t } = this;
    const facts = [
      [t("desktop.prompt.id"), id],
      [t("desktop.prompt.version"), version],
      [t("desktop.prompt.source"), source ?? t("desktop.prompt.no_source")],
      [t("desktop.prompt.for"), this.desktop.subject],
    ].filter(([, value]) => value);
    return [
      h("p", { className: "pd-prompt-module" }, icon("package", { size: 20 }), h("bdi", { textContent: name })),
      h("dl", { className: "pd-facts" }, facts.map(([label, value]) => h("div", null,
        h("dt", { textContent: label }), h("dd", null, h("bdi", { textContent: value }))))),
    ];
  }

  #drawPermission({ permission, meaning }) {
    return h("div", { className: "pd-prompt-permission" }, icon("key", { size: 20 }),
      h("p", null, h("strong", { textContent: meaning }), h("code", { textContent: permission })));
  }

  #drawReason(reason) {
    const { t } = this;
    if (!reason) return h("p", { className: "pd-prompt-note", textContent: t("desktop.prompt.no_reason") });
    return h("figure", { className: "pd-quote" },
      h("figcaption", { textContent: t("desktop.prompt.reason") }), h("blockquote", { dir: "auto", textContent: reason }));
  }

  #drawChoices(choices) {
    const group = (words, label, className) => h("div", { className: `pd-choices ${className}`, role: "group", "aria-label": label },
      h("span", { className: "pd-choices-label", "aria-hidden": "true", textContent: label }),
      words.filter((word) => choices.includes(word)).map((word) => this.#drawChoice(word)));
    return h("div", { className: "pd-prompt-choices" },
      group(DENYING, this.t("desktop.prompt.deny"), "pd-deny"), group(ALLOWING, this.t("desktop.prompt.allow"), "pd-allow"));
  }

  #drawChoice(word) {
    const text = this.t(`desktop.prompt.${word}`);
    const made = h("button", { className: "pd-button pd-choice", type: "button", disabled: true, dataset: { answer: word }, on: { click: () => this.#answer(word) } },
      h("span", { textContent: text }));
    this.buttons.set(word, made);
    return made;
  }

  #drawCountdown({ expires_at: expiresAt }) {
    this.countdown = h("p", { className: "pd-prompt-countdown", role: "timer" });
    if (expiresAt === null || expiresAt === undefined) return this.countdown;
    const tick = () => {
      const seconds = Math.max(0, Math.ceil(toNumber(expiresAt) - Date.now() / 1_000));
      setText(this.countdown, this.t("desktop.prompt.countdown", { count: seconds }));
    };
    tick();
    this.ticking = setInterval(tick, 1_000);
    return this.countdown;
  }

  #listen() {
    const { signal } = this.#stop;
    const again = () => document.visibilityState === "visible" && this.arm();
    document.addEventListener("visibilitychange", again, { signal });
    window.addEventListener("focus", again, { signal });
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("cancel", (event) => event.preventDefault());
    this.element.addEventListener("close", () => this.element.isConnected && this.element.showModal());
  }

  #key(event) {
    if (event.key === "Escape") {
      event.preventDefault(); // Escape says no, once it can be meant so
      if (!event.repeat && !this.buttons.get("no")?.disabled) this.#answer("no");
    } else if (event.key === "Enter" && event.repeat) {
      event.preventDefault(); // a key that was held before the dialog came
    } else if (event.key === "Tab") {
      this.#trap(event);
    }
  }

  /** Keep the Tab key inside. */
  #trap(event) {
    const stops = [...this.buttons.values()].filter((each) => !each.disabled);
    const edge = event.shiftKey ? stops.at(0) : stops.at(-1);
    const isOutside = !stops.includes(document.activeElement);
    if (stops.length && document.activeElement !== edge && !(isOutside && event.shiftKey)) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops.at(0))?.focus();
  }

  /** Let the buttons rest, and work after a while in sight. */
  arm() {
    clearTimeout(this.#arming);
    this.#setArmed(false);
    this.#arming = setTimeout(() => {
      if (document.visibilityState === "visible" && !this.#isSent) this.#setArmed(true);
    }, this.armedAfterMs);
  }

  #setArmed(isArmed) {
    const focused = document.activeElement;
    for (const each of this.buttons.values()) each.disabled = !isArmed;
    if (!isArmed && [...this.buttons.values()].includes(focused)) this.heading.focus();
    this.element.classList.toggle("pd-arming", !isArmed);
  }

  update({ waiting }) {
    this.isConfirmed = true;
    const count = toNumber(waiting ?? 0);
    this.queue.hidden = !count;
    setText(this.queue, this.t("desktop.prompt.waiting", { count }));
  }

  async #answer(word) {
    if (this.#isSent) return;
    this.#isSent = true;
    this.#setArmed(false);
    const ack = await this.desktop.connection.send("answer", { prompt: this.id, answer: word });
    if (ack.ok) this.close();
    else if (this.element.isConnected) this.#refused(ack.error);
  }

  #refused(error) {
    this.#isSent = false;
    setText(this.fault, this.desktop.faultText(error));
    this.arm();
    // The question may be over without a word of it having come: do not keep the desk dimmed for a dead one.
    this.isConfirmed = false;
    setTimeout(() => this.isConfirmed || this.#isSent || this.close(), CONFIRM_MS * 2);
  }

  close() {
    if (!this.element.isConnected) return;
    clearTimeout(this.#arming);
    clearInterval(this.ticking);
    this.#stop.abort();
    this.element.remove();
    if (this.before?.isConnected) this.before.focus({ preventScroll: true });
    this.onClosed(this);
  }
}
