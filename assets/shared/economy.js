// The economics that a moving pointer needs before the server's exact numbers are there: a static top-k mask of
// recorded attention, Lorenz curves, and the statistics of one head. Same definitions as compecon/stats/inequality.py
// (tests compare). Matrices are row-major query × key, NaN where a query may not look. No DOM.

/** @import { Direction, HeadEconomy, StatisticName, Statistics } from "./types.js" */

/** @type {StatisticName[]} */
const NAMES = [
  "gini",
  "gini_small_sample",
  "entropy",
  "effective_number",
  "herfindahl",
  "top_share_10",
  "bottom_share_50",
  "gini_inside",
];

/**
 * A matrix or a row of it.
 * @typedef {Float32Array} Weights
 */

/**
 * Keep each row's k strongest keys (ties to the earlier one) and renormalise: a preview, not a forward pass.
 * @param {Weights} full
 * @param {number} n
 * @param {number} k
 */
export function maskTopK(full, n, k) {
  const out = new Float32Array(n * n);
  const sorted = new Float32Array(n);
  for (let q = 0; q < n; q++) {
    const at = q * n;
    let m = 0;
    let least = 0;
    let equals = Infinity;
    let total = 0;
    for (let j = 0; j < n; j++) {
      const w = full[at + j];
      if (!Number.isNaN(w)) sorted[m++] = w;
    }
    if (m > k) {
      // sorting numbers without a comparison function is native: find the k-th, then mark
      const rising = sorted.subarray(0, m).sort();
      least = rising[m - k];
      equals = k;
      for (let t = m - 1; t >= 0 && rising[t] > least; t--) equals--; // places left for those equal to the k-th
    }
    for (let j = 0; j < n; j++) {
      const w = full[at + j];
      if (Number.isNaN(w)) out[at + j] = NaN;
      else if (w > least || (w === least && equals-- > 0)) {
        out[at + j] = w;
        total += w;
      }
    }
    if (total > 0) for (let j = 0; j < n; j++) out[at + j] /= total;
  }
  return out;
}

/**
 * Mean attention that each key receives from the queries that see anything; NaN for a key nobody may read.
 * @param {Weights} weights
 * @param {number} n
 * @param {boolean[] | null} [content] What counts as content; everything if null.
 */
export function received(weights, n, content = null) {
  const out = new Float32Array(n).fill(NaN);
  let queries = 0;
  for (let q = 0; q < n; q++) {
    if (content && !content[q]) continue;
    let total = 0;
    let sees = false;
    for (let j = 0; j < n; j++) {
      const w = weights[q * n + j];
      if (!Number.isNaN(w) && (!content || content[j])) {
        total += w;
        sees = true;
      }
    }
    if (!sees) continue;
    queries++;
    for (let j = 0; j < n; j++) {
      const w = weights[q * n + j];
      if (Number.isNaN(w) || (content && !content[j])) continue;
      if (Number.isNaN(out[j])) out[j] = 0;
      out[j] += content ? (total > 0 ? w / total : 0) : w;
    }
  }
  for (let j = 0; j < n; j++) out[j] /= queries;
  return out;
}

/**
 * The shares that count as units: visible, and content if asked for. Ascending; null when nothing is shared out.
 * @param {Weights} row
 * @param {boolean[] | null} [content]
 */
export function units(row, content = null) {
  const kept = new Float32Array(row.length);
  let m = 0;
  let total = 0;
  for (let j = 0; j < row.length; j++) {
    if (!Number.isNaN(row[j]) && (!content || content[j])) {
      kept[m++] = row[j];
      total += row[j];
    }
  }
  if (!m || !(total > 0)) return null;
  return kept.subarray(0, m).sort();
}

/**
 * Lorenz curve of ascending units, read at `points` + 1 equally spaced shares of the units.
 * @param {Weights} ascending
 */
export function lorenz(ascending, points = 100) {
  const m = ascending.length;
  const cumulative = new Float64Array(m + 1);
  for (let i = 0; i < m; i++) cumulative[i + 1] = cumulative[i] + ascending[i];
  const out = new Float64Array(points + 1);
  for (let p = 0; p <= points; p++) {
    const at = (p / points) * m;
    const i = Math.min(m - 1, Math.floor(at));
    out[p] = (cumulative[i] + (at - i) * ascending[i]) / cumulative[m];
  }
  return out;
}

/**
 * The statistics of compecon.stats.inequality.summary, and Gini inside the support, of ascending units.
 * @param {Weights} ascending
 * @returns {Statistics}
 */
export function summary(ascending) {
  const m = ascending.length;
  let total = 0;
  let ranked = 0;
  let entropy = 0;
  let squares = 0;
  for (let i = 0; i < m; i++) total += ascending[i];
  for (let i = 0; i < m; i++) {
    const p = ascending[i] / total;
    ranked += (i + 1) * p;
    squares += p * p;
    if (p > 0) entropy -= p * Math.log(p);
  }
  const gini = (2 * ranked) / m - (m + 1) / m;
  let zeros = 0;
  while (zeros < m && !(ascending[zeros] > 0)) zeros++;
  const inside = m - zeros;
  /** @param {number} fraction */
  const bottom = (fraction) => {
    const at = fraction * m;
    const i = Math.min(m - 1, Math.floor(at));
    let held = 0;
    for (let j = 0; j < i; j++) held += ascending[j];
    return (held + (at - i) * ascending[i]) / total;
  };
  return {
    gini,
    gini_small_sample: m > 1 ? (gini * m) / (m - 1) : 0,
    entropy,
    effective_number: Math.exp(entropy),
    herfindahl: squares,
    top_share_10: 1 - bottom(0.9),
    bottom_share_50: bottom(0.5),
    gini_inside: 1 - (1 - gini) * (m / inside),
  };
}

/**
 * Statistics and Lorenz curve of one head. `view` is "row" (mean over queries) or "received".
 * @param {Weights} weights
 * @param {number} n
 * @param {Direction} view
 * @param {boolean[] | null} [content]
 * @returns {HeadEconomy | null}
 */
export function headEconomy(weights, n, view, content = null) {
  if (view === "received") {
    const row = units(received(weights, n, content));
    return row && { stats: summary(row), curve: lorenz(row) };
  }
  let rows = 0;
  /** @type {Statistics | null} */
  let stats = null;
  const curve = new Float64Array(101);
  for (let q = 0; q < n; q++) {
    if (content && !content[q]) continue;
    const row = units(weights.subarray(q * n, q * n + n), content);
    if (!row) continue;
    rows++;
    const one = summary(row);
    const line = lorenz(row);
    for (let p = 0; p <= 100; p++) curve[p] += line[p];
    if (!stats) stats = one;
    else for (const name of NAMES) stats[name] += one[name];
  }
  if (!stats) return null;
  for (const name of NAMES) stats[name] /= rows;
  for (let p = 0; p <= 100; p++) curve[p] /= rows;
  return { stats, curve };
}
