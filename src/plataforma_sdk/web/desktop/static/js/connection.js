// The socket of one page: numbered messages, resent until they are acknowledged; patches only where they fit.

import { decode, encode } from "./codec.js";

const PROTOCOL = "plataforma.desktop.v1";
const ANSWERED = new Set(["event", "close", "show", "answer", "permission", "task"]);
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 15_000;
const PING_MS = 20_000;
const SILENCE_MS = 50_000; // a socket that says nothing for so long, pings answered or not, is gone
const MAX_WAITING = 500; // messages without an acknowledgement
const POISONED = new Set(["size", "protocol"]); // what was sent last must not be sent again
const FINAL = new Set(["replaced", "unauthorized", "forbidden"]);

/** A message of the server: `event.detail` is the message, `event.type` its type. */
class ServerMessage extends Event {
  constructor(type, detail) {
    super(type);
    this.detail = detail;
  }
}

/**
 * The connection to the server. Fires an event for each message, named by its type, and `state` with
 * `{state: "online" | "reconnecting" | "ended", reason, retryInMs}`.
 *
 * `send` returns a promise of the acknowledgement `{ok, error, value}`, which is never rejected. What was not
 * acknowledged when the socket broke is sent again in the same session: never lost, never done twice.
 *
 * `timers`, `openSocket` and `probe` are seams for tests.
 */
export class Connection extends EventTarget {
  state = "reconnecting";
  session = null;
  #waiting = new Map(); // seq -> {message, text, resolve}
  #seen = new Map(); // "module/window" -> revision
  #asked = new Set(); // windows whose whole tree was asked for
  #watched = new Map(); // topic -> whether it is watched
  #seq = 0;
  #socket = null;
  #failures = 0;
  #heardAt = 0;
  #retry = null;
  #ping = null;
  #maxBytes = Infinity;
  #ended = false;

  constructor({ url, token = "", locale = "en", theme = "light", timers = globalThis, openSocket = null, probe = null }) {
    super();
    this.url = url;
    this.token = token;
    this.locale = locale;
    this.theme = theme;
    this.timers = timers;
    this.openSocket = openSocket ?? ((address) => new WebSocket(address, PROTOCOL));
    globalThis.addEventListener?.("online", () => this.retryNow());
    this.probe = probe ?? (() => fetch("./", { method: "GET", cache: "no-store", redirect: "manual" }));
  }

