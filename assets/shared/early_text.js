// A text that a feed shows before the server has asked for it: what was shown before, and what the server says of it.
// No DOM.

import { fitsOf, sentenceOf } from "./request.js";

/** @import { Source, TextRequest } from "./types.js" */
/** @import { Feed } from "./feed.js" */
/** @import { Store } from "./store.js" */

/**
 * What a feed showed, and whether all of it had come.
 * @typedef {{ spec: TextRequest, store: Store | null, shownId: string | null, isWhole: boolean }} Shown
 */

/** @param {TextRequest} spec */
const nameOf = ({ live }) => JSON.stringify(live);

/**
 * Whether two requests are for the same, wherever that comes from.
 * @param {TextRequest | null} one
 * @param {TextRequest | null} other
 */
export const areSame = (one, other) =>
  one === other || Boolean(one && other && (one.id === other.id || nameOf(one) === nameOf(other)));

export class EarlyText {
  /**
   * What was shown before; null while what is shown is what the server has asked for.
   * @type {Shown | null}
   */
  #before = null;
  /** Texts that were entered and are wanted no more: the server will still ask for each. */
  #passed = new Set();
  #heard = "";
  /** @type {unknown} */
  #failure = null;

  /** @param {Feed} feed */
  constructor(feed) {
    this.feed = feed;
  }

  get isOn() {
    return this.#before !== null && this.feed.spec !== this.#before.spec; // back to it, it is the server's own
  }

  /**
   * Shows a text.
   * @param {Source} live
   * @param {number} nEntered How many texts the server knew of when it spoke last.
   */
  show(live, nEntered) {
    const { feed } = this;
    const { spec, store, shownId, lanes } = feed;
    if (!spec) return;
    this.#failure = null;
    if (this.#before) this.#passed.add(nameOf(spec));
    else {
      this.#before = { spec, store, shownId, isWhole: shownId === spec.id && !lanes.main };
      this.#passed.clear();
      this.#isNews(spec, nEntered);
    }
    const title = String(live.body?.text).slice(0, 40);
    const wanted = { id: JSON.stringify(live), title, source: live, live };
    if (!areSame(wanted, this.#before.spec)) return feed.load(wanted);
    this.#goBack(this.#before);
    feed.host.badge();
  }

  /**
   * Shows what the server asks for, unless it is shown or on its way already.
   * @param {TextRequest} spec
   * @param {number} nEntered How many texts the server knows of.
   */
  follow(spec, nEntered) {
    const { feed } = this;
    const before = this.#before;
    if (before && areSame(spec, feed.spec)) return this.#agree(spec);
    if (spec.id === feed.spec?.id) return;
    if (before && (!this.#isNews(spec, nEntered) || this.#passed.delete(nameOf(spec)))) return; // it has yet to hear
    this.#before = null;
    if (before && areSame(spec, before.spec)) this.#goBack(before);
    else feed.load(spec);
  }

  /**
   * Whether the server has not said this before.
   * @param {TextRequest} spec
   * @param {number} nEntered
   */
  #isNews({ id }, nEntered) {
    const said = `${nEntered} ${id}`;
    const isNews = this.#heard !== said;
    this.#heard = said;
    return isNews;
  }

  /**
   * The server asks for what is shown.
   * @param {TextRequest} spec
   */
  #agree(spec) {
    const { feed } = this;
    const isOther = feed.spec?.id !== spec.id;
    this.#before = null;
    if (feed.shownId === feed.spec?.id) feed.shownId = spec.id;
    feed.spec = spec;
    feed.host.badge();
    if (isOther && spec.source?.body === null) return feed.load(spec); // it was recorded
    if (this.#failure) feed.host.fail(feed, sentenceOf(this.#failure), fitsOf(this.#failure));
  }

  /** @param {Shown} before */
  #goBack({ spec, store, shownId, isWhole }) {
    const { feed } = this;
    Object.assign(feed, { spec, store, shownId });
    if (store) feed.host.opened(feed);
    if (isWhole) feed.stop();
    else feed.load(spec);
  }

  /**
   * The text came to nothing. The server may have another reason than the models: it speaks first.
   * @param {unknown} error
   */
  fail(error) {
    this.#failure = error;
  }
}
