// Tokens of one side as tokens of the other: attention of both on the pieces of text that they have in common.

import { minus, onUnits, sharesOnUnits } from "./align.js";

/** @import { Alignment, PictureName, SideName } from "./align.js" */
/** @import { Owner } from "./main.js" */

/** @typedef {Record<SideName, Float32Array>} OfBoth */

export class CommonUnits {
  /**
   * Attention that each token receives, or gets from what is pinned.
   * @type {OfBoth}
   */
  shares = { a: new Float32Array(0), b: new Float32Array(0) };
  /**
   * The same on common units, where there are any.
   * @type {OfBoth | null}
   */
  common = null;
  /**
   * Matrices on common units, where there are any and both have one.
   * @type {OfBoth | null}
   */
  matrices = null;

  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
  }

  /** Works out what the two sides have in common at the budget, head and pin of now. */
  measure() {
    const { a, b, alignment } = this.owner;
    this.shares = { a: a.shares(this.pinnedIn("a")), b: b.shares(this.pinnedIn("b")) };
    this.common = alignment?.units.length ? this.#commonShares(alignment) : null;
    this.matrices = this.#commonMatrices();
  }

  /** @param {Alignment} alignment */
  #commonShares({ kind, units }) {
    if (kind === "same") return this.shares;
    /** @param {SideName} side */
    const on = (side) =>
      sharesOnUnits(
        this.shares[side],
        units.map((unit) => unit[side]),
      );
    return { a: on("a"), b: on("b") };
  }

  #commonMatrices() {
    const { a, b, alignment } = this.owner;
    const [ofA, ofB] = [a.matrix(), b.matrix()];
    if (!alignment?.units.length || !ofA || !ofB || !a.store || !b.store) return null;
    if (alignment.kind === "same") return { a: ofA, b: ofB };
    const [unitsA, unitsB] = [alignment.units.map((unit) => unit.a), alignment.units.map((unit) => unit.b)];
    return { a: onUnits(ofA, a.store.n, unitsA), b: onUnits(ofB, b.store.n, unitsB) };
  }

  /** Sum of |A − B| over the matrices of the head that is chosen now; 0 where they cannot be compared. */
  distance() {
    const matrices = this.#commonMatrices();
    if (!matrices) return 0;
    return minus(matrices.a, matrices.b).reduce((total, d) => total + (Number.isNaN(d) ? 0 : Math.abs(d)), 0);
  }

  /**
   * The tokens (units for "d") of a picture that a token of another one stands for.
   * @param {PictureName} from
   * @param {number} token
   * @param {PictureName} to
   */
  group(from, token, to) {
    const { alignment } = this.owner;
    if (from === to) return [token];
    if (!alignment) return [];
    const unit = from === "d" ? token : alignment.unitOf[from][token];
    if (unit === undefined || unit < 0) return [];
    return to === "d" ? [unit] : alignment.units[unit][to];
  }

  /** @param {PictureName} name */
  pinnedIn(name) {
    const { pinned } = this.owner.view;
    return pinned ? this.group(pinned.side, pinned.token, name) : [];
  }

  /**
   * Tokens of a side, or the texts of the units.
   * @param {PictureName} name
   */
  tokens(name) {
    const { owner } = this;
    if (name === "d") return owner.alignment?.units.map((unit) => unit.label) ?? [];
    return owner[name].store?.open.tokens ?? [];
  }
}
