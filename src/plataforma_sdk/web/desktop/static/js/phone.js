// The layout of a small screen: one window at a time, over the whole of it.

const SMALL = "(max-width: 639px)";

/** Keep `:root[data-layout]` to the width of the screen, and say when it changes. */
export function followLayout(onChange) {
  const small = matchMedia(SMALL);
  const show = () => {
    document.documentElement.dataset.layout = small.matches ? "phone" : "desk";
    onChange(small.matches);
  };
  small.addEventListener("change", show);
  show();
}
