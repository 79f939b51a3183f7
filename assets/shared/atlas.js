// All heads at once: a row a layer, a column a head.

import { layer, still } from "./layers.js";
import { clear, colourBar, hatch, removed } from "./marks.js";
import { image, place } from "./pixels.js";
import { css, inkOn, magnitude, shade, statistic } from "./scales.js";

/** @import { Part } from "./layers.js" */
/** @import { Box, Palette, Place, Sheet } from "./types.js" */

/**
 * @typedef AtlasModel
 * @property {ArrayLike<number>} values Row-major layer × head.
 * @property {number} low
 * @property {number} high
 * @property {number[]} heads Heads of each layer.
 * @property {number} nHeads
 * @property {Set<number>} gone Row-major places of those that are hatched.
 * @property {((layer: number, head: number) => Float32Array | null) | null} thumbnails
 * @property {number} n
 * @property {Place | null} selected
 * @property {Place | null} hover
 * @property {string} label
 * @property {Palette} colours
 * @property {Uint32Array} [ramp]
 * @property {string[]} [rows] Names of the rows, where they are not layers.
 * @property {boolean} [signed]
 */

/**
 * @param {number} width
 * @param {number} height
 * @param {number} nLayers
 * @param {number} nHeads
 */
export function atlasBox(width, height, nLayers, nHeads) {
  const left = 26;
  const top = 18;
  const tile = Math.max(6, Math.min((width - left - 2) / nHeads, (height - top - 26) / nLayers, 46));
  return { left, top, tile };
}

/**
 * Every head as a tile coloured by a statistic, or as a thumbnail of its attention framed in that colour.
 * @param {Sheet} ctx
 * @param {number} width
 * @param {number} height
 * @param {AtlasModel} model
 */
export function atlas(ctx, width, height, model) {
  const { low, high, heads, nHeads, selected, hover, label, colours, ramp = statistic(), signed } = model;
  clear(ctx, width, height, colours);
  const box = atlasBox(width, height, heads.length, nHeads);
  const { left, top, tile } = box;
  const whole = { x: 0, y: 0, width, height };
  still(ctx, "names", whole, colours, [heads, nHeads, model.rows, low, high, label, ramp, signed], (below) => {
    names(below, model, box);
    /** @param {number} v */
    const end = (v) => `${signed && v > 0 ? "+" : ""}${v.toFixed(Math.abs(v) >= 10 ? 0 : 2)}`;
    const bar = { low: end(low), high: end(high), label, colours, ramp };
    colourBar(below, left, top + heads.length * tile + 8, Math.min(nHeads * tile, width - left - 4), bar);
  });
  const tiles = { x: left, y: top, width: nHeads * tile, height: heads.length * tile };
  layer(ctx, "tiles", tiles, colours, tileParts(model, box, ramp));
  frame(ctx, box, hover, colours.muted, 2);
  frame(ctx, box, selected, colours.accent, 3);
}

/**
 * @param {AtlasModel} model
 * @param {ReturnType<typeof atlasBox>} box
 * @param {Uint32Array} ramp
 */
function tileParts(model, { left, top, tile }, ramp) {
  const { heads, nHeads } = model;
  return heads.flatMap((_, layer) =>
    Array.from({ length: nHeads }, (_, head) => {
      const square = { x: left + head * tile + 1, y: top + layer * tile + 1, width: tile - 2, height: tile - 2 };
      return tilePart(model, { layer, head }, square, ramp);
    }),
  );
}

/**
 * @param {Sheet} ctx
 * @param {AtlasModel} model
 * @param {ReturnType<typeof atlasBox>} box
 */
function names(ctx, { heads, nHeads, rows, colours }, { left, top, tile }) {
  ctx.font = `10px ${colours.font}`;
  ctx.fillStyle = colours.muted;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  heads.forEach((_, layer) => {
    ctx.fillText(rows?.[layer] ?? `L${layer}`, left - 5, top + (layer + 0.5) * tile);
  });
  ctx.textAlign = "center";
  for (let head = 0; head < nHeads; head += tile > 13 ? 1 : 4)
    ctx.fillText(`H${head}`, left + (head + 0.5) * tile, top - 8);
}

