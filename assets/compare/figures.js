// The pictures of A, B and A − B: what each shows, and what is marked in all of them at once.

import { atlas } from "../shared/atlas.js";
import { Chips, chipColours, largest } from "../shared/chips.js";
import { lorenzCurves, scarcityLines } from "../shared/curves.js";
import { find } from "../shared/dom.js";
import { heatmap, heatmapBox } from "../shared/heatmap.js";
import { Picture } from "../shared/picture.js";
import { difference as differenceRamp, shadeDifference } from "../shared/scales.js";
import { saveMenus, Tip } from "../shared/stage.js";
import { minus } from "./align.js";
import { Captions } from "./captions.js";
import { Models } from "./models.js";
import { listen, tokenTip } from "./pointers.js";
import { saveFigure } from "./save.js";
import { CommonUnits } from "./units.js";

/** @import { Sheet } from "../shared/types.js" */
/** @import { HeatmapModel } from "../shared/heatmap.js" */
/** @import { PictureName, SideName } from "./align.js" */
/** @import { Owner } from "./main.js" */

/** @type {PictureName[]} */
export const NAMES = ["a", "b", "d"];

export class Figures {
  /**
   * The cell under the pointer, in whichever picture that is.
   * @type {{ side: PictureName, query: number, key: number } | null}
   */
  hover = null;
  /**
   * The head under the pointer: a row of the shared grid.
   * @type {{ row: number, head: number } | null}
   */
  hoverHead = null;
  /** @type {Partial<Record<PictureName, Chips>>} */
  #chips = {};

  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
    this.units = new CommonUnits(owner);
    this.models = new Models(owner, this);
    this.captions = new Captions(owner, this);
    this.heatmaps = byName((name) => this.#heatmap(name));
    this.atlases = byName((name) => this.#atlas(name));
    this.lorenz = new Picture(this.#canvas("lorenz"), lorenzCurves, () => 190);
    this.scarcity = new Picture(this.#canvas("scarcity"), scarcityLines, () => 210);
    this.tip = new Tip(owner.$(".tip"), owner.box);
    saveMenus(owner.root, (name, format) => saveFigure(this, name, format));
    listen(this);
  }

  /** @param {string} name */
  #canvas(name) {
    return find(this.owner.root, `canvas.${name}`, HTMLCanvasElement);
  }

  /** @param {PictureName} name */
  #heatmap(name) {
    return new Picture(
      this.#canvas(`heatmap.${name}`),
      heatmap,
      (width) => Math.min(width, 320),
      (ctx, width, height, model) => this.#mark(name, ctx, width, height, model),
    );
  }

  /** @param {PictureName} name */
  #atlas(name) {
    const { owner } = this;
    return new Picture(this.#canvas(`atlas.${name}`), atlas, (width) =>
      Math.min(260, Math.max(80, owner.rows * Math.min(34, (width - 28) / owner.columns) + 42)),
    );
  }

  measure() {
    const pictures = [...Object.values(this.heatmaps), ...Object.values(this.atlases), this.lorenz, this.scarcity];
    for (const picture of pictures) picture.measure();
  }

