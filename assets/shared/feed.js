// One text's attention as it comes: streams into a Store, another layer's matrices on demand, and an exact pass for the
// budget under a resting pointer. Lanes keep newer requests from older ones. A page has one feed, or one a checkpoint.
//
// Its host says where it looks and is told what came:
//   token                the page's secret
//   look(feed)           { k, layer, head } wanted of it now
//   opened(feed)         a new text's first frame is there
//   draw(), drawSoon()   something changed; at most once a frame
//   badge()              what is on its way changed
//   fail(feed, sentence) a request came to nothing; the last picture stays

import { Store } from "./store.js";
import { stream } from "./wire.js";

const REST_MS = 140; // the pointer has come to rest: worth an exact pass for a budget that is not on the grid
const BATCHED_TOKENS = 64; // a text up to here gets every budget anyway

export class Feed {
  constructor(host, name = "") {
    this.host = host;
    this.client = Math.random().toString(36).slice(2, 12) + name; // the server drops this page's older requests, nobody else's
    this.spec = null;
    this.store = null;
    this.shownId = null;
    this.lanes = { main: null, rest: null };
  }

  /** Whether what is shown belongs to an earlier request. */
  get isStale() {
    const { lanes, shownId, spec, store } = this;
    return Boolean((lanes.main && shownId !== spec?.id) || (store && !store.has(...this.#place())));
  }

  #place() {
    const { layer, head } = this.host.look(this);
    return [layer, head];
  }

  /** Gets a text's attention: `spec` has an id, a source (a recording or a sweep), and a live sweep for everything else. */
  load(spec, source = spec.source) {
    this.spec = spec;
    const { k, layer, head } = this.host.look(this);
    const body = source.body && { ...source.body, layer, head, ...(k > 0 && { first: k }) };
    return this.#fetch(
      { url: source.url, body },
      {
        adopt: (store) => {
          this.store = store;
          this.shownId = spec.id;
          this.host.opened(this);
        },
      },
    );
  }

  /**
   * Asks for one stream. `adopt` gets the store once its first frame is there (until then the last picture stays),
   * `each` every later message. A newer request ends the older one of its lane: "main" for texts and layers, "rest" for
   * the one budget under a resting pointer.
   */
  async #fetch({ url, body }, { adopt = () => {}, each = () => this.host.drawSoon(), lane = "main" }) {
    this.lanes[lane]?.abort();
    if (lane === "main") this.lanes.rest?.abort();
    const abort = (this.lanes[lane] = new AbortController());
    let store = null;
    this.host.badge();
    try {
      const headers = { "X-Compecon-Token": this.host.token };
      const options = body
        ? {
            method: "POST",
            body: JSON.stringify({ ...body, client: `${this.client}-${lane}` }),
            headers: { ...headers, "Content-Type": "application/json" },
          }
        : { headers };
      const response = await fetch(url, { ...options, signal: abort.signal });
      if (!response.ok)
        throw new Error(
          (await response.json().catch(() => ({}))).error ??
            `The server answered ${response.status}. Is compecon still running?`,
        );
      await stream(response, (message) => {
        if (abort.signal.aborted) return;
        if (message.kind === "error") throw new Error(message.error);
        if (message.kind === "open") {
          store = new Store(message, body ? "exact" : "recorded");
          return;
        }
        store.add(message);
        if (message.kind === "frame" && store.frames.size === 1) adopt(store);
        else each(store, message);
      });
    } catch (error) {
      if (error.name !== "AbortError")
        this.host.fail(
          this,
          error instanceof TypeError
            ? "The server can't be reached. Is compecon still running? The last picture stays."
            : error.message,
        );
    } finally {
      if (this.lanes[lane] === abort) {
        this.lanes[lane] = null;
        this.host.badge();
        if (lane === "main") this.restLater();
      }
    }
  }

  /** A budget between the grid's of a long text is a preview while dragging; at rest it gets its own forward pass. */
  restLater() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      const { store, spec } = this;
      if (!store || !spec.live || this.shownId !== spec.id || (this.lanes.main && store.n <= BATCHED_TOKENS)) return;
      const { k, layer, head } = this.host.look(this);
      if (store.isExact(k)) return;
      const { url, body } = spec.live;
      const merge = (_fresh, message) => {
        if (message.kind === "frame" && this.store === store) {
          store.frames.set(message.k, { ...message, live: true });
          store.forget();
          this.host.draw();
        }
      };
      this.host.badge();
      this.#fetch({ url, body: { ...body, layer, head, budgets: [k] } }, { each: merge, lane: "rest" });
    }, REST_MS);
  }

  /** Another layer or head of a long text, whose matrices were not sent. */
  fetchScope() {
    const { spec, store } = this;
    if (this.shownId !== spec.id) return; // another text is on its way
    if (!spec.live)
      return this.host.fail(
        this,
        "This recorded example holds one layer only. Type a text of your own to see the others.",
      );
    const { k, layer, head } = this.host.look(this);
    const { url, body } = spec.live;
    const adopt = (fresh) => {
      if (this.store === store) {
        store.replaceScope(fresh);
        this.host.draw();
      }
    };
    return this.#fetch({ url, body: { ...body, layer, head, first: k } }, { adopt });
  }

  stop() {
    this.lanes.main?.abort();
    this.lanes.rest?.abort();
    clearTimeout(this.resting);
  }
}
