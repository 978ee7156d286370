// plataforma.js: modules for plataforma-sdk in JavaScript. One file; what the lines mean: docs/reference/wire.md.
//
// A module is a class. Its methods are what its host may call; one that waits is a generator, and `yield` waits:
//
//     class Hello extends Module {
//       *on_load() { this.count = (yield ask("storage.get", "count")) ?? 0; }
//       add(n = 1) { this.count += n; return this.count; }
//       render() { return node("text", { value: this.count }); }
//     }
//     export const { load, pump } = serve(Hello);
//
// Why generators: a component answers a call by returning from it, so there is no turn in which a promise's jobs run.
import host from "plataforma:module/host@0.1.0";

// --- values: JSON, and tagged objects for what JSON lacks -------------------------------------------------------------

/** A value with a tag that JavaScript has no type for: `new Tagged("decimal", "1.50")`, "date" or "datetime". */
export class Tagged {
  constructor(tag, text) { this.tag = tag; this.text = text; }
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function toBase64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const word = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let j = 0; j < 4; j++) text += i + j > bytes.length ? "=" : LETTERS[(word >> (18 - 6 * j)) & 63];
  }
  return text;
}

function fromBase64(text) {
  const bytes = [];
  for (let i = 0; i < text.length; i += 4) {
    const word = [0, 1, 2, 3].reduce((sum, j) => (sum << 6) | Math.max(0, LETTERS.indexOf(text[i + j])), 0);
    bytes.push(word >> 16, (word >> 8) & 255, word & 255);
  }
  return new Uint8Array(bytes.slice(0, bytes.length - (text.match(/=*$/)[0].length)));
}

