// One text's attention as it comes: streams into a Store, another layer's matrices on demand, and an exact pass for the
// budget under a resting pointer. Lanes keep newer requests from older ones. A page has one feed, or one a checkpoint.

import { EarlyText } from "./early_text.js";
import { ask, failed, fitsOf, sentenceOf, wasLost } from "./request.js";
import { SizeFeed } from "./size_feed.js";
import { Store } from "./store.js";
import { stream } from "./wire.js";

/** @import { FeedHost, Message, Source, TextRequest } from "./types.js" */
/** @import { Lane, Listening } from "./feed_types.js" */

const REST_MS = 140; // the pointer has come to rest: worth an exact pass for a budget that is not on the grid
const BATCHED_TOKENS = 64; // a text up to here gets every budget anyway
const ONE_LAYER = "This recorded example has one layer only. Enter your own text to see the others.";

export class Feed {
  /** @type {TextRequest | null} */
  spec = null;
  /** @type {Store | null} */
  store = null;
  /** @type {string | null} */
  shownId = null;
  /** @type {Record<Lane, AbortController | null>} */
  lanes = { main: null, rest: null, next: null, sizes: null, time: null };
  /** Texts that the server reads before this one. */
  ahead = 0;
  /** What is shown before the server has asked for it. */
  early = new EarlyText(this);
  /** Which size of the model is shown, where it has several. */
  sized = new SizeFeed(this);
  #resting = 0;
  /** @type {{ of: string, source: Source, listening: Listening } | null} */
  #prepared = null;
  /** @param {FeedHost} host */
  constructor(host, name = "") {
    this.host = host;
    this.client = Math.random().toString(36).slice(2, 12) + name; // the server drops this page's older requests alone
  }

  /** Whether what is shown belongs to an earlier request. */
  get isStale() {
    const { lanes, shownId, spec, store, sized } = this;
    const { layer, head } = this.host.look(this);
    return Boolean((lanes.main && shownId !== spec?.id) || (store && !store.has(layer, head)) || sized.isOther);
  }

  /**
   * Gets a text's attention.
   * @param {TextRequest} spec
   * @param {Source | null} [source] A recording or a sweep.
   */
  load(spec, source = spec.source) {
    this.sized.follow(spec);
    this.spec = spec;
    if (!source) return;
    const asked = this.#placed(source);
    /** @param {Store} store */
    const adopt = (store) => {
      this.store = store;
      this.sized.opened(store);
      this.shownId = this.spec?.id ?? null; // as it is called by now
      this.host.opened(this);
    };
    const failed = () => this.sized.refused(asked, () => this.load(spec, source));
    if (!this.#claim(asked, adopt)) this.request(asked, { lane: "main", adopt, failed });
  }

  /**
   * Asks for a text that may be wanted next: if it is, what has come is there at once.
   * @param {Source} source
   */
  prepare(source) {
    this.drop();
    this.#end("sizes", "time");
    const asked = this.#placed(source);
    /** @type {Listening} */
    const listening = { lane: "next", held: [] };
    this.#prepared = { of: named(asked), source: asked, listening };
    this.request(asked, listening);
  }

  /** Another text will be wanted than the one that was prepared. */
  drop() {
    this.#prepared = null;
    this.#end("next");
  }

  /** @param {Lane[]} lanes */
  #end(...lanes) {
    for (const lane of lanes) this.lanes[lane]?.abort();
  }

