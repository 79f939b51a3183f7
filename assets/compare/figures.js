// The pictures of A, B and A − B: models, sizes, pointers that are mirrored between them, keys, and export.

import { exportFigure } from "../shared/export.js";
import {
  atlas,
  atlasAt,
  clear,
  heatmap,
  heatmapAt,
  heatmapBox,
  lorenzCurves,
  scarcityBox,
  scarcityLines,
  sentence,
} from "../shared/paint.js";
import { buildChips, chipColours, largest, paintChips, rankOf, write } from "../shared/panels.js";
import { difference as differenceRamp, shadeDifference } from "../shared/scales.js";
import { fit, label, saveMenu, Tip, widthOf } from "../shared/stage.js";
import { ATLAS, number, rangeOf, removedNote } from "../shared/words.js";
import { layerAt, minus, onUnits, rowOf, sharesOnUnits } from "./align.js";
import { hasHead, headGrid } from "./heads.js";
import { figureRows } from "./rows.js";
import { difference, flipsSentence, missingSentence, pairTip, signed } from "./words.js";

const NAMES = ["a", "b", "d"];
const NICE = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500];

export class Figures {
  constructor(owner) {
    this.owner = owner;
    const $ = (s) => owner.$(s);
    this.canvas = { lorenz: $(".lorenz"), scarcity: $(".scarcity") };
    for (const name of NAMES)
      Object.assign(this.canvas, {
        [`heatmap-${name}`]: $(`.heatmap.${name}`),
        [`atlas-${name}`]: $(`.atlas.${name}`),
      });
    this.tip = new Tip($(".tip"), $(".cc"));
    this.hover = null;
    this.sizes = {};
    this.models = {};
    this.chips = {};
    this.limits = { key: null };
    for (const place of owner.root.querySelectorAll(".tools"))
      saveMenu(place, (figure, format) => this.#export(figure, format));
    for (const name of NAMES) {
      this.#heatmapInput(name);
      this.#atlasInput(name);
    }
    this.#scarcityInput();
  }

  measure() {
    this.widths = Object.fromEntries(
      Object.entries({ ...this.canvas, ticks: this.owner.$(".ticks") }).map(([name, canvas]) => [
        name,
        widthOf(canvas),
      ]),
    );
  }

  opened() {
    const { owner } = this;
    const on = (side) => ({
      hover: (i, event) => this.#tokenTip(side, i, event),
      leave: () => this.#leave(),
      pin: (i) => this.#pin(side, i),
    });
    this.hover = null;
    for (const side of owner.sides)
      this.chips[side.name] = owner.open.includes(side)
        ? buildChips(owner.$(`.chips[data-side=${side.name}] .list`), side.store.open, on(side.name))
        : this.#noChips(side.name);
    const units = owner.alignment ? owner.alignment.units : [];
    const open = {
      tokens: units.map((unit) => unit.label),
      joined: units.map((unit) => unit.joined),
      special: units.map((unit) => unit.special),
    };
    this.chips.d = buildChips(owner.$(".chips[data-side=d] .list"), open, on("d"));
  }

  #noChips(name) {
    this.owner.$(`.chips[data-side=${name}] .list`).replaceChildren();
    return [];
  }

  // ---- tokens of one side as tokens of another

  /** The tokens (units for "d") of a picture that a token of another one stands for. */
  group(from, token, to) {
    const { alignment } = this.owner;
    if (from === to) return [token];
    if (!alignment) return [];
    const unit = from === "d" ? token : alignment.unitOf[from][token];
    if (unit === undefined || unit < 0) return [];
    return to === "d" ? [unit] : alignment.units[unit][to];
  }

  pinnedIn(name) {
    const { pinned } = this.owner.view;
    return pinned ? this.group(pinned.side, pinned.token, name) : [];
  }

