// The Compare page's canvas: two feeds, one view. It redraws on every pointer move without the server, and tells
// Streamlit only when something is let go. Differences are A − B everywhere.

import { succeed } from "../front/succession.js";
import { firstBudget } from "../shared/budget.js";
import { areSame } from "../shared/early_text.js";
import { LiveCanvas, mounting } from "../shared/live_canvas.js";
import { NextText } from "../shared/next_text.js";
import { palette } from "../shared/scales.js";
import { Blink } from "./blink.js";
import { Controls } from "./controls.js";
import { Figures } from "./figures.js";
import { exchanged, Pairing } from "./pairing.js";
import { Side } from "./side.js";

/** @import { Placed, Send } from "../shared/types.js" */
/** @import { Feed } from "../shared/feed.js" */
/** @import { OpenSide } from "./side.js" */
/** @import { Both, CompareRequest, CompareView } from "./types.js" */

class Compare extends LiveCanvas {
  /** @type {CompareView} */
  view = { k: 0, layer: null, head: null, view: "row", tokens: "all", unit: "nats", statistic: "gini", pinned: null };
  /** @type {CompareRequest | null} */
  spec = null;
  /** @type {Send} */
  trigger = () => {};
  a = new Side(this, "a");
  b = new Side(this, "b");
  sides = [this.a, this.b];
  feeds = this.sides.map((side) => side.feed);
  pairing = new Pairing(this);
  next = new NextText(this, "compare_");

  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    super(root, ".cc");
    this.colours = palette(this.box);
    this.blink = new Blink(this);
    this.figures = new Figures(this);
    this.controls = new Controls(this);
  }

  get stops() {
    return this.pairing.stops;
  }

  get alignment() {
    return this.pairing.alignment;
  }

  /** The sides that show the text that is asked for; as long as neither does, those that show the one before. */
  get open() {
    const shown = /** @type {OpenSide[]} */ (this.sides.filter((side) => side.store));
    const current = shown.filter(({ feed }) => feed.shownId === feed.spec?.id);
    return current.length ? current : shown;
  }

  /** @returns {Both | null} */
  get both() {
    const [a, b] = this.open;
    return a && b && this.alignment ? { a, b, alignment: this.alignment } : null;
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
    return this.spec?.token ?? "";
  }

  /** @param {Feed} feed */
  look(feed) {
    const side = this.#of(feed);
    return { k: side.k, ...side.place };
  }

  badge() {
    this.controls.badges();
  }

  /**
   * @param {Feed} feed
   * @param {string} sentence
   */
  fail(feed, sentence) {
    this.#of(feed).problem = sentence;
    this.controls.problems();
    this.draw();
  }

  /** @param {Feed} feed */
  #of(feed) {
    return this.b.feed === feed ? this.b : this.a;
  }

  /**
   * Called by Streamlit at first and whenever the pair, the view or the theme changes.
   * @param {CompareRequest} spec
   * @param {Send} send
   * @param {Send} trigger
   */
  update(spec, send, trigger) {
    Object.assign(this, { send, trigger });
    if (!this.spec) this.view = { ...spec.view, pinned: null };
    if (!this.spec) this.controls.compute.take(spec.view);
    this.spec = spec;
    this.colours = palette(this.box);
    this.box.classList.toggle("dark", this.colours.dark);
    for (const { name } of this.sides) this.box.style.setProperty(`--${name}`, this.colours[name]);
    this.warn(spec.error || this.beyond);
    if (spec.a && !areSame(this.a.feed.spec, spec.a) && areSame(this.b.feed.spec, spec.a)) this.#exchange();
    for (const side of this.sides) side.want(spec[side.name], spec.n_entered);
    this.pair();
    this.draw();
  }

  entered() {
    this.warn(null);
    for (const side of this.sides) side.problem = "";
    this.controls.problems();
  }

  /**
   * A text's first frame on one side: build what depends on its shape.
   * @param {Feed} feed
   */
  opened(feed) {
    const side = this.#of(feed);
    side.problem = "";
    this.view.pinned = null;
    if (side.store && !(this.view.k > 0)) this.view.k = firstBudget(side.store);
    this.pair();
    this.draw();
  }

  /** Builds what depends on both texts, where they are others than before. */
  pair() {
    if (!this.pairing.refresh()) return;
    if (this.both) this.placeAsked(this.view, { k: this.n, layer: this.rows - 1, head: this.columns - 1 });
    for (const part of [this.controls, this.figures]) part.opened();
    this.measure();
  }

  measure() {
    this.controls.measure();
    this.figures.measure();
  }

  /**
   * Every change of the view ends here.
   * @param {Partial<CompareView>} change
   * @param {boolean} [isDone] Whether a choice is over (released), worth telling the server.
   */
  set(change, isDone = true) {
    Object.assign(this.view, change);
    this.pairing.fetchMissing();
    this.draw();
    if (isDone) this.tell();
    for (const side of this.open) side.feed.restLater();
  }

  /**
   * A pointer moves the budget.
   * @param {number} k
   */
  move(k) {
    this.view.k = k;
    this.draw(true);
    for (const side of this.open) side.feed.restLater();
  }

  tell() {
    const k = () => (this.open.length ? this.k : this.view.k);
    this.tellSoon(() => ({ ...this.view, k: k(), pinned: null, ...this.controls.compute.sizes }));
  }

  draw(isMoving = false) {
    if (!this.open.length || !this.stops.length) return this.controls.badges();
    this.controls.draw();
    this.figures.draw();
    this.sayAfter(isMoving);
    this.box.dataset.k = String(this.k);
    this.box.dataset.both = String(Boolean(this.both));
    if (this.both || this.sides.some((side) => side.problem)) this.drawn();
  }

  /** The first page's canvas, if there is one, has done its work. */
  drawn() {
    succeed(this);
  }

  /** @param {Placed} before */
  inherit(before) {
    if (before instanceof Compare) this.controls.compute.follow(before);
  }

  say() {
    if (!this.open.length) return;
    this.controls.say();
    this.figures.captions.draw();
  }

  /** A becomes B at once; the server hears of it and writes the address. */
  swap() {
    if (!this.spec?.a || !this.spec.b) return;
    this.spec = { ...this.spec, a: this.spec.b, b: this.spec.a };
    this.#exchange();
    this.pair();
    this.draw();
    this.trigger("swap", true);
    this.tell(); // sizes change sides too
  }

  #exchange() {
    const { a, b } = this;
    [a.feed, b.feed] = [b.feed, a.feed];
    [a.problem, b.problem] = [b.problem, a.problem];
    [a.spec, b.spec] = [b.spec, a.spec];
    this.view.pinned = exchanged(this.view.pinned);
  }

  dispose() {
    super.dispose();
    this.blink.dispose();
    this.next.dispose();
    for (const side of this.sides) side.feed.stop();
  }
}

/** @typedef {Compare} Owner */
export { Compare as Canvas };
export const mount = mounting(Compare);
