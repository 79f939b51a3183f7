// What figures are made of: a ground, hatching, lines, axes, legends, sentences. On a canvas or as SVG.

import { css } from "./scales.js";
import { SvgContext } from "./svg.js";

/** @import { Box, Palette, Sheet } from "./types.js" */

/** @typedef {[label: string, colour: string, dash: number[]]} LegendEntry */

/**
 * A fresh sheet: clear on the page, filled where the picture leaves it.
 * @param {Sheet} ctx
 * @param {number} width
 * @param {number} height
 * @param {Palette} colours
 */
export function clear(ctx, width, height, colours) {
  if (!(ctx instanceof SvgContext)) ctx.clearRect(0, 0, width, height);
  if (!colours.paper) return;
  ctx.fillStyle = colours.background;
  ctx.fillRect(0, 0, width, height);
}

/**
 * @param {Sheet} ctx
 * @param {Box} box
 * @param {string} colour
 */
export function hatch(ctx, { x, y, width, height }, colour) {
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.setLineDash([]);
  ctx.beginPath();
  for (let d = 7; d < width + height; d += 7) {
    ctx.moveTo(x + Math.min(d, width), y + Math.max(0, d - width));
    ctx.lineTo(x + Math.max(0, d - height), y + Math.min(d, height));
  }
  ctx.stroke();
  ctx.restore();
}

/**
 * What was removed: hatched more strongly than what may not be seen, and framed, so that places stay apart.
 * @param {Sheet} ctx
 * @param {Box} box
 * @param {Palette} colours
 */
export function removed(ctx, box, colours) {
  ctx.globalAlpha = 0.4;
  hatch(ctx, box, colours.muted);
  ctx.strokeStyle = colours.muted;
  ctx.lineWidth = 1;
  ctx.strokeRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1);
  ctx.globalAlpha = 1;
}

/**
 * A sentence in the middle of a box, in place of what there is not.
 * @param {Sheet} ctx
 * @param {string} text
 * @param {Box} box
 * @param {Palette} colours
 */
export function sentence(ctx, text, box, colours) {
  ctx.font = `13px ${colours.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    const longer = `${last} ${word}`.trim();
    if (last && ctx.measureText(longer).width > 0.75 * box.width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  const width = Math.max(...lines.map((one) => ctx.measureText(one).width)) + 24;
  const height = 18 * lines.length + 14;
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  ctx.fillStyle = colours.background;
  ctx.fillRect(x - width / 2, y - height / 2, width, height);
  ctx.fillStyle = colours.text;
  lines.forEach((one, i) => {
    ctx.fillText(one, x, y + 18 * (i - (lines.length - 1) / 2));
  });
}

/**
 * @param {Sheet} ctx
 * @param {[number, number][]} points
 * @param {string} colour
 * @param {number} width
 * @param {number[]} [dash]
 */
export function line(ctx, points, colour, width, dash = []) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  points.forEach(([x, y], i) => {
    if (i) ctx.lineTo(x, y);
    else ctx.moveTo(x, y);
  });
  ctx.stroke();
  ctx.setLineDash([]);
}

/**
 * One straight line.
 * @param {Sheet} ctx
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 * @param {string} colour
 * @param {number} width
 * @param {number[]} [dash]
 */
export const stroke = (ctx, x0, y0, x1, y1, colour, width, dash = []) =>
  line(
    ctx,
    [
      [x0, y0],
      [x1, y1],
    ],
    colour,
    width,
    dash,
  );

/**
 * A filled circle.
 * @param {Sheet} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @param {string} colour
 */
export function disc(ctx, x, y, radius, colour) {
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}

/**
 * @typedef Axes
 * @property {[number, string][]} xTicks Places and what stands there.
 * @property {[number, string][]} yTicks
 * @property {string} xTitle
 * @property {string} yTitle
 */

/**
 * @param {Sheet} ctx
 * @param {Box} box
 * @param {Palette} colours
 * @param {Axes} axes
 */
export function axes(ctx, box, colours, { xTicks, yTicks, xTitle, yTitle }) {
  ctx.font = `11px ${colours.font}`;
  for (const [at] of yTicks) stroke(ctx, box.x, at, box.x + box.width, at, colours.grid, 1);
  ctx.fillStyle = colours.muted;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const [at, text] of yTicks) ctx.fillText(text, box.x - 5, at);
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (const [at, text] of xTicks) ctx.fillText(text, at, box.y + box.height + 4);
  ctx.fillText(xTitle, box.x + box.width / 2, box.y + box.height + 18);
  ctx.textAlign = "left";
  ctx.fillText(yTitle, 2, 1);
}

/**
 * @param {Sheet} ctx
 * @param {number} x
 * @param {number} y
 * @param {Palette} colours
 * @param {LegendEntry[]} entries
 */
export function legend(ctx, x, y, colours, entries) {
  ctx.font = `11px ${colours.font}`;
  const widest = Math.max(...entries.map(([label]) => ctx.measureText(label).width));
  ctx.globalAlpha = 0.8; // lines stay visible behind it
  ctx.fillStyle = colours.background;
  ctx.fillRect(x - 4, y - 2, 40 + widest, 15 * entries.length + 3);
  ctx.globalAlpha = 1;
  entries.forEach(([label, colour, dash], i) => {
    const middle = y + 7 + i * 15;
    stroke(ctx, x, middle, x + 22, middle, colour, 2, dash);
    ctx.fillStyle = colours.text;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.fillText(label, x + 28, middle);
  });
}

/**
 * The ends of a ramp with the colours between them.
 * @param {Sheet} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {{ low: string, high: string, label: string, colours: Palette, ramp: Uint32Array }} bar
 */
export function colourBar(ctx, x, y, width, { low, high, label, colours, ramp }) {
  const bar = Math.min(120, width / 3);
  for (let i = 0; i < 40; i++) {
    ctx.fillStyle = css(ramp[Math.round((i / 39) * 255)]);
    ctx.fillRect(x + 34 + (i / 40) * bar, y, bar / 40 + 0.6, 9);
  }
  ctx.fillStyle = colours.muted;
  ctx.font = `10px ${colours.font}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  ctx.fillText(low, x + 30, y + 5);
  ctx.textAlign = "left";
  ctx.fillText(high, x + 38 + bar, y + 5);
  ctx.fillText(label, x + 38 + bar + Math.max(32, ctx.measureText(high).width + 10), y + 5);
}

/** @param {string[]} lines */
export const captionHeight = (lines) => (lines.length ? 15 * lines.length + 8 : 0);

/**
 * Lines below a figure that leaves the page, on the figure's own ground.
 * @param {Sheet} ctx
 * @param {string[]} lines
 * @param {Box} box
 * @param {Palette} colours
 */
export function caption(ctx, lines, { x, y, width, height }, colours) {
  if (!lines.length) return;
  ctx.fillStyle = colours.background;
  ctx.fillRect(x, y, width, height);
  ctx.fillStyle = colours.text;
  ctx.font = `11px ${colours.font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  lines.forEach((line, i) => {
    ctx.fillText(line, x + 4, y + 4 + 15 * i);
  });
}
