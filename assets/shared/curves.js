// Lorenz curves, and how far the output moves as keys or MACs get scarce.

import { scarcityBox, topOfChanges } from "./budget_axis.js";
import { still } from "./layers.js";
import { axes, clear, disc, legend, line, sentence, stroke } from "./marks.js";

/** @import { Arm, Box, CurvePoint, Palette, Sheet } from "./types.js" */
/** @import { BudgetAxis } from "./budget_axis.js" */
/** @import { LegendEntry } from "./marks.js" */

/** @typedef {{ label: string, colour: string, width: number, dash: number[] }} Stroke */
/**
 * @typedef {Stroke & { shares: ArrayLike<number> | undefined, isStill?: boolean }} LorenzCurve One that is still does
 *   not follow the budget, and lies below those that do.
 */
/** @typedef {Stroke & { points: CurvePoint[], dotted?: boolean }} ScarcityLine */

/**
 * @typedef LorenzModel
 * @property {LorenzCurve[]} curves The last on top.
 * @property {string[]} legend Their labels in the order of the legend.
 * @property {string} [filled] The colour of the area below the last; none if missing.
 * @property {string} missing Why there is nothing to draw; "" if there is.
 * @property {Palette} colours
 */

/**
 * @typedef ScarcityModel
 * @property {ScarcityLine[]} lines The first on top.
 * @property {BudgetAxis} axis
 * @property {number} at The budget in force.
 * @property {string} label What is written beside it.
 * @property {string} unit
 * @property {{ at: number[], colour: string }[]} flips Dots on the axis, a row of them for each entry.
 * @property {Palette} colours
 */

/**
 * One head at this budget (solid) against full budget (dashed) and equality (dotted).
 * @param {ArrayLike<number> | undefined} curve
 * @param {ArrayLike<number> | undefined} full
 * @param {string} missing
 * @param {Palette} colours
 * @returns {LorenzModel}
 */
export const lorenzOfHead = (curve, full, missing, colours) => ({
  missing,
  colours,
  filled: curve && colours.budget,
  curves: [
    { label: "full budget", shares: full, colour: colours.full, width: 2, dash: [6, 4], isStill: true },
    { label: "this budget", shares: curve, colour: colours.budget, width: 2.5, dash: [] },
  ],
  legend: ["this budget", "full budget"],
});

const QUARTERS = [0, 0.25, 0.5, 0.75, 1];

/**
 * @param {Sheet} ctx
 * @param {number} width
 * @param {number} height
 * @param {LorenzModel} model
 */
export function lorenzCurves(ctx, width, height, { curves, legend: order, filled, missing, colours }) {
  clear(ctx, width, height, colours);
  const box = { x: 34, y: 20, width: width - 54, height: height - 56 };
  /** @param {number} p */
  const px = (p) => box.x + p * box.width;
  /** @param {number} s */
  const py = (s) => box.y + (1 - s) * box.height;
  /** @param {LorenzCurve} curve */
  const path = ({ shares }) =>
    Array.from(shares ?? [], /** @returns {[number, number]} */ (s, i) => [px(i / ((shares?.length ?? 2) - 1)), py(s)]);
  /** @type {(ctx: Sheet, curve: LorenzCurve) => void} */
  const draw = (c, curve) => line(c, path(curve), curve.colour, curve.width, curve.dash);
  const below = missing ? [] : curves.filter((curve) => curve.isStill);
  const key = [missing, ...below.flatMap(({ shares, colour, dash }) => [shares, colour, dash])];
  still(ctx, "axes", { x: 0, y: 0, width, height }, colours, key, (c) => {
    axes(c, box, colours, {
      xTicks: QUARTERS.map((t) => [px(t), `${t * 100}%`]),
      yTicks: QUARTERS.map((t) => [py(t), `${t * 100}`]),
      xTitle: "poorest tokens",
      yTitle: "share of attention, %",
    });
    if (!missing) stroke(c, px(0), py(0), px(1), py(1), colours.muted, 1, [2, 3]);
    for (const curve of below) draw(c, curve);
  });
  if (missing) return sentence(ctx, missing, box, colours);
  if (filled) fillBelow(ctx, px(0), py(0), path(curves[curves.length - 1]), filled);
  for (const curve of curves) if (!curve.isStill) draw(ctx, curve);
  const entries = order.flatMap((name) => curves.filter((curve) => curve.label === name).map(entryOf));
  const corner = { x: 0, y: 0, width: Math.min(width, 220), height };
  still(ctx, "legend", corner, colours, entries, (c) =>
    legend(c, box.x + 8, box.y + 4, colours, [...entries, ["equality", colours.muted, [2, 3]]]),
  );
}

