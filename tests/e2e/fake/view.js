// One window against a scripted host: `?tree=gallery&theme=dark&locale=en&delay=300`. Tests speak to `window.fake`.

import { decode, encode } from "../static/js/codec.js";
import { translator } from "../static/js/i18n.js";
import { TreeView } from "../static/js/tree.js";

const wanted = new URLSearchParams(location.search);
const theme = wanted.get("theme") ?? "light";
const locale = wanted.get("locale") ?? "pt-BR";
document.documentElement.dataset.theme = theme;
document.documentElement.lang = locale;

const fired = [];
const fake = {
  fired,
  ack: { ok: true },
  delay: Number(wanted.get("delay") ?? 0),
  events: () => fired.map(encode),
  replace: (text, charts) => fake.view.replace(decode(text), fake.view.revision + 1, charts),
  apply: (text, charts) => fake.view.apply(decode(text), fake.view.revision + 1, charts),
  setLocale: (name) => fake.view.setLocale(name, translator(name)),
};
globalThis.fake = fake;

const context = {
  module: "vendas",
  window: "main",
  locale,
  theme,
  t: translator(locale),
  fire: async (node, name, value, event) => {
    fired.push(event);
    if (fake.delay) await new Promise((done) => setTimeout(done, fake.delay));
    return fake.ack;
  },
};
fake.view = new TreeView(document.getElementById("window"), context);

if (wanted.get("tree")) {
  const { tree, charts } = decode(await (await fetch(`trees/${wanted.get("tree")}`)).text());
  const started = performance.now();
  fake.view.replace(tree, 1, charts);
  fake.view.root.getBoundingClientRect(); // style and layout, too
  fake.took = performance.now() - started;
}
document.documentElement.dataset.ready = "true";
