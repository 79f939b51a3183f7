// The live canvas. Owns the view (budget, layer, head, ...), asks the server for exact attention, redraws on every pointer
// move without the server, and tells Streamlit only when something is let go, so that the address bar keeps the view.

import { stream } from "./wire.js";
import { palette } from "./scales.js";
import { Store, stops } from "./store.js";
import { Figures } from "./figures.js";
import { Controls } from "./controls.js";

const REST_MS = 140;  // the pointer has come to rest: worth an exact pass for a budget that is not on the grid

class Canvas {
  constructor(root) {
    this.root = root;
    this.view = {};
    this.client = Math.random().toString(36).slice(2, 12);  // the server drops this page's older requests, nobody else's
    this.store = null;
    this.lanes = { main: null, rest: null };
    this.figures = new Figures(this);
    this.controls = new Controls(this);
    this.resize = new ResizeObserver(() => { this.figures.measure(); this.draw(); });
    this.resize.observe(root.querySelector(".cc"));
  }

  $(selector) { return this.root.querySelector(selector); }

  /** Called by Streamlit at first and whenever the request, the view or the theme changes. */
  update(spec, send) {
    this.send = send;
    const changed = spec.id !== this.spec?.id, again = this.spec && spec.view_revision === this.spec.view_revision;
    const healed = this.spec?.error && !spec.error;
    this.spec = spec;
    if (!again) this.view = { ...spec.view, pinned: null };
    this.colours = palette(this.$(".cc"));
    if (!changed && (spec.error || healed)) this.say(spec.error ?? null);
    if (changed) this.load();
    else this.draw();
  }

  async load() {
    const { source, id } = this.spec;
    this.say(this.spec.error ?? null, true);
    if (!source) return;
    const body = source.body && { ...source.body, layer: this.view.layer, head: this.view.head, ...(this.view.k > 0 && { first: this.view.k }) };
    await this.fetchInto({ url: source.url, body }, { adopt: (store) => { this.store = store; this.shownId = id; this.opened(); } });
  }