/**
 * @param {Stroke} stroke
 * @returns {LegendEntry}
 */
const entryOf = ({ label, colour, dash }) => [label, colour, dash];

/**
 * @param {Sheet} ctx
 * @param {number} x Where the path begins.
 * @param {number} y
 * @param {[number, number][]} path
 * @param {string} colour
 */
function fillBelow(ctx, x, y, path, colour) {
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.12;
  ctx.beginPath();
  ctx.moveTo(x, y);
  for (const [px, py] of path) ctx.lineTo(px, py);
  ctx.closePath();
  ctx.fill();
  ctx.globalAlpha = 1;
}

const DASHES = ["7 4", "2 3", "9 3 2 3", "4 4"].map((dash) => dash.split(" ").map(Number));

/**
 * The chosen policy and the control arms, as lines.
 * @param {{ label: string, points: CurvePoint[] }} own
 * @param {Arm[]} arms
 * @param {Palette} colours
 * @returns {ScarcityLine[]}
 */
export function armLines(own, arms, colours) {
  const others = arms.map(({ label, points }, i) => {
    return { label, points, colour: colours.arms[i % 4], width: 1.6, dash: DASHES[i % 4] };
  });
  return [{ ...own, colour: colours.budget, width: 2.5, dash: [], dotted: true }, ...others];
}

/** @param {number} change */
const tick = (change) =>
  !change ? "0" : change < 0.001 ? change.toExponential(0) : change.toFixed(change < 0.1 ? 3 : 2);

/**
 * @param {Sheet} ctx
 * @param {number} width
 * @param {number} height
 * @param {ScarcityModel} model
 */
export function scarcityLines(ctx, width, height, { lines, axis, at: budget, label, unit, flips, colours }) {
  clear(ctx, width, height, colours);
  const box = scarcityBox(width, height, axis);
  const key = [axis.ticks, unit, flips.map(({ at, colour }) => [at, colour]), lines.map((one) => Object.values(one))];
  still(ctx, "lines", { x: 0, y: 0, width, height }, colours, key, (c) =>
    drawLines(c, box, { lines, axis, unit, flips, colours }),
  );
  budgetLine(ctx, box, box.at(budget), label, colours);
}

/**
 * All but the budget in force.
 * @param {Sheet} ctx
 * @param {ReturnType<typeof scarcityBox>} box
 * @param {Omit<ScarcityModel, "at" | "label">} model
 */
function drawLines(ctx, box, { lines, axis, unit, flips, colours }) {
  const top = topOfChanges(lines);
  /** @param {number} change */
  const py = (change) => box.y + (1 - change / (top * 1.08)) * box.height;
  axes(ctx, box, colours, {
    xTicks: axis.ticks.map((t) => [box.at(t), axis.format(t)]),
    yTicks: [0, top / 2, top].map((change) => [py(change), tick(change)]),
    xTitle: axis.title,
    yTitle: unit,
  });
  for (const { points, colour, width: wide, dash, dotted } of lines.toReversed()) {
    const path = points.map(/** @returns {[number, number]} */ ([b, change]) => [box.at(b), py(change)]);
    line(ctx, path, colour, wide, dash);
    if (dotted) for (const [x, y] of path) disc(ctx, x, y, 2.2, colour);
  }
  flips.forEach(({ at, colour }, row) => {
    for (const b of at) disc(ctx, box.at(b), box.y + box.height - 7 * row, 3.2, colour);
  });
  legend(ctx, box.x + box.width - 120, box.y + 2, colours, lines.map(entryOf));
}

/**
 * The budget in force.
 * @param {Sheet} ctx
 * @param {Box} box
 * @param {number} x
 * @param {string} label
 * @param {Palette} colours
 */
function budgetLine(ctx, box, x, label, colours) {
  stroke(ctx, x, box.y, x, box.y + box.height, colours.text, 1.2);
  const isFarRight = x > box.x + box.width - 40;
  ctx.fillStyle = colours.text;
  ctx.font = `600 11px ${colours.font}`;
  ctx.textBaseline = "bottom";
  ctx.textAlign = isFarRight ? "right" : "left";
  ctx.fillText(label, x + (isFarRight ? -4 : 4), box.y + box.height - 3);
}
