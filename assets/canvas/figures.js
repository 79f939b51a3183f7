// The pictures of one text: what each shows now, in numbers and in words.

import { atlas } from "../shared/atlas.js";
import { keysAxis, sizesAxis } from "../shared/budget_axis.js";
import { Chips, chipColours } from "../shared/chips.js";
import { armLines, lorenzCurves, lorenzOfHead, scarcityLines } from "../shared/curves.js";
import { find, label, write } from "../shared/dom.js";
import { heatmap } from "../shared/heatmap.js";
import { Picture } from "../shared/picture.js";
import { sizeCurve, sizeSentence } from "../shared/size_curve.js";
import { saveMenus, Tip } from "../shared/stage.js";
import { explainStatistics, StatisticsTable } from "../shared/statistics_table.js";
import {
  armsNote,
  goneWord,
  labelOf,
  number,
  rangeOf,
  removedNote,
  removedSentence,
  shareOf,
  unitFactor,
  viewSentence,
} from "../shared/words.js";
import { listen, tokenTip } from "./pointers.js";
import { saveFigure } from "./save.js";

/** @import { Place } from "../shared/types.js" */
/** @import { AtlasModel } from "../shared/atlas.js" */
/** @import { ScarcityModel } from "../shared/curves.js" */
/** @import { HeatmapModel } from "../shared/heatmap.js" */
/** @import { Store } from "../shared/store.js" */
/** @import { Owner } from "./main.js" */

export class Figures {
  /** @type {Chips | null} */
  chips = null;
  /**
   * Attention that each token receives, or gets from the pinned query.
   * @type {Float32Array}
   */
  shares = new Float32Array(0);
  /** Why the chosen head has nothing to show; "" if it has. */
  missing = "";
  /** @type {Place | null} */
  hoverHead = null;

  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
    /** @param {string} name */
    const canvas = (name) => find(owner.root, `canvas.${name}`, HTMLCanvasElement);
    this.pictures = {
      heatmap: new Picture(canvas("heatmap"), heatmap, (width) => Math.min(width, 340)),
      lorenz: new Picture(canvas("lorenz"), lorenzCurves, () => 178),
      atlas: new Picture(canvas("atlas"), atlas, (width) => this.#atlasHeight(width)),
      scarcity: new Picture(canvas("scarcity"), scarcityLines, () => 190),
      sizes: new Picture(canvas("sizes"), scarcityLines, () => 190),
    };
    this.sizeBox = owner.$(".sizecurve");
    this.tip = new Tip(owner.$(".tip"), owner.box);
    this.table = new StatisticsTable(owner.$("table.stats tbody"));
    explainStatistics(owner.$("dl"));
    saveMenus(owner.root, (name, format) => saveFigure(this, name, format));
    listen(this);
  }

