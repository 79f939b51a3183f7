// All heads of two models at once: where both have one, what differs, and how much of that is which heads are left.
// Same formula as compecon/recipes/survivors.py. No DOM.

import { layerAt } from "./align.js";

/** Whether a model has a head at a place: it was built with one, and it was not removed. */
export const hasHead = (store, layer, head) => head < store.open.heads[layer] && !store.isRemoved(layer, head);

/** Mean of a statistic (row-major layer × head) over the heads a model has, or those of them that `among` admits; NaN if there is none. */
export function headMean(values, store, among = () => true) {
  let total = 0;
  let count = 0;
  for (let layer = 0; layer < store.nLayers; layer++)
    for (let head = 0; head < store.nHeads; head++) {
      const value = values[layer * store.nHeads + head];
      if (hasHead(store, layer, head) && !Number.isNaN(value) && among(layer, head)) {
        total += value;
        count++;
      }
    }
  return count ? total / count : NaN;
}

/** A statistic of both models on one grid: a row for each layer of the deeper, a column for each head of the wider; `gone` lists places that not both have. */
export function headGrid(a, b, ofA, ofB) {
  const rows = Math.max(a.nLayers, b.nLayers);
  const columns = Math.max(a.nHeads, b.nHeads);
  const values = new Float32Array(rows * columns).fill(NaN);
  const gone = new Set();
  const names = [];
  for (let row = 0; row < rows; row++) {
    const [la, lb] = [a, b].map((store) => layerAt(row, rows, store.nLayers));
    names.push(la === lb ? `L${la}` : `${la}|${lb}`);
    for (let head = 0; head < columns; head++) {
      const at = row * columns + head;
      if (hasHead(a, la, head) && hasHead(b, lb, head))
        values[at] = ofA[la * a.nHeads + head] - ofB[lb * b.nHeads + head];
      else gone.add(at);
    }
  }
  return { values, gone, names, rows, columns };
}

/**
 * How much of the shift of a statistic's mean is which heads are left: the smaller model's heads, measured in the larger.
 *
 * Gives back { from, all, survivors, smaller, selected }: `from` is the side that has all heads of the other; `selected`
 * is null where nothing shifted. Or { why }, a sentence on why there is no such number.
 */
export function selectionControl(a, b, ofA, ofB) {
  const grid = (store) => store.open.heads.join();
  if (grid(a) !== grid(b))
    return {
      why: "The models were not built with the same grid of heads: which heads survived cannot be told apart from changed attention.",
    };
  const places = (store) => {
    const out = [];
    for (let l = 0; l < store.nLayers; l++)
      for (let h = 0; h < store.nHeads; h++) if (hasHead(store, l, h)) out.push(`${l},${h}`);
    return out;
  };
  const ofPlaces = [new Set(places(a)), new Set(places(b))];
  const within = (one, other) => [...one].every((place) => other.has(place));
  if (ofPlaces[0].size === ofPlaces[1].size && within(...ofPlaces))
    return { why: "Both have the same heads: all of the difference is changed attention." };
  const from = within(ofPlaces[1], ofPlaces[0]) ? "a" : within(ofPlaces[0], ofPlaces[1]) ? "b" : null;
  if (!from)
    return {
      why: "Neither has all the heads of the other: which heads survived cannot be told apart from changed attention.",
    };
  const [large, values, small, others] = from === "a" ? [a, ofA, b, ofB] : [b, ofB, a, ofA];
  const all = headMean(values, large);
  const survivors = headMean(values, large, (layer, head) => hasHead(small, layer, head));
  const smaller = headMean(others, small);
  const shift = smaller - all;
  return { from, all, survivors, smaller, selected: Math.abs(shift) > 1e-6 ? (survivors - all) / shift : null };
}
