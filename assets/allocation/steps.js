// Keys of the queue, which is a slider over the queries.

/** @type {Record<string, number | undefined>} */
const STEPS = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: -Infinity,
  End: Infinity,
};

/**
 * Where a key leads, or null for one that leads nowhere.
 * @param {string} key
 * @param {number} at
 * @param {number} last
 */
export function stepped(key, at, last) {
  const by = STEPS[key];
  return by === undefined ? null : Math.max(0, Math.min(last, at + by));
}
