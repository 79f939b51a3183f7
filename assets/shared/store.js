// What has arrived for one text: the opening, a frame per budget, the control arms. Answers questions about a budget
// and says how it knows: "exact", "recorded", or a "preview" masked from recorded attention. No DOM.

import { BudgetCache } from "./budget_cache.js";
import { headEconomy, maskTopK, received } from "./economy.js";
import { Shape } from "./shape.js";
import { halves } from "./wire.js";

/** @import { Arm, AtlasName, CurvePoint, Direction, Frame, HeadEconomy, HeadView, Message } from "./types.js" */
/** @import { Opening, StatisticName, Statistics, TokenSet } from "./types.js" */
/** @typedef {"exact" | "recorded" | "preview"} Provenance */

export class Store extends Shape {
  /** @type {Map<number, Frame>} */
  frames = new Map();
  /** @type {Arm[]} */
  arms = [];
  /** @type {BudgetCache<Float32Array>} */
  #matrices = new BudgetCache();
  /** @type {BudgetCache<HeadEconomy | null>} */
  #economies = new BudgetCache();
  /** @type {Float32Array | undefined} */
  #nothing;

  /**
   * @param {Opening} open
   * @param {Provenance} provenance
   */
  constructor(open, provenance) {
    super(open);
    this.provenance = provenance;
    this.layerRow = new Map(open.sent.layers.map((layer, i) => [layer, i]));
    this.headRow = new Map(open.sent.heads.map((head, i) => [head, i]));
  }

  /** @param {Message} message */
  add(message) {
    if (message.kind === "frame") {
      this.frames.set(message.k, message);
      this.#matrices.forget(message.k); // what was previewed of this budget is void
      this.#economies.forget(message.k);
    } else if (message.kind === "arm") {
      const { policy, label, arrays } = message;
      /** @type {CurvePoint[]} */
      const points = Array.from(arrays.budgets, (k, i) => [k, arrays.changes[i]]);
      this.arms.push({ policy, label, points });
    } else if (message.kind === "done") this.progress.isDone = true;
  }

  /**
   * Takes the matrices of another layer or head of the same text.
   * @param {Store} other
   */
  replaceScope(other) {
    this.layerRow = other.layerRow;
    this.headRow = other.headRow;
    this.frames = other.frames;
    this.provenance = other.provenance;
    this.goOnWith(other);
    this.forget();
  }

  /** Drops what was worked out from earlier messages. */
  forget() {
    this.#matrices.clear();
    this.#economies.clear();
  }

  /** Whether the frame at full budget is there, which all others are compared with. */
  get isOpen() {
    return this.frames.has(this.n);
  }

  get full() {
    const frame = this.frames.get(this.n);
    if (!frame) throw new Error("The frame at full budget has not arrived yet.");
    return frame;
  }

  /**
   * Whether there is all to know of a head.
   * @param {number} layer
   * @param {number} head
   */
  has(layer, head) {
    return this.isRemoved(layer, head) || (this.layerRow.has(layer) && this.headRow.has(head));
  }

  /**
   * How a budget's numbers came about.
   * @param {number} k
   * @returns {Provenance}
   */
  provenanceOf(k) {
    const frame = this.frames.get(Math.min(k, this.n));
    if (!frame) return "preview";
    return frame.live ? "exact" : this.provenance;
  }

  /** @param {number} k */
  isExact(k) {
    return this.frames.has(Math.min(k, this.n));
  }

  /**
   * Query × key matrix of one head at a budget; a preview if that budget has not been computed. All NaN for a removed
   * head.
   * @param {number} k
   * @param {number} layer
   * @param {number} head
   */
  matrix(k, layer, head) {
    if (this.isRemoved(layer, head)) {
      this.#nothing ??= new Float32Array(this.n * this.n).fill(NaN);
      return this.#nothing;
    }
    const key = [k, layer, head].join();
    const held = this.#matrices.get(key);
    if (held) return held;
    const frame = this.frames.get(k);
    const made = frame ? this.#decode(frame, layer, head) : this.#preview(k, layer, head);
    if (this.#isLasting(k)) this.#matrices.set(key, made);
    return made;
  }

  /**
   * Whether what is worked out at a budget holds until its own pass comes: other previews follow the nearest budget.
   * @param {number} k
   */
  #isLasting(k) {
    return this.frames.has(k) || this.isMasked;
  }

