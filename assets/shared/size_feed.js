// The size of an elastic checkpoint that a feed shows. It asks for that size first, then for the others, so that moving
// from one to the next draws what is there already; and at last for how long each takes. No DOM.

import { nearestTo } from "./budget.js";
import { Sizes } from "./sizes.js";

/** @import { Source, TextRequest } from "./types.js" */
/** @import { Lane } from "./feed_types.js" */
/** @import { Feed } from "./feed.js" */
/** @import { Store } from "./store.js" */

const LONG_TOKENS = 128; // from here on, what was worked out of a size that is left is worth its room no more

export class SizeFeed {
  /** The size to show: a share of the MACs; 1 for the whole, and for a checkpoint that has no other. */
  wanted = 1;
  /** Of the last request in the main lane. */
  asked = 1;

  /** @param {Feed} feed */
  constructor(feed) {
    this.feed = feed;
  }

  /** The sizes of the text that is shown; null where its checkpoint has one. */
  get all() {
    return this.feed.store?.sizes ?? null;
  }

  /** Whether another size is shown than is wanted. */
  get isOther() {
    return Boolean(this.all) && this.feed.store?.size !== this.wanted;
  }

  /** Whether the wanted size, or the wanted head at it, has to be asked for. */
  get isMissing() {
    const { feed, all } = this;
    const { layer, head } = feed.host.look(feed);
    return this.isOther || Boolean(all && !all.failed.has(this.wanted) && !feed.store?.has(layer, head));
  }

  /**
   * Another checkpoint is wanted whole, whatever size of the last one was shown, and so is one that has no other.
   * @param {TextRequest} spec
   */
  follow(spec) {
    const before = this.feed.spec;
    const isOther = before && checkpointOf(before) !== checkpointOf(spec);
    if ((spec.elastic !== false && !isOther) || this.wanted === 1) return;
    this.wanted = 1;
    this.feed.host.tell();
  }

  /**
   * A text's first store is there.
   * @param {Store} store
   */
  opened(store) {
    const sizes = Sizes.of(store);
    const asked = this.wanted;
    this.wanted = sizes ? nearestTo(sizes.stops, Math.log(asked), Math.log) : 1;
    if (this.wanted !== asked) this.feed.host.tell();
  }

  /** What a request says of the size; nothing where the whole is wanted, as of a checkpoint that has one size. */
  get part() {
    return this.wanted < 1 ? { size: this.wanted } : {};
  }

  /**
   * A request of the main lane begins. Returns the lanes that it ends.
   * @param {Source} source
   * @returns {Lane[]}
   */
  begun({ body }) {
    this.asked = Number(body?.size ?? 1);
    return ["rest", "sizes", "time"];
  }

  /**
   * A text came to nothing; where that may be for its size, it is asked for in the whole.
   * @param {Source} asked
   * @param {() => void} again
   */
  refused({ body }, again) {
    if (!body?.size || this.all) return;
    this.wanted = 1;
    this.feed.host.tell();
    again();
  }

  /**
   * A pointer moves the size: what is there of it is shown, else the last picture stays until it comes.
   * @param {number} size
   */
  move(size) {
    const { feed, all } = this;
    const before = feed.store;
    this.wanted = size;
    const store = all?.get(size);
    if (store && store !== before) {
      feed.store = store;
      if (before && before.n > LONG_TOKENS) before.forget();
    }
    feed.restLater();
  }

  /** The pointer rests on a size that is not there: now it is worth asking for. */
  fetchWanted() {
    const { feed, all, wanted } = this;
    const source = this.#sourceOf(wanted);
    if (!all || !source || (feed.lanes.main && this.asked === wanted)) return;
    all.makeRoomFor(wanted);
    /** @param {Store} store */
    const adopt = (store) => {
      all.put(store);
      if (this.wanted === wanted) feed.store = store;
      feed.host.draw();
    };
    const failed = () => {
      all.failed.add(wanted);
      if (this.wanted === wanted) this.wanted = feed.store?.size ?? 1; // the last picture stays
      feed.host.draw();
    };
    feed.request(source, { lane: "main", adopt, failed });
  }

  /** Asks for the nearest size that is missing, while nothing else is on its way. */
  more() {
    const { feed, all } = this;
    const { lanes, spec, shownId } = feed;
    if (!all || lanes.main || lanes.next || lanes.sizes || shownId !== spec?.id) return;
    const { layer, head } = feed.host.look(feed);
    const size = all.next(this.wanted, layer, head);
    const source = size === undefined ? null : this.#sourceOf(size);
    if (size === undefined || !source) return feed.restLater();
    /** @param {Store} store */
    const adopt = (store) => {
      const isShown = feed.store?.size === size || this.wanted === size;
      all.put(store);
      if (isShown) feed.store = store;
      feed.host.drawSoon();
    };
    feed.request(source, { lane: "sizes", adopt, failed: () => all.failed.add(size) });
  }

  /** Asks how long passes take, once nothing else is left to ask: on a machine at rest they are measured best. */
  time() {
    const { feed, all } = this;
    const { lanes, spec } = feed;
    const live = spec?.live;
    if (!all || all.isTimed || !live?.body || Object.values(lanes).some(Boolean)) return;
    const { checkpoint, device, text, pair } = live.body;
    const source = { url: live.url.replace(/[^/]*$/, "latency"), body: { checkpoint, device, text, pair } };
    feed.request(source, {
      lane: "time",
      ended: () => {
        all.isTimed = true; // once: whatever came of it
      },
      each: (message) => {
        if (message.kind === "latency") all.latencies.set(message.size, message);
        feed.host.drawSoon();
      },
    });
  }

  /**
   * @param {number} size
   * @returns {Source | null}
   */
  #sourceOf(size) {
    const { feed } = this;
    const recorded = feed.spec?.recorded?.[size];
    if (recorded) return { url: recorded, body: null };
    const live = feed.spec?.live;
    if (!live) return null;
    const { k, layer, head } = feed.host.look(feed);
    return { url: live.url, body: { ...live.body, layer, head, first: k, size } };
  }
}

/** @param {TextRequest} spec */
const checkpointOf = ({ live, source }) => (live ?? source)?.body?.checkpoint;
