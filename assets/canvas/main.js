// The live canvas. Owns the view (budget, layer, head, ...), asks the server for exact attention, redraws on every pointer
// move without the server, and tells Streamlit only when something is let go, so that the address bar keeps the view.

import { Feed } from "../shared/feed.js";
import { palette } from "../shared/scales.js";
import { stops } from "../shared/store.js";
import { Controls } from "./controls.js";
import { Figures } from "./figures.js";

class Canvas {
  constructor(root) {
    this.root = root;
    this.view = {};
    this.feed = new Feed(this);
    this.figures = new Figures(this);
    this.controls = new Controls(this);
    this.resize = new ResizeObserver(() => {
      this.figures.measure();
      this.draw();
    });
    this.resize.observe(root.querySelector(".cc"));
  }

  $(selector) {
    return this.root.querySelector(selector);
  }
  get store() {
    return this.feed.store;
  }
  get token() {
    return this.spec.token;
  }
  look() {
    return this.view;
  }
  badge() {
    this.controls.badge();
  }
  fail(_feed, sentence) {
    this.say(sentence);
  }

  /** Called by Streamlit at first and whenever the request, the view or the theme changes. */
  update(spec, send) {
    this.send = send;
    const changed = spec.id !== this.spec?.id;
    const again = this.spec && spec.view_revision === this.spec.view_revision;
    const healed = this.spec?.error && !spec.error;
    this.spec = spec;
    if (!again) this.view = { ...spec.view, pinned: null };
    this.colours = palette(this.$(".cc"));
    if (!changed && (spec.error || healed)) this.say(spec.error ?? null);
    if (changed) this.load();
    else this.draw();
  }

  load() {
    this.say(this.spec.error ?? null, true);
    if (this.spec.source) this.feed.load(this.spec);
  }

  /** A new text's first frame: build what depends on its shape. */
  opened() {
    const { store, view } = this;
    this.stops = stops(store.n, store.open.grid);
    view.layer = Math.min(view.layer ?? 0, store.nLayers - 1);
    view.head = Math.min(view.head ?? 0, store.open.heads[view.layer] - 1);
    Object.assign(view, store.firstHead(view));
    if (!store.has(view.layer, view.head)) {
      view.layer = store.open.sent.layers[0];
      view.head = store.open.sent.heads[0];
    }
    view.pinned = null;
    view.k = Math.max(
      1,
      Math.min(
        store.n,
        view.k || store.open.grid.reduce((a, b) => (Math.abs(b - store.n / 4) < Math.abs(a - store.n / 4) ? b : a)),
      ),
    );
    this.controls.opened();
    this.figures.opened();
    this.figures.measure();
    this.draw();
  }

  /** Redraws at most once a frame while messages pour in. */
  drawSoon() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = null;
      this.draw();
    });
  }

  /** Every change of the view ends here. `done` marks a choice that is over (released), worth telling the server. */
  set(change, done = true) {
    Object.assign(this.view, change);
    const { store, view } = this;
    if (!store) return;
    if (!store.has(view.layer, view.head)) this.feed.fetchScope();
    else this.draw();
    if (done) this.tell();
    this.feed.restLater();
  }

  tell() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      const { k, layer, head, view, tokens, unit, statistic, tiles } = this.view;
      this.send?.("view", { k, layer, head, view, tokens, unit, statistic, tiles });
    }, 120);
  }

  draw() {
    if (!this.store?.full) return;
    if (!this.store.has(this.view.layer, this.view.head)) return void this.controls.badge(); // on its way: the last picture stays
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
    this.feed.stop();
    this.resize.disconnect();
    clearTimeout(this.telling);
    cancelAnimationFrame(this.pending);
  }
}

const mounted = new WeakMap();

/** Entry point, called by the component's stub on every change from Streamlit. */
export function mount({ data, parentElement, setStateValue }) {
  let canvas = mounted.get(parentElement);
  if (!canvas) mounted.set(parentElement, (canvas = new Canvas(parentElement)));
  canvas.update(data, setStateValue);
  return () => {
    canvas.dispose();
    mounted.delete(parentElement);
  };
}