function toWire(value) {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return { $t: "int", v: String(value) };
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value} does not cross`);
  if (value instanceof Uint8Array) return { $t: "bytes", v: toBase64(value) };
  if (value instanceof Tagged) return { $t: value.tag, v: value.text };
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k.startsWith("$") ? `$${k}` : k, toWire(v)]));
}

function fromWire(value) {
  if (Array.isArray(value)) return value.map(fromWire);
  if (value === null || typeof value !== "object") return value;
  if (value.$t === "int") return BigInt(value.v);
  if (value.$t === "bytes") return fromBase64(value.v);
  if (value.$t !== undefined) return new Tagged(value.$t, value.v);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k.startsWith("$$") ? k.slice(1) : k, fromWire(v)]));
}

const encode = (value) => JSON.stringify(toWire(value));
const decode = (text) => fromWire(JSON.parse(text));

// --- errors -----------------------------------------------------------------------------------------------------------

/** An error of the host, `code` its class: "PermissionDeniedError", "QuotaExceededError" ... */
export class HostError extends Error {
  constructor(data) {
    super(data.message);
    this.name = data.code ?? data.type;
    this.code = data.code;
    this.fields = data.fields ?? {};
    this.data = data;
  }
}

/** Thrown into a generator whose call the host has given up. */
export class Cancelled extends Error {}

function describe(error) {
  if (error instanceof HostError) return JSON.stringify(error.data);
  if (error instanceof Cancelled) return '{"cancelled":true}';
  const traceback = String(error?.stack ?? "").split("\n").filter((line) => line.trim()).slice(0, 20);
  return encode({ type: String(error?.name ?? typeof error), message: String(error?.message ?? error), traceback });
}

// --- the host ---------------------------------------------------------------------------------------------------------

let now = 0; // the host's monotonic clock, of this pump
let call = 0; // number of the call on whose behalf code runs
let outbox = [];
let lastFuture = 0;
const futures = new Map(); // number -> { call, resolve, reject }
const timers = []; // { when, wake }

/** Call an immediate function of the host: `callNow("permissions.has", "events.emit")`. */
export function callNow(method, ...args) {
  try {
    return decode(host.call(method, `${call} ${encode(args)}`) || "null");
  } catch (error) {
    throw typeof error?.payload === "string" ? new HostError(JSON.parse(error.payload)) : error;
  }
}

/** What `yield` waits for: `begin(resolve, reject)` starts it and returns what gives it up. */
class Wait {
  constructor(begin) { this.begin = begin; }
}

/** An awaited function of the host: `yield ask("storage.get", "key")`. */
export function ask(method, ...args) {
  return new Wait((resolve, reject) => {
    const number = ++lastFuture;
    futures.set(number, { call, resolve, reject });
    outbox.push(`h${number} ${call} ${method} ${encode(args)}`);
    return () => { if (futures.delete(number)) outbox.push(`d${number}`); };
  });
}

/** Time, in seconds: `yield sleep(0.5)`. */
export function sleep(seconds) {
  return new Wait((resolve) => {
    const timer = { when: now + seconds, wake: () => resolve(null) };
    timers.push(timer);
    return () => { if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1); };
  });
}

/** Several at once: `const [a, b] = yield all([ask(...), ask(...)])`. */
export function all(waits) {
  return new Wait((resolve, reject) => {
    const results = new Array(waits.length);
    let left = waits.length;
    const undo = waits.map((wait, i) => wait.begin((value) => {
      results[i] = value;
      if (--left === 0) resolve(results);
    }, (error) => { undo.forEach((stop) => stop()); reject(error); }));
    if (left === 0) resolve(results);
    return () => undo.forEach((stop) => stop());
  });
}

// --- calls ------------------------------------------------------------------------------------------------------------

const running = new Map(); // call -> { iterator, stop }

function answer(number, kind, text) { outbox.push(`${kind}${number} ${text}`); }

function advance(number, iterator, how, value) {
  const before = call;
  call = number;
  try {
    const step = iterator[how](value);
    if (step.done) {
      running.delete(number);
      answer(number, "r", encode(step.value));
    } else if (step.value instanceof Wait) {
      const entry = { iterator, stop: () => {} };
      running.set(number, entry);
      let isOver = false;
      const settle = (next) => (result) => { if (!isOver) { isOver = true; advance(number, iterator, next, result); } };
      entry.stop = step.value.begin(settle("next"), settle("throw"));
    } else {
      advance(number, iterator, "throw", new TypeError("yield waits for ask(), sleep() or all()"));
    }
  } catch (error) {
    running.delete(number);
    answer(number, "e", describe(error));
  } finally {
    call = before;
  }
}

function serveCall(number, name, payload) {
  call = number;
  try {
    const [args, kwargs] = Array.isArray(payload) ? [payload, {}] : [payload.args, payload.kwargs];
    const result = Object.keys(kwargs).length ? module.dispatch(name, [...args, kwargs]) : module.dispatch(name, args);
    if (typeof result?.next === "function") advance(number, result, "next", undefined);
    else answer(number, "r", encode(result));
  } catch (error) {
    answer(number, "e", describe(error));
  } finally {
    call = 0;
  }
}

function cancelCall(number) {
  const entry = running.get(number);
  if (entry === undefined) return;
  entry.stop();
  advance(number, entry.iterator, "throw", new Cancelled());
}

function settle(number, how, text) {
  const future = futures.get(number);
  if (future === undefined || !futures.delete(number)) return;
  call = future.call;
  try {
    if (how === "v") future.resolve(decode(text));
    else future.reject(new HostError(JSON.parse(text)));
  } finally {
    call = 0;
  }
}

// --- what an author writes --------------------------------------------------------------------------------------------

/** An element of a view; children are nodes, or texts. */
export function node(type, props = {}, ...children) {
  return { type, props, children: children.map((child) => (typeof child === "object" ? child : node("text", { value: child }))) };
}

/** What an event of an element does: `{ on_press: action("remove", id) }`. */
export const action = (handler, ...args) => ({ handler, arguments: args });

/** The base class of modules. */
export class Module {
  #handlers = new Map();
  #views = new Map();
  #last = 0;

  constructor(context) { this.context = context; this.config = context.config; }

  emit(topic, data = null) { callNow("events.emit", topic, data); }
  log(level, message, fields = {}) { callNow("log", level, String(message), fields); }
  can(permission) { return callNow("permissions.has", permission); }

  /** Hear a topic; returns a function that ends it. */
  subscribe(topic, handler) { return this.#register("events.subscribe", "events.unsubscribe", handler, topic); }

  /** Call a function again and again. */
  every(seconds, handler) { return this.#register("timers.start", "timers.stop", handler, seconds); }

  /** Serve a path of the host's API. */
  endpoint(path, handler, methods = ["GET"]) { this.#register("api.register", null, handler, path, methods); }

  openWindow(settings, view = () => this.render()) {
    callNow("windows.create", { id: "main", ...settings });
    this.#views.set(settings.id ?? "main", view);
  }

  *on_load() {}
  *on_unload() {}
  render() { return node("text", { value: "" }); }

  #register(method, undo, handler, ...args) {
    const number = ++this.#last;
    callNow(method, number, ...args);
    this.#handlers.set(number, handler);
    return () => { if (this.#handlers.delete(number)) callNow(undo, number); };
  }

  dispatch(name, args) {
    const own = {
      "@load": () => this.on_load(),
      "@unload": () => this.on_unload(),
      "@render": (id) => (this.#views.get(id) ?? (() => this.render()))(),
      "@event": (number, event) => this.#handlers.get(number)?.call(this, event),
      "@timer": (number) => this.#handlers.get(number)?.call(this),
      "@endpoint": (number, request) => this.#handlers.get(number).call(this, request),
      "@ui": (_window, handler, values, hasValue, value) => this[handler](...values, ...(hasValue ? [value] : [])),
      "@closed": (id) => { this.#views.delete(id); },
    };
    if (name.startsWith("@")) return own[name]?.(...args);
    if (name.startsWith("_") || name in Module.prototype || typeof this[name] !== "function")
      throw Object.assign(new Error(`the module has no method ${name}`), { name: "LookupError" });
    return this[name](...args);
  }
}

// --- the exports ------------------------------------------------------------------------------------------------------

let module = null;

function seedRandom(seed) {
  // the interpreter's own generator was seeded when the component was built: each instance would draw the same numbers
  let state = Number(BigInt.asUintN(32, BigInt(seed)));
  Math.random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function wakeTimers() {
  for (;;) {
    timers.sort((a, b) => a.when - b.when);
    if (!timers.length || timers[0].when > now) break;
    timers.shift().wake();
  }
  if (timers.length) outbox.push(`t${timers[0].when}`);
}

/** Make the component's two exports from a module class. */
export function serve(ModuleClass) {
  const log = (level) => (...parts) => callNow("log", level, parts.map(String).join(" "), {});
  globalThis.console = { log: log("info"), info: log("info"), warn: log("warning"), error: log("error"), debug: log("debug") };
  return {
    load(bundle, config) {
      const context = decode(config);
      now = context.now;
      seedRandom(context.seed);
      module = new ModuleClass(context);
      return JSON.stringify({ entry: ModuleClass.name });
    },
    pump(inbox) {
      const [time, ...lines] = inbox.split("\n");
      now = Number(time);
      outbox = [];
      for (const line of lines) {
        const [, kind, number, rest] = line.match(/^(.)(\d+) ?([^]*)$/);
        if (kind === "c") {
          const space = rest.indexOf(" ");
          serveCall(Number(number), rest.slice(0, space), decode(rest.slice(space + 1)));
        } else if (kind === "k") cancelCall(Number(number));
        else if (kind === "v" || kind === "x") settle(Number(number), kind, rest);
      }
      wakeTimers();
      return outbox.join("\n");
    },
  };
}
