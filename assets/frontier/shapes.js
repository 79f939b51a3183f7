// Marks on a plain canvas, as Plotly draws them: one path a symbol, around a place.

import { contextOf } from "../shared/stage.js";

/** @import { Palette } from "../shared/types.js" */
/** @import { Inside } from "./overlay.js" */

/** @typedef {[x: number, y: number][]} Polygon */

/**
 * @param {number} n
 * @param {number} [turn]
 * @returns {Polygon}
 */
const corners = (n, turn = 0) =>
  Array.from({ length: n }, (_, i) => [
    Math.sin((2 * Math.PI * i) / n + turn),
    -Math.cos((2 * Math.PI * i) / n + turn),
  ]);

/** @type {Record<string, Polygon | undefined>} */
const POLYGONS = {
  square: corners(4, Math.PI / 4).map(([x, y]) => [1.2 * x, 1.2 * y]),
  "triangle-up": corners(3),
  "triangle-down": corners(3, Math.PI),
  "triangle-left": corners(3, -Math.PI / 2),
  pentagon: corners(5),
  hexagon: corners(6),
  star: corners(10).map(([x, y], i) => (i % 2 ? [0.45 * x, 0.45 * y] : [x, y])),
  diamond: corners(4),
};

/**
 * Adds a symbol to the present path of a context.
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} symbol
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
function trace(ctx, symbol, x, y, radius) {
  const polygon = POLYGONS[symbol.replace(/-(open|dot)$/, "")];
  if (!polygon) {
    ctx.moveTo(x + radius, y);
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  polygon.forEach(([dx, dy], i) => {
    const [px, py] = [x + 1.15 * radius * dx, y + 1.15 * radius * dy];
    if (i) ctx.lineTo(px, py);
    else ctx.moveTo(px, py);
  });
  ctx.closePath();
}

/** @type {Map<string, { image: HTMLCanvasElement, size: number }>} */
const stamps = new Map();

/**
 * A mark as a small picture, made once: a thousand of them are copied faster than their paths are filled.
 * @param {string} symbol
 * @param {string} colour
 * @param {string} edge
 * @param {number} radius
 */
export function stamp(symbol, colour, edge, radius) {
  const scale = window.devicePixelRatio || 1;
  const name = `${symbol} ${colour} ${edge} ${radius} ${scale}`;
  const held = stamps.get(name);
  if (held) return held;
  const size = Math.ceil(2.4 * radius) + 4;
  const image = document.createElement("canvas");
  image.width = Math.ceil(size * scale);
  image.height = Math.ceil(size * scale);
  const ctx = contextOf(image);
  ctx.scale(image.width / size, image.height / size);
  ctx.beginPath();
  trace(ctx, symbol, size / 2, size / 2, radius);
  Object.assign(ctx, { fillStyle: colour, strokeStyle: edge, lineWidth: 1 });
  ctx.fill();
  ctx.stroke();
  const made = { image, size };
  stamps.set(name, made);
  return made;
}

/**
 * A word beside a place, on a patch of paper, kept inside the box.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Inside} box
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {Palette} colours
 */
export function label(ctx, box, text, x, y, colours) {
  ctx.font = `600 12px ${colours.font}`;
  const { width } = ctx.measureText(text);
  const left = Math.max(box.left + 4, x + 12 + width < box.right ? x + 12 : x - 12 - width);
  const top = Math.min(box.bottom - 18, Math.max(box.top + 2, y - 24));
  ctx.fillStyle = colours.background;
  ctx.globalAlpha = 0.85;
  ctx.fillRect(left - 4, top, width + 8, 17);
  ctx.globalAlpha = 1;
  ctx.fillStyle = colours.text;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(text, left, top + 9);
}
