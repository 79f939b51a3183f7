// The query × key matrix of one head, and which cell of it lies under a point.

import { still } from "./layers.js";
import { clear, hatch, removed, sentence } from "./marks.js";
import { image, place } from "./pixels.js";
import { magnitude, shade } from "./scales.js";

/** @import { Palette, Sheet } from "./types.js" */

/**
 * @typedef HeatmapModel
 * @property {Float32Array | null} weights Row-major query × key, NaN where a query may not look.
 * @property {number} n
 * @property {string[]} tokens
 * @property {number | null} pinned A query that is framed.
 * @property {string} missing Why there is no matrix; "" if there is.
 * @property {Palette} colours
 * @property {(weight: number) => number} [colour] A weight's colour, packed, where it is not a magnitude.
 */

/**
 * Where the matrix lies inside a heatmap of this size; room for token labels when they can be read.
 * @param {number} width
 * @param {number} height
 * @param {number} n
 */
export function heatmapBox(width, height, n) {
  const labels = (Math.min(width, height) - 64) / n >= 4;
  const margin = labels ? 64 : 16;
  const side = Math.floor(Math.min(width - margin - 14, height - margin + 12));
  return { x: margin, y: margin - 12, side, cell: side / n, labels };
}

/**
 * Paper = not read, hatched = may not be seen.
 * @param {Sheet} ctx
 * @param {number} width
 * @param {number} height
 * @param {HeatmapModel} model
 */
export function heatmap(ctx, width, height, model) {
  const { weights, n, tokens, pinned, missing, colours } = model;
  const { x, y, side, cell, labels } = heatmapBox(width, height, n);
  const square = { x, y, width: side, height: side };
  clear(ctx, width, height, colours);
  if (missing || !weights) {
    removed(ctx, square, colours);
    return sentence(ctx, missing, square, colours);
  }
  const picture = pixelsOf(weights, n, model.colour ?? inks(colours.dark));
  still(ctx, "frame", { x: 0, y: 0, width, height }, colours, [tokens, picture.isHidden], (below) => {
    if (picture.isHidden) hatch(below, square, colours.grid);
    frame(below, { x, y, side, cell, labels }, tokens, colours);
  });
  place(ctx, picture.image, square);
  if (pinned === null) return;
  ctx.strokeStyle = colours.accent;
  ctx.lineWidth = 2;
  ctx.strokeRect(x, y + pinned * cell, side, cell);
}

/**
 * The matrix as pixels, and whether something in it may not be seen.
 * @param {Float32Array} weights
 * @param {number} n
 * @param {(weight: number) => number} colour
 */
function pixelsOf(weights, n, colour) {
  const made = image("heatmap", n, n);
  let isHidden = false;
  for (let i = 0; i < n * n; i++) {
    const isSeen = !Number.isNaN(weights[i]);
    made.pixels[i] = isSeen ? colour(weights[i]) : 0;
    isHidden ||= !isSeen;
  }
  return { image: made, isHidden };
}

/** @param {boolean} dark */
function inks(dark) {
  const ramp = magnitude(dark);
  return (/** @type {number} */ weight) => ramp[shade(weight)];
}

/**
 * What stands around the matrix.
 * @param {Sheet} ctx
 * @param {ReturnType<typeof heatmapBox>} box
 * @param {string[]} tokens
 * @param {Palette} colours
 */
function frame(ctx, { x, y, side, cell, labels }, tokens, colours) {
  ctx.strokeStyle = colours.grid;
  ctx.lineWidth = 1;
  ctx.strokeRect(x - 0.5, y - 0.5, side + 1, side + 1);
  if (labels) axisLabels(ctx, { x, y, cell, tokens, colours });
  ctx.fillStyle = colours.muted;
  ctx.font = `11px ${colours.font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillText(labels ? "reads →" : "keys →", labels ? 2 : x, 1);
}

/**
 * @param {Sheet} ctx
 * @param {{ x: number, y: number, cell: number, tokens: string[], colours: Palette }} axis
 */
function axisLabels(ctx, { x, y, cell, tokens, colours }) {
  const every = Math.ceil(10 / cell); // as many as can be read
  ctx.font = `${Math.min(11, Math.max(9.5, cell * 0.9))}px ${colours.font}`;
  ctx.fillStyle = colours.muted;
  ctx.textBaseline = "middle";
  for (let i = 0; i < tokens.length; i += every) {
    const text = tokens[i].length > 9 ? `${tokens[i].slice(0, 8)}…` : tokens[i];
    ctx.textAlign = "right";
    ctx.fillText(text, x - 4, y + (i + 0.5) * cell);
    ctx.save();
    ctx.translate(x + (i + 0.5) * cell, y - 4);
    ctx.rotate(-Math.PI / 2.6);
    ctx.textAlign = "left";
    ctx.fillText(text, 0, 0);
    ctx.restore();
  }
}

/**
 * Query and key under a point, or null.
 * @param {number} px
 * @param {number} py
 * @param {number} width
 * @param {number} height
 * @param {number} n
 */
export function heatmapAt(px, py, width, height, n) {
  const { x, y, cell } = heatmapBox(width, height, n);
  const key = Math.floor((px - x) / cell);
  const query = Math.floor((py - y) / cell);
  return key >= 0 && key < n && query >= 0 && query < n ? { query, key } : null;
}
