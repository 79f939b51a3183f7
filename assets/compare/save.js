// Figures of the Compare page as files: the picture as it is shown, or its numbers, with where they come from.

import { matrixRows, plain } from "../shared/figure_rows.js";
import { sizeWords } from "../shared/words.js";

/** @import { Format, Row } from "../shared/types.js" */
/** @import { AtlasModel } from "../shared/atlas.js" */
/** @import { Figures } from "./figures.js" */
/** @import { Owner } from "./main.js" */
/** @import { Side } from "./side.js" */

/**
 * @param {Figures} figures
 * @param {string} name
 * @param {Format} format
 */
export function saveFigure({ owner, heatmaps, atlases, lorenz, scarcity }, name, format) {
  if (!owner.open.length) return;
  const sizes = owner.open.map(({ letter, store }) => (store.sizes ? `-${letter}${store.size}` : "")).join("");
  const captions = owner.open.flatMap(({ letter, store }) =>
    store.sizes ? [`${letter} at ${sizeWords(store.size)}`] : [],
  );
  const file = { name: `compecon-compare-${name}-k${owner.k}${sizes}`, provenance: provenance(owner, name), captions };
  for (const side of /** @type {const} */ (["a", "b", "d"])) {
    const [map, heads] = [heatmaps[side], atlases[side]];
    const value = side === "d" ? "a_minus_b" : "weight";
    if (name === `heatmap-${side}`)
      map.save(format, { ...file, rows: () => (map.model ? matrixRows(map.model, value) : []) });
    if (name === `atlas-${side}`)
      heads.save(format, { ...file, rows: () => (heads.model ? atlasRows(heads.model) : []) });
  }
  if (name === "scarcity") scarcity.save(format, { ...file, rows: () => scarcityRows(owner) });
  if (name !== "lorenz") return;
  const curves = lorenz.model?.curves ?? [];
  const rows = () =>
    curves.flatMap(({ label, shares }) =>
      Array.from(shares ?? [], (share, i) => ({ curve: label, poorest: i / 100, share })),
    );
  lorenz.save(format, { ...file, rows });
}

/**
 * @param {Side} side
 */
function sourceOf({ store, k }) {
  if (!store) return "";
  const { checkpoint, digest } = store.open;
  const size = store.sizes ? ` at ${sizeWords(store.size)}` : "";
  return `${checkpoint} ${digest}${size}, ${store.provenanceOf(k)}, ${store.n} tokens`;
}

/**
 * @param {Owner} owner
 * @param {string} figure
 * @returns {Row}
 */
const provenance = ({ a, b, open, k, view, controls }, figure) => ({
  figure,
  a: sourceOf(a),
  b: sourceOf(b),
  difference: "A - B",
  policy: open[0].store.open.policy,
  k,
  place: controls.headName(),
  view: view.view,
  tokens: view.tokens,
  unit: view.unit,
  url: window.location.href,
});

/**
 * @param {Owner} owner
 * @returns {Row[]}
 */
const scarcityRows = ({ open }) =>
  open.flatMap(({ letter, store }) => {
    const flips = new Set(store.flips());
    const unit = store.open.change_unit;
    return store.curve().map(([k, change]) => ({ side: letter, k, change, unit, flipped: flips.has(k) }));
  });

/**
 * @param {AtlasModel} model
 * @returns {Row[]}
 */
const atlasRows = ({ heads, nHeads, rows, gone, values, label }) =>
  heads.flatMap((n, layer) =>
    Array.from({ length: n }, (_, head) => {
      const at = layer * nHeads + head;
      const row = rows?.[layer] ?? `L${layer}`;
      return { row, head, statistic: label, hatched: gone.has(at), value: plain(values[at]) };
    }),
  );
