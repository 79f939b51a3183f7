// The pictures: sizes, pointers, keys, tips, and export. Drawing itself is in paint.js.

import { exportFigure } from "../shared/export.js";
import {
  atlas,
  atlasAt,
  chipsPlot,
  heatmap,
  heatmapAt,
  lorenzPlot,
  scarcityBox,
  scarcityPlot,
} from "../shared/paint.js";
import {
  buildChips,
  buildStatistics,
  chipColours,
  rankOf,
  updateChips,
  updateStatistics,
  write,
} from "../shared/panels.js";
import { fit, label, saveMenu, Tip, widthOf } from "../shared/stage.js";
import {
  ATLAS,
  number,
  percent,
  rangeOf,
  removedNote,
  removedSentence,
  STATISTICS,
  VIEW_WORDS,
} from "../shared/words.js";

export class Figures {
  constructor(owner) {
    this.owner = owner;
    const $ = (s) => owner.$(s);
    this.canvas = { heatmap: $(".heatmap"), lorenz: $(".lorenz"), atlas: $(".atlas"), scarcity: $(".scarcity") };
    this.tip = new Tip($(".tip"), $(".cc"));
    this.hover = null;
    this.cells = buildStatistics($("table.stats"), $("dl"));
    for (const place of owner.root.querySelectorAll(".tools"))
      saveMenu(place, (figure, format) => {
        if (owner.store) this.exportOne(figure, format);
      });
    this.#heatmapInput();
    this.#atlasInput();
    const drag = (event) => {
      if (!owner.store || event.buttons !== 1) return;
      const { width, height } = this.sizes.scarcity;
      const { at } = scarcityBox(width, height, owner.store.n);
      const x = event.offsetX;
      owner.set({ k: owner.stops.reduce((a, b) => (Math.abs(at(b) - x) < Math.abs(at(a) - x) ? b : a)) }, false);
    };
    this.canvas.scarcity.addEventListener("pointerdown", drag);
    this.canvas.scarcity.addEventListener("pointermove", drag);
    this.canvas.scarcity.addEventListener("pointerup", () => owner.tell());
  }

  opened() {
    this.chips = buildChips(this.owner.$(".list"), this.owner.store.open, {
      hover: (i, event) => this.#tokenTip(i, event),
      leave: () => this.tip.hide(),
      pin: (i) => this.#pin(i),
    });
  }

  measure() {
    this.widths = Object.fromEntries(
      Object.entries({ ...this.canvas, ticks: this.owner.$(".ticks") }).map(([name, canvas]) => [
        name,
        widthOf(canvas),
      ]),
    );
  }

