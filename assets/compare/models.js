// What the pictures of A, B and A − B show: a model, or the sentence that stands in its place.

import { keysAxis } from "../shared/budget_axis.js";
import { difference as differenceRamp, shadeDifference } from "../shared/scales.js";
import { labelOf, rangeOf, unitFactor } from "../shared/words.js";
import { layerAt, minus } from "./align.js";
import { headGrid } from "./heads.js";

/** @import { AtlasModel } from "../shared/atlas.js" */
/** @import { LorenzModel, ScarcityModel } from "../shared/curves.js" */
/** @import { HeatmapModel } from "../shared/heatmap.js" */
/** @import { AtlasName, Direction, TokenSet } from "../shared/types.js" */
/** @import { Sizes } from "../shared/sizes.js" */
/** @import { Store } from "../shared/store.js" */
/** @import { PictureName } from "./align.js" */
/** @import { Figures } from "./figures.js" */
/** @import { Owner } from "./main.js" */
/** @import { OpenSide, Side } from "./side.js" */
/** @import { Both } from "./types.js" */

const NEEDS_BOTH = "The difference needs both models.";
const NICE = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500];

export class Models {
  /**
   * The largest difference of two texts, and of which sizes how many frames have been looked through for it.
   * @type {{ key: string, texts: (Store | Sizes)[], most: number, seen: Map<string, number> } | null}
   */
  #limit = null;

  /**
   * @param {Owner} owner
   * @param {Figures} figures
   */
  constructor(owner, figures) {
    this.owner = owner;
    this.figures = figures;
  }

  /**
   * @param {PictureName} name
   * @returns {HeatmapModel | string}
   */
  heatmap(name) {
    if (name === "d") return this.#differenceMap();
    const side = this.figures.drawn(name);
    const { store, missing } = side;
    if (!store || !side.isShown) return missing;
    const { colours } = this.owner;
    return { weights: side.matrix(), n: store.n, tokens: store.open.tokens, pinned: null, missing, colours };
  }

