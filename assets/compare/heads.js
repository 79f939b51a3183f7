// All heads of two models at once: where both have one, what differs, and how much of that is which heads are left.
// Same formula as compecon/evaluation/survivors.py. No DOM.

import { layerAt } from "./align.js";

/** @import { Shape } from "../shared/shape.js" */
/** @import { SideName } from "./align.js" */

/**
 * How much of a shift is which heads are left.
 * @typedef Selection
 * @property {SideName} from The side that has all heads of the other.
 * @property {number} all Mean over its heads.
 * @property {number} survivors Mean over those of them that the other has too.
 * @property {number} smaller Mean over the other's heads.
 * @property {number | null} selected Share of the shift; null where nothing shifted.
 */

/**
 * Whether a model has a head at a place: it was built with one, and it was not removed.
 * @param {Shape} store
 * @param {number} layer
 * @param {number} head
 */
export const hasHead = (store, layer, head) => head < store.open.heads[layer] && !store.isRemoved(layer, head);

/**
 * Places of the heads that a model has.
 * @param {Shape} store
 */
const headsOf = (store) =>
  store.open.heads.flatMap((n, layer) =>
    Array.from({ length: n }, (_, head) => ({ layer, head })).filter(({ head }) => hasHead(store, layer, head)),
  );

/**
 * Mean of a statistic (row-major layer × head) over the heads a model has, or those of them that `among` admits; NaN if
 * there is none.
 * @param {ArrayLike<number>} values
 * @param {Shape} store
 * @param {(layer: number, head: number) => boolean} [among]
 */
export function headMean(values, store, among = () => true) {
  const places = headsOf(store).filter(({ layer, head }) => among(layer, head));
  const found = places.map(({ layer, head }) => values[layer * store.nHeads + head]).filter((v) => !Number.isNaN(v));
  return found.length ? found.reduce((total, value) => total + value, 0) / found.length : NaN;
}

/**
 * A statistic of both models on one grid: a row for each layer of the deeper, a column for each head of the wider;
 * `gone` lists places that not both have.
 * @param {Shape} a
 * @param {Shape} b
 * @param {ArrayLike<number>} ofA
 * @param {ArrayLike<number>} ofB
 */
export function headGrid(a, b, ofA, ofB) {
  const rows = Math.max(a.nLayers, b.nLayers);
  const columns = Math.max(a.nHeads, b.nHeads);
  const values = new Float32Array(rows * columns).fill(NaN);
  /** @type {Set<number>} */
  const gone = new Set();
  const names = [];
  for (let row = 0; row < rows; row++) {
    const [la, lb] = [a, b].map((store) => layerAt(row, rows, store.nLayers));
    names.push(la === lb ? `L${la}` : `${la}|${lb}`);
    for (let head = 0; head < columns; head++) {
      const at = row * columns + head;
      const isShared = hasHead(a, la, head) && hasHead(b, lb, head);
      if (isShared) values[at] = ofA[la * a.nHeads + head] - ofB[lb * b.nHeads + head];
      else gone.add(at);
    }
  }
  return { values, gone, names, rows, columns };
}

const UNTOLD = "the effect of which heads survived cannot be separated from changed attention.";
const GRIDS = `The models were built with different grids of heads: ${UNTOLD}`;
const EQUAL = "Both have the same heads: the whole difference comes from changed attention.";
const NEITHER = `Neither has all the heads of the other: ${UNTOLD}`;

/**
 * How much of the shift of a statistic's mean is which heads are left: the smaller model's heads, measured in the
 * larger. Or `why`, a sentence on why there is no such number.
 * @param {Shape} a
 * @param {Shape} b
 * @param {ArrayLike<number>} ofA
 * @param {ArrayLike<number>} ofB
 * @returns {Selection | { why: string }}
 */
export function selectionControl(a, b, ofA, ofB) {
  if (a.open.heads.join() !== b.open.heads.join()) return { why: GRIDS };
  const isWithinB = headsOf(a).every(({ layer, head }) => hasHead(b, layer, head));
  const isWithinA = headsOf(b).every(({ layer, head }) => hasHead(a, layer, head));
  if (isWithinA && isWithinB) return { why: EQUAL };
  if (isWithinA) return { from: "a", ...selection(a, b, ofA, ofB) };
  if (isWithinB) return { from: "b", ...selection(b, a, ofB, ofA) };
  return { why: NEITHER };
}

/**
 * @param {Shape} large
 * @param {Shape} small
 * @param {ArrayLike<number>} ofLarge
 * @param {ArrayLike<number>} ofSmall
 */
function selection(large, small, ofLarge, ofSmall) {
  const all = headMean(ofLarge, large);
  const survivors = headMean(ofLarge, large, (layer, head) => hasHead(small, layer, head));
  const smaller = headMean(ofSmall, small);
  const shift = smaller - all;
  return { all, survivors, smaller, selected: Math.abs(shift) > 1e-6 ? (survivors - all) / shift : null };
}
