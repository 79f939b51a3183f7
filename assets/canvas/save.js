// Figures of one text as files: the picture as it is shown, or its numbers, with where they come from.

import { chipColours, chipsPlot, chipsSize } from "../shared/chips.js";
import { exportFigure } from "../shared/export.js";
import { matrixRows, plain } from "../shared/figure_rows.js";
import { sizeCurve } from "../shared/size_curve.js";
import { sizeWords } from "../shared/words.js";

/** @import { Format, Row, Sheet } from "../shared/types.js" */
/** @import { Store } from "../shared/store.js" */
/** @import { Figures } from "./figures.js" */
/** @import { Owner } from "./main.js" */

/**
 * @param {Figures} figures
 * @param {string} name
 * @param {Format} format
 */
export function saveFigure(figures, name, format) {
  const { owner, pictures } = figures;
  const { store } = owner;
  if (!store) return;
  const size = store.sizes ? `-size${store.size}` : "";
  const file = {
    name: `compecon-${name}-k${owner.view.k}${size}`,
    provenance: provenance(owner, store, name),
    captions: store.sizes ? [sizeWords(store.size)] : [],
  };
  if (name === "chips") saveChips(figures, store, format, file);
  if (name === "heatmap") {
    const { model } = pictures.heatmap;
    pictures.heatmap.save(format, { ...file, rows: () => (model ? matrixRows(model) : []) });
  }
  if (name === "lorenz") pictures.lorenz.save(format, { ...file, rows: () => lorenzRows(owner, store) });
  if (name === "atlas") pictures.atlas.save(format, { ...file, rows: () => atlasRows(owner, store) });
  if (name === "scarcity") pictures.scarcity.save(format, { ...file, rows: () => scarcityRows(store) });
  if (name === "sizes") pictures.sizes.save(format, { ...file, rows: () => sizeRows(store, owner.view.k) });
}

/**
 * @param {Owner} owner
 * @param {Store} store
 * @param {string} figure
 * @returns {Row}
 */
function provenance({ view }, store, figure) {
  const { checkpoint, digest, policy, device } = store.open;
  return {
    figure,
    checkpoint: `${checkpoint} ${digest}`,
    values: store.provenanceOf(view.k),
    policy,
    k: view.k,
    ...(store.sizes && { size: store.size, macs: store.open.macs.executed }),
    n_tokens: store.n,
    layer: view.layer,
    head: view.head,
    view: view.view,
    tokens: view.tokens,
    unit: view.unit,
    device,
    url: window.location.href,
  };
}

/**
 * @param {Figures} figures
 * @param {Store} store
 * @param {Format} format
 * @param {{ name: string, provenance: Row, captions: string[] }} file
 */
function saveChips({ owner, shares }, store, format, file) {
  const { tokens, joined } = store.open;
  const colours = { ...owner.colours, paper: true };
  const model = { tokens, joined, colours, packed: chipColours(shares, colours) };
  const what = owner.view.pinned === null ? "received" : "weight";
  exportFigure(format, {
    ...file,
    ...chipsSize(tokens),
    colours,
    draw: (/** @type {Sheet} */ ctx, width, height) => chipsPlot(ctx, width, height, model),
    rows: () => tokens.map((token, index) => ({ index, token, [what]: plain(shares[index]) })),
  });
}

/**
 * @param {Owner} owner
 * @param {Store} store
 * @returns {Row[]}
 */
function lorenzRows({ view, head }, store) {
  const [full, now] = [store.n, view.k].map((k) => store.statistics(k, ...head));
  const [before, curve] = [store.n, view.k].map((k) => store.economy(k, ...head)?.curve);
  return [
    ...store.open.statistics.map((name) => ({
      what: name,
      at: null,
      this_budget: now?.[name],
      full_budget: full?.[name],
    })),
    ...Array.from(curve ?? [], (share, i) => {
      return { what: "lorenz", at: i / 100, this_budget: share, full_budget: before?.[i] };
    }),
  ];
}

/**
 * A row for each head, at the budget that colours the tiles.
 * @param {Owner} owner
 * @param {Store} store
 * @returns {Row[]}
 */
function atlasRows({ view }, store) {
  const frame = store.nearestFrame(view.k);
  const columns = store.open.statistics.map((name) => ({
    name,
    values: store.statistic(frame, view.view, view.tokens, name),
  }));
  const heads = store.open.heads.flatMap((n, layer) => Array.from({ length: n }, (_, head) => ({ layer, head })));
  return heads.map(({ layer, head }) => {
    const at = layer * store.nHeads + head;
    return {
      layer,
      head,
      ...(store.removed.size ? { removed: store.isRemoved(layer, head) } : {}),
      ...Object.fromEntries(columns.map(({ name, values }) => [name, plain(values[at])])),
      moved: plain(frame.arrays.moved[at]),
    };
  });
}

/**
 * @param {Store} store
 * @returns {Row[]}
 */
function scarcityRows(store) {
  const { policy } = store.open;
  const own = store.curve().map(([k, change]) => ({ policy, k, change }));
  return [...own, ...store.arms.flatMap((arm) => arm.points.map(([k, change]) => ({ policy: arm.policy, k, change })))];
}

/**
 * @param {Store} store
 * @param {number} k
 */
function sizeRows({ sizes }, k) {
  const curve = sizes && sizeCurve(sizes, k);
  return (
    curve?.points.map(([size, change]) => ({ size, k: curve.k, change, flipped: curve.flips.includes(size) })) ?? []
  );
}
