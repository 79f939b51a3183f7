// What pointers and keys do on the pictures of A, B and A − B, mirrored among them, and what the tip says.

import { atlasAt } from "../shared/atlas.js";
import { keysAxis } from "../shared/budget_axis.js";
import { rankOf } from "../shared/chips.js";
import { heatmapAt } from "../shared/heatmap.js";
import { budgetDrag, headKeys, queryKeys } from "../shared/pointers.js";
import { ATLAS, goneWord, number } from "../shared/words.js";
import { layerAt, rowOf } from "./align.js";
import { hasHead } from "./heads.js";
import { difference, pairTip, signed } from "./words.js";

/** @import { PictureName } from "./align.js" */
/** @import { Figures } from "./figures.js" */
/** @import { OpenSide } from "./side.js" */

/** @param {Figures} figures */
export function listen(figures) {
  const { owner, scarcity } = figures;
  for (const name of /** @type {PictureName[]} */ (["a", "b", "d"])) {
    onHeatmap(figures, name);
    onAtlas(figures, name);
  }
  budgetDrag(scarcity.canvas, {
    shown: () => {
      if (!owner.open.length) return null;
      return { width: scarcity.width, height: scarcity.height, axis: keysAxis(owner.n), stops: owner.stops };
    },
    set: (k) => owner.move(k),
    released: () => owner.tell(),
  });
}

/**
 * @param {Figures} figures
 * @param {PictureName} name
 */
function onHeatmap(figures, name) {
  const { owner, tip } = figures;
  const picture = figures.heatmaps[name];
  const { canvas } = picture;
  /** @param {MouseEvent} event */
  const cellAt = ({ offsetX, offsetY }) =>
    picture.model && heatmapAt(offsetX, offsetY, picture.width, picture.height, picture.model.n);
  canvas.addEventListener("pointermove", (event) => {
    const at = cellAt(event);
    const side = figures.drawnName(name);
    if (!at) return figures.leave();
    const { hover } = figures;
    if (hover?.side === side && hover.query === at.query && hover.key === at.key) return;
    figures.hover = { side, ...at };
    for (const one of Object.values(figures.heatmaps)) one.redraw();
    tip.show(event, picture.model?.missing || cellWords(figures, side, at.query, at.key));
  });
  canvas.addEventListener("pointerleave", () => figures.leave());
  canvas.addEventListener("click", (event) => {
    const at = cellAt(event);
    if (at) figures.pin(figures.drawnName(name), at.query);
  });
  queryKeys(canvas, {
    pinned: () => figures.units.pinnedIn(figures.drawnName(name))[0] ?? null,
    n: () => figures.units.tokens(figures.drawnName(name)).length,
    pin: (token) => owner.set({ pinned: token === null ? null : { side: figures.drawnName(name), token } }, false),
  });
}

/**
 * Where a token has no counterpart, that is worth saying.
 * @param {Figures} figures
 */
const alone = ({ owner }) =>
  owner.both?.alignment.kind === "characters" ? "\nNo counterpart in the other tokenizer." : "";

/**
 * Both weights and their difference where the cell has a counterpart; else the one there is.
 * @param {Figures} figures
 * @param {PictureName} side
 * @param {number} query
 * @param {number} key
 */
function cellWords(figures, side, query, key) {
  const { owner } = figures;
  const { matrices } = figures.units;
  const [u, v] = [figures.units.group(side, query, "d")[0], figures.units.group(side, key, "d")[0]];
  const { both } = owner;
  if (!both || !matrices || u === undefined || v === undefined) {
    const tokens = figures.units.tokens(side);
    const weight = side === "d" ? undefined : owner[side].matrix()?.[query * tokens.length + key];
    const said = Number.isNaN(weight) ? "masked" : number(weight);
    return `“${tokens[query]}” reads “${tokens[key]}”\n${side.toUpperCase()}: ${said}${alone(figures)}`;
  }
  const { units, kind } = both.alignment;
  const m = units.length;
  const [ofA, ofB] = [matrices.a, matrices.b].map((matrix) => matrix.subarray(u * m, u * m + m));
  const ranks = kind === "same" ? { a: rankOf(ofA, v), b: rankOf(ofB, v) } : { a: null, b: null };
  return pairTip(units[u].label, units[v].label, { a: ofA[v], b: ofB[v] }, ranks);
}

