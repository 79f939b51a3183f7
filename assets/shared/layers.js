// What does not change from one move of the budget to the next: drawn once on a canvas of its own, then copied. On
// paper and in SVG it is drawn each time, in its place.

import { contextOf } from "./stage.js";
import { SvgContext } from "./svg.js";

/** @import { Box, Palette, Sheet } from "./types.js" */

/**
 * A part of a layer, and what it is drawn from: it is drawn anew when that is something else.
 * @typedef {{ box: Box, key: unknown[], draw: (ctx: Sheet) => void }} Part
 */

/** @typedef {{ context: CanvasRenderingContext2D, of: unknown[], keys: unknown[][] }} Layer */

/** @type {WeakMap<HTMLCanvasElement, Map<string, Layer>>} */
const layers = new WeakMap();

/**
 * Draws parts that lie two pixels apart, each inside its box: on the page, those alone that have changed.
 * @param {Sheet} ctx
 * @param {string} name Of the layer, one of the canvas.
 * @param {Box} box All that is drawn on, in whole pixels.
 * @param {Palette} colours
 * @param {Part[]} parts
 */
export function layer(ctx, name, box, colours, parts) {
  if (ctx instanceof SvgContext || colours.paper) {
    for (const { draw } of parts) draw(ctx);
    return;
  }
  const { canvas } = ctx;
  const scale = ctx.getTransform().a;
  const whole = pixels(box, scale);
  const held = layerOf(canvas, name, [...whole, scale, colours, parts.length]);
  parts.forEach((part, i) => {
    if (isSame(held.keys[i], part.key)) return;
    held.keys[i] = part.key;
    redraw(held.context, part, pixels(part.box, scale, whole));
  });
  ctx.save();
  ctx.resetTransform();
  ctx.drawImage(held.context.canvas, whole[0], whole[1]);
  ctx.restore();
}

/**
 * Draws a part anew. Lines that end at the edge of its box would reach out of it, and stay.
 * @param {CanvasRenderingContext2D} context
 * @param {Part} part
 * @param {[left: number, top: number, width: number, height: number]} place
 */
function redraw(context, { draw }, place) {
  const transform = context.getTransform();
  context.save();
  context.resetTransform();
  context.beginPath();
  context.rect(...place);
  context.clip();
  context.clearRect(...place);
  context.setTransform(transform);
  draw(context);
  context.restore();
}

/**
 * All pixels that a box touches: what covers one in part stands there too.
 * @param {Box} box
 * @param {number} scale
 * @param {number[]} [origin]
 * @returns {[left: number, top: number, width: number, height: number]}
 */
function pixels({ x, y, width, height }, scale, [fromLeft, fromTop] = [0, 0]) {
  const [left, top] = [Math.floor(x * scale), Math.floor(y * scale)];
  const [right, bottom] = [Math.ceil((x + width) * scale), Math.ceil((y + height) * scale)];
  return [left - fromLeft, top - fromTop, right - left, bottom - top];
}

/**
 * Draws what changes as a whole.
 * @param {Sheet} ctx
 * @param {string} name
 * @param {Box} box
 * @param {Palette} colours
 * @param {unknown[]} key
 * @param {(ctx: Sheet) => void} draw
 */
export const still = (ctx, name, box, colours, key, draw) => layer(ctx, name, box, colours, [{ box, key, draw }]);

/**
 * The layer of a canvas, blank if its place, size, colours or number of parts is another than before.
 * @param {HTMLCanvasElement} canvas
 * @param {string} name
 * @param {[left: number, top: number, width: number, height: number, scale: number, ...others: unknown[]]} of
 */
function layerOf(canvas, name, of) {
  const all = layers.get(canvas) ?? new Map();
  layers.set(canvas, all);
  /** @type {Layer | undefined} */
  const held = all.get(name);
  if (held && isSame(held.of, of)) return held;
  const [left, top, width, height, scale] = of;
  const context = held?.context ?? contextOf(document.createElement("canvas"));
  Object.assign(context.canvas, { width, height });
  context.setTransform(scale, 0, 0, scale, -left, -top);
  const made = { context, of, keys: [] };
  all.set(name, made);
  return made;
}

/**
 * @param {unknown} one
 * @param {unknown} other
 * @returns {boolean}
 */
const isSame = (one, other) =>
  one === other ||
  (Array.isArray(one) &&
    Array.isArray(other) &&
    one.length === other.length &&
    one.every((value, i) => isSame(value, other[i])));