  #pin(side, token) {
    const { pinned } = this.owner.view;
    const same = pinned && this.group(pinned.side, pinned.token, side).includes(token);
    this.owner.set({ pinned: same ? null : { side, token } }, false);
  }

  #size(name) {
    const { owner } = this;
    return name === "d" ? (owner.alignment?.units.length ?? 0) : (owner[name].store?.n ?? 0);
  }
  #tokens(name) {
    const { owner } = this;
    return name === "d" ? owner.alignment.units.map((unit) => unit.label) : owner[name].store.open.tokens;
  }
  /** The side drawn in a place: while it blinks, B may stand in A's. */
  #drawn(name) {
    return name === "a" && this.owner.blinking && this.owner.both ? this.owner[this.owner.blinking] : this.owner[name];
  }

  // ---- what is drawn

  draw() {
    const { owner } = this;
    const { a, b, colours } = owner;
    this.matrices = { a: a.matrix(), b: b.matrix() };
    this.shares = { a: a.shares(this.pinnedIn("a")), b: b.shares(this.pinnedIn("b")) };
    this.#difference();
    for (const name of NAMES)
      this.models[`heatmap-${name}`] = name === "d" ? this.#differenceModel() : this.#heatmapModel(this.#drawn(name));
    this.models.lorenz = this.#lorenzModel();
    for (const name of NAMES)
      this.models[`atlas-${name}`] = name === "d" ? this.#differenceAtlas() : this.#atlasModel(this.#drawn(name));
    this.models.scarcity = this.#scarcityModel();
    for (const name of NAMES) {
      this.#paintHeatmap(name);
      this.#paintAtlas(name);
    }
    this.#paint("lorenz", lorenzCurves, 190);
    this.#paint("scarcity", this.#paintScarcity, 210);
    this.#paintChips(colours);
    this.#words();
  }

  /** A − B of matrices and shares, on units. */
  #difference() {
    const { alignment } = this.owner;
    const { matrices, shares } = this;
    const there = alignment?.units.length > 0;
    this.unitShares = !there
      ? null
      : alignment.kind === "same"
        ? shares
        : { a: sharesOnUnits(shares.a, this.#groups("a")), b: sharesOnUnits(shares.b, this.#groups("b")) };
    this.unitMatrices = there && matrices.a && matrices.b ? this.#onUnits(matrices) : null;
    this.differs = this.unitMatrices && minus(this.unitMatrices.a, this.unitMatrices.b);
  }

  #groups(side) {
    return this.owner.alignment.units.map((unit) => unit[side]);
  }

  #onUnits(matrices) {
    const { a, b, alignment } = this.owner;
    if (alignment.kind === "same") return matrices;
    return {
      a: onUnits(matrices.a, a.store.n, this.#groups("a")),
      b: onUnits(matrices.b, b.store.n, this.#groups("b")),
    };
  }

  /** Sum of |A − B| over the matrices of the head that is chosen now; 0 where they cannot be compared. */
  distance() {
    const { a, b, alignment } = this.owner;
    if (!alignment.units.length) return 0;
    const on = this.#onUnits({ a: a.matrix(), b: b.matrix() });
    return minus(on.a, on.b).reduce((total, d) => total + (!Number.isNaN(d) ? Math.abs(d) : 0), 0);
  }

  #heatmapModel(side) {
    const { colours } = this.owner;
    const { missing, store } = side;
    if (!this.owner.open.includes(side)) return { absent: missing, colours };
    return { weights: this.matrices[side.name], n: store.n, tokens: store.open.tokens, pinned: null, missing, colours };
  }

  #differenceModel() {
    const { owner } = this;
    const { colours, alignment } = owner;
    if (!owner.both) return { absent: "The difference needs both.", colours };
    if (!alignment.units.length) return { absent: alignment.why, colours };
    const missing = this.differs
      ? ""
      : [owner.a, owner.b]
          .map((side) => side.missing && `${side.name.toUpperCase()}: ${side.missing}`)
          .filter(Boolean)
          .join(" ");
    const ramp = differenceRamp(colours.dark);
    return {
      weights: this.differs,
      n: alignment.units.length,
      tokens: this.#tokens("d"),
      pinned: null,
      missing,
      colours,
      colour: (d) => ramp[shadeDifference(d)],
    };
  }

  #lorenzModel() {
    const { owner } = this;
    const { colours, open } = owner;
    const dash = [6, 4];
    const curves = [];
    const missing = open.map((side) => side.missing).filter(Boolean);
    for (const side of open)
      if (!side.missing)
        curves.push({
          label: `${side.name.toUpperCase()}, full budget`,
          shares: side.economy(side.store.n)?.curve,
          colour: colours[side.name],
          width: 1.6,
          dash,
        });
    for (const side of open)
      if (!side.missing)
        curves.push({
          label: `${side.name.toUpperCase()}, this budget`,
          shares: side.economy()?.curve,
          colour: colours[side.name],
          width: side.name === "a" ? 4.5 : 1.8,
          dash: [],
        }); // one over the other, both are seen
    const legend = curves.map((curve) => curve.label).sort();
    return {
      curves,
      legend: legend.toSorted((x, y) => x[0].localeCompare(y[0]) || y.localeCompare(x)),
      missing: missing.length === open.length ? missing.join(" ") : "",
      colours,
      unitName: "tokens",
    };
  }

  #atlasModel(side) {
    const { owner } = this;
    const { view, colours } = owner;
    if (!owner.open.includes(side)) return { absent: side.missing, colours };
    const { store } = side;
    const name = view.statistic;
    const [low, high] = rangeOf(name, owner.n);
    const unit = this.#unit(name);
    const values = side.ofHeads(name);
    const at = side.place;
    const gone = new Set(store.removed);
    return {
      values: unit === 1 ? values : values.map((v) => v * unit),
      low,
      high: high * unit,
      heads: store.open.heads,
      nHeads: store.nHeads,
      gone,
      thumbnails: null,
      n: store.n,
      selected: at.head < store.open.heads[at.layer] ? at : null,
      hover: this.#hoverIn(side),
      label: this.#atlasLabel(),
      colours,
    };
  }

  #unit(name) {
    return name === "entropy" && this.owner.view.unit === "bits" ? 1 / Math.LN2 : 1;
  }
  #atlasLabel() {
    const { statistic: name, unit } = this.owner.view;
    return `${ATLAS[name].label}${name === "entropy" ? `, ${unit}` : ""}`;
  }
  #hoverIn(side) {
    return this.hoverHead
      ? { layer: layerAt(this.hoverHead.row, this.owner.rows, side.store.nLayers), head: this.hoverHead.head }
      : null;
  }

  #differenceAtlas() {
    const { owner } = this;
    const { colours, view } = owner;
    if (!owner.both) return { absent: "The difference needs both.", colours };
    const { a, b } = owner;
    const name = view.statistic;
    const unit = this.#unit(name);
    const grid = headGrid(a.store, b.store, a.ofHeads(name), b.ofHeads(name));
    const limit = this.#limit() * unit;
    return {
      values: unit === 1 ? grid.values : grid.values.map((v) => v * unit),
      low: -limit,
      high: limit,
      heads: new Array(grid.rows).fill(grid.columns),
      nHeads: grid.columns,
      gone: grid.gone,
      thumbnails: null,
      n: owner.n,
      selected: { layer: Math.min(view.layer ?? 0, grid.rows - 1), head: view.head ?? 0 },
      hover: this.hoverHead ? { layer: this.hoverHead.row, head: this.hoverHead.head } : null,
      label: `A − B of ${this.#atlasLabel()}`,
      colours,
      ramp: differenceRamp(colours.dark),
      rows: grid.names,
      signed: true,
    };
  }

  /** End of the scale of differences: the largest over all budgets computed so far, so that colours keep their meaning in a drag. */
  #limit() {
    const { owner } = this;
    const { a, b, view } = owner;
    const { statistic: name } = view;
    const key = [name, view.view, view.tokens, a.store.frames.size, b.store.frames.size].join();
    if (this.limits.key === key && this.limits.a === a.store && this.limits.b === b.store) return this.limits.limit;
    const of = (store, frame) =>
      name === "moved" ? frame.arrays.moved : store.statistic(frame, view.view, view.tokens, name);
    let most = 0;
    for (const frame of a.store.frames.values()) {
      const other = b.store.frames.get(Math.min(frame.k, b.store.n));
      if (other)
        for (const value of headGrid(a.store, b.store, of(a.store, frame), of(b.store, other)).values)
          if (Math.abs(value) > most) most = Math.abs(value);
    }
    this.limits = { key, a: a.store, b: b.store, limit: NICE.find((end) => end >= most) ?? most };
    return this.limits.limit;
  }

  #scarcityModel() {
    const { owner } = this;
    const { colours, open } = owner;
    const units = new Set(open.map((side) => side.store.open.change_unit));
    const oneUnit = units.size === 1;
    const lines = open.map((side) => {
      const points = side.store.curve();
      const most = Math.max(1e-12, ...points.map((p) => p[1]));
      return {
        label: `${side.name.toUpperCase()}, ${side.store.policyLabel}`,
        points: oneUnit ? points : points.map(([k, v]) => [k, v / most]),
        colour: colours[side.name],
        width: 2.5,
        dash: side.name === "b" ? [7, 3] : [],
        dotted: true,
      };
    });
    return {
      lines,
      k: owner.k,
      n: owner.n,
      unit: oneUnit ? [...units][0] : "change, part of each one's largest",
      flips: open.map((side) => ({ at: side.store.flips(), colour: colours[side.name] })),
      colours,
    };
  }

  #paintScarcity = (ctx, width, height, model) => scarcityLines(ctx, width, height, model);

  #paint(name, paint, height) {
    const size = (this.sizes[name] = fit(this.canvas[name], this.widths[name], Math.round(height)));
    paint(size.context, size.width, size.height, this.models[name]);
  }

  #paintHeatmap(name) {
    const key = `heatmap-${name}`;
    const width = this.widths[key];
    this.#paint(key, this.#heatmapWithMarks(name), Math.min(width, 320));
  }

  /** A picture, and over it what is pinned and what is under the pointer, in whichever picture that is. */
  #heatmapWithMarks(name) {
    return (ctx, width, height, model) => {
      if (model.absent) return absent(ctx, width, height, model);
      heatmap(ctx, width, height, model);
      if (model.missing) return;
      const box = heatmapBox(width, height, model.n);
      const drawn = name === "a" && this.#drawn("a").name === "b" ? "b" : name;
      const rows = this.pinnedIn(drawn);
      if (rows.length) outline(ctx, box, rows, [0, model.n - 1], model.colours.accent, 2);
      if (!this.hover) return;
      const queries = this.group(this.hover.side, this.hover.query, drawn);
      const keys = this.group(this.hover.side, this.hover.key, drawn);
      if (queries.length && keys.length) outline(ctx, box, queries, keys, model.colours.text, 1.6);
    };
  }

  #paintAtlas(name) {
    const key = `atlas-${name}`;
    const width = this.widths[key];
    const { owner } = this;
    const paint = (ctx, w, h, model) => (model.absent ? absent(ctx, w, h, model) : atlas(ctx, w, h, model));
    this.#paint(key, paint, Math.min(260, Math.max(80, owner.rows * Math.min(34, (width - 28) / owner.columns) + 42)));
  }

  #paintChips(colours) {
    const { owner, shares } = this;
    const most = Math.max(largest(shares.a), largest(shares.b));
    const pinned = (name) => {
      const rows = new Set(this.pinnedIn(name));
      return (i) => rows.has(i);
    };
    for (const side of owner.open)
      paintChips(this.chips[side.name], chipColours(shares[side.name], colours, most), pinned(side.name));
    if (!this.unitShares) return;
    const ramp = differenceRamp(colours.dark);
    this.differenceShares = minus(this.unitShares.a, this.unitShares.b);
    paintChips(
      this.chips.d,
      Array.from(
        this.differenceShares,
        (d) => ramp[!Number.isNaN(d) && most > 0 ? shadeDifference(Math.max(-1, Math.min(1, d / most))) : 128],
      ),
      pinned("d"),
    );
  }

  #words() {
    const { owner } = this;
    const { view } = owner;
    const head = owner.controls.headName();
    const blinking = owner.blinking && owner.both;
    const pinned = view.pinned && this.#tokens(view.pinned.side)[view.pinned.token];
    const heading = (name, text) => write(owner.$(`.map[data-side=${name}] h3`), text);
    const gone = (side) => (owner.open.includes(side) && side.missing.includes("removed") ? " · removed" : "");
    heading("a", blinking ? `Blinking, now ${owner.blinking.toUpperCase()} · ${head}` : `A · ${head}${gone(owner.a)}`);
    heading("b", `B · ${head}${gone(owner.b)}`);
    heading("d", `A − B · ${head}`);
    for (const name of NAMES) {
      const side = owner[name];
      const what = pinned ? `what “${pinned}” reads` : "attention each token receives";
      write(
        owner.$(`.chips[data-side=${name}] h3`),
        name === "d"
          ? owner.alignment?.units.length
            ? this.models["heatmap-d"].missing || `A − B of ${what}`
            : ""
          : owner.open.includes(side)
            ? side.missing || `${name.toUpperCase()}: ${what}`
            : "",
      );
    }
    for (const name of ["a", "b"])
      write(
        owner.$(`.atlases [data-side=${name}] .note`),
        owner.open.includes(owner[name])
          ? removedNote(owner[name].store).replace("; the others keep their places", "")
          : "",
      );
    write(owner.$(".atlases [data-side=d] .note"), owner.both ? this.#gridNote() : "");
    write(owner.$(".scarcenote"), owner.both ? flipsSentence(owner.a.store, owner.b.store) : "");
    this.#labels(head);
  }

  #gridNote() {
    const { a, b } = this.owner;
    const depth = a.store.nLayers === b.store.nLayers ? "" : "Rows: layers A|B by depth. ";
    return `${depth}${this.models["atlas-d"].gone.size ? "Hatched: not in both." : ""}`;
  }

  #labels(head) {
    const { owner, canvas } = this;
    const { a, b, view } = owner;
    const stats = [a, b].map((side) => side.statistics());
    for (const name of NAMES) {
      const side = owner[name];
      const who = name === "d" ? "A minus B" : name.toUpperCase();
      const missing = this.models[`heatmap-${name}`].absent || this.models[`heatmap-${name}`].missing;
      label(
        canvas[`heatmap-${name}`],
        missing || `${who}: attention of ${head} at ${name === "d" ? owner.k : side.k} keys`,
      );
      label(
        canvas[`atlas-${name}`],
        this.models[`atlas-${name}`].absent ||
          `${who}: all heads coloured by ${view.statistic}; arrow keys move the selection, now ${head}`,
      );
    }
    label(canvas.lorenz, `Lorenz curves; Gini ${number(stats[0]?.gini)} in A, ${number(stats[1]?.gini)} in B`);
    label(canvas.scarcity, `Output change against budget in A and B at ${owner.k} keys`);
  }

  // ---- pointers and keys, mirrored

  #heatmapInput(name) {
    const canvas = this.canvas[`heatmap-${name}`];
    const { owner } = this;
    const real = () => (name === "d" ? "d" : this.#drawn(name).name);
    const spot = (event) => {
      const model = this.models[`heatmap-${name}`];
      return (
        model &&
        !model.absent &&
        heatmapAt(
          event.offsetX,
          event.offsetY,
          this.sizes[`heatmap-${name}`].width,
          this.sizes[`heatmap-${name}`].height,
          model.n,
        )
      );
    };
    canvas.addEventListener("pointermove", (event) => {
      const at = spot(event);
      const side = real();
      if (!at) return this.#leave();
      const moved =
        !this.hover || this.hover.side !== side || this.hover.query !== at.query || this.hover.key !== at.key;
      if (!moved) return;
      this.hover = { side, ...at };
      for (const one of NAMES) if (this.models[`heatmap-${one}`]) this.#paintHeatmap(one);
      this.tip.show(event, this.models[`heatmap-${name}`].missing || this.#cellTip(side, at));
    });
    canvas.addEventListener("pointerleave", () => this.#leave());
    canvas.addEventListener("click", (event) => {
      const at = spot(event);
      if (at) this.#pin(real(), at.query);
    });
    canvas.addEventListener("keydown", (event) => {
      const { pinned } = owner.view;
      const side = real();
      const n = this.#size(side);
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (event.key === "Escape") return owner.set({ pinned: null }, false);
      if (!step || !n) return;
      event.preventDefault();
      const now = pinned ? this.group(pinned.side, pinned.token, side)[0] : undefined;
      owner.set({ pinned: { side, token: ((now ?? (step > 0 ? -1 : n)) + step + n) % n } }, false);
    });
  }

  #leave() {
    this.tip.hide();
    if (!this.hover && !this.hoverHead) return;
    this.hover = null;
    this.hoverHead = null;
    this.owner.draw();
  }

  /** Both weights and their difference where the cell has a counterpart; else the one there is. */
  #cellTip(side, { query, key }) {
    const { owner } = this;
    const [u, v] = [this.group(side, query, "d")[0], this.group(side, key, "d")[0]];
    if (u === undefined || v === undefined || !this.unitMatrices) {
      const tokens = this.#tokens(side);
      const w = this.matrices[side]?.[query * this.#size(side) + key];
      const other =
        owner.both && owner.alignment.kind === "characters" ? "\nNo counterpart in the other tokenizer." : "";
      return `“${tokens[query]}” reads “${tokens[key]}”\n${side.toUpperCase()}: ${Number.isNaN(w) ? "may not be seen" : number(w)}${other}`;
    }
    const { units } = owner.alignment;
    const m = units.length;
    const rank = (name) =>
      owner.alignment.kind === "same" ? rankOf(this.unitMatrices[name].subarray(u * m, u * m + m), v) : null;
    return pairTip(units[u].label, units[v].label, this.unitMatrices.a[u * m + v], this.unitMatrices.b[u * m + v], {
      a: rank("a"),
      b: rank("b"),
    });
  }

  #tokenTip(side, i, event) {
    const u = this.group(side, i, "d")[0];
    const token = this.#tokens(side)[i];
    const { pinned } = this.owner.view;
    const what = pinned ? `gets from “${this.#tokens(pinned.side)[pinned.token]}”` : "receives";
    if (u === undefined || !this.unitShares)
      return this.tip.show(
        event,
        `“${token}” ${what} ${number(this.shares[side]?.[i])}${this.owner.both && this.owner.alignment.kind === "characters" ? "\nNo counterpart in the other tokenizer." : ""}`,
      );
    const { a, b } = this.unitShares;
    this.tip.show(
      event,
      `“${this.owner.alignment.units[u].label}” ${what}\nA: ${number(a[u])}\nB: ${number(b[u])}\nA − B: ${signed(a[u] - b[u])}`,
    );
  }

  #atlasInput(name) {
    const canvas = this.canvas[`atlas-${name}`];
    const { owner } = this;
    const spot = (event) => {
      const model = this.models[`atlas-${name}`];
      if (!model || model.absent) return null;
      const { width, height } = this.sizes[`atlas-${name}`];
      const at = atlasAt(event.offsetX, event.offsetY, width, height, model.heads, model.nHeads);
      return (
        at && {
          row: name === "d" ? at.layer : rowOf(at.layer, owner.rows, this.#drawn(name).store.nLayers),
          head: at.head,
        }
      );
    };
    canvas.addEventListener("pointermove", (event) => {
      const at = spot(event);
      if (!at) return this.#leave();
      if (at.row === this.hoverHead?.row && at.head === this.hoverHead?.head) return;
      this.hoverHead = at;
      for (const one of NAMES) {
        this.models[`atlas-${one}`] = one === "d" ? this.#differenceAtlas() : this.#atlasModel(this.#drawn(one));
        this.#paintAtlas(one);
      }
      this.tip.show(event, this.#headTip(at));
    });
    canvas.addEventListener("pointerleave", () => this.#leave());
    canvas.addEventListener("click", (event) => {
      const at = spot(event);
      if (at) {
        this.hoverHead = null;
        owner.set({ layer: at.row, head: at.head });
      }
    });
    canvas.addEventListener("keydown", (event) => {
      const { view } = owner;
      const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!move || !owner.open.length) return;
      event.preventDefault();
      owner.set({
        layer: Math.max(0, Math.min(owner.rows - 1, (view.layer ?? 0) + move[0])),
        head: Math.max(0, Math.min(owner.columns - 1, (view.head ?? 0) + move[1])),
      });
    });
  }

  #headTip({ row, head }) {
    const { owner } = this;
    const { statistic: name, unit } = owner.view;
    const words = ATLAS[name];
    const factor = this.#unit(name);
    const values = {};
    const lines = owner.open.map((side) => {
      const layer = layerAt(row, owner.rows, side.store.nLayers);
      const who = `${side.name.toUpperCase()}, layer ${layer}, head ${head}`;
      if (!hasHead(side.store, layer, head))
        return `${who}: ${missingSentence(side.store, layer, head).includes("removed") ? "removed" : "there is none"}`;
      values[side.name] = side.ofHeads(name)[layer * side.store.nHeads + head];
      return `${who}: ${name === "entropy" ? `${number(values[side.name] * factor)} ${unit}` : words.format(values[side.name])}`;
    });
    return [
      words.label,
      ...lines,
      ...(owner.both
        ? [`A − B: ${difference(name, values.a, values.b, unit)}${name === "entropy" ? ` ${unit}` : ""}`]
        : []),
      "Click to select in both",
    ].join("\n");
  }

  #scarcityInput() {
    const { scarcity } = this.canvas;
    const { owner } = this;
    const drag = (event) => {
      if (!owner.open.length || event.buttons !== 1) return;
      const { width, height } = this.sizes.scarcity;
      const { at } = scarcityBox(width, height, owner.n);
      const x = event.offsetX;
      owner.set(
        { k: owner.stops.reduce((one, other) => (Math.abs(at(other) - x) < Math.abs(at(one) - x) ? other : one)) },
        false,
      );
    };
    scarcity.addEventListener("pointerdown", drag);
    scarcity.addEventListener("pointermove", drag);
    scarcity.addEventListener("pointerup", () => owner.tell());
  }

  // ---- export

  #export(name, format) {
    const { owner } = this;
    const { view, colours, a, b } = owner;
    const model = this.models[name];
    if (!model || model.absent) return;
    const paper = { ...colours, paper: true };
    const paints = { lorenz: lorenzCurves, scarcity: scarcityLines };
    const paint = paints[name] ?? (name.startsWith("heatmap") ? heatmap : atlas);
    const { width, height } = this.sizes[name];
    const of = (side) =>
      side.store
        ? `${side.store.open.checkpoint} ${side.store.open.digest}, ${side.store.provenanceOf(side.k)}, ${side.store.n} tokens`
        : "";
    const provenance = {
      figure: name,
      a: of(a),
      b: of(b),
      difference: "A - B",
      policy: owner.open[0].store.open.policy,
      k: owner.k,
      place: owner.controls.headName(),
      view: view.view,
      tokens: view.tokens,
      unit: view.unit,
      url: window.location.href,
    };
    exportFigure(format, {
      name: `compecon-compare-${name}-k${owner.k}`,
      draw: (ctx, w, h) => paint(ctx, w, h, { ...model, colours: paper }),
      rows: () => figureRows(name, model, owner),
      width,
      height,
      provenance,
    });
  }
}

function absent(ctx, width, height, { absent: text, colours }) {
  clear(ctx, width, height, colours);
  sentence(ctx, text, { x: 0, y: 0, width, height }, colours);
}

/** A frame around cells that stand together. */
function outline(ctx, { x, y, cell }, queries, keys, colour, width) {
  const [q0, q1, k0, k1] = [Math.min(...queries), Math.max(...queries), Math.min(...keys), Math.max(...keys)];
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.strokeRect(x + k0 * cell, y + q0 * cell, (k1 - k0 + 1) * cell, (q1 - q0 + 1) * cell);
}
