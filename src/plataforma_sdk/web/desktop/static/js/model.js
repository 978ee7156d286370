// The tree of one window as data: nodes by key, and patches on them. No DOM: `tree.js` draws what changed.
//
// The server has checked every tree. It is checked here once more for what this code relies on, so that a fault of the
// server or a bug of ours ends in a new tree and not in a broken page.

const MAX_NODES = 50_000;
const MAX_DEPTH = 64;
const SPLICED = new Set(["rows", "data", "options"]);

/** A tree or patch that does not fit; the window asks for its whole tree again. */
export class PatchError extends Error {}

/**
 * Nodes are `{type, key, props, children}`. A patch never changes a `props` object: it puts a new one in its place, so
 * whoever drew the old one can compare.
 */
export class Model {
  root = null;
  nodes = new Map(); // key -> node; a Map, since a key may be "__proto__"
  #parents = new Map(); // key -> parent node

  /** Put a whole tree in the place of the present one. */
  load(tree) {
    this.nodes = new Map();
    this.#parents = new Map();
    this.#register(tree, null, 1);
    this.root = tree;
  }

  parentOf(key) {
    return this.#parents.get(key) ?? null;
  }

  /**
   * Apply operations in order and return the keys of nodes whose properties or children changed.
   *
   * After a PatchError the model may be changed in part: load a whole tree.
   */
  apply(ops) {
    if (!Array.isArray(ops)) throw new PatchError("A patch has no operations");
    const touched = new Set();
    for (const op of ops) {
      const operation = OPERATIONS.get(op?.op);
      if (!operation) throw new PatchError(`No operation ${op?.op}`);
      operation(this, op, touched);
    }
    return touched;
  }

  find(key) {
    const node = this.nodes.get(key);
    if (!node) throw new PatchError(`No node ${key}`);
    return node;
  }

  insert(parent, place, node) {
    const depth = this.#depthOf(parent) + 1;
    this.#register(node, parent, depth);
    parent.children.splice(checkedPlace(place, parent.children.length), 0, node);
  }

  /** Take a node out of its parent and return its place there. */
  remove(node) {
    const parent = this.parentOf(node.key);
    if (!parent) throw new PatchError("The root cannot be removed or moved");
    const place = parent.children.indexOf(node);
    parent.children.splice(place, 1);
    this.#unregister(node);
    return place;
  }

  move(node, place) {
    const parent = this.parentOf(node.key);
    if (!parent) throw new PatchError("The root cannot be removed or moved");
    parent.children.splice(parent.children.indexOf(node), 1);
    parent.children.splice(checkedPlace(place, parent.children.length), 0, node);
  }

  #register(node, parent, depth) {
    checkNode(node);
    if (depth > MAX_DEPTH || this.nodes.size >= MAX_NODES) throw new PatchError("The tree is too large");
    if (this.nodes.has(node.key)) throw new PatchError(`Two nodes have the key ${node.key}`);
    this.nodes.set(node.key, node);
    if (parent) this.#parents.set(node.key, parent);
    for (const child of node.children) this.#register(child, node, depth + 1);
  }

  #unregister(node) {
    this.nodes.delete(node.key);
    this.#parents.delete(node.key);
    for (const child of node.children) this.#unregister(child);
  }

  #depthOf(node) {
    let depth = 1;
    for (let at = this.parentOf(node.key); at; at = this.parentOf(at.key)) depth += 1;
    return depth;
  }
}

const OPERATIONS = new Map([
  ["props", (model, { key, set = {}, unset = [] }, touched) => {
    const node = model.find(key);
    const props = { ...node.props, ...set };
    for (const name of unset) delete props[name];
    node.props = props;
    touched.add(key);
  }],
  ["rows", (model, { key, prop, splice }, touched) => {
    const node = model.find(key);
    const items = SPLICED.has(prop) ? node.props[prop] : null;
    if (!Array.isArray(items) || !Array.isArray(splice)) throw new PatchError(`No rows ${prop} in ${key}`);
    node.props = { ...node.props, [prop]: spliced(items, splice) };
    touched.add(key);
  }],
  ["insert", (model, { key, at, node }, touched) => {
    model.insert(model.find(key), at, node);
    touched.add(key);
  }],
  ["remove", (model, { key }, touched) => {
    const node = model.find(key);
    const parent = model.parentOf(key);
    model.remove(node);
    touched.add(parent.key);
  }],
  ["move", (model, { key, at }, touched) => {
    const node = model.find(key);
    model.move(node, at);
    touched.add(model.parentOf(key).key);
  }],
  ["replace", (model, { key, node }, touched) => {
    const old = model.find(key);
    const parent = model.parentOf(key);
    if (!parent) {
      model.load(node);
      touched.add(node.key);
      return;
    }
    model.insert(parent, model.remove(old), node);
    touched.add(parent.key);
  }],
]);

/** Replace parts of a list, `[[start, deleted, [new items]], ...]`, in the order given. */
export function spliced(items, splices) {
  let result = items.slice();
  for (const [start, deleted, added] of splices) {
    if (!Number.isInteger(deleted) || deleted < 0 || !Array.isArray(added)) throw new PatchError("A splice does not fit");
    if (checkedPlace(start, result.length) + deleted > result.length) throw new PatchError("A splice does not fit");
    if (added.length < 1000) result.splice(start, deleted, ...added);
    else result = [...result.slice(0, start), ...added, ...result.slice(start + deleted)]; // no 50,000 arguments
  }
  return result;
}

function checkedPlace(place, length) {
  if (!Number.isInteger(place) || place < 0 || place > length) throw new PatchError(`No place ${place}`);
  return place;
}

function checkNode(node) {
  const fits =
    typeof node?.type === "string" && typeof node.key === "string" && isPlain(node.props) && Array.isArray(node.children);
  if (!fits) throw new PatchError("A node of the tree is not {type, key, props, children}");
}

function isPlain(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
