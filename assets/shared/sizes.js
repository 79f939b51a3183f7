// One text in the sizes of an elastic checkpoint: what has come of each, and how long a pass of it takes. No DOM.

/** @import { Latency, SizeOffer } from "./size_types.js" */
/** @import { Store } from "./store.js" */

export class Sizes {
  /**
   * What the stores of all sizes may hold together. Once the next one would not fit, no more are asked for ahead; one
   * that is asked for by hand takes the place of those furthest from it.
   */
  static mostBytes = 192e6;
  /** @type {Map<number, Store>} */
  #stores = new Map();
  /** Those that came to nothing: asked for again by hand alone. */
  failed = new Set();
  /** @type {Map<number, Latency>} */
  latencies = new Map();
  /** Whether all was measured that is to be. */
  isTimed = false;

  /** @param {SizeOffer[]} offers From the largest to the smallest. */
  constructor(offers) {
    this.offers = offers.toSorted((one, other) => one.size - other.size);
    /** Where the bar stops, ascending. */
    this.stops = this.offers.map(({ size }) => size);
  }

  /**
   * What a text's first store is one of; null where its checkpoint has one size.
   * @param {Store} store
   */
  static of(store) {
    const { sizes } = store.open;
    if (!sizes?.length) return null;
    const all = new Sizes(sizes);
    all.put(store);
    return all;
  }

  /** The largest: all units. */
  get whole() {
    return this.offers[this.offers.length - 1];
  }

  /** @param {number} size */
  offer(size) {
    return this.offers.find((one) => one.size === size) ?? this.whole;
  }

  /** @param {Store} store */
  put(store) {
    store.sizes = this;
    this.failed.delete(store.size);
    this.#stores.set(store.size, store);
  }

  /**
   * What has come of a size, once it can be shown.
   * @param {number} size
   */
  get(size) {
    const store = this.#stores.get(size);
    return store?.isOpen ? store : null;
  }

  /** Those that can be shown, ascending. */
  get shown() {
    return this.stops.flatMap((size) => this.get(size) ?? []);
  }

  /**
   * Whether all has come of a size, the matrices of a head among it.
   * @param {number} size
   * @param {number} layer
   * @param {number} head
   */
  isWhole(size, layer, head) {
    const store = this.#stores.get(size);
    return Boolean(store?.progress.isDone && store.has(layer, head));
  }

  /**
   * The size to ask for next: of those that have not come, the nearest on the bar. Undefined if there is none, or no
   * room for it.
   * @param {number} from
   * @param {number} layer
   * @param {number} head
   */
  next(from, layer, head) {
    const missing = this.stops.filter((size) => !this.failed.has(size) && !this.isWhole(size, layer, head));
    return this.#byDistance(from, missing).find((size) => this.#isRoomFor(size));
  }

  /**
   * Drops what is furthest from a size until that has room.
   * @param {number} size
   */
  makeRoomFor(size) {
    const others = [...this.#stores.keys()].filter((one) => one !== size);
    for (const far of this.#byDistance(size, others).toReversed()) {
      if (this.#isRoomFor(size)) return;
      this.#stores.delete(far);
    }
  }

  /**
   * Whether a size, taken to be as large as the largest so far, fits beside the others.
   * @param {number} size
   */
  #isRoomFor(size) {
    const [most] = [...this.#stores.values()].map(bytesOf).toSorted((a, b) => b - a);
    let held = most ?? 0;
    for (const [one, store] of this.#stores) if (one !== size) held += bytesOf(store);
    return held <= Sizes.mostBytes;
  }

  /**
   * Sizes by how many stops they are from one, the nearest first.
   * @param {number} from
   * @param {number[]} sizes
   */
  #byDistance(from, sizes) {
    const at = this.stops.indexOf(from);
    /** @param {number} size */
    const steps = (size) => Math.abs(this.stops.indexOf(size) - at);
    return sizes.toSorted((one, other) => steps(one) - steps(other));
  }
}

/**
 * What a text's frames take in memory.
 * @param {Store} store
 */
function bytesOf({ frames }) {
  const [frame] = frames.values();
  if (!frame) return 0;
  return frames.size * (frame.arrays.weights.byteLength + frame.arrays.statistics.byteLength);
}