  opened() {
    const { owner } = this;
    const nothing = { tokens: [], joined: [], special: [] };
    const units = owner.alignment?.units ?? [];
    this.hover = null;
    this.hoverHead = null;
    for (const { name, isShown, store } of owner.sides)
      this.#chips[name] = this.#made(name, (isShown && store?.open) || nothing);
    this.#chips.d = this.#made("d", {
      tokens: units.map((unit) => unit.label),
      joined: units.map((unit) => unit.joined),
      special: units.map((unit) => unit.special),
    });
  }

  /**
   * @param {PictureName} name
   * @param {ConstructorParameters<typeof Chips>[1]} texts
   */
  #made(name, texts) {
    return new Chips(this.owner.$(`.chips[data-side=${name}] .list`), texts, {
      hover: (i, event) => tokenTip(this, name, i, event),
      leave: () => this.leave(),
      pin: (i) => this.pin(name, i),
    });
  }

  /**
   * Pins a token in all pictures, or lets it go if it is the one that is pinned.
   * @param {PictureName} side
   * @param {number} token
   */
  pin(side, token) {
    this.owner.set({ pinned: this.units.pinnedIn(side).includes(token) ? null : { side, token } }, false);
  }

  /**
   * The side drawn in a place: while it blinks, B may stand in A's.
   * @param {SideName} name
   */
  drawn(name) {
    const { blink, both } = this.owner;
    return this.owner[name === "a" && blink.shown && both ? blink.shown : name];
  }

  /**
   * The same, the difference among them.
   * @param {PictureName} name
   */
  drawnName(name) {
    return name === "d" ? name : this.drawn(name).name;
  }

  // ---- what is drawn

  draw() {
    const { owner, models } = this;
    this.units.measure();
    for (const name of NAMES) show(this.heatmaps[name], models.heatmap(name), owner);
    this.drawAtlases();
    show(this.lorenz, models.lorenz(), owner);
    show(this.scarcity, models.scarcity(), owner);
    this.#paintChips();
  }

  drawAtlases() {
    for (const name of NAMES) show(this.atlases[name], this.models.atlas(name), this.owner);
  }

  /**
   * What is pinned and what is under the pointer, in whichever picture that is.
   * @param {PictureName} name
   * @param {Sheet} ctx
   * @param {number} width
   * @param {number} height
   * @param {HeatmapModel} model
   */
  #mark(name, ctx, width, height, { n, missing, colours }) {
    if (missing) return;
    const box = heatmapBox(width, height, n);
    const drawn = this.drawnName(name);
    const rows = this.units.pinnedIn(drawn);
    if (rows.length) outline(ctx, box, rows, [0, n - 1], colours.accent, 2);
    if (!this.hover) return;
    const { side, query, key } = this.hover;
    const [queries, keys] = [this.units.group(side, query, drawn), this.units.group(side, key, drawn)];
    if (queries.length && keys.length) outline(ctx, box, queries, keys, colours.text, 1.6);
  }

  #paintChips() {
    const { shares, common } = this.units;
    const { colours, open } = this.owner;
    const most = Math.max(largest(shares.a), largest(shares.b));
    for (const { name } of open) this.#paint(name, chipColours(shares[name], colours, most));
    if (!common) return;
    const ramp = differenceRamp(colours.dark);
    /** @param {number} d */
    const shade = (d) => (Number.isNaN(d) || !(most > 0) ? 128 : shadeDifference(Math.max(-1, Math.min(1, d / most))));
    this.#paint(
      "d",
      Array.from(minus(common.a, common.b), (d) => ramp[shade(d)]),
    );
  }

  /**
   * @param {PictureName} name
   * @param {number[]} packed
   */
  #paint(name, packed) {
    const rows = new Set(this.units.pinnedIn(name));
    this.#chips[name]?.paint(packed, (i) => rows.has(i));
  }

  /** The pointer has left a picture. */
  leave() {
    this.tip.hide();
    if (!this.hover && !this.hoverHead) return;
    this.hover = null;
    this.hoverHead = null;
    this.owner.draw();
  }
}

/**
 * @template T
 * @param {(name: PictureName) => T} make
 * @returns {Record<PictureName, T>}
 */
const byName = (make) => ({ a: make("a"), b: make("b"), d: make("d") });

/**
 * Draws a model, or the sentence that stands in its place.
 * @template {{ colours: Owner["colours"] }} Model
 * @param {Picture<Model>} picture
 * @param {Model | string} model
 * @param {Owner} owner
 */
function show(picture, model, owner) {
  if (typeof model === "string") picture.drawAbsent(model, owner.colours);
  else picture.draw(model);
}

/**
 * A frame around cells that stand together.
 * @param {Sheet} ctx
 * @param {ReturnType<typeof heatmapBox>} box
 * @param {number[]} queries
 * @param {number[]} keys
 * @param {string} colour
 * @param {number} width
 */
function outline(ctx, { x, y, cell }, queries, keys, colour, width) {
  const [q0, q1] = [Math.min(...queries), Math.max(...queries)];
  const [k0, k1] = [Math.min(...keys), Math.max(...keys)];
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.strokeRect(x + k0 * cell, y + q0 * cell, (k1 - k0 + 1) * cell, (q1 - q0 + 1) * cell);
}
