import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Connection } from "../../../../../src/plataforma_sdk/web/desktop/static/js/connection.js";

class FakeSocket {
  readyState = 1;
  sent = [];

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.readyState = 3;
    this.code = code;
    this.onclose({ code });
  }

  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  last(type) {
    return this.sent.filter((message) => message.type === type).at(-1);
  }
}

let sockets;
let timers;
let status;
let connection;
const welcome = { type: "welcome", session: "s1", resumed: false, limits: { max_message_bytes: 1000 } };

beforeEach(() => {
  sockets = [];
  status = 200;
  const waiting = [];
  timers = {
    setTimeout: (act, ms) => waiting.push({ act, ms }) - 1,
    clearTimeout: (id) => delete waiting[id],
    setInterval: () => 0,
    clearInterval: () => {},
    run: () => waiting.splice(0).forEach((timer) => timer?.act()),
    waits: () => waiting.filter(Boolean).map(({ ms }) => ms),
  };
  connection = new Connection({
    url: "ws://here/socket", token: "t", locale: "pt-BR", theme: "dark", timers,
    openSocket: () => sockets[sockets.push(new FakeSocket()) - 1],
    probe: async () => ({ status }),
  });
});

function open(message = welcome) {
  if (sockets.length === 0) connection.connect();
  const socket = sockets.at(-1);
  socket.onopen();
  socket.say(message);
  return socket;
}

function reopen(message) {
  timers.run();
  return open(message);
}

test("it says hello with what it holds", () => {
  const socket = open();
  assert.deepEqual(socket.sent[0], {
    type: "hello", token: "t", resume: null, last_seq: 0, seen: {}, locale: "pt-BR", theme: "dark",
  });
  assert.equal(connection.state, "online");
});

test("an acknowledgement answers the message of its number", async () => {
  const socket = open();
  const first = connection.send("event", { module: "m", event: {} });
  const second = connection.send("close", { module: "m", window: "w" });
  socket.say({ type: "ack", seq: 2, ok: false, error: { code: "x" } });
  socket.say({ type: "ack", seq: 1, ok: true, value: 7 });
  assert.deepEqual(await first, { ok: true, error: undefined, value: 7 });
  assert.equal((await second).error.code, "x");
});

test("what was not acknowledged is sent again, once, in the session that goes on", async () => {
  const first = open();
  const done = connection.send("event", { module: "m" });
  const open_ = connection.send("event", { module: "n" });
  first.say({ type: "ack", seq: 1, ok: true });
  first.close();
  const second = reopen({ ...welcome, resumed: true });
  assert.equal(second.sent[0].resume, "s1");
  assert.equal(second.sent[0].last_seq, 2);
  assert.deepEqual(second.sent.filter(({ type }) => type === "event").map(({ seq }) => seq), [2]);
  second.say({ type: "ack", seq: 2, ok: true });
  assert.ok((await done).ok && (await open_).ok);
});

test("what was on its way when the session was lost is refused, not done in another", async () => {
  const first = open();
  const lost = connection.send("event", { module: "m" });
  first.close();
  const second = reopen({ ...welcome, session: "s2" });
  assert.equal((await lost).error.code, "connection.lost");
  assert.equal(second.last("event"), undefined);
});

test("what is sent before the first welcome goes out with it", () => {
  connection.connect();
  connection.send("show", { module: "m" });
  assert.deepEqual(open().last("show"), { type: "show", seq: 1, module: "m" });
});

test("a patch reaches the listeners where it fits, else the whole tree is asked for once", () => {
  const socket = open();
  const patches = [];
  connection.addEventListener("patch", (event) => patches.push(event.detail.revision));
  socket.say({ type: "window", module: "m", window: { id: "w" }, revision: 1, tree: {} });
  socket.say({ type: "patch", module: "m", window: "w", base: 1, revision: 2, ops: [] });
  socket.say({ type: "patch", module: "m", window: "w", base: 5, revision: 6, ops: [] });
  socket.say({ type: "patch", module: "m", window: "w", base: 6, revision: 7, ops: [] });
  assert.deepEqual(patches, [2]);
  assert.deepEqual(socket.sent.filter(({ type }) => type === "resync"), [{ type: "resync", module: "m", window: "w" }]);
  socket.say({ type: "window", module: "m", window: { id: "w" }, revision: 7, tree: {} });
  socket.say({ type: "patch", module: "m", window: "w", base: 7, revision: 8, ops: [] });
  assert.deepEqual(patches, [2, 8]);
});

test("after a break it tells what it has seen, and watches again what it watched", () => {
  const first = open();
  connection.send("watch", { topic: "tasks", on: true });
  connection.send("theme", { theme: "light" });
  first.say({ type: "window", module: "m", window: { id: "w" }, revision: 3, tree: {} });
  first.close();
  const second = reopen({ ...welcome, resumed: true });
  assert.deepEqual(second.sent[0].seen, { "m/w": 3 });
  assert.equal(second.sent[0].theme, "light");
  assert.deepEqual(second.last("watch"), { type: "watch", topic: "tasks", on: true });
});

test("attempts come slower and slower", () => {
  open();
  const waits = [];
  for (let attempt = 0; attempt < 12; attempt += 1) {
    sockets.at(-1).close();
    waits.push(timers.waits().at(-1));
    timers.run();
  }
  assert.ok(waits[0] < 400 && waits[3] > waits[0] && waits.every((wait) => wait < 20_000));
  assert.ok(waits[11] > 10_000);
});

test("a page that the server does not know any more stops trying and says why", async () => {
  open();
  status = 401;
  const states = [];
  connection.addEventListener("state", (event) => states.push(event.detail));
  sockets.at(-1).close();
  timers.run();
  sockets.at(-1).close();
  await new Promise(setImmediate);
  assert.deepEqual(states.at(-1), { state: "ended", reason: "unauthorized" });
  assert.equal((await connection.send("show", { module: "m" })).error.code, "connection.ended");
});

test("a session that another page took over ends here", () => {
  open().say({ type: "bye", reason: "replaced" });
  assert.equal(connection.state, "ended");
});

test("a message that the server would refuse for its size is refused here", async () => {
  open();
  assert.equal((await connection.send("event", { text: "x".repeat(2000) })).error.code, "message.too_large");
  assert.equal((await connection.send("event", { text: "\u20ac".repeat(400) })).error.code, "message.too_large");
});

test("a message that ended the connection is not sent again", async () => {
  const first = open();
  const refused = connection.send("event", { module: "m" });
  first.say({ type: "bye", reason: "protocol" });
  first.close();
  const second = reopen({ ...welcome, resumed: true });
  assert.equal((await refused).error.code, "message.refused");
  assert.equal(second.last("event"), undefined);
});

test("no more messages wait than a person can have meant", async () => {
  connection.connect();
  for (let count = 0; count < 500; count += 1) connection.send("event", {});
  assert.equal((await connection.send("event", {})).error.code, "connection.busy");
});

test("a message that cannot be read is left out", (context) => {
  const socket = open();
  context.mock.method(console, "error", () => {});
  socket.onmessage({ data: "{" });
  socket.onmessage({ data: '{"type":"toast","text":"x"}' });
  assert.equal(console.error.mock.callCount(), 1);
});
