// What has arrived for one text: the opening, a frame per budget, the control arms. Answers questions about a budget and
// says how it knows: "exact", "recorded", or a "preview" masked from recorded attention. No DOM.

import { headEconomy, maskTopK, received } from "./economy.js";
import { halves } from "./wire.js";

const KEEP = 160; // decoded matrices kept

export class Store {
  constructor(opening, provenance) {
    Object.assign(this, {
      open: opening,
      provenance,
      frames: new Map(),
      arms: [],
      done: false,
      matrices: new Map(),
      economies: new Map(),
    });
    this.n = opening.tokens.length;
    this.nLayers = opening.heads.length;
    this.nHeads = Math.max(...opening.heads);
    this.removed = new Set((opening.removed ?? []).map(([layer, head]) => layer * this.nHeads + head)); // recordings do not say
    this.content = opening.special.map((s) => !s);
    this.layerRow = new Map(opening.sent.layers.map((l, i) => [l, i]));
    this.headRow = new Map(opening.sent.heads.map((h, i) => [h, i]));
  }

  add(message) {
    if (message.kind === "frame") {
      this.frames.set(message.k, message);
      this.#forgetBudget(message.k);
    } else if (message.kind === "arm")
      this.arms.push({
        label: message.label,
        policy: message.policy,
        points: Array.from(message.arrays.budgets, (b, i) => [b, message.arrays.changes[i]]),
      });
    else if (message.kind === "done") {
      this.done = true;
      this.ms = message.ms;
    }
  }

  /** Takes the matrices of another layer or head of the same text. */
  replaceScope(other) {
    Object.assign(this, {
      layerRow: other.layerRow,
      headRow: other.headRow,
      frames: other.frames,
      provenance: other.provenance,
    });
    this.forget();
  }

  /** A budget's own pass has come: what was previewed of it is void. */
  #forgetBudget(k) {
    for (const kept of [this.matrices, this.economies])
      for (const key of kept.keys()) if (key.startsWith(`${k},`)) kept.delete(key);
  }

  /** Drops what was worked out from earlier messages. */
  forget() {
    this.matrices.clear();
    this.economies.clear();
  }

  /** Whether what a budget leaves can be masked from full attention; recordings that do not say so show top-k. */
  get isMasked() {
    return this.open.ranks_by_weight ?? this.open.policy === "top-k";
  }
  /** The policy's name in a legend. */
  get policyLabel() {
    return this.open.policy_label ?? this.open.policy;
  }

  get full() {
    return this.frames.get(this.n);
  }
  /** Whether a head was removed from the model: it keeps its place, and there is nothing to wait for. */
  isRemoved(layer, head) {
    return this.removed.has(layer * this.nHeads + head);
  }
  has(layer, head) {
    return this.isRemoved(layer, head) || (this.layerRow.has(layer) && this.headRow.has(head));
  }
  /** How a budget's numbers came about: "recorded", "exact" or "preview". */
  provenanceOf(k) {
    const frame = this.frames.get(Math.min(k, this.n));
    return !frame ? "preview" : frame.live ? "exact" : this.provenance;
  }
  isExact(k) {
    return this.frames.has(Math.min(k, this.n));
  }

  /** Query × key matrix of one head at a budget; a preview if that budget has not been computed. All NaN for a removed head. */
  matrix(k, layer, head) {
    if (this.isRemoved(layer, head)) return (this.nothing ??= new Float32Array(this.n * this.n).fill(NaN));
    const key = `${k},${layer},${head}`;
    if (this.matrices.has(key)) return this.matrices.get(key);
    const frame = this.frames.get(k);
    const made = frame ? this.#decode(frame, layer, head) : this.#preview(k, layer, head);
    if (this.matrices.size > KEEP) this.matrices.delete(this.matrices.keys().next().value);
    if (frame || this.isMasked) this.matrices.set(key, made); // other previews follow the nearest budget
    return made;
  }

  #decode(frame, layer, head) {
    const bits = frame.arrays.weights;
    const size = this.n * this.n;
    const at = (this.layerRow.get(layer) * this.headRow.size + this.headRow.get(head)) * size;
    return halves(bits.subarray(at, at + size));
  }

  #preview(k, layer, head) {
    if (this.isMasked) return maskTopK(this.matrix(this.n, layer, head), this.n, k);
    return this.matrix(this.nearest(k), layer, head); // other policies can't be guessed: the nearest exact budget
  }

  /** The computed budget nearest to k. */
  nearest(k) {
    return [...this.frames.keys()].reduce((a, b) => (Math.abs(Math.log(b / k)) < Math.abs(Math.log(a / k)) ? b : a));
  }

  /** A statistic of every head, row-major layer × head, from the server. */
  statistic(frame, view, tokens, name) {
    const { statistics } = frame.arrays;
    const [, t, s, l, h] = statistics.shape;
    const at =
      ((this.open.views.indexOf(view) * t + this.open.token_sets.indexOf(tokens)) * s +
        this.open.statistics.indexOf(name)) *
      l *
      h;
    return statistics.subarray(at, at + l * h);
  }

  /** All statistics of one head: the library's own numbers where the budget is exact, else computed from the preview; null for a removed head. */
  statistics(k, layer, head, view, tokens) {
    if (this.isRemoved(layer, head)) return null;
    const frame = this.frames.get(k);
    if (!frame) return this.economy(k, layer, head, view, tokens)?.stats ?? null;
    return Object.fromEntries(
      this.open.statistics.map((name) => [name, this.statistic(frame, view, tokens, name)[layer * this.nHeads + head]]),
    );
  }

  /** Lorenz curve (and preview statistics) of one head. */
  economy(k, layer, head, view, tokens) {
    const key = `${k},${layer},${head},${view},${tokens}`;
    if (this.economies.has(key)) return this.economies.get(key);
    const made = headEconomy(this.matrix(k, layer, head), this.n, view, tokens === "content" ? this.content : null);
    if (this.economies.size > KEEP) this.economies.delete(this.economies.keys().next().value);
    if (this.frames.has(k) || this.isMasked) this.economies.set(key, made);
    return made;
  }

  /** Attention that each token receives in one head, or gives from a pinned query. */
  perToken(k, layer, head, pinned) {
    const matrix = this.matrix(k, layer, head);
    return pinned === null ? received(matrix, this.n) : matrix.subarray(pinned * this.n, (pinned + 1) * this.n);
  }

  /** Output change against budget, ascending. */
  curve() {
    return [...this.frames.values()].map((f) => [f.k, f.change]).sort((a, b) => a[0] - b[0]);
  }

  /** A head to begin with: the one asked for, unless nobody asked and it was removed. */
  firstHead({ layer, head }) {
    if (layer || head || !this.isRemoved(layer, head)) return { layer, head };
    for (let at = 0; at < this.nLayers * this.nHeads; at++)
      if (!this.removed.has(at)) return { layer: Math.floor(at / this.nHeads), head: at % this.nHeads };
    return { layer, head };
  }

  flips() {
    return [...this.frames.values()]
      .filter((f) => f.flipped)
      .map((f) => f.k)
      .sort((a, b) => a - b);
  }
}

/** Positions of the budget bar: every budget of a short text, about 120 of a long one. */
export function stops(n, grid) {
  if (n <= 64) return Array.from({ length: n }, (_, i) => i + 1);
  const all = new Set(grid);
  for (let i = 0; i < 120; i++) all.add(Math.round(n ** (i / 119)));
  return [...all].sort((a, b) => a - b);
}