  /** Open the socket, and open it again whenever it breaks. */
  connect() {
    if (this.#socket || this.#ended) return;
    this.timers.clearTimeout(this.#retry);
    const socket = this.openSocket(this.url);
    this.#socket = socket;
    socket.onopen = () => this.#hello(socket);
    socket.onmessage = (event) => this.#socket === socket && this.#receive(event.data);
    socket.onclose = () => this.#socket === socket && this.#lost();
    socket.onerror = () => {}; // a close follows
  }

  /** Try at once where the next attempt is waited for, as when the person asks or the network is back. */
  retryNow() {
    if (!this.#socket && !this.#ended) this.connect();
  }

  /** End the connection for good. */
  close(reason = "closed") {
    this.#ended = true;
    this.timers.clearTimeout(this.#retry);
    this.timers.clearInterval(this.#ping);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
    this.#refuseWaiting("connection.ended");
    this.#change("ended", { reason });
  }

  /** Send a message; see the class for what comes back. */
  send(type, fields = {}) {
    if (!ANSWERED.has(type)) {
      this.#remember(type, fields);
      if (this.state === "online") this.#write(encode({ type, ...fields }));
      return Promise.resolve({ ok: true });
    }
    if (this.#ended) return Promise.resolve(refusal("connection.ended"));
    if (this.#waiting.size >= MAX_WAITING) return Promise.resolve(refusal("connection.busy"));
    const seq = (this.#seq += 1);
    const text = encode({ type, seq, ...fields });
    if (bytesOf(text, this.#maxBytes) > this.#maxBytes) return Promise.resolve(refusal("message.too_large"));
    return new Promise((resolve) => {
      this.#waiting.set(seq, { text, resolve });
      if (this.state === "online") this.#write(text);
    });
  }

  /** Ask for the whole tree of a window, once until it comes. */
  resync(module, window) {
    const name = `${module}/${window}`;
    if (this.#asked.has(name)) return;
    this.#asked.add(name);
    this.send("resync", { module, window });
  }

  #remember(type, fields) {
    if (type === "watch") this.#watched.set(fields.topic, fields.on);
    if (type === "locale") this.locale = fields.locale;
    if (type === "theme") this.theme = fields.theme;
  }

  #hello(socket) {
    if (this.#socket !== socket) return;
    this.#heardAt = Date.now();
    this.#write(encode({
      type: "hello",
      token: this.token,
      resume: this.session,
      last_seq: this.#seq,
      seen: Object.fromEntries(this.#seen),
      locale: this.locale,
      theme: this.theme,
    }));
  }

  #write(text) {
    if (this.#socket?.readyState === 1) this.#socket.send(text);
  }

  #receive(data) {
    this.#heardAt = Date.now();
    let message;
    try {
      message = decode(data);
    } catch (error) {
      console.error("A message of the server could not be read", error);
      return;
    }
    const own = this.#own[message.type];
    if (own === undefined || own(message) !== false) this.dispatchEvent(new ServerMessage(message.type, message));
  }

  // What the connection itself does with a message; false keeps it from the listeners.
  #own = {
    __proto__: null,
    welcome: (message) => this.#welcome(message),
    ack: (message) => this.#acknowledge(message),
    window: ({ module, window, revision }) => {
      const name = `${module}/${window.id}`;
      this.#asked.delete(name);
      this.#seen.set(name, revision);
    },
    patch: (message) => this.#fits(message),
    closed: ({ module, window }) => {
      this.#seen.delete(`${module}/${window}`);
      this.#asked.delete(`${module}/${window}`);
    },
    bye: ({ reason }) => {
      if (POISONED.has(reason)) this.#refuseWaiting("message.refused");
      if (FINAL.has(reason)) this.close(reason);
    },
  };

  #welcome({ session, resumed, limits }) {
    const isNew = this.session !== null && !resumed;
    this.session = session;
    this.#failures = 0;
    this.#maxBytes = limits?.max_message_bytes ?? Infinity;
    this.#asked.clear();
    if (!resumed) this.#seen.clear();
    if (isNew) this.#refuseWaiting("connection.lost");
    this.#change("online");
    for (const { text } of this.#waiting.values()) this.#write(text);
    for (const [topic, on] of this.#watched) if (on) this.#write(encode({ type: "watch", topic, on }));
    this.timers.clearInterval(this.#ping);
    this.#ping = this.timers.setInterval(() => this.#beat(), PING_MS);
  }

  #acknowledge({ seq, ok, error, value }) {
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    waiting?.resolve({ ok, error, value });
  }

  #fits({ module, window, base, revision }) {
    const name = `${module}/${window}`;
    if (this.#asked.has(name)) return false;
    if (this.#seen.get(name) !== base) {
      this.resync(module, window);
      return false;
    }
    this.#seen.set(name, revision);
    return true;
  }

  #beat() {
    if (Date.now() - this.#heardAt > SILENCE_MS) this.#socket?.close(4000);
    else this.#write(encode({ type: "ping", at: Date.now() }));
  }

  async #lost() {
    this.#socket = null;
    this.timers.clearInterval(this.#ping);
    this.#failures += 1;
    const wait = Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), MAX_RETRY_MS) * (0.75 + Math.random() / 2);
    this.#change("reconnecting", { retryInMs: Math.round(wait) });
    this.#retry = this.timers.setTimeout(() => this.connect(), wait);
    if (this.#failures > 1 && (await this.#isRefused())) this.close("unauthorized");
  }

  /** A browser does not tell why a socket was refused; the page itself does. */
  async #isRefused() {
    try {
      const answer = await this.probe();
      return answer.status === 401 || answer.status === 403;
    } catch {
      return false; // the server is down: go on trying
    }
  }

  #refuseWaiting(code) {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { resolve } of waiting) resolve(refusal(code));
  }

  #change(state, detail = {}) {
    this.state = state;
    this.dispatchEvent(new ServerMessage("state", { state, ...detail }));
  }
}

/** The size of a text on the wire, counted only where it may be too much. */
function bytesOf(text, limit) {
  return text.length * 3 <= limit ? text.length : new TextEncoder().encode(text).length;
}

function refusal(code) {
  return { ok: false, error: { code, text: "", advice: "" } };
}
