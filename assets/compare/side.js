// One of the two: its stream, and what it has at the page's budget and head.

import { Feed } from "../shared/feed.js";
import { layerAt } from "./align.js";
import { missingSentence } from "./words.js";

/** @import { AtlasName, HeadView, Place, TextRequest } from "../shared/types.js" */
/** @import { Store } from "../shared/store.js" */
/** @import { SideName } from "./align.js" */
/** @import { Owner } from "./main.js" */

/**
 * A side that has something to show.
 * @typedef {Side & { store: Store }} OpenSide
 */

export class Side {
  /** @type {TextRequest | null} */
  spec = null;
  /** Why nothing came; "" if nothing went wrong. */
  problem = "";

  /**
   * @param {Owner} host
   * @param {SideName} name
   */
  constructor(host, name) {
    this.host = host;
    this.name = name;
    this.feed = new Feed(host, `-${name}`);
  }

  /**
   * Shows what the server asks for.
   * @param {TextRequest | null} spec
   * @param {number} nEntered How many texts the server knows of.
   */
  want(spec, nEntered) {
    this.spec = spec;
    if (!spec) return;
    if (this.feed.spec?.id !== spec.id) this.problem = "";
    this.feed.early.follow(spec, nEntered);
  }

  get letter() {
    return this.name.toUpperCase();
  }

  /** What has come, once it can be shown. */
  get store() {
    const { store } = this.feed;
    return store?.isOpen ? store : null;
  }

  /** Whether it is part of what the page shows now. */
  get isShown() {
    return this.host.open.some((side) => side === this);
  }

  get k() {
    const { k } = this.host.view;
    return this.store ? Math.min(k || this.store.n, this.store.n) : k;
  }

  /**
   * Layer and head of the page's selection in this model: layers go by depth, heads by number.
   * @returns {Place}
   */
  get place() {
    const { view, rows, columns } = this.host;
    const row = Math.min(view.layer ?? 0, rows - 1);
    const head = Math.min(view.head ?? 0, columns - 1);
    return { layer: this.store && this.isShown ? layerAt(row, rows, this.store.nLayers) : (view.layer ?? 0), head };
  }

  /** Why there is nothing to show of this head; "" if there is. */
  get missing() {
    const { store, letter } = this;
    if (!store || !this.isShown) return this.problem ? `${letter} could not be computed.` : `Loading ${letter} …`;
    const { layer, head } = this.place;
    const isHere = store.has(layer, head);
    return missingSentence(store, layer, head) || (isHere ? "" : "Loading the matrices of this layer …");
  }

  /** The frame of the budget, or null while it is a preview. */
  get frame() {
    return this.store?.frames.get(this.k) ?? null;
  }

  /** @returns {HeadView} */
  get #head() {
    const { view, tokens } = this.host.view;
    const { layer, head } = this.place;
    return [layer, head, view, tokens];
  }

  matrix() {
    const { layer, head } = this.place;
    return this.missing || !this.store ? null : this.store.matrix(this.k, layer, head);
  }

  economy(k = this.k) {
    return this.missing || !this.store ? null : this.store.economy(k, ...this.#head);
  }

  statistics() {
    return this.missing || !this.store ? null : this.store.statistics(this.k, ...this.#head);
  }

  /**
   * What each token receives, or what the queries in `pinned` give it on average; NaN where nothing may be seen.
   * @param {number[]} pinned
   * @returns {Float32Array}
   */
  shares(pinned) {
    const { store, k } = this;
    const { layer, head } = this.place;
    if (this.missing || !store) return new Float32Array(store?.n ?? 0).fill(NaN);
    if (!pinned.length) return store.perToken(k, layer, head, null);
    const rows = pinned.map((query) => store.perToken(k, layer, head, query));
    if (rows.length === 1) return rows[0];
    return rows[0].map((_, i) => rows.reduce((total, row) => total + row[i], 0) / rows.length);
  }

  /**
   * A statistic of all heads, row-major, of the budget or the nearest one computed.
   * @param {AtlasName} name
   * @returns {Float32Array}
   */
  ofHeads(name) {
    const { store } = this;
    if (!store) return new Float32Array(0);
    const { view, tokens } = this.host.view;
    return store.statistic(store.nearestFrame(this.k), view, tokens, name);
  }
}
