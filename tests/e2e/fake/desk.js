// The desktop against a scripted server. Tests speak to `fake`: `fake.say(message)` is the server, `fake.sent` the page.

import { Desktop } from "../static/js/desktop.js";
import { Theme } from "../static/js/theme.js";
import { limits, modules, permissions, prompt, tasks, windows } from "./desk_data.js";

class Message extends Event {
  constructor(type, detail) {
    super(type);
    this.detail = detail;
  }
}

class ScriptedConnection extends EventTarget {
  state = "reconnecting";
  session = null;
  retries = 0;

  send(type, fields = {}) {
    fake.sent.push({ type, ...fields });
    if (type === "watch" && fields.on) queueMicrotask(() => fake.say(fields.topic === "tasks" ? tasks() : permissions()));
    const ack = fake.acks[type] ?? { ok: true };
    return new Promise((resolve) => setTimeout(() => resolve(ack), fake.delay));
  }

  resync(module, window) {
    fake.sent.push({ type: "resync", module, window });
  }

  retryNow() {
    this.retries += 1;
  }
}

const connection = new ScriptedConnection();
const fake = {
  sent: [],
  acks: {},
  delay: 0,
  connection,
  data: { limits, modules, permissions, prompt, tasks, windows },
  say(message) {
    connection.dispatchEvent(new Message(message.type, message));
  },
  become(state, more = {}) {
    connection.state = state;
    fake.say({ type: "state", state, ...more });
  },
  welcome(more = {}) {
    connection.session = "s1";
    fake.say({ type: "welcome", session: "s1", resumed: false, subject: "ana", mark: { text: "Girassol 27", hue: 265 }, title: "Loja Central", modules, ...more });
    fake.become("online");
  },
  openAll() {
    for (const message of windows) fake.say(message);
  },
  of: (type) => fake.sent.filter((message) => message.type === type),
};
globalThis.fake = fake;

const theme = new Theme();
fake.desktop = new Desktop(document.body, connection, theme);
const wanted = new URLSearchParams(location.search);
if (!wanted.has("offline")) fake.welcome();
if (wanted.has("open")) fake.openAll();
document.documentElement.dataset.ready = "true";
