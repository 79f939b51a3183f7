// One of the two: its stream, and what it has at the page's budget and head.

import { Feed } from "../shared/feed.js";
import { layerAt } from "./align.js";
import { missingSentence } from "./words.js";

export class Side {
  constructor(host, name) {
    Object.assign(this, { host, name, spec: null, problem: "" });
    this.feed = new Feed(host, `-${name}`);
  }

  get store() {
    return this.feed.store;
  }
  get k() {
    return Math.min(this.host.view.k || this.store.n, this.store.n);
  }

  /** Layer and head of the page's selection in this model: layers go by depth, heads by number. */
  get place() {
    const { view } = this.host;
    const rows = this.host.rows;
    const row = Math.min(view.layer ?? 0, rows - 1);
    const head = Math.min(view.head ?? 0, this.host.columns - 1);
    return { layer: this.host.open.includes(this) ? layerAt(row, rows, this.store.nLayers) : (view.layer ?? 0), head };
  }

  /** Why there is nothing to show of this head; "" if there is. */
  get missing() {
    if (!this.host.open.includes(this))
      return this.problem
        ? `Nothing of ${this.name.toUpperCase()} could be computed.`
        : `${this.name.toUpperCase()} is on its way …`;
    const { layer, head } = this.place;
    return (
      missingSentence(this.store, layer, head) ||
      (this.store.has(layer, head) ? "" : "The matrices of this layer are on their way …")
    );
  }

  /** The frame of the budget, or null while it is a preview. */
  get frame() {
    return this.store.frames.get(this.k) ?? null;
  }
  /** The frame of the nearest computed budget: statistics of all heads come from a real pass only. */
  get nearest() {
    return this.frame ?? this.store.frames.get(this.store.nearest(this.k));
  }

  #at() {
    const { view, tokens } = this.host.view;
    const { layer, head } = this.place;
    return [layer, head, view, tokens];
  }
  matrix() {
    const { layer, head } = this.place;
    return this.missing ? null : this.store.matrix(this.k, layer, head);
  }
  economy(k = this.k) {
    return this.missing ? null : this.store.economy(k, ...this.#at());
  }
  statistics() {
    return this.missing ? null : this.store.statistics(this.k, ...this.#at());
  }

  /** What each token receives, or what the queries in `pinned` give it on average; NaN where nothing may be seen. */
  shares(pinned) {
    const { layer, head } = this.place;
    const { store } = this;
    if (this.missing) return new Float32Array(store?.n ?? 0).fill(NaN);
    if (!pinned.length) return store.perToken(this.k, layer, head, null);
    const rows = pinned.map((query) => store.perToken(this.k, layer, head, query));
    return rows.length === 1
      ? rows[0]
      : rows[0].map((_, i) => rows.reduce((total, row) => total + row[i], 0) / rows.length);
  }

  /** A statistic of all heads, row-major, of the budget or the nearest one computed. */
  ofHeads(name) {
    const { view, tokens } = this.host.view;
    return name === "moved" ? this.nearest.arrays.moved : this.store.statistic(this.nearest, view, tokens, name);
  }
}
