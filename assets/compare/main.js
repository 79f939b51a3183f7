// The Compare page's canvas: two feeds, one view. It holds what both sides look at, redraws on every pointer move without
// the server, and tells Streamlit only when something is let go. Differences are A − B everywhere.

import { palette } from "../shared/scales.js";
import { stops } from "../shared/store.js";
import { align } from "./align.js";
import { Controls } from "./controls.js";
import { Figures } from "./figures.js";
import { hasHead } from "./heads.js";
import { Side } from "./side.js";

const BLINK_MS = 500; // two changes a second at most: quicker flicker can harm

class Compare {
  constructor(root) {
    this.root = root;
    this.view = {};
    this.a = new Side(this, "a");
    this.b = new Side(this, "b");
    this.alignment = null;
    this.blinking = null; // the side that stands in A's place, while it does
    this.figures = new Figures(this);
    this.controls = new Controls(this);
    this.resize = new ResizeObserver(() => {
      this.figures.measure();
      this.draw();
    });
    this.resize.observe(root.querySelector(".cc"));
    root.querySelector(".cc").addEventListener("keydown", (event) => this.#key(event));
  }

  $(selector) {
    return this.root.querySelector(selector);
  }
  get sides() {
    return [this.a, this.b];
  }
  /** The sides that show the text that is asked for; as long as neither does, those that show the one before. */
  get open() {
    const shown = this.sides.filter((side) => side.store?.full);
    const current = shown.filter(({ feed }) => feed.shownId === feed.spec?.id);
    return current.length ? current : shown;
  }
  get both() {
    return this.open.length === 2;
  }
  /** Rows of the shared grid of heads: layers of the deeper model. */
  get rows() {
    return Math.max(1, ...this.open.map((side) => side.store.nLayers));
  }
  get columns() {
    return Math.max(1, ...this.open.map((side) => side.store.nHeads));
  }
  /** The budget in force: what was asked for, which may be more than what is there so far has tokens. */
  get k() {
    return Math.max(1, Math.min(this.n, this.view.k || 1));
  }
  get n() {
    return Math.max(1, ...this.open.map((side) => side.store.n));
  }

  // ---- what a feed asks of its host
  get token() {
    return this.spec.token;
  }
  look(feed) {
    const side = this.#of(feed);
    return { k: side.store ? side.k : this.view.k, ...side.place };
  }
  badge() {
    this.controls.badges();
  }
  fail(feed, sentence) {
    this.#of(feed).problem = sentence;
    this.controls.problems();
    this.draw();
  }
  #of(feed) {
    return this.sides.find((side) => side.feed === feed);
  }

  /** Called by Streamlit at first and whenever the pair, the view or the theme changes. */
  update(spec, send, trigger) {
    Object.assign(this, { send, trigger });
    const first = !this.spec;
    this.spec = spec;
    if (first) this.view = { ...spec.view, pinned: null };
    this.colours = palette(this.$(".cc"));
    this.$(".cc").classList.toggle("dark", this.colours.dark);
    for (const name of ["a", "b"]) this.$(".cc").style.setProperty(`--${name}`, this.colours[name]);
    this.say(spec.error ?? null);
    if (spec.a && this.a.feed.spec?.id !== spec.a.id && this.b.feed.spec?.id === spec.a.id) this.#exchange();
    for (const side of this.sides) {
      const wanted = spec[side.name];
      side.spec = wanted;
      if (wanted && side.feed.spec?.id !== wanted.id) {
        side.problem = "";
        side.feed.load(wanted);
      }
    }
    this.pair();
    this.draw();
  }

  /** A text's first frame on one side: build what depends on its shape. */
  opened(feed) {
    const side = this.#of(feed);
    const { view } = this;
    side.problem = "";
    view.pinned = null;
    if (!(view.k > 0))
      view.k = side.store.open.grid.reduce((a, b) =>
        Math.abs(b - side.store.n / 4) < Math.abs(a - side.store.n / 4) ? b : a,
      );
    this.pair();
    this.draw();
  }

  /** Puts the two together once both are there: tokens, depths, the bar, a head to begin with. */
  pair() {
    const { open, view } = this;
    const shown = open.map(({ name, store }) => [name, store]);
    if (
      !open.length ||
      (this.paired?.length === shown.length &&
        shown.every(([name, store], i) => this.paired[i][0] === name && this.paired[i][1] === store))
    )
      return;
    this.paired = shown;
    this.stops = [...new Set(open.flatMap(({ store }) => stops(store.n, store.open.grid)))].sort((a, b) => a - b);
    this.alignment = this.both ? align(this.a.store.open, this.b.store.open, [this.spec.text, this.spec.pair]) : null;
    for (const name of this.alignment?.needs ?? []) {
      // a recording does not say where tokens stand; a live sweep does
      const { feed } = this[name];
      if (feed.store.provenance !== "recorded" || !feed.spec.live) continue;
      this.alignment.why =
        "The tokenizers differ, and the recording does not say where tokens stand in the text. A live pass, which does, is on its way.";
      feed.load(feed.spec, feed.spec.live);
    }
    if (this.both && !this.alignment.needs.length && (view.layer ?? view.head ?? null) === null) this.#firstHead();
    for (const side of open) this.#fetchMissing(side);
    this.controls.opened();
    this.figures.opened();
    this.figures.measure();
  }

