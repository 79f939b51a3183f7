// The pictures of the Allocation page, each a function of what is shown, and their numbers as rows.

import { FUNDED, tangent, valueAt, WASTED } from "./curves.js";
import { why } from "./notes.js";
import { number } from "./numbers.js";
import { axes, dot, label, line, queue } from "./paint.js";

/** @import { Row, Sheet } from "../shared/types.js" */
/** @import { Inside, Point } from "./paint.js" */
/** @import { Playback, Shown } from "./types.js" */

/** @typedef {(ctx: Sheet, width: number, height: number, shown: Shown) => void} Paint */
/** @typedef {"queue" | "market" | "curve" | "playback"} PictureName */

/** @type {PictureName[]} */
export const NAMES = ["queue", "market", "curve", "playback"];
const NEIGHBOURS = 6; // other funded curves behind the chosen one

/** @type {Paint} */
function queuePicture(ctx, width, height, { table, data, view, now, order, colours, tallest, arrived }) {
  const { playback } = data;
  const isPlayed = playback !== null && arrived !== null;
  const here = new Set(isPlayed ? playback.order.slice(0, arrived) : order);
  const caps = isPlayed ? playback.caps : now.spends;
  const bars = order.map((i) => ({
    spend: here.has(i) ? caps[i] : 0,
    ghost: table.entry[i],
    isWasted: !isPlayed && now.reasons[i] === WASTED,
  }));
  queue(ctx, width, height, colours, bars, order.indexOf(view.query), tallest);
}

/** @type {Paint} */
function marketPicture(ctx, width, height, { table: { demand, unit }, now, colours, steepest }) {
  const cheap = demand.prices.findLastIndex((price) => price >= 0.02 * steepest);
  const nearly = demand.totals.at(cheap) ?? 0; // all of it if nothing is as dear
  const right = Math.max(1.1 * nearly, 1.05 * now.budget);
  const titles = { xTitle: `demand of all queries, ${unit}`, yTitle: "price" };
  const { box, x, y } = axes(ctx, width, height, colours, { right, top: steepest, ...titles });
  const [at, level] = [x(now.budget), y(now.clearing)];
  const demanded = demand.prices.map(/** @returns {Point} */ (price, i) => [x(demand.totals[i]), y(price)]);
  line(ctx, box, demanded, { colour: colours.accent });
  straight(ctx, box, [at, box.bottom], [at, box.top], { colour: colours.full, width: 2.5 });
  straight(ctx, box, [box.left, level], [at, level], { colour: colours.muted, width: 1.5, dash: [4, 3] });
  if (now.clearing <= steepest) dot(ctx, at, level, colours.full, colours.background);
  label(ctx, box, `price ${number(now.clearing)}`, at, y(Math.min(now.clearing, steepest)), colours);
}

/**
 * @param {Sheet} ctx
 * @param {Inside} box
 * @param {Point} from
 * @param {Point} to
 * @param {Parameters<typeof line>[3]} style
 */
const straight = (ctx, box, from, to, style) => line(ctx, box, [from, to], style);

/** @type {Paint} */
function curvePicture(ctx, width, height, shown) {
  const { table, data, view, now, colours } = shown;
  const [spends, values] = table.curves[view.query];
  const right = Math.max(spends[spends.length - 1] * 1.15, now.spends[view.query] * 1.1);
  const top = 1.25 * Math.max(...values) || 1;
  const titles = { xTitle: `spend, ${table.unit}`, yTitle: data.worth };
  const { box, x, y } = axes(ctx, width, height, colours, { right, top, ...titles });
  const reach = 0.07 * right;
  for (const k of neighbours(shown)) {
    const [xs, ys] = table.curves[k];
    const { spend, value, price } = tangent(shown, k);
    const curve = xs.map(/** @returns {Point} */ (each, j) => [x(each), y(ys[j])]);
    line(ctx, box, curve, { colour: colours.muted, width: 1, alpha: 0.45 });
    /** @type {(by: number) => Point} */
    const beside = (by) => [x(spend + by), y(value + price * by)];
    straight(ctx, box, beside(-reach), beside(reach), { colour: colours.full, width: 1.5, alpha: 0.8 });
  }
  const own = spends.map(/** @returns {Point} */ (each, j) => [x(each), y(values[j])]);
  own.push([box.right, y(valueAt([spends, values], right))]);
  line(ctx, box, own, { colour: colours.accent, width: 2.5 });
  const { price, spend, value, base } = tangent(shown, view.query);
  const priced = { colour: colours.full, width: 2, dash: [6, 4] };
  straight(ctx, box, [x(0), y(base)], [x(right), y(base + price * right)], priced);
  dot(ctx, x(spend), y(value), spend > 0 ? colours.accent : colours.muted, colours.background);
}

