// The line below a table: which rows are shown of how many, and the way to the others.

import { attr, h, setText } from "../dom.js";
import { icon } from "../icons.js";

export class TablePager {
  #at = { page: 0, pages: 1 };

  constructor(view, onTurn) {
    this.view = view;
    const button = (name, label, target) => {
      const turn = () => onTurn(Math.min(Math.max(target(), 0), this.#at.pages - 1));
      const element = h("button", { type: "button", className: "pv-icon-button", on: { click: turn } }, icon(name));
      return { element, label };
    };
    this.buttons = [
      button("chevrons-left", "elements.table.first", () => 0),
      button("chevron-left", "elements.table.previous", () => this.#at.page - 1),
      button("chevron-right", "elements.table.next", () => this.#at.page + 1),
      button("chevrons-right", "elements.table.last", () => this.#at.pages - 1),
    ];
    this.count = h("span", { className: "pv-table-count" });
    this.turns = h("div", { className: "pv-turns" }, this.buttons.map(({ element }) => element));
    this.element = h("footer", { className: "pv-table-foot" }, this.count, this.turns);
  }

  draw({ page, pages, from, count, total, all }) {
    this.#at = { page, pages };
    const { t } = this.view;
    const isWhole = pages === 1;
    const range = { first: from + 1, last: from + count, count: total };
    const words = isWhole ? t("elements.table.rows", { count: total }) : t("elements.table.range", range);
    setText(this.count, total < all ? `${words} ${t("elements.table.filtered", { count: all })}` : words);
    this.element.hidden = total === 0 && all === 0;
    this.turns.hidden = isWhole;
    const isAtEnd = [page === 0, page === 0, page === pages - 1, page === pages - 1];
    this.buttons.forEach(({ element, label }, place) => {
      attr(element, "aria-label", t(label));
      attr(element, "aria-disabled", isAtEnd[place] ? "true" : null); // disabled, it would lose the focus
    });
  }
}
