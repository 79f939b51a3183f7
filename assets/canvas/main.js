// The live canvas. Owns the view (budget, layer, head, ...), asks the server for exact attention, redraws on every
// pointer move without the server, and tells Streamlit only when something is let go, so that the address bar keeps the
// view.

import { succeed } from "../front/succession.js";
import { firstBudget, stops } from "../shared/budget.js";
import { Feed } from "../shared/feed.js";
import { LiveCanvas, mounting } from "../shared/live_canvas.js";
import { NextText } from "../shared/next_text.js";
import { palette } from "../shared/scales.js";
import { Controls } from "./controls.js";
import { Figures } from "./figures.js";

/** @import { HeadView, Send, SharedView, TextRequest } from "../shared/types.js" */

/**
 * @typedef {SharedView & {
 *   layer: number, head: number, tiles: "numbers" | "pictures", pinned: number | null, size: number,
 * }} AttentionView
 */

/**
 * @typedef {TextRequest & {
 *   python: string, token: string, view: AttentionView, error: string | null, n_entered: number,
 * }} AttentionRequest
 */

export class Attention extends LiveCanvas {
  /** @type {AttentionView} */
  view = {
    k: 0,
    layer: 0,
    head: 0,
    view: "row",
    tokens: "all",
    unit: "nats",
    statistic: "gini",
    tiles: "numbers",
    pinned: null,
    size: 1,
  };
  /** @type {AttentionRequest | null} */
  spec = null;
  /** @type {number[]} */
  stops = [];
  /** @type {Send} */
  trigger = () => {};
  feed = new Feed(this);
  feeds = [this.feed];
  next = new NextText(this);

  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    super(root, ".cc");
    this.colours = palette(this.box);
    this.offer = this.$(".fits");
    this.figures = new Figures(this);
    this.controls = new Controls(this);
  }

  // ---- what a feed asks of its host

  get token() {
    return this.spec?.token ?? "";
  }

  look() {
    return this.view;
  }

  badge() {
    this.controls.badge();
    this.controls.python.disabled = !this.spec?.python || this.feed.early.isOn;
  }

  /**
   * @param {Feed} feed
   * @param {string} sentence
   * @param {string} [fits]
   */
  fail({ shownId, spec }, sentence, fits) {
    if (shownId !== spec?.id) this.#refuse(sentence, fits);
    else this.warn(sentence, fits); // of a size, a layer or a budget
  }

  /**
   * @param {string} sentence
   * @param {string} [fits]
   */
  #refuse(sentence, fits) {
    this.showOlder(this.store);
    this.warn(sentence, fits);
  }

  /** What has come of the text that is shown, once it can be shown. */
  get store() {
    const { store } = this.feed;
    return store?.isOpen ? store : null;
  }

  /** @returns {HeadView} */
  get head() {
    const { layer, head, view, tokens } = this.view;
    return [layer, head, view, tokens];
  }

  /**
   * Called by Streamlit at first and whenever the request, the view or the theme changes.
   * @param {AttentionRequest} spec
   * @param {Send} send
   * @param {Send} [trigger]
   */
  update(spec, send, trigger = () => {}) {
    Object.assign(this, { send, trigger });
    const before = this.spec;
    this.spec = spec;
    if (!before) {
      this.view = { ...spec.view, pinned: null };
      this.feed.sized.wanted = spec.view.size ?? 1;
    }
    this.colours = palette(this.box);
    const isOther = spec.id !== before?.id;
    if (spec.error) this.#refuse(spec.error);
    else if (isOther || before.error) this.warn(null);
    if (!isOther && !spec.error) this.showOlder();
    if (spec.source) this.feed.early.follow(spec, spec.n_entered);
    this.badge();
    if (!isOther) this.draw();
  }

  entered() {
    this.warn(null);
    this.controls.python.disabled = true; // the script for it comes from the server
  }

  /** A new text's first frame: build what depends on its shape. */
  opened() {
    const { store, view } = this;
    if (!store) return;
    this.showOlder();
    this.stops = stops(store.n, store.open.grid);
    const last = { k: store.n, layer: store.nLayers - 1 };
    this.placeAsked(view, { ...last, head: store.open.heads[Math.min(view.layer, last.layer)] - 1 });
    view.layer = Math.min(view.layer, store.nLayers - 1);
    view.head = Math.min(view.head, store.open.heads[view.layer] - 1);
    Object.assign(view, store.firstHead(view));
    if (!store.has(view.layer, view.head)) {
      view.layer = store.open.sent.layers[0];
      view.head = store.open.sent.heads[0];
    }
    view.pinned = null;
    view.k = Math.max(1, Math.min(store.n, view.k || firstBudget(store)));
    this.controls.opened(store);
    this.figures.opened(store);
    this.resized();
  }

  measure() {
    this.controls.measure();
    this.figures.measure();
  }

  /**
   * Every change of the view ends here.
   * @param {Partial<AttentionView>} change
   * @param {boolean} [isDone] Whether a choice is over (released), worth telling the server.
   */
  set(change, isDone = true) {
    Object.assign(this.view, change);
    if (change.size) this.feed.sized.move(change.size);
    const { store, view } = this;
    if (!store) return;
    if (!store.has(view.layer, view.head)) this.feed.fetchScope();
    else this.draw();
    if (isDone) this.tell();
    this.feed.restLater();
  }

  /**
   * A pointer moves the budget.
   * @param {number} k
   */
  move(k) {
    this.view.k = k;
    this.draw(true);
    this.feed.restLater();
  }

  /**
   * A pointer moves the size of an elastic checkpoint.
   * @param {number} size
   */
  moveSize(size) {
    this.view.size = size;
    this.feed.sized.move(size);
    this.draw(true);
  }

  tell() {
    this.tellSoon(() => ({ ...this.view, pinned: null, size: this.feed.sized.wanted }));
  }

  draw(isMoving = false) {
    const { store, view } = this;
    if (!store) return;
    if (!store.has(view.layer, view.head)) return this.controls.wait(); // on its way: the last picture stays
    this.controls.draw(store);
    this.figures.draw(store);
    this.sayAfter(isMoving);
    this.box.dataset.k = String(view.k);
    this.drawn();
  }

  say() {
    const { store } = this;
    if (!store) return;
    this.controls.say(store);
    this.figures.say(store);
  }

  /** The first page's canvas, if there is one, has done its work. */
  drawn() {
    succeed(this);
  }

  /**
   * @param {string | null} sentence
   * @param {string} [fits] What of a text that is too long could be read instead.
   */
  warn(sentence, fits = "") {
    super.warn(sentence);
    this.offer.hidden = !fits;
    this.offer.onclick = () => this.trigger("beginning", fits);
    this.controls.badge();
  }

  dispose() {
    super.dispose();
    this.next.dispose();
    this.feed.stop();
  }
}

/** @typedef {Attention} Owner */

export { Attention as Canvas };

export const mount = mounting(Attention);