/**
 * Some other queries that are funded at the price.
 * @param {Shown} shown
 */
function neighbours({ table, view, now }) {
  const all = table.queries.map((_, i) => i).filter((i) => i !== view.query && now.reasons[i] === FUNDED);
  const n = Math.min(NEIGHBOURS, all.length);
  return Array.from({ length: n }, (_, i) => all[Math.floor((i * all.length) / NEIGHBOURS)]);
}

/** @type {Paint} */
function playbackPicture(ctx, width, height, { data: { playback, worth }, arrived, colours }) {
  if (!playback) return;
  const { prices, offline, known, earned } = playback;
  const half = Math.floor(width / 2) - 8;
  const seen = arrived ?? prices.length;
  const shared = { right: prices.length, xTitle: "arrivals" };
  const dashed = { colour: colours.full, width: 1.5, dash: [6, 4] };
  const solid = { colour: colours.accent, width: 1.5 };
  const highest = 1.1 * Math.max(...prices, offline);
  const price = axes(ctx, half, height, colours, { ...shared, top: highest, yTitle: "price" });
  straight(ctx, price.box, [price.box.left, price.y(offline)], [price.box.right, price.y(offline)], dashed);
  line(ctx, price.box, path(price, prices, seen), solid);
  ctx.save();
  ctx.translate(half + 16, 0);
  const most = 1.1 * Math.max(known.at(-1) ?? 0, earned.at(-1) ?? 0);
  const total = axes(ctx, half, height, colours, { ...shared, top: most, yTitle: `${worth} so far` });
  line(ctx, total.box, path(total, known, seen), dashed);
  line(ctx, total.box, path(total, earned, seen), solid);
  ctx.restore();
}

/**
 * The first values of a series, by arrival.
 * @param {ReturnType<typeof axes>} on
 * @param {number[]} series
 * @param {number} n
 * @returns {Point[]}
 */
const path = ({ x, y }, series, n) => series.slice(0, n).map((value, i) => [x(i), y(value)]);

/** @type {Record<PictureName, Paint>} */
export const PICTURES = {
  queue: queuePicture,
  market: marketPicture,
  curve: curvePicture,
  playback: playbackPicture,
};

/**
 * A picture's numbers, or with "budgets" those of every stop of the bar.
 * @param {string} name
 * @param {Shown} shown
 * @returns {Row[]}
 */
export function rows(name, shown) {
  const { table, view, now, order } = shown;
  if (name === "queue")
    return order.map((i) => ({
      query: table.queries[i],
      spend: now.spends[i],
      buys_nothing_from_price: table.choke[i],
      buys_first: table.entry[i],
      why: why(shown, i),
    }));
  if (name === "market") return table.demand.prices.map((price, i) => ({ price, demand: table.demand.totals[i] }));
  if (name === "curve") {
    const [spends, values] = table.curves[view.query];
    return spends.map((spend, i) => ({ query: table.queries[view.query], spend, value: values[i] }));
  }
  if (name === "playback") return arrivals(shown, shown.data.playback);
  const columns = Object.entries(table.points);
  return table.places.map((_, at) => ({
    ...Object.fromEntries(columns.map(([column, values]) => [column, values[at]])),
    price: table.prices[at],
  }));
}

/**
 * @param {Shown} shown
 * @param {Playback | null} playback
 * @returns {Row[]}
 */
const arrivals = ({ table }, playback) =>
  playback?.order.map((i, at) => ({
    arrival: at,
    query: table.queries[i],
    price: playback.prices[at],
    cap: playback.caps[i],
    earned_so_far: playback.earned[at],
    earned_knowing_all: playback.known[at],
  })) ?? [];