  #pin(query) {
    this.owner.set({ pinned: this.owner.view.pinned === query ? null : query }, false);
  }

  // ---- what is drawn -------------------------------------------------------------------------------------------------

  draw() {
    const { store, view, colours } = this.owner;
    this.missing = removedSentence(store, view.layer, view.head);
    const at = this.at();
    const full = store.economy(store.n, ...at);
    const now = store.economy(view.k, ...at);
    this.shares = store.perToken(view.k, view.layer, view.head, view.pinned);
    this.models = {
      heatmap: this.heatmapModel(view.layer, view.head, view.pinned),
      lorenz: { curve: now?.curve, full: full?.curve, missing: this.missing, colours, unitName: "tokens" },
      atlas: this.atlasModel(),
      scarcity: this.scarcityModel(),
    };
    this.sizes = {};
    this.#paint("heatmap", heatmap, (width) => Math.min(width, 340));
    this.#paint("lorenz", lorenzPlot, () => 178);
    this.#paint("atlas", atlas, (width) =>
      Math.min(240, Math.max(80, store.nLayers * Math.min(46, (width - 28) / store.nHeads) + 42)),
    );
    this.#paint("scarcity", scarcityPlot, () => 190);
    updateChips(this.chips, this.shares, colours, view.pinned);
    updateStatistics(this.cells, store.statistics(store.n, ...at), store.statistics(view.k, ...at), {
      unit: view.unit,
      n: store.n,
      missing: this.missing,
    });
    this.#words();
  }

  at() {
    const { layer, head, view, tokens } = this.owner.view;
    return [layer, head, view, tokens];
  }

  #paint(name, paint, heightOf) {
    const canvas = this.canvas[name];
    const width = this.widths[name];
    const size = fit(canvas, width, Math.round(heightOf(width)));
    this.sizes[name] = size;
    paint(size.context, size.width, size.height, this.models[name]);
  }

  heatmapModel(layer, head, pinned) {
    const { store, view, colours } = this.owner;
    return {
      weights: store.matrix(view.k, layer, head),
      n: store.n,
      tokens: store.open.tokens,
      pinned,
      missing: removedSentence(store, layer, head),
      colours,
    };
  }

  atlasModel() {
    const { store, view, colours } = this.owner;
    const frame = store.frames.get(view.k) ?? store.frames.get(store.nearest(view.k));
    const name = view.statistic;
    const values = name === "moved" ? frame.arrays.moved : store.statistic(frame, view.view, view.tokens, name);
    const [low, high] = rangeOf(name, store.n);
    const bits = name === "entropy" && view.unit === "bits" ? 1 / Math.LN2 : 1;
    const thumbnails =
      view.tiles === "pictures" ? (l, h) => (store.has(l, h) ? store.matrix(frame.k, l, h) : null) : null;
    return {
      values: bits === 1 ? values : values.map((v) => v * bits),
      low,
      high: high * bits,
      heads: store.open.heads,
      nHeads: store.nHeads,
      gone: store.removed,
      thumbnails,
      n: store.n,
      selected: view,
      hover: this.hoverHead,
      label:
        name === "moved"
          ? ATLAS[name].label
          : `${ATLAS[name].label}${name === "entropy" ? `, ${view.unit}` : ""}, ${view.view} view`,
      colours,
    };
  }

  scarcityModel() {
    const { store, view, colours } = this.owner;
    return {
      own: { label: store.policyLabel, points: store.curve() },
      arms: store.arms,
      k: view.k,
      n: store.n,
      unit: store.open.change_unit,
      flips: store.flips(),
      colours,
    };
  }

  #words() {
    const { owner, missing } = this;
    const { store, view } = owner;
    const { open } = store;
    const flips = store.flips();
    const note = owner.$(".atlasnote");
    write(owner.$(".headname"), `Layer ${view.layer} · head ${view.head}${missing && " · removed"}`);
    write(note, removedNote(store));
    note.hidden = !store.removed.size;
    write(
      owner.$(".viewnote"),
      `${view.view === "row" ? "Row view" : "Received view"}: ${VIEW_WORDS[view.view]}${view.tokens === "content" ? "; special tokens left out" : ""}. Layer ${view.layer}, head ${view.head}.`,
    );
    write(
      owner.$(".chips h3"),
      missing || (view.pinned === null ? "Attention each token receives" : `What “${open.tokens[view.pinned]}” reads`),
    );
    write(
      owner.$(".scarcenote"),
      `${flips.length ? `The answer flips at k = ${flips.length > 6 ? `${flips.slice(0, 6).join(", ")}, …` : flips.join(", ")} (dots on the axis). ` : ""}Where a control arm moves the output as much as the chosen policy, the change is arithmetic, not choice.`,
    );
    const stats = store.statistics(view.k, ...this.at());
    label(this.canvas.heatmap, missing || `Attention of layer ${view.layer}, head ${view.head} at ${view.k} keys`);
    label(this.canvas.lorenz, missing || `Lorenz curve, Gini ${number(stats?.gini)}`);
    label(
      this.canvas.atlas,
      `All heads coloured by ${view.statistic}; arrow keys move the selection, now layer ${view.layer}, head ${view.head}${missing && ", removed"}`,
    );
    label(
      this.canvas.scarcity,
      `Output change against budget; ${number(store.frames.get(view.k)?.change)} at ${view.k} keys`,
    );
  }

  // ---- pointers and keys ---------------------------------------------------------------------------------------------

  #heatmapInput() {
    const { heatmap: canvas } = this.canvas;
    const { owner } = this;
    const spot = (event) =>
      owner.store &&
      heatmapAt(event.offsetX, event.offsetY, this.sizes.heatmap.width, this.sizes.heatmap.height, owner.store.n);
    canvas.addEventListener("pointermove", (event) => {
      const at = spot(event);
      if (at?.query === this.hover?.query && at?.key === this.hover?.key) return;
      this.hover = at;
      if (!at) return this.tip.hide();
      if (this.missing) return this.tip.show(event, this.missing);
      const { store, view } = owner;
      const row = store.perToken(view.k, view.layer, view.head, at.query);
      const w = row[at.key];
      const [q, k] = [store.open.tokens[at.query], store.open.tokens[at.key]];
      this.tip.show(
        event,
        Number.isNaN(w)
          ? `“${q}” may not see “${k}”.`
          : w === 0
            ? `“${q}” does not read “${k}” at this budget.`
            : `“${q}” gives “${k}” ${number(w)} of its attention (rank ${rankOf(row, at.key)}).`,
      );
    });
    canvas.addEventListener("pointerleave", () => {
      this.hover = null;
      this.tip.hide();
    });
    canvas.addEventListener("click", (event) => {
      const at = spot(event);
      if (at) this.#pin(at.query);
    });
    canvas.addEventListener("keydown", (event) => {
      const { store, view } = owner;
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (event.key === "Escape") return owner.set({ pinned: null }, false);
      if (!step || !store) return;
      event.preventDefault();
      owner.set({ pinned: ((view.pinned ?? (step > 0 ? -1 : store.n)) + step + store.n) % store.n }, false);
    });
  }

  #atlasInput() {
    const { atlas: canvas } = this.canvas;
    const { owner } = this;
    const spot = (event) =>
      owner.store &&
      atlasAt(
        event.offsetX,
        event.offsetY,
        this.sizes.atlas.width,
        this.sizes.atlas.height,
        owner.store.open.heads,
        owner.store.nHeads,
      );
    canvas.addEventListener("pointermove", (event) => {
      const at = spot(event);
      if (at?.layer === this.hoverHead?.layer && at?.head === this.hoverHead?.head) return;
      this.hoverHead = at;
      if (!at) {
        this.tip.hide();
        return owner.draw();
      }
      const model = this.atlasModel();
      const name = owner.view.statistic;
      const value = model.values[at.layer * model.nHeads + at.head];
      const words = ATLAS[name];
      this.#preview(at);
      const gone = removedSentence(owner.store, at.layer, at.head);
      if (gone) return this.tip.show(event, gone);
      this.tip.show(
        event,
        `Layer ${at.layer}, head ${at.head}\n${words.label}: ${name === "entropy" ? `${number(value)} ${owner.view.unit}` : words.format(value)}\nClick to select`,
      );
    });
    canvas.addEventListener("pointerleave", () => {
      this.hoverHead = null;
      this.tip.hide();
      owner.draw();
    });
    canvas.addEventListener("click", (event) => {
      const at = spot(event);
      if (at) {
        this.hoverHead = null;
        owner.set(at);
      }
    });
    canvas.addEventListener("keydown", (event) => {
      const { store, view } = owner;
      const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!move || !store) return;
      event.preventDefault();
      const layer = Math.max(0, Math.min(store.nLayers - 1, view.layer + move[0]));
      const head = Math.max(0, Math.min(store.open.heads[layer] - 1, view.head + move[1]));
      owner.set({ layer, head });
    });
  }

  /** Shows another head's matrix while the pointer is over its tile; the selection stays. */
  #preview(at) {
    const { store } = this.owner;
    this.models.atlas = this.atlasModel();
    this.#repaint("atlas", atlas);
    if (!store.has(at.layer, at.head)) return;
    this.models.heatmap = this.heatmapModel(at.layer, at.head, null);
    this.#repaint("heatmap", heatmap);
    this.owner.$(".headname").textContent = `Layer ${at.layer} · head ${at.head} (preview)`;
  }

  #repaint(name, paint) {
    const { context, width, height } = this.sizes[name];
    paint(context, width, height, this.models[name]);
  }

  #tokenTip(i, event) {
    const { store, view } = this.owner;
    const share = this.shares[i];
    const token = store.open.tokens[i];
    if (this.missing) return this.tip.show(event, this.missing);
    const says = Number.isNaN(share)
      ? "may not be seen"
      : view.pinned === null
        ? `receives ${number(share)} of each query's attention on average (${percent(share)})`
        : `gets ${number(share)} from “${store.open.tokens[view.pinned]}”`;
    this.tip.show(event, `“${token}” (token ${i + 1} of ${store.n}) ${says}, rank ${rankOf(this.shares, i)}.`);
  }

  // ---- export --------------------------------------------------------------------------------------------------------

  exportOne(name, format) {
    const { store, view, colours } = this.owner;
    const { open } = store;
    const paper = { ...colours, paper: true };
    const paints = { heatmap, lorenz: lorenzPlot, atlas, scarcity: scarcityPlot };
    const chips = name === "chips";
    const chipColour = chips && chipColours(this.shares, colours);
    const draw = (ctx, width, height) =>
      chips
        ? chipsPlot(ctx, width, height, {
            tokens: open.tokens,
            joined: open.joined,
            colours: paper,
            colourOf: (i) => chipColour[i],
          })
        : paints[name](ctx, width, height, { ...this.models[name], colours: paper });
    const { width, height } = chips
      ? { width: 760, height: 30 + 27 * Math.ceil(open.tokens.join(" ").length / 80) }
      : this.sizes[name];
    const provenance = {
      figure: name,
      checkpoint: `${open.checkpoint} ${open.digest}`,
      values: store.provenanceOf(view.k),
      policy: open.policy,
      k: view.k,
      n_tokens: store.n,
      layer: view.layer,
      head: view.head,
      view: view.view,
      tokens: view.tokens,
      unit: view.unit,
      device: open.device,
      url: window.location.href,
    };
    exportFigure(format, {
      name: `compecon-${name}-k${view.k}`,
      draw,
      rows: () => this.rows(name),
      width,
      height,
      provenance,
    });
  }

  rows(name) {
    const { store, view } = this.owner;
    const { tokens } = store.open;
    const { n } = store;
    if (name === "chips")
      return tokens.map((token, i) => ({
        index: i,
        token,
        [view.pinned === null ? "received" : "weight"]: this.shares[i],
      }));
    if (name === "heatmap")
      return Array.from(this.models.heatmap.weights, (w, i) => ({
        query: Math.floor(i / n),
        key: i % n,
        query_token: tokens[Math.floor(i / n)],
        key_token: tokens[i % n],
        weight: !Number.isNaN(w) ? w : null,
      }));
    if (name === "lorenz") {
      const now = store.statistics(view.k, ...this.at());
      const full = store.statistics(n, ...this.at());
      const { curve, full: fullCurve } = this.models.lorenz;
      return [
        ...Object.keys(STATISTICS).map((s) => ({ what: s, at: null, this_budget: now?.[s], full_budget: full?.[s] })),
        ...Array.from(curve ?? [], (share, i) => ({
          what: "lorenz",
          at: i / 100,
          this_budget: share,
          full_budget: fullCurve?.[i],
        })),
      ];
    }
    if (name === "scarcity")
      return [
        ...this.models.scarcity.own.points.map(([k, change]) => ({ policy: store.open.policy, k, change })),
        ...store.arms.flatMap((arm) => arm.points.map(([k, change]) => ({ policy: arm.policy, k, change }))),
      ];
    const frame = store.frames.get(view.k) ?? store.full;
    const rows = [];
    for (let layer = 0; layer < store.nLayers; layer++)
      for (let head = 0; head < store.open.heads[layer]; head++) {
        const i = layer * store.nHeads + head;
        rows.push({
          layer,
          head,
          ...(store.removed.size && { removed: store.isRemoved(layer, head) }),
          ...Object.fromEntries(
            store.open.statistics.map((s) => [s, store.statistic(frame, view.view, view.tokens, s)[i]]),
          ),
          moved: frame.arrays.moved[i],
        });
      }
    return rows;
  }
}
