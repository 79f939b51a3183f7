// A compute bar for each side whose checkpoint is elastic. Where both are, one may move the other along.

import { nearestTo } from "../shared/budget.js";
import { ComputeBar } from "../shared/compute_bar.js";
import { make, press } from "../shared/dom.js";

/** @import { Owner } from "./main.js" */
/** @import { Side } from "./side.js" */

export class ComputeBars {
  #together = make("button", "together", "Move both");
  #areTogether = false;

  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
    const box = make("div", "computes");
    this.bars = owner.sides.map((side) => {
      const place = make("div", "place"); // A's bar stands before B's, whichever comes first
      const on = { move: (/** @type {number} */ size) => this.#move(side, size), tell: () => owner.tell() };
      box.append(place);
      return { side, bar: new ComputeBar(place, on, `Compute of ${side.letter}`) };
    });
    const button = this.#together;
    button.type = "button";
    button.title = "Moving the compute of one side moves that of the other to its nearest size";
    press(button, false);
    button.addEventListener("click", () => {
      this.#areTogether = !this.#areTogether;
      press(button, this.#areTogether);
    });
    owner.$(".bar").append(box);
    this.box = box;
  }

  /** The sizes that are wanted, as addresses have them. */
  get sizes() {
    const [size_a, size_b] = this.owner.sides.map(({ feed }) => feed.sized.wanted);
    return { size_a, size_b };
  }

  /** @param {{ size_a?: number, size_b?: number }} sizes */
  take({ size_a = 1, size_b = 1 }) {
    this.owner.a.feed.sized.wanted = size_a;
    this.owner.b.feed.sized.wanted = size_b;
  }

  /**
   * Takes over the order of the sides and their sizes, as they were chosen on the first page.
   * @param {Owner} before
   */
  follow(before) {
    const { owner } = this;
    if (before.spec?.a?.id !== owner.spec?.a?.id) owner.swap();
    const { size_a, size_b } = before.controls.compute.sizes;
    const { sizes } = this;
    if (sizes.size_a === size_a && sizes.size_b === size_b) return;
    owner.a.feed.sized.move(size_a);
    owner.b.feed.sized.move(size_b);
    owner.draw();
    owner.tell();
  }

  opened() {
    for (const { side, bar } of this.bars) bar.opened(side.isShown ? side.store : null);
    const isForBoth = this.owner.sides.every((side) => side.isShown && side.store?.sizes);
    if (isForBoth) this.box.append(this.#together);
    else this.#together.remove();
  }

  measure() {
    for (const { bar } of this.bars) bar.measure();
  }

  draw() {
    const { colours } = this.owner;
    for (const { side, bar } of this.bars) bar.draw(side.feed, { k: side.k, ...side.place }, colours);
  }

  /**
   * @param {Side} moved
   * @param {number} size
   */
  #move(moved, size) {
    const { owner } = this;
    moved.feed.sized.move(size);
    for (const { feed } of owner.sides) {
      const { all } = feed.sized;
      if (this.#areTogether && feed !== moved.feed && all)
        feed.sized.move(nearestTo(all.stops, Math.log(size), Math.log));
    }
    owner.draw(true);
  }
}
