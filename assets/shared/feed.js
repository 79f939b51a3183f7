// One text's attention as it comes: streams into a Store, another layer's matrices on demand, and an exact pass for the
// budget under a resting pointer. Lanes keep newer requests from older ones. A page has one feed, or one a checkpoint.

import { Store } from "./store.js";
import { stream } from "./wire.js";

/** @import { Message, Place, Source, TextRequest } from "./types.js" */

/**
 * The page that a feed belongs to.
 * @typedef Host
 * @property {string} token The page's secret.
 * @property {(feed: Feed) => Place & { k: number }} look What is wanted of it now.
 * @property {(feed: Feed) => void} opened A new text's first frame is there.
 * @property {() => void} draw Something changed.
 * @property {() => void} drawSoon The same, at most once a frame.
 * @property {() => void} badge What is on its way changed.
 * @property {(feed: Feed, sentence: string, fits?: string) => void} fail A request came to nothing; the last picture
 *   stays. What of a text that is too long could be read, or "".
 */

/**
 * "main" is for texts and layers, "rest" for the one budget under a resting pointer.
 * @typedef {"main" | "rest"} Lane
 */

/**
 * @typedef Listening
 * @property {Lane} lane
 * @property {(store: Store) => void} [adopt] Gets the store once its first frame is there.
 * @property {(message: Message) => void} [each] Gets every later message.
 */

const REST_MS = 140; // the pointer has come to rest: worth an exact pass for a budget that is not on the grid
const BATCHED_TOKENS = 64; // a text up to here gets every budget anyway
const OUT_OF_REACH = "The server can't be reached. Is compecon still running? The last picture stays.";
const ONE_LAYER = "This recorded example has one layer only. Enter your own text to see the others.";

export class Feed {
  /** @type {TextRequest | null} */
  spec = null;
  /** @type {Store | null} */
  store = null;
  /** @type {string | null} */
  shownId = null;
  /** @type {Record<Lane, AbortController | null>} */
  lanes = { main: null, rest: null };
  /** Texts that the server reads before this one. */
  ahead = 0;
  #resting = 0;

  /** @param {Host} host */
  constructor(host, name = "") {
    this.host = host;
    this.client = Math.random().toString(36).slice(2, 12) + name; // the server drops this page's older requests alone
  }

  /** Whether what is shown belongs to an earlier request. */
  get isStale() {
    const { lanes, shownId, spec, store } = this;
    const { layer, head } = this.host.look(this);
    return Boolean((lanes.main && shownId !== spec?.id) || (store && !store.has(layer, head)));
  }

  /**
   * Gets a text's attention.
   * @param {TextRequest} spec
   * @param {Source | null} [source] A recording or a sweep.
   */
  load(spec, source = spec.source) {
    this.spec = spec;
    if (!source) return;
    const { k, layer, head } = this.host.look(this);
    const body = source.body && { ...source.body, layer, head, ...(k > 0 && { first: k }) };
    /** @param {Store} store */
    const adopt = (store) => {
      this.store = store;
      this.shownId = spec.id;
      this.host.opened(this);
    };
    this.#fetch({ url: source.url, body }, { lane: "main", adopt });
  }

  /**
   * Asks for one stream. A newer request ends the older one of its lane.
   * @param {Source} source
   * @param {Listening} listening
   */
  async #fetch(source, { lane, adopt = () => {}, each = () => this.host.drawSoon() }) {
    this.lanes[lane]?.abort();
    if (lane === "main") this.lanes.rest?.abort();
    const abort = new AbortController();
    this.lanes[lane] = abort;
    this.host.badge();
    /** @type {Store | null} */
    let store = null;
    try {
      await stream(await this.#ask(source, lane, abort.signal), (message) => {
        if (abort.signal.aborted) return;
        if (message.kind === "error") throw Object.assign(new Error(message.error), { fits: message.fits });
        this.#queue(message.kind === "waiting" ? message.ahead : 0);
        if (message.kind === "open") store = new Store(message, source.body ? "exact" : "recorded");
        if (message.kind === "open" || !store) return;
        store.add(message);
        if (message.kind === "frame" && store.frames.size === 1) adopt(store);
        else each(message);
      });
    } catch (error) {
      if (!abort.signal.aborted) this.host.fail(this, sentenceOf(error), fitsOf(error));
    } finally {
      if (this.lanes[lane] === abort) {
        this.lanes[lane] = null;
        this.ahead = 0;
        this.host.badge();
        if (lane === "main") this.restLater();
      }
    }
  }

  /** @param {number} ahead */
  #queue(ahead) {
    if (this.ahead === ahead) return;
    this.ahead = ahead;
    this.host.badge();
  }

  /**
   * @param {Source} source
   * @param {Lane} lane
   * @param {AbortSignal} signal
   */
  async #ask({ url, body }, lane, signal) {
    const headers = { "X-Compecon-Token": this.host.token };
    const options = body && {
      method: "POST",
      body: JSON.stringify({ ...body, client: `${this.client}-${lane}` }),
      headers: { ...headers, "Content-Type": "application/json" },
    };
    const response = await fetch(url, { ...(options ?? { headers }), signal });
    if (response.ok) return response;
    const { error } = await response.json().catch(() => ({}));
    throw new Error(error ?? `The server answered ${response.status}. Is compecon still running?`);
  }

  /** A budget between the grid's of a long text is a preview while dragging; at rest it gets its own forward pass. */
  restLater() {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#rest(), REST_MS);
  }

  #rest() {
    const { store, spec } = this;
    if (!store || !spec?.live || this.shownId !== spec.id || (this.lanes.main && store.n <= BATCHED_TOKENS)) return;
    const { k, layer, head } = this.host.look(this);
    if (store.isExact(k)) return;
    const { url, body } = spec.live;
    /** @param {Message} message */
    const merge = (message) => {
      if (message.kind !== "frame" || this.store !== store) return;
      store.frames.set(message.k, { ...message, live: true });
      store.forget();
      this.host.draw();
    };
    this.#fetch({ url, body: { ...body, layer, head, budgets: [k] } }, { lane: "rest", each: merge });
  }

  /** Another layer or head of a long text, whose matrices were not sent. */
  fetchScope() {
    const { spec, store } = this;
    if (!store || !spec || this.shownId !== spec.id) return; // another text is on its way
    if (!spec.live) return this.host.fail(this, ONE_LAYER);
    const { k, layer, head } = this.host.look(this);
    const { url, body } = spec.live;
    /** @param {Store} fresh */
    const adopt = (fresh) => {
      if (this.store !== store) return;
      store.replaceScope(fresh);
      this.host.draw();
    };
    this.#fetch({ url, body: { ...body, layer, head, first: k } }, { lane: "main", adopt });
  }

  stop() {
    this.lanes.main?.abort();
    this.lanes.rest?.abort();
    clearTimeout(this.#resting);
  }
}

/**
 * Why a request came to nothing.
 * @param {unknown} error
 */
function sentenceOf(error) {
  if (error instanceof TypeError) return OUT_OF_REACH;
  return error instanceof Error ? error.message : String(error);
}

/** @param {unknown} error */
const fitsOf = (error) => (error instanceof Error && "fits" in error && String(error.fits ?? "")) || "";