  /** Nobody asked for a head: the one whose attention differs most of those that both have. */
  #firstHead() {
    const { view } = this;
    const candidates = [];
    for (let layer = 0; layer < this.rows; layer++)
      for (let head = 0; head < this.columns; head++) {
        Object.assign(view, { layer, head });
        if (this.sides.every((side) => hasHead(side.store, side.place.layer, head) && !side.missing))
          candidates.push({ layer, head, size: this.figures.distance() });
      }
    const { layer, head } = candidates.reduce((one, other) => (other.size > one.size ? other : one), {
      layer: 0,
      head: 0,
      size: -1,
    });
    Object.assign(view, { layer, head });
  }

  /** Another layer of a long text, whose matrices were not sent: asked for once, however often the view changes meanwhile. */
  #fetchMissing(side) {
    const { layer, head } = side.place;
    const place = `${layer},${head}`;
    if (
      head >= side.store.open.heads[layer] ||
      side.store.has(layer, head) ||
      (side.feed.lanes.main && side.fetching === place)
    )
      return;
    side.fetching = place;
    side.feed.fetchScope();
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
    for (const side of this.open) this.#fetchMissing(side);
    this.draw();
    if (done) this.tell();
    for (const side of this.open) side.feed.restLater();
  }

  tell() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      const { layer, head, view, tokens, unit, statistic } = this.view;
      const { k } = this;
      this.send?.("view", { k, layer, head, view, tokens, unit, statistic });
    }, 120);
  }

  draw() {
    if (!this.open.length || !this.stops) return this.controls.badges();
    const started = performance.now();
    this.controls.draw();
    this.figures.draw();
    this.drawMs = performance.now() - started;
    this.$(".cc").dataset.k = this.k;
    this.$(".cc").dataset.both = this.both;
  }

  // ---- swap and blink

  /** A becomes B at once; the server hears of it and writes the address. */
  swap() {
    if (!this.spec.a || !this.spec.b) return;
    this.spec = { ...this.spec, a: this.spec.b, b: this.spec.a };
    this.#exchange();
    this.pair();
    this.draw();
    this.trigger?.("swap", true);
  }

  #exchange() {
    const { a, b } = this;
    [a.feed, b.feed, a.problem, b.problem, a.spec, b.spec] = [b.feed, a.feed, b.problem, a.problem, b.spec, a.spec];
    const { pinned } = this.view;
    if (pinned) this.view.pinned = { ...pinned, side: { a: "b", b: "a", d: "d" }[pinned.side] };
  }

  /** B stands in A's place and goes again, twice a second; with less motion wanted, once for each press. */
  blink() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const other = () => {
      this.blinking = this.blinking === "b" ? "a" : "b";
      this.draw();
    };
    if (calm) {
      if (this.blinking === "b") this.stopBlinking();
      else other();
      return;
    }
    if (this.blinking) return this.stopBlinking();
    other();
    this.blinkTimer = setInterval(other, BLINK_MS);
  }

  stopBlinking() {
    clearInterval(this.blinkTimer);
    this.blinking = null;
    this.draw();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    if (event.key === "b" || event.key === "B") {
      event.preventDefault();
      if (this.both) this.blink();
    }
    if (event.key === "Escape" && this.blinking) this.stopBlinking();
  }

  /** Shows a sentence above the picture, or takes it away. */
  say(text) {
    const box = this.$(".alert");
    box.hidden = !text;
    if (text) box.firstElementChild.textContent = text;
  }

  dispose() {
    for (const side of this.sides) side.feed.stop();
    this.resize.disconnect();
    clearTimeout(this.telling);
    clearInterval(this.blinkTimer);
    cancelAnimationFrame(this.pending);
  }
}

const mounted = new WeakMap();

/** Entry point, called by the component's stub on every change from Streamlit. */
export function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  let canvas = mounted.get(parentElement);
  if (!canvas) mounted.set(parentElement, (canvas = new Compare(parentElement)));
  canvas.update(data, setStateValue, setTriggerValue);
  return () => {
    canvas.dispose();
    mounted.delete(parentElement);
  };
}