  /**
   * @param {Frame} frame
   * @param {number} layer
   * @param {number} head
   */
  #decode(frame, layer, head) {
    const size = this.n * this.n;
    const [row, column] = [this.layerRow.get(layer), this.headRow.get(head)];
    if (row === undefined || column === undefined) throw new Error(`Layer ${layer}, head ${head} was not sent.`);
    const at = (row * this.headRow.size + column) * size;
    return halves(frame.arrays.weights.subarray(at, at + size));
  }

  /**
   * @param {number} k
   * @param {number} layer
   * @param {number} head
   * @returns {Float32Array}
   */
  #preview(k, layer, head) {
    if (this.isMasked) return maskTopK(this.matrix(this.n, layer, head), this.n, k);
    return this.matrix(this.nearest(k), layer, head); // other policies can't be guessed: the nearest exact budget
  }

  /**
   * The computed budget nearest to k.
   * @param {number} k
   */
  nearest(k) {
    /** @param {number} other */
    const distance = (other) => Math.abs(Math.log(other / k));
    return [...this.frames.keys()].reduce((a, b) => (distance(b) < distance(a) ? b : a));
  }

  /**
   * The frame at a budget, or that of the nearest one computed: statistics of all heads come from a real pass only.
   * @param {number} k
   */
  nearestFrame(k) {
    return this.frames.get(k) ?? this.frames.get(this.nearest(k)) ?? this.full;
  }

  /**
   * A statistic of every head, row-major layer × head, from the server.
   * @param {Frame} frame
   * @param {Direction} view
   * @param {TokenSet} tokens
   * @param {AtlasName} name
   */
  statistic(frame, view, tokens, name) {
    if (name === "moved") return frame.arrays.moved;
    const { statistics } = frame.arrays;
    const [, t, s, l, h] = statistics.shape;
    const { views, token_sets: sets, statistics: names } = this.open;
    const at = ((views.indexOf(view) * t + sets.indexOf(tokens)) * s + names.indexOf(name)) * l * h;
    return statistics.subarray(at, at + l * h);
  }

  /**
   * All statistics of one head: the library's own numbers where the budget is exact, else computed from the preview;
   * null for a removed head.
   * @param {number} k
   * @param {HeadView} place
   * @returns {Statistics | null}
   */
  statistics(k, ...place) {
    const [layer, head, view, tokens] = place;
    if (this.isRemoved(layer, head)) return null;
    const frame = this.frames.get(k);
    if (!frame) return this.economy(k, ...place)?.stats ?? null;
    /** @param {StatisticName} name */
    const of = (name) => this.statistic(frame, view, tokens, name)[layer * this.nHeads + head];
    return /** @type {Statistics} */ (Object.fromEntries(this.open.statistics.map((name) => [name, of(name)])));
  }

  /**
   * Lorenz curve (and preview statistics) of one head.
   * @param {number} k
   * @param {HeadView} place
   */
  economy(k, ...place) {
    const [layer, head, view, tokens] = place;
    const key = [k, ...place].join();
    const held = this.#economies.get(key);
    if (held !== undefined) return held;
    const made = headEconomy(this.matrix(k, layer, head), this.n, view, tokens === "content" ? this.content : null);
    if (this.#isLasting(k)) this.#economies.set(key, made);
    return made;
  }

  /**
   * Attention that each token receives in one head, or gets from a pinned query.
   * @param {number} k
   * @param {number} layer
   * @param {number} head
   * @param {number | null} pinned
   */
  perToken(k, layer, head, pinned) {
    const matrix = this.matrix(k, layer, head);
    return pinned === null ? received(matrix, this.n) : matrix.subarray(pinned * this.n, (pinned + 1) * this.n);
  }

  /**
   * Output change against budget, ascending.
   * @returns {CurvePoint[]}
   */
  curve() {
    const points = [...this.frames.values()].map(/** @returns {CurvePoint} */ (frame) => [frame.k, frame.change]);
    return points.sort((a, b) => a[0] - b[0]);
  }

  /** Budgets at which the first choice is another one than at full budget, ascending. */
  flips() {
    const flipped = [...this.frames.values()].filter((frame) => frame.flipped);
    return flipped.map((frame) => frame.k).sort((a, b) => a - b);
  }
}
