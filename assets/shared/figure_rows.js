// The numbers behind a figure, as rows for CSV and JSON. No DOM.

/** @import { Row } from "./types.js" */
/** @import { HeatmapModel } from "./heatmap.js" */

/**
 * A number that JSON can hold.
 * @param {number | undefined} x
 */
export const plain = (x) => (x === undefined || Number.isNaN(x) ? null : x);

/**
 * A row for each cell of a matrix.
 * @param {HeatmapModel} model
 * @param {string} value What its numbers are called.
 * @returns {Row[]}
 */
export const matrixRows = ({ weights, n, tokens }, value = "weight") =>
  Array.from(weights ?? [], (weight, i) => {
    const [query, key] = [Math.floor(i / n), i % n];
    return { query, key, query_token: tokens[query], key_token: tokens[key], [value]: plain(weight) };
  });