/**
 * Says of a token what it receives, or gets from the pinned query, in both.
 * @param {Figures} figures
 * @param {PictureName} side
 * @param {number} i
 * @param {MouseEvent} event
 */
export function tokenTip(figures, side, i, event) {
  const { owner, tip } = figures;
  const { common, shares } = figures.units;
  const { pinned } = owner.view;
  const what = pinned ? `gets from “${figures.units.tokens(pinned.side)[pinned.token]}”` : "receives";
  const u = figures.units.group(side, i, "d")[0];
  const token = figures.units.tokens(side)[i];
  if (u === undefined || !common) {
    const share = number(side === "d" ? undefined : shares[side][i]);
    return tip.show(event, `“${token}” ${what} ${share}${alone(figures)}`);
  }
  const [a, b] = [common.a[u], common.b[u]];
  const lines = [`A: ${number(a)}`, `B: ${number(b)}`, `A − B: ${signed(a - b)}`];
  tip.show(event, [`“${figures.units.tokens("d")[u]}” ${what}`, ...lines].join("\n"));
}

/**
 * @param {Figures} figures
 * @param {PictureName} name
 */
function onAtlas(figures, name) {
  const { owner, tip } = figures;
  const picture = figures.atlases[name];
  const { canvas } = picture;
  /** @param {MouseEvent} event */
  const headAt = ({ offsetX, offsetY }) => {
    const { model, width, height } = picture;
    const at = model && atlasAt(offsetX, offsetY, width, height, model.heads, model.nHeads);
    if (!at) return null;
    const layers = name === "d" ? owner.rows : (figures.drawn(name).store?.nLayers ?? 1);
    return { row: rowOf(at.layer, owner.rows, layers), head: at.head };
  };
  canvas.addEventListener("pointermove", (event) => {
    const at = headAt(event);
    if (!at) return figures.leave();
    if (at.row === figures.hoverHead?.row && at.head === figures.hoverHead.head) return;
    figures.hoverHead = at;
    figures.drawAtlases();
    tip.show(event, headWords(figures, at.row, at.head));
  });
  canvas.addEventListener("pointerleave", () => figures.leave());
  canvas.addEventListener("click", (event) => {
    const at = headAt(event);
    if (!at) return;
    figures.hoverHead = null;
    owner.set({ layer: at.row, head: at.head });
  });
  headKeys(canvas, {
    now: () => (owner.open.length ? { layer: owner.view.layer ?? 0, head: owner.view.head ?? 0 } : null),
    last: () => ({ layer: owner.rows - 1, head: owner.columns - 1 }),
    choose: (place) => owner.set(place),
  });
}

/**
 * @param {Figures} figures
 * @param {number} row
 * @param {number} head
 */
function headWords({ owner }, row, head) {
  const { statistic: name, unit } = owner.view;
  const { label, format } = ATLAS[name];
  /** @param {OpenSide} side */
  const valueAt = (side) => {
    const layer = layerAt(row, owner.rows, side.store.nLayers);
    return hasHead(side.store, layer, head) ? side.ofHeads(name)[layer * side.store.nHeads + head] : undefined;
  };
  const lines = owner.open.map((side) => {
    const layer = layerAt(row, owner.rows, side.store.nLayers);
    const value = valueAt(side);
    const gone = side.store.isRemoved(layer, head) ? goneWord(side.store) : "no such head";
    return `${side.letter}, layer ${layer}, head ${head}: ${value === undefined ? gone : format(value, unit)}`;
  });
  const { both } = owner;
  const of = name === "entropy" ? ` ${unit}` : "";
  if (both) lines.push(`A − B: ${difference(name, valueAt(both.a), valueAt(both.b), unit)}${of}`);
  return [label, ...lines, "Click to select in both"].join("\n");
}
