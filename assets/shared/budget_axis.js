// Where budgets stand on the axis of a scarcity plot: keys, or sizes of an elastic checkpoint. No DOM.

/**
 * Budgets on a log scale.
 * @typedef BudgetAxis
 * @property {number} low
 * @property {number} high
 * @property {number[]} ticks
 * @property {(budget: number) => string} format
 * @property {string} title
 */

const TICKS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/**
 * @param {number} n Tokens of the text.
 * @returns {BudgetAxis}
 */
export const keysAxis = (n) => ({
  low: 1,
  high: n,
  ticks: TICKS.filter((k) => k < n * 0.75).concat([n]),
  format: String,
  title: "keys each query may read (log scale)",
});

const SHARES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

/**
 * @param {number[]} stops Sizes of an elastic checkpoint, ascending.
 * @returns {BudgetAxis}
 */
export function sizesAxis(stops) {
  const [low, high] = [stops[0], stops[stops.length - 1]];
  const ticks = SHARES.filter((share) => share > low * 1.2 && share <= high); // apart from the first one
  const title = "share of the MACs, % (log scale)";
  return { low, high, ticks: [low, ...ticks], format: (size) => String(Number((100 * size).toFixed(1))), title };
}

const LEAST_CHANGE = 0.01; // nats, units of a score or of a cosine: what is less is noise, and looks like it

/**
 * Where the axis of changes ends.
 * @param {{ points: [budget: number, change: number][] }[]} lines
 */
export const topOfChanges = (lines) => Math.max(LEAST_CHANGE, ...lines.flatMap((one) => one.points.map((p) => p[1])));

/**
 * Box of the scarcity plot and the x positions of its budgets.
 * @param {number} width
 * @param {number} height
 * @param {{ low: number, high: number }} axis
 */
export function scarcityBox(width, height, { low, high }) {
  const box = { x: 44, y: 20, width: width - 58, height: height - 56 };
  /** @param {number} budget */
  const at = (budget) => box.x + (high > low ? Math.log(budget / low) / Math.log(high / low) : 0.5) * box.width;
  return { ...box, at };
}
