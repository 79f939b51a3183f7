// The bar of key budgets: it stops at what was measured, and its last stop is all keys.

import { find, write } from "../shared/dom.js";

/** @import { FrontierData } from "./types.js" */

export class Bar {
  /** @type {(number | null)[]} */
  #budgets = [];
  stop = 0;

  /**
   * @param {HTMLElement} element
   * @param {{ moved: (keys: number) => void, released: () => void }} on Keys are 0 for all of them.
   */
  constructor(element, on) {
    this.element = element;
    this.range = find(element, "#cf-keys", HTMLInputElement);
    this.budget = find(element, ".budget");
    this.mean = find(element, ".mean");
    this.exact = find(element, ".exact");
    this.range.addEventListener("input", () => on.moved(this.#budgets[Number(this.range.value)] ?? 0));
    this.range.addEventListener("change", on.released);
  }

  /** Keys of the stop; null for all. */
  get keys() {
    return this.#budgets[this.stop] ?? null;
  }

  get isAll() {
    return this.keys === null;
  }

  /**
   * @param {FrontierData} data
   * @param {number} keys
   */
  show({ budgets, measured }, keys) {
    const at = budgets.indexOf(keys || null);
    this.#budgets = budgets;
    this.stop = at < 0 ? budgets.length - 1 : at;
    this.element.hidden = budgets.length < 2;
    if (this.element.hidden) return;
    const n = measured[this.stop];
    this.range.max = String(budgets.length - 1);
    this.range.value = String(this.stop);
    this.range.setAttribute("aria-valuetext", this.isAll ? "all keys" : `${this.keys} keys`);
    write(this.budget, String(this.keys ?? "all"));
    write(this.mean, this.isAll ? "" : `${n} ${n === 1 ? "checkpoint" : "checkpoints"} measured at this budget`);
    write(
      this.exact,
      `Recorded: the bar stops at the ${budgets.length} measured budgets; nothing between them is ` +
        "interpolated. A mask saves reads, not latency.",
    );
  }
}
