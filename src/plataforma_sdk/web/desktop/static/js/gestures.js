// Dragging with a mouse, a pen or a finger: one draw a frame, and Escape takes it back.

/**
 * Follow a pointer from its `pointerdown` until it is released.
 *
 * Args:
 *   move(dx, dy, event): at most once a frame.
 *   end(isTakenBack, event): once.
 */
export function follow(start, { move, end }) {
  const target = start.currentTarget;
  const stop = new AbortController();
  const listen = (where, type, act) => where.addEventListener(type, act, { signal: stop.signal, capture: true });
  let last = start;
  let waiting = 0;

  const draw = () => {
    waiting = 0;
    move(last.clientX - start.clientX, last.clientY - start.clientY, last);
  };
  const finish = (isTakenBack) => {
    stop.abort();
    if (waiting) {
      cancelAnimationFrame(waiting);
      if (!isTakenBack) draw();
    }
    if (target.hasPointerCapture(start.pointerId)) target.releasePointerCapture(start.pointerId);
    end(isTakenBack, last);
  };

  target.setPointerCapture(start.pointerId);
  listen(target, "pointermove", (event) => {
    if (event.pointerId !== start.pointerId) return;
    last = event;
    waiting ||= requestAnimationFrame(draw);
  });
  listen(target, "pointerup", (event) => event.pointerId === start.pointerId && finish(false));
  listen(target, "pointercancel", (event) => event.pointerId === start.pointerId && finish(true));
  listen(target, "lostpointercapture", () => finish(false));
  listen(window, "keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    finish(true);
  });
}
