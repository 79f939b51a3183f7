// A and B in one place, in turn.

/** @import { SideName } from "./align.js" */
/** @import { Owner } from "./main.js" */

const BLINK_MS = 500; // two changes a second at most: quicker flicker can harm
export const CALM = matchMedia("(prefers-reduced-motion: reduce)");

export class Blink {
  /**
   * The side that stands in A's place, while one does.
   * @type {SideName | null}
   */
  shown = null;
  #timer = 0;

  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
    owner.box.addEventListener("keydown", (event) => this.#key(event));
  }

  /** B stands in A's place and goes again, twice a second; with less motion wanted, once for each press. */
  toggle() {
    if (CALM.matches ? this.shown === "b" : this.shown) return this.stop();
    this.#turn();
    if (!CALM.matches) this.#timer = setInterval(() => this.#turn(), BLINK_MS);
  }

  #turn() {
    this.shown = this.shown === "b" ? "a" : "b";
    this.owner.draw();
  }

  stop() {
    this.dispose();
    this.shown = null;
    this.owner.draw();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const isTyped = event.target instanceof HTMLSelectElement;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyped) return;
    if (event.key.toLowerCase() === "b") {
      event.preventDefault();
      if (this.owner.both) this.toggle();
    }
    if (event.key === "Escape" && this.shown) this.stop();
  }

  dispose() {
    clearInterval(this.#timer);
  }
}