  /**
   * Asks for one stream. `adopt` gets the store once its first frame is there (until then the last picture stays),
   * `each` every later message. A newer request ends the older one of its lane: "main" for texts and layers, "rest" for
   * the one budget under a resting pointer.
   */
  async fetchInto({ url, body }, { adopt = () => {}, each = () => this.drawSoon(), lane = "main" }) {
    this.lanes[lane]?.abort();
    if (lane === "main") this.lanes.rest?.abort();
    const abort = (this.lanes[lane] = new AbortController());
    let store = null;
    this.controls.badge();
    try {
      const headers = { "X-Compecon-Token": this.spec.token };
      const options = body ? { method: "POST", body: JSON.stringify({ ...body, client: `${this.client}-${lane}` }), headers: { ...headers, "Content-Type": "application/json" } } : { headers };
      const response = await fetch(url, { ...options, signal: abort.signal });
      if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error ?? `The server answered ${response.status}. Is compecon still running?`);
      await stream(response, (message) => {
        if (abort.signal.aborted) return;
        if (message.kind === "error") throw new Error(message.error);
        if (message.kind === "open") { store = new Store(message, body ? "exact" : "recorded"); return; }
        store.add(message);
        if (message.kind === "frame" && store.frames.size === 1) adopt(store);
        else each(store, message);
      });
    } catch (error) {
      if (error.name !== "AbortError") this.say(error instanceof TypeError ? "The server can't be reached. Is compecon still running? The last picture stays." : error.message);
    } finally {
      if (this.lanes[lane] === abort) { this.lanes[lane] = null; this.controls.badge(); if (lane === "main") this.restLater(); }
    }
  }

  /** A new text's first frame: build what depends on its shape. */
  opened() {
    const { store, view } = this;
    this.stops = stops(store.n, store.open.grid);
    view.layer = Math.min(view.layer ?? 0, store.nLayers - 1);
    view.head = Math.min(view.head ?? 0, store.open.heads[view.layer] - 1);
    Object.assign(view, store.firstHead(view));
    if (!store.has(view.layer, view.head)) { view.layer = store.open.sent.layers[0]; view.head = store.open.sent.heads[0]; }
    view.pinned = null;
    view.k = Math.max(1, Math.min(store.n, view.k || store.open.grid.reduce((a, b) => (Math.abs(b - store.n / 4) < Math.abs(a - store.n / 4) ? b : a))));
    this.controls.opened();
    this.figures.opened();
    this.figures.measure();
    this.draw();
  }

  /** Redraws at most once a frame while messages pour in. */
  drawSoon() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => { this.pending = null; this.draw(); });
  }

  /** Every change of the view ends here. `done` marks a choice that is over (released), worth telling the server. */
  set(change, done = true) {
    Object.assign(this.view, change);
    const { store, view } = this;
    if (!store) return;
    if (!store.has(view.layer, view.head)) this.fetchScope();
    else this.draw();
    if (done) this.tell();
    this.restLater();
  }

  tell() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      const { k, layer, head, view, tokens, unit, statistic, tiles } = this.view;
      this.send?.("view", { k, layer, head, view, tokens, unit, statistic, tiles });
    }, 120);
  }

  /** A budget between the grid's of a long text is a preview while dragging; at rest it gets its own forward pass. */
  restLater() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      const { store, view, spec } = this;
      if (!store || store.isExact(view.k) || !spec.live || this.shownId !== spec.id || (this.lanes.main && store.n <= 64)) return;  // a short text gets them all
      const { url, body } = spec.live, merge = (_fresh, message) => {
        if (message.kind === "frame" && this.store === store) { store.frames.set(message.k, { ...message, live: true }); store.forget(); this.draw(); }
      };
      this.controls.badge();
      this.fetchInto({ url, body: { ...body, layer: view.layer, head: view.head, budgets: [view.k] } }, { each: merge, lane: "rest" });
    }, REST_MS);
  }

  /** Another layer or head of a long text, whose matrices were not sent. */
  fetchScope() {
    const { view, spec, store } = this;
    if (this.shownId !== spec.id) return;  // another text is on its way
    if (!spec.live) return this.say("This recorded example holds one layer only. Type a text of your own to see the others.");
    const { url, body } = spec.live, adopt = (fresh) => { if (this.store === store) { store.replaceScope(fresh); this.draw(); } };
    return this.fetchInto({ url, body: { ...body, layer: view.layer, head: view.head, first: view.k } }, { adopt });
  }

  draw() {
    if (!this.store?.full) return;
    if (!this.store.has(this.view.layer, this.view.head)) return void this.controls.badge();  // on its way: the last picture stays
    const started = performance.now();
    this.controls.draw();
    this.figures.draw();
    this.drawMs = performance.now() - started;
    this.$(".cc").dataset.k = this.view.k;
  }

  /** Shows a sentence above the picture, or takes it away. */
  say(text, quiet = false) {
    const box = this.$(".alert");
    box.hidden = !text;
    if (text) box.firstElementChild.textContent = text;
    if (text || !quiet) this.controls.badge();
  }

  dispose() {
    this.lanes.main?.abort();
    this.lanes.rest?.abort();
    this.resize.disconnect();
    clearTimeout(this.telling);
    clearTimeout(this.resting);
    cancelAnimationFrame(this.pending);
  }
}

const mounted = new WeakMap();

/** Entry point, called by the component's stub on every change from Streamlit. */
export function mount({ data, parentElement, setStateValue }) {
  let canvas = mounted.get(parentElement);
  if (!canvas) mounted.set(parentElement, (canvas = new Canvas(parentElement)));
  canvas.update(data, setStateValue);
  return () => { canvas.dispose(); mounted.delete(parentElement); };
}
