// What is read off a market's table before anything is drawn.

import { palette } from "../shared/scales.js";

/** @import { AllocationPalette, MarketTable, Now, PointName } from "./types.js" */

/**
 * @param {Element} element
 * @returns {AllocationPalette}
 */
export function paletteOf(element) {
  const base = palette(element);
  return { ...base, waste: base.dark ? "#e69f00" : "#b35900", ghost: base.dark ? "#3b4454" : "#cfd4dc" };
}

/**
 * What almost every bar stays below, whatever the budget.
 * @param {MarketTable} table
 */
export function tallestOf({ entry, spends }) {
  const bought = entry.map((first, i) => Math.max(first, ...spends.map((row) => row[i]))).sort((a, b) => a - b);
  return bought[Math.floor(0.97 * (bought.length - 1))];
}

/**
 * @param {MarketTable} table
 * @param {number} stop
 * @returns {Now}
 */
export function nowAt({ points, prices, spends, reasons }, stop) {
  const names = /** @type {PointName[]} */ (Object.keys(points));
  const now = /** @type {Record<PointName, number>} */ (
    Object.fromEntries(names.map((name) => [name, points[name][stop]]))
  );
  return { ...now, price: prices[stop], spends: spends[stop], reasons: reasons[stop] };
}
