// How far the output of each size of an elastic checkpoint is from that of the whole of it, at one budget of keys. No
// DOM.

import { firstChoice, scoresOf } from "./answers.js";
import { shareOf } from "./words.js";

/** @import { CurvePoint, Frame, Opening, Said } from "./types.js" */
/** @import { Sizes } from "./sizes.js" */

/**
 * @typedef SizeCurve
 * @property {CurvePoint[]} points A size and how far it moves the output, ascending.
 * @property {number[]} flips Sizes at which the first choice is another one than that of the whole, ascending.
 * @property {number} k The computed budget of keys at which both are read, the nearest to the one in force.
 * @property {string} unit
 * @property {number} missing Sizes that have not come.
 */

const LEAST = 5e-10; // probabilities are sent with nine decimals: below this one of them is 0

/** @type {Partial<Record<Opening["output"], string>>} */
const UNITS = { classification: "KL to the whole model, nats", regression: "change in score" };

/**
 * The sizes that are there so far. Null where the output is not sent as a whole, as of a language model, or while the
 * whole model has not come.
 * @param {Sizes} sizes
 * @param {number} k
 * @returns {SizeCurve | null}
 */
export function sizeCurve(sizes, k) {
  const whole = sizes.get(1);
  const unit = whole && UNITS[whole.open.output];
  if (!whole || !unit) return null;
  const at = whole.frames.has(k) ? k : whole.nearest(k);
  const full = /** @type {Frame} */ (whole.frames.get(at));
  /** @type {CurvePoint[]} */
  const points = [];
  const flips = [];
  for (const { open, size, frames } of sizes.shown) {
    const frame = frames.get(at);
    if (!frame) continue;
    points.push([size, changeFrom(open, full, frame)]);
    if (firstChoice(open, frame) !== firstChoice(open, full)) flips.push(size);
  }
  return { points, flips, k: at, unit, missing: sizes.stops.length - points.length };
}

/**
 * Kullback–Leibler divergence from the whole model's classes in nats, or the largest change of a score.
 * @param {Opening} open
 * @param {Said} full
 * @param {Said} now
 */
export function changeFrom({ output }, full, now) {
  if (output === "regression") {
    const before = scoresOf(full);
    return Math.max(...scoresOf(now).map((score, i) => Math.abs(score - before[i])));
  }
  const after = now.probabilities ?? [];
  const parts = (full.probabilities ?? []).map((p, i) => (p > 0 ? p * Math.log(p / Math.max(after[i], LEAST)) : 0));
  return Math.max(
    0,
    parts.reduce((total, part) => total + part, 0),
  );
}

/** @param {SizeCurve} curve */
export function sizeSentence({ flips, k, missing }) {
  const flipped = flips.length ? `The answer flips at ${flips.map(shareOf).join(", ")} (dots on the axis). ` : "";
  const coming = missing ? ` ${missing} ${missing === 1 ? "size is" : "sizes are"} still to come.` : "";
  return `${flipped}Against the whole model, both at k = ${k}.${coming} Drag to move the size.`;
}