  /**
   * What is asked for, at the budget, head and size of now.
   * @param {Source} source
   * @returns {Source}
   */
  #placed({ url, body }) {
    const { k, layer, head } = this.host.look(this);
    return { url, body: body && { ...body, layer, head, ...(k > 0 && { first: k }), ...this.sized.part } };
  }

  /**
   * Goes on with what was prepared, if that is what is wanted.
   * @param {Source} asked
   * @param {(store: Store) => void} adopt
   */
  #claim(asked, adopt) {
    const prepared = this.#prepared;
    if (prepared?.of !== named(asked)) this.drop();
    if (!prepared || !this.#prepared) return false;
    const { source, listening } = prepared;
    const { lanes } = this;
    const held = listening.held ?? [];
    this.#end("main", ...this.sized.begun(source));
    [lanes.main, lanes.next, this.#prepared] = [lanes.next, null, null];
    Object.assign(listening, { lane: "main", adopt, held: null });
    for (const message of held) this.#take(message, source, listening);
    this.host.badge();
    if (!lanes.main) this.restLater();
    return true;
  }

  /**
   * Asks for one stream. A newer request ends the older one of its lane.
   * @param {Source} source
   * @param {Listening} listening
   * @returns {Promise<void>}
   */
  async request(source, listening) {
    const { lanes } = this;
    this.#end(listening.lane);
    if (listening.lane === "main") this.#end(...this.sized.begun(source));
    const abort = new AbortController();
    lanes[listening.lane] = abort;
    this.host.badge();
    try {
      const client = `${this.client}-${listening.lane}`;
      await stream(await ask(source, client, this.host.token, abort.signal), (message) => {
        if (abort.signal.aborted) return;
        if (message.kind === "error") throw failed(message);
        if (listening.held) listening.held.push(message);
        else this.#take(message, source, listening);
      });
    } catch (error) {
      if (abort.signal.aborted) return;
      if (listening.held) return this.drop(); // if it is wanted, it is asked for again, and says then why it fails
      if (wasLost(error) && !listening.isSecond)
        return this.request(source, { ...listening, store: undefined, isSecond: true });
      if (listening.lane !== "sizes" && listening.lane !== "time") this.#fail(error);
      listening.failed?.();
    } finally {
      const { lane } = listening; // of now: what was prepared may have been wanted meanwhile
      if (lanes[lane] === abort) {
        lanes[lane] = null;
        listening.ended?.();
        if (lane === "main") this.ahead = 0;
        this.host.badge();
        if (lane === "main") this.restLater();
        this.sized.more();
      }
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    if (this.early.isOn) this.early.fail(error);
    else this.host.fail(this, sentenceOf(error), fitsOf(error));
  }

  /**
   * @param {Message} message
   * @param {Source} source
   * @param {Listening} listening
   */
  #take(message, source, listening) {
    const { lane } = listening;
    if (lane === "main") this.ahead = message.kind === "waiting" ? message.ahead : 0;
    if (this.ahead) this.host.badge();
    if (lane === "time") return listening.each?.(message);
    if (message.kind === "open") listening.store = new Store(message, source.body ? "exact" : "recorded");
    const { store, adopt, each } = listening;
    if (message.kind === "open" || !store) return;
    store.add(message);
    if (message.kind === "frame" && store.frames.size === 1) adopt?.(store);
    else if (each) each(message);
    else if (lane !== "sizes" || store === this.store || message.kind === "done") this.host.drawSoon();
  }

  /** A budget between the grid's of a long text is a preview while dragging; at rest it gets its own forward pass. */
  restLater() {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#rest(), REST_MS);
  }

  #rest() {
    const { store, spec } = this;
    if (!store || !spec?.live || this.shownId !== spec.id) return;
    if (this.sized.isMissing) return this.sized.fetchWanted();
    const { k, layer, head } = this.host.look(this);
    if (store.isExact(k)) return this.sized.time();
    if (this.lanes.main && store.n <= BATCHED_TOKENS) return;
    const { url, body } = spec.live;
    /** @param {Message} message */
    const merge = (message) => {
      if (message.kind !== "frame" || this.store !== store) return;
      store.frames.set(message.k, { ...message, live: true });
      store.forget();
      this.host.draw();
    };
    const wanted = { ...body, layer, head, budgets: [k], ...this.sized.part };
    this.request({ url, body: wanted }, { lane: "rest", each: merge });
  }

  /** Another layer or head of a long text, whose matrices were not sent. */
  fetchScope() {
    const { spec, store } = this;
    if (!store || !spec || this.shownId !== spec.id || this.sized.isOther) return; // another one is on its way
    if (!spec.live) return this.host.fail(this, ONE_LAYER);
    const { k, layer, head } = this.host.look(this);
    const { url, body } = spec.live;
    /** @param {Store} fresh */
    const adopt = (fresh) => {
      if (this.store !== store) return;
      store.replaceScope(fresh);
      this.host.draw();
    };
    this.request({ url, body: { ...body, layer, head, first: k, ...this.sized.part } }, { lane: "main", adopt });
  }

  stop() {
    this.#end("main", "rest", "sizes", "time");
    this.drop();
    clearTimeout(this.#resting);
  }
}

/**
 * What a request is for, whichever budget is to come first.
 * @param {Source} source
 */
const named = ({ url, body }) => JSON.stringify([url, { ...body, first: 0 }]);
