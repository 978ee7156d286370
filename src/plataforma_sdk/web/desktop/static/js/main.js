// The page's beginning: one connection, one desktop.

import { Connection } from "./connection.js";
import { Desktop, firstLocale } from "./desktop.js";
import { Theme } from "./theme.js";

const theme = new Theme();
const url = new URL("socket", document.baseURI);
url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
url.search = "";
url.hash = "";
const token = document.querySelector("meta[name=plataforma-token]")?.content ?? "";
const connection = new Connection({ url: url.href, token, locale: firstLocale(), theme: theme.current });
new Desktop(document.body, connection, theme);
addEventListener("online", () => connection.retryNow());
addEventListener("pagehide", (event) => event.persisted || connection.close());
addEventListener("dragover", (event) => event.preventDefault()); // a file that is dropped does not replace the desktop
addEventListener("drop", (event) => event.preventDefault());
connection.connect();
