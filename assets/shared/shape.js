// A text in a model: its tokens, and the grid of the model's heads. No DOM.

/** @import { Opening, Place } from "./types.js" */
/** @import { Sizes } from "./sizes.js" */

export class Shape {
  /**
   * The same text in all sizes, where the model has several.
   * @type {Sizes | null}
   */
  sizes = null;
  /** Whether all of it has come. */
  progress = { isDone: false };

  /** @param {Opening} open */
  constructor(open) {
    this.open = open;
    this.n = open.tokens.length;
    this.nLayers = open.heads.length;
    this.nHeads = Math.max(...open.heads);
    this.removed = new Set((open.removed ?? []).map(([layer, head]) => layer * this.nHeads + head));
    this.content = open.special.map((isSpecial) => !isSpecial);
  }

  /**
   * Has come as far as another one has, and comes on with it.
   * @param {Shape} other
   */
  goOnWith(other) {
    this.progress = other.progress;
  }

  /** Which size of the model it is: a share of the MACs, 1 for all of it. */
  get size() {
    return this.open.size ?? 1;
  }

  /** Whether what a budget leaves can be masked from full attention; recordings that do not say so show top-k. */
  get isMasked() {
    return this.open.ranks_by_weight ?? this.open.policy === "top-k";
  }

  /** The policy's name in a legend. */
  get policyLabel() {
    return this.open.policy_label ?? this.open.policy;
  }

  /**
   * Whether a head was removed from the model: it keeps its place, and there is nothing to wait for.
   * @param {number} layer
   * @param {number} head
   */
  isRemoved(layer, head) {
    return this.removed.has(layer * this.nHeads + head);
  }

  /**
   * A head to begin with: the one asked for, unless nobody asked and it was removed.
   * @param {Place} asked
   * @returns {Place}
   */
  firstHead({ layer, head }) {
    if (layer || head || !this.isRemoved(layer, head)) return { layer, head };
    for (let at = 0; at < this.nLayers * this.nHeads; at++)
      if (!this.removed.has(at)) return { layer: Math.floor(at / this.nHeads), head: at % this.nHeads };
    return { layer, head };
  }
}
