// One window's tree on the screen: a record for each node, changed in place, so that focus, typed text, selection and
// scroll survive every patch.

import { isSame, own } from "./codec.js";
import { arrange, h } from "./dom.js";
import { elements, plugin } from "./elements/index.js";
import { formatter } from "./format.js";
import { Model, PatchError } from "./model.js";

const PENDING_MS = 150; // an answer that comes sooner shows no spinner

/**
 * Draws the tree of one window into a container, which the window's layout gives its size.
 *
 * A module never draws outside: the view contains its layout, paint and style, and popups and modals lie in a layer of
 * the view itself.
 *
 * `context`: `{module, window, locale, t, theme, fire(node, eventName, value, event) -> Promise<ack>}`.
 */
export class TreeView {
  revision = 0;
  records = new Map(); // key -> record of a node on the screen
  #model = new Model();
  #root = null;
  #charts = new Map();
  #modals = [];
  #disposed = false;
  #isPressed = false;

  constructor(container, context) {
    this.context = context;
    this.t = context.t;
    this.locale = context.locale;
    this.theme = context.theme;
    this.format = formatter(context.locale);
    this.content = h("div", { className: "pv-content", tabindex: 0 });
    this.overlay = h("div", { className: "pv-overlay" });
    this.announcer = h("div", { className: "pv-unseen", role: "status", "aria-live": "polite" });
    this.root = h("div", { className: "pv-view" }, this.content, this.overlay, this.announcer);
    this.root.addEventListener("pointerdown", () => this.#press(), { capture: true });
    container.classList.add("pv-host");
    container.append(this.root);
  }

  /** Show a whole tree; what stood there before and is in it still, stays as the person left it. */
  replace(tree, revision, charts = {}) {
    return this.#change(revision, () => {
      this.#charts = new Map(Object.entries(charts ?? {}));
      this.#model.load(tree);
      this.#drawRoot(true);
    });
  }

  /** Apply a patch; false where it does not fit and the whole tree has to be asked for. */
  apply(ops, revision, charts = {}) {
    return this.#change(revision, () => {
      for (const [key, chart] of Object.entries(charts ?? {})) this.#charts.set(key, chart);
      const touched = this.#model.apply(ops);
      for (const key of Object.keys(charts ?? {})) touched.add(key);
      this.#drawRoot(false);
      for (const key of touched) {
        const record = this.records.get(key);
        if (record && this.#model.nodes.has(key)) this.#draw(record, false);
      }
    });
  }

  setLocale(locale, t) {
    this.locale = locale;
    this.t = t;
    this.format = formatter(locale);
    for (const record of this.records.values()) record.handle.relocate?.() ?? this.#update(record, record.node);
  }

  setTheme(theme) {
    this.theme = theme;
    for (const record of this.records.values()) record.handle.rethemed?.();
  }

  /** Put the focus into the window: on its open modal, or on its content. */
  focus() {
    (this.#modals.at(-1) ?? this.content).focus({ preventScroll: true });
  }

  dispose() {
    this.#disposed = true;
    if (this.#root) this.#forget(this.#root);
    this.root.remove();
  }

  // --- what elements use ---------------------------------------------------------------------------------------------

  /**
   * Tell the module what a person did. While the answer is awaited the target is `aria-busy`; resolves with the
   * acknowledgement, or at once with null where the node has no such action.
   */
  async fire(node, name, value = null, target = null) {
    const action = own(node.props, name);
    if (!action || this.#disposed) return null;
    const event = {
      window_id: this.context.window,
      revision: this.revision,
      element_key: node.key,
      handler: action.handler,
      arguments: action.arguments ?? [],
      value,
    };
    const timer = setTimeout(() => target?.setAttribute("aria-busy", "true"), PENDING_MS);
    try {
      return await this.context.fire(node, name, value, event);
    } catch (error) {
      reportError(error);
      return { ok: false };
    } finally {
      clearTimeout(timer);
      target?.removeAttribute("aria-busy");
    }
  }

  get hasCharts() {
    return this.#charts.size > 0;
  }

  chart(key) {
    return this.#charts.get(key) ?? null;
  }

  /** Act now, or where a pointer is pressed once it has been released and its click is done. */
  onceReleased(act) {
    if (this.#isPressed) this.root.addEventListener("pv-released", () => setTimeout(act), { once: true });
    else act();
  }

  #press() {
    this.#isPressed = true;
    const release = () => {
      this.#isPressed = false;
      removeEventListener("pointerup", release, { capture: true });
      removeEventListener("pointercancel", release, { capture: true });
      this.root.dispatchEvent(new Event("pv-released"));
    };
    addEventListener("pointerup", release, { capture: true });
    addEventListener("pointercancel", release, { capture: true });
  }

  announce(text) {
    this.announcer.textContent = text;
  }

  /** The records below a node, each before its children. */
  *below(key) {
    const record = this.records.get(key);
    for (const child of record?.children ?? []) {
      yield child;
      yield* this.below(child.node.key);
    }
  }

  /** Lay a modal over the window: what lies below takes no focus until it is closed again. */
  openModal(dialog) {
    const returnTo = document.activeElement;
    const hadFocus = this.root.contains(returnTo);
    this.#modals.push(dialog);
    this.#settleModals();
    if (hadFocus) dialog.focus({ preventScroll: true });
    return () => {
      this.#modals.splice(this.#modals.indexOf(dialog), 1);
      const keeps = dialog.contains(document.activeElement);
      this.#settleModals();
      if (keeps && hadFocus && returnTo.isConnected) returnTo.focus({ preventScroll: true });
    };
  }

  #settleModals() {
    const top = this.#modals.at(-1);
    this.content.inert = Boolean(top);
    for (const dialog of this.#modals) dialog.parentElement.inert = dialog !== top;
  }

  // --- drawing -------------------------------------------------------------------------------------------------------

  #change(revision, draw) {
    if (this.#disposed) return true;
    const focused = this.root.contains(document.activeElement) ? document.activeElement : null;
    try {
      draw();
    } catch (error) {
      if (!(error instanceof PatchError)) throw error;
      return false;
    }
    this.revision = revision;
    if (focused) this.#refocus(focused);
    return true;
  }

  /** An element that was moved lost its focus; one that was removed leaves it to the window. */
  #refocus(focused) {
    if (document.activeElement === focused) return;
    if (this.root.contains(document.activeElement) && document.activeElement !== document.body) return;
    if (focused.isConnected) focused.focus({ preventScroll: true });
    if (document.activeElement !== focused) this.focus();
  }

  #drawRoot(whole) {
    const node = this.#model.root;
    const record = this.#recordOf(node, null, whole);
    if (record !== this.#root) {
      const old = this.#root;
      this.#root = record;
      if (old && this.records.get(old.node.key) !== record) this.#forget(old);
    }
    const roots = record.handle.isLayered ? [] : [record.outer];
    if (this.content.firstChild !== (roots[0] ?? null) || this.content.childNodes.length !== roots.length) {
      arrange(this.content, roots);
    }
  }

  /** The record of a node: the one on the screen where type and key are the same, or a new one. */
  #recordOf(node, parent, whole) {
    const known = this.records.get(node.key);
    if (known && known.node.type === node.type && known.parent === parent) {
      const isOther = known.node !== node;
      known.node = node;
      if (whole || isOther) this.#draw(known, true);
      return known;
    }
    if (known) this.#forget(known);
    return this.#create(node, parent);
  }

  #create(node, parent) {
    const handle = this.#make(node);
    const record = { node, props: node.props, parent, handle, children: [], outer: null };
    record.outer = parent?.handle.wrap?.(record) ?? handle.element;
    handle.element.dataset.key = node.key;
    this.records.set(node.key, record);
    if (node.children.length > 0) this.#drawChildren(record, false);
    handle.childrenChanged?.(record.children);
    return record;
  }

  /** What the server let pass and an element cannot draw is a box with a name, not a window that stays empty. */
  #make(node) {
    if (!Object.hasOwn(elements, node.type)) return plugin(node);
    try {
      return elements[node.type](node, this);
    } catch (error) {
      reportError(error);
      return plugin(node);
    }
  }

  #draw(record, whole) {
    this.#drawChildren(record, whole); // first: a property such as `selected` may mean a child that has just come
    this.#update(record, { ...record.node, props: record.props });
  }

  #update(record, old) {
    const isSameProps = old.props === record.node.props || isSame(old.props, record.node.props);
    const isForced = old === record.node || record.node.type === "chart";
    record.props = record.node.props;
    if (isSameProps && !isForced) return;
    record.handle.update?.(record.node, old);
    record.parent?.handle.childrenChanged?.(record.parent.children);
  }

  #drawChildren(record, whole) {
    const { node, handle } = record;
    const before = record.children;
    const after = node.children.map((child) => this.#recordOf(child, record, whole));
    const isSameList = before.length === after.length && before.every((child, place) => child === after[place]);
    if (isSameList) return;
    record.children = after;
    const kept = new Set(after);
    for (const child of before) {
      if (!kept.has(child) && this.records.get(child.node.key) === child) this.#forget(child);
    }
    const placed = after.filter((child) => !child.handle.isLayered).map((child) => child.outer);
    if (handle.body) arrange(handle.body, placed); // what holds no children shows none
    handle.childrenChanged?.(after);
  }

  #forget(record) {
    this.#release(record);
    record.outer.remove();
  }

  #release(record) {
    if (this.records.get(record.node.key) === record) this.records.delete(record.node.key);
    for (const child of record.children) this.#release(child);
    record.handle.dispose?.();
  }
}