/**
 * @param {AtlasModel} model
 * @param {Place} at
 * @param {Box} box
 * @param {Uint32Array} ramp
 * @returns {Part}
 */
function tilePart(model, { layer, head }, box, ramp) {
  const { values, low, high, heads, nHeads, gone, thumbnails, n, colours, signed } = model;
  const value = values[layer * nHeads + head];
  if (gone.has(layer * nHeads + head)) return { box, key: ["gone"], draw: (ctx) => removed(ctx, box, colours) };
  if (head >= heads[layer] || Number.isNaN(value))
    return { box, key: ["none"], draw: (ctx) => hatch(ctx, box, colours.grid) };
  const colour = ramp[Math.max(0, Math.min(255, Math.round(((value - low) / (high - low || 1)) * 255)))];
  const pixels = thumbnails?.(layer, head);
  const text = pixels || box.width <= 19 ? "" : signed ? short(value) : value.toFixed(value < 10 ? 2 : 0);
  return {
    box,
    key: [colour, text, pixels],
    draw: (ctx) => {
      ctx.fillStyle = css(colour);
      ctx.fillRect(box.x, box.y, box.width, box.height);
      if (pixels) place(ctx, thumbnail(pixels, n, colours), inset(box, 3));
      else if (text) digits(ctx, text, box, inkOn(colour), colours);
    },
  };
}

/**
 * @param {Box} box
 * @param {number} by
 */
const inset = ({ x, y, width, height }, by) => ({
  x: x + by,
  y: y + by,
  width: width - 2 * by,
  height: height - 2 * by,
});

/**
 * @param {Sheet} ctx
 * @param {string} text
 * @param {Box} box
 * @param {string} ink
 * @param {Palette} colours
 */
function digits(ctx, text, { x, y, width, height }, ink, colours) {
  ctx.font = `${width > 28 ? 10 : 9}px ${colours.font}`;
  ctx.fillStyle = ink;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(text, x + width / 2, y + height / 2);
}

/**
 * @param {Sheet} ctx
 * @param {ReturnType<typeof atlasBox>} box
 * @param {Place | null} at
 * @param {string} colour
 * @param {number} width
 */
function frame(ctx, { left, top, tile }, at, colour, width) {
  if (!at) return;
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.strokeRect(left + at.head * tile + 0.5, top + at.layer * tile + 0.5, tile - 1, tile - 1);
}

/**
 * A signed number in few letters: +.41, −1.3, +12.
 * @param {number} value
 */
function short(value) {
  const size = Math.abs(value);
  if (size < 0.005) return "0";
  const text = size < 0.995 ? size.toFixed(2).slice(1) : size.toFixed(size < 9.95 ? 1 : 0);
  return `${value > 0 ? "+" : "−"}${text}`;
}

/**
 * At most 20 × 20 pixels of one head, each the largest weight it covers.
 * @param {Float32Array} weights
 * @param {number} n
 * @param {Palette} colours
 */
function thumbnail(weights, n, colours) {
  const side = Math.min(n, 20);
  const picture = image("thumbnail", side, side);
  const ramp = magnitude(colours.dark);
  /** @param {number} i */
  const from = (i) => Math.floor((i * n) / side);
  for (let a = 0; a < side; a++) {
    for (let b = 0; b < side; b++) {
      let most = 0;
      for (let q = from(a); q < from(a + 1); q++)
        for (let k = from(b); k < from(b + 1); k++) if (weights[q * n + k] > most) most = weights[q * n + k];
      picture.pixels[a * side + b] = ramp[most > 0 ? shade(most) : 0];
    }
  }
  return picture;
}

/**
 * Layer and head under a point, or null.
 * @param {number} px
 * @param {number} py
 * @param {number} width
 * @param {number} height
 * @param {number[]} heads
 * @param {number} nHeads
 * @returns {Place | null}
 */
export function atlasAt(px, py, width, height, heads, nHeads) {
  const { left, top, tile } = atlasBox(width, height, heads.length, nHeads);
  const head = Math.floor((px - left) / tile);
  const layer = Math.floor((py - top) / tile);
  return layer >= 0 && layer < heads.length && head >= 0 && head < heads[layer] ? { layer, head } : null;
}
