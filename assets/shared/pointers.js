// What pointers and keys do on the pictures of attention, the same on every page.

import { nearestTo } from "./budget.js";
import { scarcityBox } from "./budget_axis.js";

/** @import { Place, Size } from "./types.js" */
/** @import { BudgetAxis } from "./budget_axis.js" */

/** @type {Record<string, number | undefined>} */
const ROWS = { ArrowUp: -1, ArrowDown: 1 };
/** @type {Record<string, number | undefined>} */
const COLUMNS = { ArrowLeft: -1, ArrowRight: 1 };

/**
 * A drag over a scarcity plot moves its budget.
 * @param {HTMLCanvasElement} canvas
 * @param {{
 *   shown: () => Size & { axis: BudgetAxis, stops: number[] } | null, set: (budget: number) => void,
 *   released: () => void,
 * }} on
 */
export function budgetDrag(canvas, { shown, set, released }) {
  /** @param {PointerEvent} event */
  const drag = (event) => {
    const now = shown();
    if (!now || event.buttons !== 1) return;
    set(nearestTo(now.stops, event.offsetX, scarcityBox(now.width, now.height, now.axis).at));
  };
  canvas.addEventListener("pointerdown", drag);
  canvas.addEventListener("pointermove", drag);
  canvas.addEventListener("pointerup", released);
}

/**
 * Arrow keys move the pinned query through the rows of a matrix, Escape lets it go.
 * @param {HTMLCanvasElement} canvas
 * @param {{ pinned: () => number | null, n: () => number, pin: (query: number | null) => void }} on
 */
export function queryKeys(canvas, { pinned, n, pin }) {
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return pin(null);
    const step = ROWS[event.key];
    const rows = n();
    if (!step || !rows) return;
    event.preventDefault();
    pin(((pinned() ?? (step > 0 ? -1 : rows)) + step + rows) % rows);
  });
}

/**
 * Arrow keys move from head to head.
 * @param {HTMLCanvasElement} canvas
 * @param {{ now: () => Place | null, last: (layer: number) => Place, choose: (place: Place) => void }} on
 */
export function headKeys(canvas, { now, last, choose }) {
  canvas.addEventListener("keydown", (event) => {
    const [down, right] = [ROWS[event.key] ?? 0, COLUMNS[event.key] ?? 0];
    const at = now();
    if ((!down && !right) || !at) return;
    event.preventDefault();
    const layer = Math.max(0, Math.min(last(0).layer, at.layer + down));
    choose({ layer, head: Math.max(0, Math.min(last(layer).head, at.head + right)) });
  });
}
