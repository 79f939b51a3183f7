// The budget bar: its stops, the marks below it, and the badge that says how a picture at a budget is known.

import { write } from "./dom.js";
import { contextOf } from "./stage.js";

/** @import { Feed } from "./feed.js" */
/** @import { Store } from "./store.js" */

/**
 * How something is known: what kind, a word or two, a sentence.
 * @typedef {[kind: string, text: string, title: string]} Badge
 */

/**
 * Positions of the bar: every budget of a short text, about 120 of a long one.
 * @param {number} n
 * @param {number[]} grid
 */
export function stops(n, grid) {
  if (n <= 64) return Array.from({ length: n }, (_, i) => i + 1);
  const all = new Set(grid);
  for (let i = 0; i < 120; i++) all.add(Math.round(n ** (i / 119)));
  return [...all].sort((a, b) => a - b);
}

/**
 * Index of the stop at or just below k.
 * @param {number[]} stops
 * @param {number} k
 */
export function stopOf(stops, k) {
  let i = 0;
  while (i + 1 < stops.length && stops[i + 1] <= k) i++;
  return i;
}

/**
 * The budget that a page opens on where nobody asked for one: a quarter of the tokens, or what is nearest to it.
 * @param {Store} store
 */
export const firstBudget = ({ n, open }) => nearestTo(open.grid, n / 4);

/**
 * The first of the values that are nearest to a target.
 * @param {number[]} values
 * @param {number} target
 * @param {(value: number) => number} [at] Where a value is on the target's scale.
 */
export const nearestTo = (values, target, at = (value) => value) =>
  values.reduce((a, b) => (Math.abs(at(b) - target) < Math.abs(at(a) - target) ? b : a));

/**
 * Moves the bar to a budget and says it in words.
 * @param {{ range: HTMLInputElement, output: HTMLElement }} bar
 * @param {number[]} stops
 * @param {number} k
 * @param {number} n
 */
export function showBudget({ range, output }, stops, k, n) {
  if (document.activeElement !== range || stops[Number(range.value)] !== k) range.value = String(stopOf(stops, k));
  write(output, `${k} of ${n} (${Math.round((100 * k) / n)}%)`);
  range.setAttribute("aria-valuetext", `${k} of ${n} keys`);
}

/**
 * Marks the stops that have been computed: there the picture is exact.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number[]} stops
 * @param {(k: number) => boolean} isExact
 * @param {string} colour
 */
export function drawTicks(canvas, width, stops, isExact, colour) {
  const thumb = 8;
  const room = width - 2 * thumb;
  const context = contextOf(canvas);
  canvas.width = width;
  context.fillStyle = colour;
  stops.forEach((k, i) => {
    if (isExact(k)) context.fillRect(thumb + (room * i) / Math.max(1, stops.length - 1) - 0.75, 0, 1.5, 5);
  });
}

/**
 * How a feed knows what it shows at a budget.
 * @param {Feed} feed
 * @param {number} k
 * @returns {Badge}
 */
export function badgeOf({ store, lanes, isStale, spec, ahead }, k) {
  if (ahead && (isStale || !store)) return ["busy", `waiting: ${ahead} ahead …`, WAITING];
  if (!store && lanes.main) return ["busy", "loading …", "The first picture is being computed."];
  if (!store) return ["busy", "no picture yet", "Nothing has been computed so far."];
  if (isStale) return ["busy", "computing … last picture stays", `Waiting for ${spec?.title ?? "the new text"}.`];
  const { checkpoint, device } = store.open;
  if (store.isExact(k) && store.provenanceOf(k) === "recorded")
    return ["recorded", "recorded · exact", `Recorded earlier from real forward passes of ${checkpoint}.`];
  if (store.isExact(k)) return ["exact", `exact · ${device}`, EXACT];
  if (store.isMasked) return ["preview", "preview", MASKED];
  return ["preview", `preview · nearest computed k = ${store.nearest(k)}`, NEAREST];
}

/** @type {Badge} */
export const OLDER = [
  "busy",
  "an earlier text",
  "The text entered last was refused, so this is still an earlier picture.",
];

const WAITING = "Other pages' texts are being read. Short texts go first, so this one begins soon.";
const EXACT = "From a real forward pass at this budget: later layers use what earlier layers computed under it.";
const MASKED = "Recorded attention with a mask over it: later layers are not recomputed. The exact pass is running.";
const NEAREST = "This policy can't be previewed: the nearest budget computed so far is shown.";

/**
 * @param {HTMLElement} badge
 * @param {Badge} shown
 */
export function showBadge(badge, [kind, text, title]) {
  if (badge.dataset.kind !== kind) badge.dataset.kind = kind;
  write(badge, text);
  if (badge.title !== title) badge.title = title;
}
