// What takes input on every canvas of attention: the budget bar, the dismissal of a message, the statistic that colours
// heads, the switches.

import { find } from "./dom.js";
import { switches } from "./stage.js";
import { ATLAS } from "./words.js";

/**
 * @typedef InputHost
 * @property {ParentNode} root
 * @property {number[]} stops
 * @property {(change: object, isDone?: boolean) => void} set
 * @property {(k: number) => void} move
 * @property {() => void} tell
 * @property {(sentence: string | null) => void} warn
 */

/** @param {InputHost} host */
export function sharedInputs(host) {
  const { root } = host;
  const range = find(root, "input[type=range]", HTMLInputElement);
  const select = find(root, "select.statistic", HTMLSelectElement);
  range.addEventListener("input", () => host.move(host.stops[Number(range.value)]));
  range.addEventListener("change", () => host.tell());
  find(root, ".alert .dismiss").addEventListener("click", () => host.warn(null));
  select.replaceChildren(...Object.entries(ATLAS).map(([name, { label }]) => new Option(label, name)));
  select.addEventListener("change", () => host.set({ statistic: select.value }));
  const showSwitches = switches(root, (name, value) => host.set({ [name]: value }));
  return { range, select, showSwitches, output: find(root, ".k"), ticks: find(root, ".ticks", HTMLCanvasElement) };
}
