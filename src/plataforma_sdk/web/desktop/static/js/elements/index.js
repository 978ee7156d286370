// Every element of the catalogue, by its type: `create(node, view)` returns what stands for it on the screen.
//
// `{element, update(node, old)}`, and where they are needed: `body` (where children go), `wrap(record)` (what a child
// stands in), `childrenChanged(records)`, `relocate()`, `rethemed()`, `dispose()`, `isLayered` (lies over the view).

import { register } from "../i18n.js";
import en from "../locales/elements.en.js";
import ptBR from "../locales/elements.pt-BR.js";
import { chart } from "./chart.js";
import { alert, badge, button, heading, icon, image, metric, progress, text } from "./content.js";
import { form } from "./form.js";
import { card, column, divider, list, modal, plugin, row, window } from "./layout.js";
import { number_field } from "./number_field.js";
import { select_field } from "./select_field.js";
import { table } from "./table.js";
import { tab, tabs } from "./tabs.js";
import { checkbox_field, date_field, text_field } from "./text_field.js";

register("en", en);
register("pt-BR", ptBR);

export const elements = Object.freeze({
  window, row, column, card, tabs, tab, list, form, modal, divider,
  text, heading, image, icon, badge, alert, progress, metric, button,
  table, chart,
  text_field, number_field, select_field, checkbox_field, date_field,
});

export { plugin };
