// The bar of an elastic checkpoint: which size of it is shown, what that runs, has left and takes. Where a checkpoint
// has one size there is none of it on the page.

import { firstChoice } from "./answers.js";
import { drawTicks } from "./budget.js";
import { make, write } from "./dom.js";
import { widthOf } from "./stage.js";
import { macsOf, number, shareOf } from "./words.js";

/** @import { Frame, Palette, Place } from "./types.js" */
/** @import { Feed } from "./feed.js" */
/** @import { Sizes } from "./sizes.js" */
/** @import { Store } from "./store.js" */

let made = 0;

export class ComputeBar {
  #box = make("div", "compute");
  #range = make("input");
  #value = make("output", "size");
  #left = make("span", "note left");
  #ticks = make("canvas", "ticks");
  #note = make("p", "reads");
  #width = 120;
  #drawn = "";
  /** @type {number[]} */
  #stops = [];

  /**
   * @param {HTMLElement} parent It is put at its end.
   * @param {{ move: (size: number) => void, tell: () => void }} host
   * @param {string} [label]
   */
  constructor(parent, { move, tell }, label = "Compute") {
    const range = this.#range;
    this.parent = parent;
    range.type = "range";
    range.min = "0";
    range.step = "1";
    range.id = `cc-size-${made++}`;
    range.addEventListener("input", () => move(this.#stops[Number(range.value)]));
    range.addEventListener("change", () => tell());
    this.#ticks.height = 6;
    this.#ticks.ariaHidden = "true";
    this.#ticks.title = "Marks: sizes that have come";
    const head = make("div", "barhead");
    const name = make("label", "", label);
    name.htmlFor = range.id;
    name.title = "Share of the whole model's multiply-adds: dragging sells heads and neurons, those worth least first";
    this.#left.title =
      "A size is a share of the multiply-adds of heads and neurons. Counted here is a pass with every layer at every " +
      "position, and the output: a larger share of that is left.";
    head.append(name, this.#value, this.#left);
    this.#box.append(head, range, this.#ticks, this.#note);
  }

  /**
   * Puts the bar where a text's checkpoint has several sizes, and takes it away where it has one.
   * @param {Store | null} store
   */
  opened(store) {
    const sizes = store?.sizes;
    this.#drawn = "";
    if (!sizes) return this.#box.remove();
    this.#stops = sizes.stops;
    this.#range.max = String(sizes.stops.length - 1);
    this.#range.disabled = sizes.stops.length < 2;
    if (!this.#box.isConnected) this.parent.append(this.#box);
  }

  measure() {
    if (this.#box.isConnected) this.#width = widthOf(this.#ticks);
  }

  /**
   * @param {Feed} feed
   * @param {Place & { k: number }} view
   * @param {Palette} colours
   */
  draw({ sized }, view, colours) {
    const { all, wanted } = sized;
    if (!all) return;
    const range = this.#range;
    const at = String(this.#stops.indexOf(wanted));
    if (range.value !== at) range.value = at;
    const left = leftWords(all, wanted);
    write(this.#value, `${shareOf(wanted)} of the MACs`);
    write(this.#left, left);
    range.setAttribute("aria-valuetext", `${shareOf(wanted)} of the MACs: ${left}`);
    write(this.#note, `${answerWords(all, wanted, view.k)} ${timeWords(all, wanted)}`.trim());
    const come = this.#stops.filter((size) => all.isWhole(size, view.layer, view.head));
    const drawn = [this.#width, this.#stops, come, colours.accent].join(";");
    if (this.#drawn === drawn) return;
    this.#drawn = drawn;
    this.#box.dataset.missing = String(this.#stops.length - come.length);
    drawTicks(this.#ticks, this.#width, this.#stops, (size) => come.includes(size), colours.accent);
  }
}

/** @param {number} n */
const count = (n) => n.toLocaleString("en");

/**
 * What a size runs on this text and which units it has.
 * @param {Sizes} sizes
 * @param {number} size
 */
function leftWords(sizes, size) {
  const { macs, heads, neurons } = sizes.offer(size);
  const { whole } = sizes;
  const runs = `${macsOf(macs)} of ${macsOf(whole.macs)} on this text`;
  return `${runs} · ${heads} of ${whole.heads} heads, ${count(neurons)} of ${count(whole.neurons)} neurons left`;
}

/**
 * What the model says at a size, beside what it says whole, at the same budget of keys.
 * @param {Sizes} sizes
 * @param {number} size
 * @param {number} k
 */
function answerWords(sizes, size, k) {
  if (size === 1) return "The whole model.";
  const [now, whole] = [sizes.get(size), sizes.get(1)];
  const [frame, before] = [now?.frames.get(k), whole?.frames.get(k)];
  if (!now || !frame || !before) return "";
  const { open } = now;
  if (open.output === "regression" && !frame.scores)
    return `The score is ${number(frame.score, 2)}, of the whole model ${number(before.score, 2)}.`;
  const [is, was] = [frame, before].map((/** @type {Frame} */ one) => firstChoice(open, one));
  if (is === null || was === null) return "";
  return is === was ? `Says “${is}” as the whole model does.` : `Says “${is}”; the whole model says “${was}”.`;
}

/**
 * How long a pass takes.
 * @param {Sizes} sizes
 * @param {number} size
 */
function timeWords(sizes, size) {
  const latency = sizes.latencies.get(size);
  if (!latency) return sizes.isTimed ? "" : "Its time is measured once all sizes are here.";
  const { ms, low, high, whole_ms, rounds } = latency;
  const own = `${msOf(ms)} ms (${msOf(low)} to ${msOf(high)})`;
  const whole = size === 1 ? "" : `, the whole model ${msOf(whole_ms)} ms`;
  return `${own}${whole}; measured here, ${rounds} ${rounds === 1 ? "round" : "rounds"}.`;
}

/** @param {number} ms */
const msOf = (ms) => ms.toFixed(ms < 10 ? 1 : 0);