  /** @returns {HeatmapModel | string} */
  #differenceMap() {
    const { colours, both } = this.owner;
    const { matrices } = this.figures.units;
    if (!both) return NEEDS_BOTH;
    const { units, why } = both.alignment;
    if (!units.length) return why;
    const reasons = [both.a, both.b].map(({ letter, missing }) => missing && `${letter}: ${missing}`).filter(Boolean);
    const ramp = differenceRamp(colours.dark);
    return {
      weights: matrices && minus(matrices.a, matrices.b),
      n: units.length,
      tokens: this.figures.units.tokens("d"),
      pinned: null,
      missing: matrices ? "" : reasons.join(" "),
      colours,
      colour: (d) => ramp[shadeDifference(d)],
    };
  }

  /** @returns {LorenzModel} */
  lorenz() {
    const { colours, open } = this.owner;
    const there = open.filter((side) => !side.missing);
    const full = there.map((side) => ({
      label: `${side.letter}, full budget`,
      shares: side.economy(side.store.n)?.curve,
      colour: colours[side.name],
      width: 1.6,
      dash: [6, 4],
      isStill: true,
    }));
    const now = there.map((side) => ({
      label: `${side.letter}, this budget`,
      shares: side.economy()?.curve,
      colour: colours[side.name],
      width: side.name === "a" ? 4.5 : 1.8, // one over the other, both are seen
      dash: [],
    }));
    const legend = there.flatMap(({ letter }) => [`${letter}, this budget`, `${letter}, full budget`]);
    const missing = there.length ? "" : open.map((side) => side.missing).join(" ");
    return { curves: [...full, ...now], legend, missing, colours };
  }

  /**
   * @param {PictureName} name
   * @returns {AtlasModel | string}
   */
  atlas(name) {
    if (name === "d") return this.owner.both ? this.#differenceAtlas(this.owner.both) : NEEDS_BOTH;
    const side = this.figures.drawn(name);
    return side.store && side.isShown ? this.#atlasOf(side, side.store) : side.missing;
  }

  /**
   * @param {Side} side
   * @param {Store} store
   * @returns {AtlasModel}
   */
  #atlasOf(side, store) {
    const { view, colours, n, rows } = this.owner;
    const { statistic: name, unit } = view;
    const { hoverHead } = this.figures;
    const [low, high] = rangeOf(name, n);
    const factor = unitFactor(name, unit);
    const at = side.place;
    return {
      values: side.ofHeads(name).map((value) => value * factor),
      low,
      high: high * factor,
      heads: store.open.heads,
      nHeads: store.nHeads,
      gone: store.removed,
      thumbnails: null,
      n: store.n,
      selected: at.head < store.open.heads[at.layer] ? at : null,
      hover: hoverHead && { layer: layerAt(hoverHead.row, rows, store.nLayers), head: hoverHead.head },
      label: labelOf(name, unit),
      colours,
    };
  }

  /**
   * @param {Both} both
   * @returns {AtlasModel}
   */
  #differenceAtlas({ a, b }) {
    const { view, colours, n } = this.owner;
    const { statistic: name, unit } = view;
    const { hoverHead } = this.figures;
    const factor = unitFactor(name, unit);
    const grid = headGrid(a.store, b.store, a.ofHeads(name), b.ofHeads(name));
    const limit = this.#largest(a.store, b.store) * factor;
    return {
      values: grid.values.map((value) => value * factor),
      low: -limit,
      high: limit,
      heads: new Array(grid.rows).fill(grid.columns),
      nHeads: grid.columns,
      gone: grid.gone,
      thumbnails: null,
      n,
      selected: { layer: Math.min(view.layer ?? 0, grid.rows - 1), head: view.head ?? 0 },
      hover: hoverHead && { layer: hoverHead.row, head: hoverHead.head },
      label: `A − B of ${labelOf(name, unit)}`,
      colours,
      ramp: differenceRamp(colours.dark),
      rows: grid.names,
      signed: true,
    };
  }

  /**
   * End of the scale of differences: no smaller than the largest over all budgets and sizes computed so far, so that
   * colours keep their meaning in a drag of any bar.
   * @param {Store} a
   * @param {Store} b
   */
  #largest(a, b) {
    const { statistic: name, view, tokens } = this.owner.view;
    const [ofA, ofB] = [a, b].map((store) => store.sizes?.shown ?? [store]);
    const texts = [a.sizes ?? a, b.sizes ?? b];
    const key = [name, view, tokens].join();
    if (this.#limit?.key !== key || texts.some((text, i) => text !== this.#limit?.texts[i]))
      this.#limit = { key, texts, most: 0, seen: new Map() };
    const held = this.#limit;
    for (const [one, other] of ofA.flatMap((one) => ofB.map((other) => [one, other]))) {
      const pair = `${one.size} ${other.size}`;
      const frames = one.frames.size + other.frames.size;
      if (held.seen.get(pair) === frames) continue;
      held.seen.set(pair, frames);
      held.most = Math.max(held.most, farthest(one, other, [view, tokens, name]));
    }
    return NICE.find((end) => end >= held.most) ?? held.most;
  }

  /** @returns {ScarcityModel} */
  scarcity() {
    const { colours, open, k, n } = this.owner;
    const [unit, ...others] = new Set(open.map((side) => side.store.open.change_unit));
    const isOneUnit = others.length === 0;
    return {
      lines: open.map((side) => this.#line(side, isOneUnit)),
      axis: keysAxis(n),
      at: k,
      label: `k = ${k}`,
      unit: isOneUnit ? unit : "change, relative to each model's largest",
      flips: open.map((side) => ({ at: side.store.flips(), colour: colours[side.name] })),
      colours,
    };
  }

  /**
   * @param {OpenSide} side
   * @param {boolean} isOneUnit
   * @returns {ScarcityModel["lines"][number]}
   */
  #line({ store, letter, name }, isOneUnit) {
    const points = store.curve();
    const most = isOneUnit ? 1 : Math.max(1e-12, ...points.map(([, change]) => change));
    return {
      label: `${letter}, ${store.policyLabel}`,
      points: points.map(([k, change]) => [k, change / most]),
      colour: this.owner.colours[name],
      width: 2.5,
      dash: name === "b" ? [7, 3] : [],
      dotted: true,
    };
  }
}

/**
 * The largest difference of a statistic between the heads of two models, over all budgets that both have.
 * @param {Store} a
 * @param {Store} b
 * @param {[view: Direction, tokens: TokenSet, name: AtlasName]} what
 */
function farthest(a, b, what) {
  let most = 0;
  for (const frame of a.frames.values()) {
    const other = b.frames.get(Math.min(frame.k, b.n));
    if (!other) continue;
    const { values } = headGrid(a, b, a.statistic(frame, ...what), b.statistic(other, ...what));
    for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  }
  return most;
}
