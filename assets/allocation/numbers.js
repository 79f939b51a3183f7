// Numbers as people write them.

/** @import { Shown } from "./types.js" */

/** @type {Map<number, Intl.NumberFormat>} */
const formats = new Map(); // making one takes longer than using it a hundred times

/** @param {number} digits */
function format(digits) {
  const held = formats.get(digits) ?? new Intl.NumberFormat("en", { maximumSignificantDigits: digits });
  formats.set(digits, held);
  return held;
}

/**
 * Four digits, thousands apart.
 * @param {number | null} x
 */
export function number(x, digits = 4) {
  if (x === null || !Number.isFinite(x)) return "none";
  const size = Math.abs(x);
  if (x !== 0 && (size < 1e-6 || size >= 1e9)) return x.toExponential(2).replace("e", "·10^").replace("+", "");
  return format(Math.max(digits, Math.ceil(Math.log10(size + 1)))).format(x);
}

/** @param {number} share */
export const percent = (share) => (100 * share).toFixed(1);

/**
 * An amount with its unit, in money too if there is a price.
 * @param {Pick<Shown, "table" | "data">} shown
 * @param {number} x
 */
export function amount({ table, data }, x) {
  const money = data.money > 0 ? ` (${number((x * data.money) / 1e6, 3)} currency)` : "";
  return `${number(x)} ${x === 1 ? data.one : table.unit}${money}`;
}
