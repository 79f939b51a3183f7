// A query's curve and the line whose slope is the price. No DOM.

/** @import { Shown } from "./types.js" */

// places of reasons in the library's list
export const FUNDED = "0";
export const LEFT_OUT = "3";
export const WASTED = "6";
export const PASSED = "9";

/**
 * Value on the line that is drawn: it has a point at each step, and steps last until the next one.
 * @param {[spends: number[], values: number[]]} curve
 * @param {number} spend
 */
export function valueAt([spends, values], spend) {
  let j = 0;
  while (j + 1 < spends.length && spends[j + 1] <= spend) j++;
  const next = j + 1 < spends.length ? j + 1 : j;
  const width = spends[next] - spends[j];
  return width > 0 ? values[j] + ((values[next] - values[j]) * (spend - spends[j])) / width : values[j];
}

/**
 * Where a line of the price's slope passes through what a query got; `base` is where it meets the axis: the surplus.
 * @param {Pick<Shown, "table" | "now">} shown
 * @param {number} i
 */
export function tangent({ table, now }, i) {
  const price = now.price ?? now.clearing;
  const spend = now.spends[i];
  const value = spend > 0 ? valueAt(table.curves[i], spend) : 0;
  return { price, spend, value, base: value - price * spend };
}