  /** @param {number} width */
  #atlasHeight(width) {
    const { store } = this.owner;
    if (!store) return 80;
    return Math.min(240, Math.max(80, store.nLayers * Math.min(46, (width - 28) / store.nHeads) + 42));
  }

  /** @param {Store} store */
  opened(store) {
    this.hoverHead = null;
    this.chips = new Chips(this.owner.$(".list"), store.open, {
      hover: (i, event) => tokenTip(this, i, event),
      leave: () => this.tip.hide(),
      pin: (i) => this.pin(i),
    });
  }

  measure() {
    for (const picture of Object.values(this.pictures)) picture.measure();
  }

  /**
   * Pins a query, or lets it go if it is the one that is pinned.
   * @param {number} query
   */
  pin(query) {
    this.owner.set({ pinned: this.owner.view.pinned === query ? null : query }, false);
  }

  /** @param {Store} store */
  draw(store) {
    const { view, colours, head: place } = this.owner;
    this.missing = removedSentence(store, view.layer, view.head);
    this.shares = store.perToken(view.k, view.layer, view.head, view.pinned);
    const [full, now] = [store.n, view.k].map((k) => store.economy(k, ...place)?.curve);
    this.pictures.heatmap.draw(this.heatmapModel(store, view, view.pinned));
    this.pictures.lorenz.draw(lorenzOfHead(now, full, this.missing, colours));
    this.pictures.atlas.draw(this.atlasModel(store));
    this.pictures.scarcity.draw(this.#scarcityModel(store));
    this.#drawSizes(store);
    this.chips?.paint(chipColours(this.shares, colours), (i) => i === view.pinned);
    const [ofFull, ofNow] = [store.n, view.k].map((k) => store.statistics(k, ...place));
    this.table.show(ofFull, ofNow, view.unit);
  }

  /** @param {Store} store */
  say(store) {
    const now = store.statistics(this.owner.view.k, ...this.owner.head);
    this.table.say(now, store.n, this.missing);
    this.#words(store);
    this.#labels(store, now?.gini);
  }

  /**
   * @param {Store} store
   * @param {Place} place
   * @param {number | null} pinned
   * @returns {HeatmapModel}
   */
  heatmapModel(store, { layer, head }, pinned) {
    const { view, colours } = this.owner;
    const weights = store.matrix(view.k, layer, head);
    const missing = removedSentence(store, layer, head);
    return { weights, n: store.n, tokens: store.open.tokens, pinned, missing, colours };
  }

  /**
   * @param {Store} store
   * @returns {AtlasModel}
   */
  atlasModel(store) {
    const { view, colours } = this.owner;
    const { statistic: name, unit } = view;
    const frame = store.nearestFrame(view.k);
    const values = store.statistic(frame, view.view, view.tokens, name);
    const [low, high] = rangeOf(name, store.n);
    const factor = unitFactor(name, unit);
    /** @type {AtlasModel["thumbnails"]} */
    const thumbnails = (layer, head) => (store.has(layer, head) ? store.matrix(frame.k, layer, head) : null);
    return {
      values: factor === 1 ? values : values.map((v) => v * factor),
      low,
      high: high * factor,
      heads: store.open.heads,
      nHeads: store.nHeads,
      gone: store.removed,
      thumbnails: view.tiles === "pictures" ? thumbnails : null,
      n: store.n,
      selected: view,
      hover: this.hoverHead,
      label: `${labelOf(name, unit)}${name === "moved" ? "" : `, ${view.view} view`}`,
      colours,
    };
  }

  /**
   * @param {Store} store
   * @returns {ScarcityModel}
   */
  #scarcityModel(store) {
    const { view, colours } = this.owner;
    const unit = store.open.change_unit;
    const lines = armLines({ label: store.policyLabel, points: store.curve() }, store.arms, colours);
    const flips = [{ at: store.flips(), colour: colours.arms[1] }];
    return { lines, axis: keysAxis(store.n), at: view.k, label: `k = ${view.k}`, unit, flips, colours };
  }

  /**
   * How far the sizes of an elastic checkpoint are from the whole of it.
   * @param {Store} store
   */
  #drawSizes(store) {
    const { owner, pictures } = this;
    const { sizes } = store;
    const curve = sizes && sizeCurve(sizes, owner.view.k);
    this.sizeBox.hidden = !curve;
    if (!curve) return;
    const { colours, feed } = owner;
    const { points, flips, unit } = curve;
    const [at, label] = [feed.sized.wanted, shareOf(feed.sized.wanted)];
    const line = { label: "sizes", points, colour: colours.budget, width: 2.5, dash: [], dotted: true };
    const dots = [{ at: flips, colour: colours.arms[1] }];
    pictures.sizes.draw({ lines: [line], axis: sizesAxis(sizes.stops), at, label, unit, flips: dots, colours });
  }

  /** @param {Store} store */
  #words(store) {
    const { owner, missing } = this;
    const { view } = owner;
    const note = owner.$(".atlasnote");
    write(owner.$(".headname"), `Layer ${view.layer} · head ${view.head}${missing && ` · ${goneWord(store)}`}`);
    write(note, removedNote(store));
    note.hidden = !store.removed.size && !store.sizes;
    write(owner.$(".viewnote"), `${viewSentence(view)} Layer ${view.layer}, head ${view.head}.`);
    const pinned = view.pinned === null ? null : store.open.tokens[view.pinned];
    const chips = pinned === null ? "Attention each token receives" : `What “${pinned}” reads`;
    write(owner.$(".chips h3"), missing || chips);
    const flips = store.flips();
    const budgets = flips.length > 6 ? `${flips.slice(0, 6).join(", ")}, …` : flips.join(", ");
    const flipped = flips.length ? `The answer flips at k = ${budgets} (dots on the axis). ` : "";
    write(owner.$(".scarcenote"), `${flipped}${armsNote(store)}`);
    const curve = store.sizes && sizeCurve(store.sizes, view.k);
    if (curve) write(owner.$(".sizenote"), sizeSentence(curve));
  }

  /**
   * @param {Store} store
   * @param {number | undefined} gini
   */
  #labels(store, gini) {
    const { missing, pictures } = this;
    const { k, layer, head, statistic } = this.owner.view;
    const now = `layer ${layer}, head ${head}`;
    const heads = `All heads coloured by ${statistic}; arrow keys move the selection, now ${now}`;
    label(pictures.heatmap.canvas, missing || `Attention of ${now} at ${k} keys`);
    label(pictures.lorenz.canvas, missing || `Lorenz curve, Gini ${number(gini)}`);
    label(pictures.atlas.canvas, `${heads}${missing && `, ${goneWord(store)}`}`);
    const change = number(store.frames.get(k)?.change);
    label(pictures.scarcity.canvas, `Output change against budget; ${change} at ${k} keys`);
    label(pictures.sizes.canvas, `Output change against the share of the MACs, now ${shareOf(store.size)}`);
  }

  /**
   * Shows another head's matrix while the pointer is over its tile; the selection stays.
   * @param {Store} store
   * @param {Place} at
   */
  preview(store, at) {
    this.pictures.atlas.draw(this.atlasModel(store));
    if (!store.has(at.layer, at.head)) return;
    this.pictures.heatmap.draw(this.heatmapModel(store, at, null));
    write(this.owner.$(".headname"), `Layer ${at.layer} · head ${at.head} (preview)`);
  }
}
