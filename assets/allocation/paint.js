// Lines, axes and bars of the Allocation page, for a canvas or for SVG. Nothing is computed here but places on a sheet.

import { number } from "./numbers.js";

/** @import { Palette, Sheet } from "../shared/types.js" */
/** @import { AllocationPalette } from "./types.js" */

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Inside */
/** @typedef {[x: number, y: number]} Point */

/**
 * Round numbers from 0 to `top`, about `n` of them.
 * @param {number} top
 * @param {number} n
 */
function ticks(top, n = 4) {
  if (!(top > 0)) return [0];
  const raw = top / n;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((m) => m * power >= raw) ?? 10);
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, i) => i * step);
}

/**
 * Axes with a grid; gives back how numbers become places.
 * @param {Sheet} ctx
 * @param {number} width
 * @param {number} height
 * @param {Palette} colours
 * @param {{ right: number, top: number, xTitle: string, yTitle: string }} axes Ends and titles.
 */
export function axes(ctx, width, height, colours, { right, top, xTitle, yTitle }) {
  const box = { left: 58, right: width - 10, top: 20, bottom: height - 34 };
  /** @param {number} v */
  const x = (v) => box.left + (v / (right || 1)) * (box.right - box.left);
  /** @param {number} v */
  const y = (v) => box.bottom - (v / (top || 1)) * (box.bottom - box.top);
  ctx.font = `11px ${colours.font}`;
  ctx.strokeStyle = colours.grid;
  ctx.fillStyle = colours.muted;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (const tick of ticks(right, width < 420 ? 3 : 5)) {
    ctx.moveTo(x(tick), box.top);
    ctx.lineTo(x(tick), box.bottom);
    ctx.fillText(number(tick, 3), x(tick), box.bottom + 5);
  }
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const tick of ticks(top)) {
    ctx.moveTo(box.left, y(tick));
    ctx.lineTo(box.right, y(tick));
    ctx.fillText(number(tick, 3), box.left - 6, y(tick));
  }
  ctx.stroke();
  ctx.textBaseline = "bottom";
  ctx.fillText(xTitle, box.right, height - 1);
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillText(yTitle, 4, 2);
  return { box, x, y };
}

/**
 * The part of a stretch inside a box, or null (Liang and Barsky 1984).
 * @param {Inside} box
 * @param {Point} from
 * @param {Point} to
 * @returns {[Point, Point] | null}
 */
function inside(box, [x0, y0], [x1, y1]) {
  let begin = 0;
  let end = 1;
  for (const [by, room] of [
    [x0 - x1, x0 - box.left],
    [x1 - x0, box.right - x0],
    [y0 - y1, y0 - box.top],
    [y1 - y0, box.bottom - y0],
  ]) {
    if (by === 0 && room < 0) return null;
    if (by < 0) begin = Math.max(begin, room / by);
    if (by > 0) end = Math.min(end, room / by);
  }
  /** @type {(t: number) => Point} */
  const at = (t) => [x0 + t * (x1 - x0), y0 + t * (y1 - y0)];
  return begin > end ? null : [at(begin), at(end)];
}

/**
 * A line through points, cut off at the box.
 * @param {Sheet} ctx
 * @param {Inside} box
 * @param {Point[]} points
 * @param {{ colour: string, width?: number, dash?: number[], alpha?: number }} style
 */
export function line(ctx, box, points, { colour, width = 2, dash = [], alpha = 1 }) {
  ctx.save();
  ctx.globalAlpha = alpha;
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  /** @type {Point | null} */
  let last = null;
  for (let i = 1; i < points.length; i++) {
    const part = inside(box, points[i - 1], points[i]);
    const isOn = part && last && last[0] === part[0][0] && last[1] === part[0][1];
    if (part && !isOn) ctx.moveTo(part[0][0], part[0][1]);
    if (part) ctx.lineTo(part[1][0], part[1][1]);
    last = part ? part[1] : null;
  }
  ctx.stroke();
  ctx.restore();
}

/**
 * A dot with a ring of paper around it, so that it stays visible on lines.
 * @param {Sheet} ctx
 * @param {number} x
 * @param {number} y
 * @param {string} colour
 * @param {string} paper
 */
export function dot(ctx, x, y, colour, paper, radius = 5) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.strokeStyle = paper;
  ctx.lineWidth = 2;
  ctx.fill();
  ctx.stroke();
}

/**
 * A word beside a place, kept inside the box.
 * @param {Sheet} ctx
 * @param {Inside} box
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {Palette} colours
 */
export function label(ctx, box, text, x, y, { text: colour, font }) {
  ctx.font = `600 12px ${font}`;
  ctx.fillStyle = colour;
  const fits = x + 8 + ctx.measureText(text).width < box.right;
  ctx.textAlign = fits ? "left" : "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(text, x + (fits ? 8 : -8), Math.max(box.top + 13, y - 5));
}

/** @typedef {{ spend: number, ghost: number, isWasted: boolean }} Bar Without a spend, what it would have bought. */

/**
 * The queue: a bar a query.
 * @param {Sheet} ctx
 * @param {number} width
 * @param {number} height
 * @param {AllocationPalette} colours
 * @param {Bar[]} bars
 * @param {number} chosen Place of the query that is pointed at.
 * @param {number} top
 */
export function queue(ctx, width, height, colours, bars, chosen, top) {
  const floor = height - 12;
  const w = width / bars.length;
  const gap = w > 3 ? 1 : 0;
  bars.forEach(({ spend, ghost, isWasted }, place) => {
    const spent = isWasted ? colours.waste : colours.accent;
    const tall = Math.min(1, (spend > 0 ? spend : ghost) / (top || 1)) * (floor - 4);
    ctx.fillStyle = spend > 0 ? spent : colours.ghost;
    ctx.fillRect(place * w, floor - Math.max(1, tall), Math.max(0.7, w - gap), Math.max(1, tall));
  });
  ctx.fillStyle = colours.grid;
  ctx.fillRect(0, floor, width, 1);
  const x = (chosen + 0.5) * w;
  ctx.fillStyle = colours.text;
  ctx.beginPath();
  ctx.moveTo(x, floor + 2);
  ctx.lineTo(x - 6, height);
  ctx.lineTo(x + 6, height);
  ctx.closePath();
  ctx.fill();
  ctx.globalAlpha = 0.35;
  ctx.fillRect(x - 0.5, 0, 1, floor);
  ctx.globalAlpha = 1;
}
