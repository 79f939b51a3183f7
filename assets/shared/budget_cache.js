// Results kept by budget, the most recent ones. No DOM.

const KEEP = 160;

/** @template T */
export class BudgetCache {
  /** @type {Map<string, T>} */
  #held = new Map();

  /** @param {string} key Begins with the budget and a comma. */
  get(key) {
    return this.#held.get(key);
  }

  /**
   * @param {string} key
   * @param {T} value
   */
  set(key, value) {
    const [oldest] = this.#held.keys();
    if (this.#held.size > KEEP) this.#held.delete(oldest);
    this.#held.set(key, value);
  }

  /** @param {number} k */
  forget(k) {
    for (const key of this.#held.keys()) if (key.startsWith(`${k},`)) this.#held.delete(key);
  }

  clear() {
    this.#held.clear();
  }
}
