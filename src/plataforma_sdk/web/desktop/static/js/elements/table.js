// A table: sorted, searched and paged by the person, and drawn only where it is seen.

import { isSame } from "../codec.js";
import { DataTable } from "./data_table.js";

export function table(node, view) {
  let current = node;
  const onSelect = (value, target) => view.fire(current, "on_select", value, target);
  const settings = ({ props }) => ({ ...props, isSelectable: Boolean(props.on_select), onSelect });
  const shown = new DataTable(view, settings(node));
  const update = (next, old) => {
    current = next;
    shown.update(settings(next), { isOther: !isSame(next.props.columns, old.props.columns) });
  };
  return { element: shown.element, update, relocate: () => shown.relocate(), dispose: () => shown.dispose() };
}
