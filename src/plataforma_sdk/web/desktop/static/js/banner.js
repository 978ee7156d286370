// What the page says of its connection: a banner while it is being restored, and a page that tells how to come back.

import { button } from "./dialog.js";
import { clear, h, setText, uid } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_AFTER_MS = 400; // a connection that is back at once is no news
const KNOWN_ENDS = new Set(["replaced", "unauthorized", "forbidden", "closed"]);
const KNOWN_BYES = new Set(["rate", "size", "shutdown", "slow", "sessions", "protocol"]);

/** The banner over the desk. */
export class Banner {
  #timer = 0;
  #ticking = 0;
  #bye = null;
  #hasBeenOnline = false;

  constructor(desktop) {
    this.desktop = desktop;
    this.text = h("p", { role: "status" });
    this.element = h("section", { className: "pd-banner", hidden: true });
    const { connection } = desktop;
    connection.addEventListener("bye", ({ detail }) => (this.#bye = detail.reason));
    connection.addEventListener("state", ({ detail }) => this.#change(detail));
  }

  #change({ state, reason, retryInMs }) {
    clearTimeout(this.#timer);
    clearInterval(this.#ticking);
    if (state === "online") {
      this.#hasBeenOnline = true;
      this.#bye = null;
      this.element.hidden = true;
    } else if (state === "ended") {
      this.element.hidden = true;
      this.#end(reason);
    } else this.#timer = setTimeout(() => this.#show(Date.now() + (retryInMs ?? 0)), this.element.hidden ? SHOWN_AFTER_MS : 0);
  }

  #show(retryAt) {
    const { t, connection } = this.desktop;
    const why = this.#bye && KNOWN_BYES.has(this.#bye) ? `desktop.bye.${this.#bye}` : this.#hasBeenOnline ? "desktop.banner.lost" : "desktop.banner.connecting";
    this.element.setAttribute("aria-label", t(`desktop.state.${connection.state}`));
    const wait = h("span", { className: "pd-banner-wait" });
    setText(this.text, t(why));
    clear(this.element).append(icon("alert-triangle", { size: 18 }), this.text, wait, button(t("desktop.banner.retry"), () => connection.retryNow()));
    this.element.hidden = false;
    const tick = () => setText(wait, t("desktop.banner.wait", { count: Math.max(0, Math.ceil((retryAt - Date.now()) / 1_000)) }));
    tick();
    this.#ticking = setInterval(tick, 1_000);
  }

  /** The end of the session: nothing here works any more, so nothing but this can be used. */
  #end(reason) {
    const { t } = this.desktop;
    const word = KNOWN_ENDS.has(reason) ? reason : "closed";
    const heading = h("h1", { id: uid("pd"), tabindex: -1, textContent: t(`desktop.end.${word}`) });
    const dialog = h("dialog", { className: "pd-dialog pd-end", "aria-labelledby": heading.id }, icon(word === "replaced" ? "copy" : "lock", { size: 32 }), heading,
      h("p", { textContent: t(`desktop.end.${word}_help`) }), word !== "forbidden" && button(t(`desktop.end.${word}_act`), () => location.reload(), { kind: "primary", iconName: "refresh" }));
    for (const type of ["cancel", "keydown"]) dialog.addEventListener(type, (event) => (event.type === "cancel" || event.key === "Escape") && event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
    heading.focus();
  }
}
