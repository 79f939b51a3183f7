// Puts two texts together: their tokens, the stops of the bar, a head to begin with, and what is missing of either.

import { stops } from "../shared/budget.js";
import { align } from "./align.js";
import { hasHead } from "./heads.js";

/** @import { Store } from "../shared/store.js" */
/** @import { Alignment, PictureName } from "./align.js" */
/** @import { Owner } from "./main.js" */
/** @import { OpenSide } from "./side.js" */
/** @import { CompareView } from "./types.js" */

const LIVE =
  "The tokenizers differ, and the recording does not say where tokens are in the text. " +
  "A live pass, which does, is being computed.";

export class Pairing {
  /** @type {Alignment | null} */
  alignment = null;
  /** @type {number[]} */
  stops = [];
  /**
   * What was put together last.
   * @type {[string, Store][]}
   */
  #paired = [];
  /**
   * The heads that were asked for last, by side.
   * @type {Map<string, string>}
   */
  #fetching = new Map();

  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
  }

  /** Puts together what is there; false if that is what it was. */
  refresh() {
    const { open } = this.owner;
    /** @type {[string, Store][]} */
    const shown = open.map(({ name, store }) => [name, store]);
    if (!open.length || isSame(shown, this.#paired)) return false;
    this.#paired = shown;
    this.stops = [...new Set(open.flatMap(({ store }) => stops(store.n, store.open.grid)))].sort((a, b) => a - b);
    const [a, b] = open.map(({ store }) => store.open);
    const { text, pair } = open[0].feed.spec?.live?.body ?? {};
    this.alignment = b ? align(a, b, [String(text), String(pair)]) : null;
    if (this.alignment) this.#complete(this.alignment);
    this.fetchMissing();
    return true;
  }

  /**
   * Asks for what a recording does not say, and chooses a head where nobody did.
   * @param {Alignment} alignment
   */
  #complete(alignment) {
    const { owner } = this;
    for (const name of alignment.needs) {
      const { feed } = owner[name];
      if (feed.store?.provenance !== "recorded" || !feed.spec?.live) continue;
      alignment.why = LIVE; // a recording does not say where tokens stand; a live sweep does
      feed.load(feed.spec, feed.spec.live);
    }
    if (!alignment.needs.length && owner.view.layer === null && owner.view.head === null) this.#chooseHead();
  }

  /**
   * Nobody asked for a head: of those that both have, the one whose attention differs most at full budget, which comes
   * first. At another budget it would depend on how much has come.
   */
  #chooseHead() {
    const { view, open, rows, columns, figures } = this.owner;
    const { k } = view;
    view.k = 0;
    let most = -1;
    let first = { layer: 0, head: 0 };
    for (let layer = 0; layer < rows; layer++)
      for (let head = 0; head < columns; head++) {
        Object.assign(view, { layer, head });
        if (!open.every((side) => hasHead(side.store, side.place.layer, head) && !side.missing)) continue;
        const distance = figures.units.distance();
        if (distance > most) [most, first] = [distance, { layer, head }];
      }
    Object.assign(view, first, { k });
  }

  /** Another layer of a long text, whose matrices were not sent: asked for once, however often the view changes. */
  fetchMissing() {
    for (const side of this.owner.open) this.#fetch(side);
  }

  /** @param {OpenSide} side */
  #fetch({ name, place: { layer, head }, store, feed }) {
    const place = `${layer},${head}`;
    if (head >= store.open.heads[layer] || store.has(layer, head)) return;
    if (feed.lanes.main && this.#fetching.get(name) === place) return;
    this.#fetching.set(name, place);
    feed.fetchScope();
  }
}

/**
 * @param {[string, Store][]} one
 * @param {[string, Store][]} other
 */
const isSame = (one, other) =>
  one.length === other.length && one.every(([name, store], i) => other[i][0] === name && isText(other[i][1], store));

/**
 * Whether two stores are of one text: the same one, or two sizes of it.
 * @param {Store} one
 * @param {Store} other
 */
const isText = (one, other) => one === other || Boolean(one.sizes && one.sizes === other.sizes);

/** @type {Record<PictureName, PictureName>} */
const OPPOSITE = { a: "b", b: "a", d: "d" };

/**
 * What is pinned, once A has become B.
 * @param {CompareView["pinned"]} pinned
 */
export const exchanged = (pinned) => pinned && { ...pinned, side: OPPOSITE[pinned.side] };
