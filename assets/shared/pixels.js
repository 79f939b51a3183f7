// Pictures of pixels, worked out one by one and placed as a whole. Scratch canvases are kept between calls.

import { contextOf } from "./stage.js";
import { SvgContext } from "./svg.js";

/** @import { Box, Sheet } from "./types.js" */

/**
 * Pixels that are worked out and then placed as one picture.
 * @typedef Pixels
 * @property {HTMLCanvasElement} canvas
 * @property {CanvasRenderingContext2D} context
 * @property {ImageData} data
 * @property {Uint32Array} pixels Packed colours, row by row.
 */

/** @type {Map<string, Pixels>} */
const scratch = new Map();

/**
 * An off-screen image of nx × ny pixels, reused between calls.
 * @param {string} name
 * @param {number} nx
 * @param {number} ny
 */
export function image(name, nx, ny) {
  const held = scratch.get(name);
  if (held && held.canvas.width === nx && held.canvas.height === ny) return held;
  const canvas = document.createElement("canvas");
  canvas.width = nx;
  canvas.height = ny;
  const context = contextOf(canvas);
  const data = context.createImageData(nx, ny);
  const made = { canvas, context, data, pixels: new Uint32Array(data.data.buffer) };
  scratch.set(name, made);
  return made;
}

/**
 * Draws an image, not smoothed.
 * @param {Sheet} ctx
 * @param {Pixels} source
 * @param {Box} box
 */
export function place(ctx, source, { x, y, width, height }) {
  source.context.putImageData(source.data, 0, 0);
  if (ctx instanceof SvgContext) return ctx.pixels(source.canvas, x, y, width, height);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(source.canvas, x, y, width, height);
}
