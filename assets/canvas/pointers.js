// What pointers and keys do on the pictures of one text, and what the tip says.

import { atlasAt } from "../shared/atlas.js";
import { keysAxis, sizesAxis } from "../shared/budget_axis.js";
import { rankOf } from "../shared/chips.js";
import { heatmapAt } from "../shared/heatmap.js";
import { budgetDrag, headKeys, queryKeys } from "../shared/pointers.js";
import { ATLAS, number, percent, removedSentence } from "../shared/words.js";

/** @import { Place } from "../shared/types.js" */
/** @import { Store } from "../shared/store.js" */
/** @import { Figures } from "./figures.js" */

/** @param {Figures} figures */
export function listen(figures) {
  const { owner, pictures } = figures;
  onHeatmap(figures);
  onAtlas(figures);
  budgetDrag(pictures.scarcity.canvas, {
    shown: () => {
      const { width, height } = pictures.scarcity;
      return owner.store && { width, height, axis: keysAxis(owner.store.n), stops: owner.stops };
    },
    set: (k) => owner.move(k),
    released: () => owner.tell(),
  });
  budgetDrag(pictures.sizes.canvas, {
    shown: () => {
      const { width, height } = pictures.sizes;
      const stops = owner.store?.sizes?.stops;
      return stops ? { width, height, axis: sizesAxis(stops), stops } : null;
    },
    set: (size) => owner.moveSize(size),
    released: () => owner.tell(),
  });
}

/** @param {Figures} figures */
function onHeatmap(figures) {
  const { owner, tip } = figures;
  const { heatmap } = figures.pictures;
  const { canvas } = heatmap;
  /** @param {MouseEvent} event */
  const cellAt = (event) =>
    owner.store && heatmapAt(event.offsetX, event.offsetY, heatmap.width, heatmap.height, owner.store.n);
  let hover = "";
  canvas.addEventListener("pointermove", (event) => {
    const at = cellAt(event);
    const cell = at ? `${at.query},${at.key}` : "";
    if (cell === hover) return;
    hover = cell;
    if (at && owner.store) tip.show(event, figures.missing || cellWords(owner.store, owner.view, at.query, at.key));
    else tip.hide();
  });
  canvas.addEventListener("pointerleave", () => {
    hover = "";
    tip.hide();
  });
  canvas.addEventListener("click", (event) => {
    const at = cellAt(event);
    if (at) figures.pin(at.query);
  });
  queryKeys(canvas, {
    pinned: () => owner.view.pinned,
    n: () => owner.store?.n ?? 0,
    pin: (query) => owner.set({ pinned: query }, false),
  });
}

/**
 * @param {Store} store
 * @param {Place & { k: number }} view
 * @param {number} query
 * @param {number} key
 */
function cellWords(store, { k, layer, head }, query, key) {
  const row = store.perToken(k, layer, head, query);
  const weight = row[key];
  const [from, to] = [store.open.tokens[query], store.open.tokens[key]];
  if (Number.isNaN(weight)) return `“${to}” is masked for “${from}”.`;
  if (weight === 0) return `“${from}” does not read “${to}” at this budget.`;
  return `“${from}” gives “${to}” ${number(weight)} of its attention (rank ${rankOf(row, key)}).`;
}

/** @param {Figures} figures */
function onAtlas(figures) {
  const { owner, tip } = figures;
  const { atlas } = figures.pictures;
  const { canvas } = atlas;
  /** @param {MouseEvent} event */
  const headAt = (event) => {
    if (!owner.store) return null;
    const { open, nHeads } = owner.store;
    return atlasAt(event.offsetX, event.offsetY, atlas.width, atlas.height, open.heads, nHeads);
  };
  canvas.addEventListener("pointermove", (event) => {
    const at = headAt(event);
    const before = figures.hoverHead;
    if (at?.layer === before?.layer && at?.head === before?.head) return;
    figures.hoverHead = at;
    if (!at || !owner.store) {
      tip.hide();
      return owner.draw();
    }
    figures.preview(owner.store, at);
    tip.show(event, headWords(figures, owner.store, at));
  });
  canvas.addEventListener("pointerleave", () => {
    figures.hoverHead = null;
    tip.hide();
    owner.draw();
  });
  canvas.addEventListener("click", (event) => {
    const at = headAt(event);
    if (!at) return;
    figures.hoverHead = null;
    owner.set(at);
  });
  headKeys(canvas, {
    now: () => owner.store && owner.view,
    last: (layer) => ({
      layer: (owner.store?.nLayers ?? 1) - 1,
      head: (owner.store?.open.heads[layer] ?? 1) - 1,
    }),
    choose: (place) => owner.set(place),
  });
}

/**
 * @param {Figures} figures
 * @param {Store} store
 * @param {Place} at
 */
function headWords({ owner }, store, { layer, head }) {
  const { view, tokens, statistic, unit, k } = owner.view;
  const gone = removedSentence(store, layer, head);
  if (gone) return gone;
  const { label, format } = ATLAS[statistic];
  const values = store.statistic(store.nearestFrame(k), view, tokens, statistic);
  const value = format(values[layer * store.nHeads + head], unit);
  return `Layer ${layer}, head ${head}\n${label}: ${value}\nClick to select`;
}

/**
 * Says of a token what it receives, or gets from the pinned query.
 * @param {Figures} figures
 * @param {number} i
 * @param {MouseEvent} event
 */
export function tokenTip({ owner, missing, shares, tip }, i, event) {
  const { store, view } = owner;
  if (!store) return;
  const share = shares[i];
  const { tokens } = store.open;
  const received = `receives ${number(share)} of each query's attention on average (${percent(share)})`;
  const read = view.pinned === null ? received : `gets ${number(share)} from “${tokens[view.pinned]}”`;
  const says = Number.isNaN(share) ? "masked" : read;
  const rank = rankOf(shares, i);
  tip.show(event, missing || `“${tokens[i]}” (token ${i + 1} of ${store.n}) ${says}, rank ${rank}.`);
}
